import { type Json, Namespace } from "@orra/core"
import { type PostgresStore, postgresStore } from "@orra/store-sql"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest"
import type { Reply } from "./ask.ts"
import { Connections, type ConnectionsOptions } from "./connections.ts"
import { taskOutcome } from "./service-frame.ts"
import { askOf, type Handler, socketsOf, WireService } from "./wire-fixture.ts"

const ROOT = Namespace.of("engines-test")
const WAIT = { timeout: 30_000, interval: 5 }

let server: PostgresServer | undefined
let control: PostgresStore | undefined
beforeAll(async () => {
  server = await postgresServer({ durable: false })
  control = await postgresStore({ url: server.url, maxConnections: 2 })
})
afterAll(async () => {
  await control?.close()
  await server?.stop()
})
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** An engine's connections, on the store that all of them share. */
async function engine(options: ConnectionsOptions = {}) {
  const store = await postgresStore({ url: server?.url ?? "", maxConnections: 3 })
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const timing = { redeliverMs: [60_000], handoverMs: 50, beatMs: 60_000 }
  const connections = new Connections(
    { ...timing, ...options },
    { store, root: ROOT, onUnasked: () => {}, onError },
  )
  await connections.join()
  const { url, close } = await socketsOf(connections)
  let isOpen = true
  const end = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await connections.leave()
    close()
    await store.close()
    expect(errors).toEqual([])
  }
  ends.push(end)
  const connect = async (handler?: Handler, id = "s_a"): Promise<WireService> => {
    const made = new WireService(`${url}/${id}`)
    made.handler = handler
    return await made.connect()
  }
  const sees = (id: string, isThere: boolean): Promise<void> =>
    vi.waitFor(() => expect(connections.isConnected(id)).toBe(isThere), WAIT)
  const ask = (key: string, more?: Parameters<typeof askOf>[2]): Promise<Reply> =>
    askOf(connections, key, more)
  /** Ends as by a kill: nobody is told. */
  const die = async (): Promise<void> => {
    isOpen = false
    await store.close()
    close()
    await connections.leave()
  }
  return { url, connections, connect, sees, ask, end, die }
}

const outcomeOf = (reply: Reply) =>
  reply.type === "late" || reply.type === "away" ? reply : taskOutcome(reply, true)
const done = (output: Json) => ({ type: "done", output })

/** What is written of sockets, at whatever engine. */
const connections = async () =>
  (await control?.records("plan-connections").list(ROOT, { below: true }))?.items

describe("engines on one store", () => {
  test("see the services of each other come and go, also those that were there before", async () => {
    const a = await engine()
    const wire = await a.connect(undefined, "s_early")
    const b = await engine()
    await b.sees("s_early", true)
    const second = await a.connect(undefined, "s_early")
    await wire.drop()
    const late = await a.connect(undefined, "s_late")
    await b.sees("s_late", true)
    expect(b.connections.isConnected("s_early"), "one of its sockets is left").toBe(true)
    await second.drop()
    await late.drop()
    await b.sees("s_early", false)
    await b.sees("s_late", false)
    expect(b.connections.awayMs("s_early")).toBeGreaterThan(0)
  })

  test("hand a task over, with all that is said of it, and leave nothing of it in the store", async () => {
    const [a, b] = [await engine(), await engine()]
    const wire = await b.connect(({ input, pushUpdate }) => {
      pushUpdate({ percent: 50 })
      return input
    })
    await a.sees("s_a", true)
    const told: Json[] = []
    const onProgress = (data: Json): void => void told.push(data)
    expect(outcomeOf(await a.ask("k1", { onProgress }))).toEqual(done({ n: 1 }))
    expect(told).toEqual([{ percent: 50 }])
    expect(wire.handled).toEqual(["k1"])
    await wire.seen("ACK", 2)
    const left = async () => (await control?.records("plan-mail").list(ROOT, { below: true }))?.items
    await vi.waitFor(async () => expect(await left()).toEqual([]), WAIT)
  })

  test("answer one that came after them, and that they have not seen yet", async () => {
    const b = await engine()
    await b.connect(() => "here")
    const late = await engine()
    expect(outcomeOf(await late.ask("k1"))).toEqual(done("here"))
  })

  test("spread tasks over the sockets of a service, wherever they are, and a task stays where it was", async () => {
    const [a, b] = [await engine(), await engine()]
    const hold = Promise.withResolvers<void>()
    const handler = (): Promise<string> => hold.promise.then(() => "done")
    const there = await b.connect(handler)
    await a.sees("s_a", true)
    const both = [await a.connect(handler), there]
    const replies = ["k1", "k2", "k3", "k4"].map((key) => a.ask(key))
    for (const each of both) await each.seen("task_request", 2)
    hold.resolve()
    await Promise.all(replies)
    for (const key of ["k2", "k1", "k4", "k3"]) expect(outcomeOf(await a.ask(key))).toEqual(done("done"))
    expect(
      both.map(({ handled }) => handled.length),
      "none was done twice",
    ).toEqual([2, 2])
  })

  test("ask a task again where its service comes back, and what it has answered meanwhile is not lost", async () => {
    const [a, b, c] = [await engine(), await engine(), await engine()]
    const hold = Promise.withResolvers<void>()
    const wire = await b.connect(() => hold.promise.then(() => "kept"))
    await a.sees("s_a", true)
    const reply = a.ask("k1")
    await wire.seen("task_request")
    await wire.drop()
    hold.resolve()
    await new Promise(setImmediate)
    // Its bare frame is there before the engine that asks has heard of the connection, and it says it only once.
    wire.handler = undefined
    wire.move(c.url)
    await wire.connect()
    expect(outcomeOf(await reply)).toEqual(done("kept"))
    expect(wire.handled).toEqual(["k1"])
  })

  test("go on without one that dies, and its tasks go to whoever has the service", async () => {
    const quick = { beatMs: 300 }
    const [a, b, c] = [await engine(quick), await engine(quick), await engine(quick)]
    const stuck = await b.connect(() => new Promise(() => {}))
    await a.sees("s_a", true)
    const reply = a.ask("k1")
    await stuck.seen("task_request")
    await b.die()
    const next = await c.connect(() => "mine")
    expect(outcomeOf(await reply)).toEqual(done("mine"))
    expect(next.handled).toEqual(["k1"])
    await vi.waitFor(async () => expect(await connections()).toHaveLength(1), WAIT)
  })

  test("hear again of one that was taken for dead and was only slow", async () => {
    const [a, b] = [await engine({ beatMs: 300 }), await engine({ beatMs: 300 })]
    await b.connect(() => "here")
    await a.sees("s_a", true)
    const [before] = (await connections()) ?? []
    const beats = control?.records("plan-engines")
    for (const { namespace, key } of (await beats?.list(ROOT, { below: true }))?.items ?? [])
      await beats?.delete(namespace, key)
    // As another one: what was said of it before may be removed however late.
    const others = async () =>
      (await connections())?.filter(({ namespace }) => namespace.key !== before?.namespace.key)
    await vi.waitFor(async () => expect(await others()).toHaveLength(1), WAIT)
    await a.sees("s_a", true)
    expect(outcomeOf(await a.ask("k1"))).toEqual(done("here"))
    const c = await engine()
    await vi.waitFor(async () => expect(await connections(), "whoever comes clears up").toHaveLength(1), WAIT)
    await c.sees("s_a", true)
  })

  test("close what was opened with a key that was revoked, or by a service that was removed, at the others too", async () => {
    const [a, b] = [await engine(), await engine()]
    const [byKey, removed] = [await b.connect(undefined, "s_a"), await b.connect(undefined, "s_b")]
    await a.sees("s_a", true)
    await a.sees("s_b", true)
    a.connections.close({ service: "s_b" })
    await a.sees("s_b", false)
    expect(removed.socket?.readyState).toBeGreaterThan(1)
    expect(a.connections.isConnected("s_a")).toBe(true)
    a.connections.close({ key: "key" })
    await a.sees("s_a", false)
    expect(byKey.socket?.readyState).toBeGreaterThan(1)
  })
})

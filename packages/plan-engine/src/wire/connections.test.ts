import { once } from "node:events"
import type { Json } from "@orra/core"
import { afterEach, describe, expect, test, vi } from "vitest"
import type { Reply } from "./ask.ts"
import { Connections, type ConnectionsOptions } from "./connections.ts"
import { taskOutcome } from "./service-frame.ts"
import { askOf, type Handler, socketsOf, WireService } from "./wire-fixture.ts"

const ends: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** An engine's sockets, where the path of the address is the service. */
async function wire(options: ConnectionsOptions = {}) {
  const connections = new Connections({ redeliverMs: [20, 50], handoverMs: 20, ...options })
  const { url, close } = await socketsOf(connections)
  ends.push(close)
  const service = (id = "s_a", handler?: Handler) => {
    const made = new WireService(`${url}/${id}`)
    made.handler = handler
    return made
  }
  const ask = (key: string, more?: Parameters<typeof askOf>[2]) => askOf(connections, key, more)
  return { connections, service, ask }
}

const outcomeOf = (reply: Reply) =>
  reply.type === "late" || reply.type === "away" ? reply : taskOutcome(reply, true)
const done = (output: Json) => ({ type: "done", output })

describe("a task", () => {
  test("is answered, and what answers it is acknowledged, a pong is not", async () => {
    const { service, ask } = await wire({ pingMs: 500 })
    const echo = await service("s_a", ({ input }) => input).connect()
    expect(outcomeOf(await ask("k1"))).toEqual(done({ n: 1 }))
    await echo.seen("ACK")
    await echo.seen("ping")
    // What comes after the pong is acknowledged after it.
    echo.send({}, { type: "task_status" })
    expect((await echo.seen("ACK", 2)).map(({ id }) => id)).toEqual([
      expect.stringMatching(/^message_1_e_/),
      expect.stringMatching(/^message_2_/),
    ])
    const [request] = await echo.seen("task_request")
    expect(Object.keys(request ?? {}).toSorted()).toEqual(
      ["executionId", "id", "idempotencyKey", "input", "serviceId", "type"].toSorted(),
    )
  })

  test("D7: that came before the service had begun to listen comes again", async () => {
    const { service, ask } = await wire()
    const late = await service().connect()
    const reply = ask("k1")
    await late.seen("task_request")
    late.handler = () => "now"
    expect(outcomeOf(await reply)).toEqual(done("now"))
  })

  test("that takes long is done once, however often it is sent", async () => {
    const { service, ask } = await wire()
    const hold = Promise.withResolvers<void>()
    const slow = await service("s_a", () => hold.promise.then(() => "done")).connect()
    const reply = ask("k1")
    const sent = await slow.seen("task_request", 4)
    expect(new Set(sent.map(({ executionId }) => executionId)).size, "each is another execution").toBe(
      sent.length,
    )
    hold.resolve()
    expect(outcomeOf(await reply)).toEqual(done("done"))
    expect(slow.handled).toEqual(["k1"])
  })

  test("waits for a service that is away, and goes on when it is back", async () => {
    const { service, ask, connections } = await wire()
    const reply = ask("k1", { timeoutMs: 1_000 })
    expect(connections.isConnected("s_a")).toBe(false)
    await service("s_a", () => "back").connect()
    expect(outcomeOf(await reply)).toEqual(done("back"))
    expect((await ask("k2", { id: "s_never", graceMs: 5 })).type).toBe("away")
  })

  test("D1: whose answer was not acknowledged is answered by the bare frame after the reconnect", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const hold = Promise.withResolvers<void>()
    const flaky = await service("s_a", () => hold.promise.then(() => "kept")).connect()
    const reply = ask("k1")
    await flaky.seen("task_request")
    await flaky.drop()
    hold.resolve()
    // It has ended while there was nobody to tell.
    await new Promise(setImmediate)
    flaky.handler = undefined
    await flaky.connect()
    expect(outcomeOf(await reply)).toEqual(done("kept"))
    expect(flaky.handled).toEqual(["k1"])
  })

  test("W-T1: that was aborted between two attempts has aborted at the next, and so it has by what D3 says", async () => {
    const { service, ask } = await wire()
    const quick = await service().connect()
    expect((await ask("k1", { timeoutMs: 10 })).type).toBe("late")
    const about = { id: "task1", executionId: "e_1", serviceId: "s_a", idempotencyKey: "k1" }
    quick.send(about, { type: "task_abort_result", result: { task: "sold out" } })
    await quick.seen("ACK")
    expect(outcomeOf(await ask("k1"))).toEqual({ type: "aborted", payload: "sold out" })
    quick.handler = ({ abort }) => abort("none")
    expect(outcomeOf(await ask("k2"))).toEqual({ type: "aborted", payload: "none" })
    expect(outcomeOf(await ask("k2"))).toEqual({ type: "aborted", payload: "none" })
    expect(quick.handled).toEqual(["k2"])
  })

  test("that fails is tried again, and the same failure again is none of the next attempt", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const answers = [Promise.reject(new Error("Busy.")), Promise.resolve("fine")]
    for (const answer of answers) answer.catch(() => {})
    const hold = Promise.withResolvers<void>()
    const unsure = await service("s_a", async () => {
      const answer = answers.shift()
      if (answers.length === 0) await hold.promise
      return await answer
    }).connect()
    expect(outcomeOf(await ask("k1"))).toEqual({ type: "failed", error: "Busy." })
    const again = ask("k1")
    const [first] = await unsure.seen("task_request", 2)
    unsure.send(first ?? {}, { type: "task_result", result: null, error: "Busy." })
    await unsure.seen("ACK", 2)
    hold.resolve()
    expect(outcomeOf(await again)).toEqual(done("fine"))
  })

  test("W-D3: may answer with 10 MB", async () => {
    const { service, ask } = await wire()
    const text = "x".repeat(10_000_000)
    await service("s_a", () => text).connect()
    expect(outcomeOf(await ask("k1"))).toEqual(done(text))
  })
})

describe("a service that does wrong", () => {
  test("W-D3: with a frame of 100 MB is told why it is closed, and the task has failed with that", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const greedy = await service().connect()
    const reply = ask("k1")
    await greedy.seen("task_request")
    const { socket } = greedy
    const closed = socket && once(socket, "close")
    socket?.on("error", () => {})
    socket?.send(Buffer.alloc(100_000_000, " "))
    const outcome = outcomeOf(await reply)
    expect(outcome).toMatchObject({ type: "failed", error: expect.stringMatching(/at most 10 MiB/) })
    const [code, reason] = (await closed) ?? []
    expect([code, String(reason)]).toEqual([1009, expect.stringMatching(/at most 10 MiB/)])
    greedy.handler = () => "short"
    await greedy.connect()
    expect(outcomeOf(await ask("k1"))).toEqual(done("short"))
  })

  test("D2: that never sends again what was lost while it is connected is asked again", async () => {
    const { service, ask } = await wire()
    const forgetful = await service("s_a", () => "kept").connect()
    if (!forgetful.socket) throw new Error("It is connected.")
    const send = vi.spyOn(forgetful.socket, "send").mockImplementationOnce(() => {})
    expect(outcomeOf(await ask("k1"))).toEqual(done("kept"))
    expect(send.mock.calls.length).toBeGreaterThan(1)
    expect(forgetful.handled).toEqual(["k1"])
  })

  test("D4: that throws and says nothing is late, however often it is asked", async () => {
    const { service, ask } = await wire()
    const broken = await service("s_a", () => new Promise(() => {})).connect()
    expect((await ask("k1", { timeoutMs: 200 })).type).toBe("late")
    await broken.seen("task_request", 2)
    expect(broken.handled).toEqual(["k1"])
  })

  test("with wrong ids, with nothing, twice, or for what nobody asked changes nothing", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const odd = await service().connect()
    const reply = ask("k1")
    const [request = {}] = await odd.seen("task_request")
    const wrong = [
      { ...request, idempotencyKey: "k2" },
      { ...request, idempotencyKey: "" },
      { id: "task9", executionId: "e_none", serviceId: "s_b", idempotencyKey: "k_none" },
    ]
    for (const about of wrong)
      odd.send(about, { type: "task_result", result: { task: "wrong" }, error: null })
    for (const text of ["", "[]", "{", "null", "\u0000", '{"payload":{}}']) odd.socket?.send(text)
    odd.socket?.send(Buffer.from([0xff, 0xfe]))
    odd.send(request, { type: "news" })
    await odd.seen("ACK", wrong.length + 1)
    // The id of the task is not what counts, nor which time it was sent.
    const right = { ...request, id: "task9", executionId: "e_old" }
    for (let time = 0; time < 3; time++)
      odd.send(right, { type: "task_result", result: { task: `right ${time}` }, error: null })
    expect(outcomeOf(await reply)).toEqual(done("right 0"))
    await odd.seen("ACK", wrong.length + 4)
    odd.handler = () => "next"
    expect(outcomeOf(await ask("k3"))).toEqual(done("next"))
  })

  test("W-T3: is heard when it fails after it was late", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const slow = await service().connect()
    expect((await ask("k1", { timeoutMs: 20 })).type).toBe("late")
    await slow.seen("task_request")
    slow.handler = () => Promise.reject(new Error("Sold out."))
    expect(outcomeOf(await ask("k1"))).toEqual({ type: "failed", error: "Sold out." })
  })
})

describe("the sockets of a service", () => {
  test("share the load, and a task stays where it was", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const hold = Promise.withResolvers<void>()
    const both = [service(), service()]
    for (const each of both) {
      each.handler = () => hold.promise.then(() => "done")
      await each.connect()
    }
    // The engine has heard of it since the other one came.
    both[0]?.send({}, { type: "task_status" })
    await both[0]?.seen("ACK")
    const replies = ["k1", "k2", "k3", "k4"].map((key) => ask(key))
    for (const each of both) await each.seen("task_request", 2)
    hold.resolve()
    await Promise.all(replies)
    for (const key of ["k2", "k1", "k4", "k3"]) await ask(key)
    const [first, second] = both.map(({ handled }) => new Set(handled))
    expect([first?.size, second?.size]).toEqual([2, 2])
    expect(first?.isDisjointFrom(second ?? new Set())).toBe(true)
  })

  test("one takes over when another has gone for good", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const first = await service("s_a", () => new Promise(() => {})).connect()
    const reply = ask("k1")
    await first.seen("task_request")
    const second = await service("s_a", () => "mine").connect()
    await first.drop()
    expect(outcomeOf(await reply)).toEqual(done("mine"))
    expect(second.handled).toEqual(["k1"])
  })

  test("W-D6: the late end of an old one leaves the new one as it is", async () => {
    const { service, ask, connections } = await wire()
    const old = await service("s_a").connect()
    const { socket } = old
    await service("s_a", () => "new").connect()
    const gone = socket && once(socket, "close")
    socket?.terminate()
    await gone
    expect(outcomeOf(await ask("k1"))).toEqual(done("new"))
    expect(connections.isConnected("s_a")).toBe(true)
  })

  test("W-D6: an old one that lives no more gets nothing new, and what it had goes to the new one", async () => {
    const { service, ask } = await wire({ doubtMs: 50, redeliverMs: [60_000], handoverMs: 60_000 })
    const old = await service("s_a").connect()
    const given = ask("k1")
    await old.seen("task_request")
    // As behind a router that has forgotten it: nothing says that it has gone.
    old.socket?.pause()
    const next = await service("s_a", () => "new").connect()
    const replies = await Promise.all([ask("k2"), ask("k3"), given])
    expect(replies.map(outcomeOf)).toEqual([done("new"), done("new"), done("new")])
    expect(next.handled.toSorted()).toEqual(["k1", "k2", "k3"])
    expect(old.frames.filter(({ type }) => type === "task_request")).toHaveLength(1)
    old.socket?.terminate()
  })

  test("that live both go on with what they have when another one comes", async () => {
    const { service, ask, connections } = await wire({ doubtMs: 60_000, redeliverMs: [60_000] })
    const hold = Promise.withResolvers<void>()
    const first = await service("s_a", () => hold.promise.then(() => "first")).connect()
    const reply = ask("k1")
    await first.seen("task_request")
    const second = await service("s_a", () => "second").connect()
    await first.seen("ping")
    hold.resolve()
    expect(outcomeOf(await reply)).toEqual(done("first"))
    for (const key of ["k2", "k3"]) await ask(key)
    expect([first.handled.length, second.handled.length]).toEqual([2, 1])
    expect(connections.isConnected("s_a")).toBe(true)
  })

  test("W-S2: answer for their own service only, whatever they say who they are", async () => {
    const { service, ask } = await wire({ redeliverMs: [60_000] })
    const honest = await service("s_a").connect()
    const other = await service("s_b").connect()
    const reply = ask("k1")
    const [request] = await honest.seen("task_request")
    other.send(request ?? {}, { type: "task_result", result: { task: "forged" }, error: null })
    await other.seen("ACK")
    honest.send(request ?? {}, { type: "task_result", result: { task: "true" }, error: null })
    expect(outcomeOf(await reply)).toEqual(done("true"))
  })

  test("that do not answer a ping are closed", async () => {
    const { service, connections } = await wire({ pingMs: 20 })
    const silent = await service().connect()
    const { socket } = silent
    const closed = socket && once(socket, "close")
    socket?.pause()
    while (connections.isConnected("s_a")) await new Promise((resolve) => setTimeout(resolve, 5))
    socket?.resume()
    await closed
  })
})

import { connect, createServer } from "node:net"
import {
  type Lease,
  Namespace,
  type NewEntry,
  type SessionStore,
  userMessage,
  VersionConflict,
} from "@orra/core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { testServer } from "./fixture.ts"
import { postgresStore } from "./index.ts"

/** Between the store and its server: the answers that come while `lose` is above 0 are lost, with their connections. */
const between = { lose: 0 }

const server = testServer()
let store: SessionStore
const proxy = createServer((client) => {
  const { hostname, port } = new URL(server().url)
  const upstream = connect(Number(port), hostname)
  const end = (): void => {
    client.destroy()
    upstream.destroy()
  }
  for (const socket of [client, upstream]) socket.on("error", end).on("close", end)
  client.pipe(upstream)
  upstream.on("data", (answer: Buffer) => {
    if (between.lose === 0) client.write(answer)
    else {
      between.lose--
      end()
    }
  })
})
beforeAll(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
  const url = new URL(server().url)
  const address = proxy.address()
  url.port = `${typeof address === "object" && address ? address.port : 0}`
  store = await postgresStore({ url: url.href, maxConnections: 1 })
})
afterAll(async () => {
  await store.close()
  proxy.close()
})

let sessions = 0
const newSession = (): Namespace => Namespace.of("tenant", `${++sessions}`)
const user = (text: string): NewEntry => ({ type: "user", at: 1, message: userMessage(text) })
const meta: NewEntry = { type: "meta", at: 1, patch: { n: 1 } }

async function held(ns: Namespace): Promise<{ readonly expected: number; readonly lease: Lease }> {
  const lease = await store.acquire(ns, "owner", 60_000)
  if (!lease) throw new Error("The lease is taken.")
  return { expected: 0, lease }
}

test("the answer to what the holder of a lease wrote is lost: it is found there, once", async () => {
  const ns = newSession()
  const options = await held(ns)
  await store.append(ns, [user("a"), user("b")], options)
  between.lose = 1
  const written = await store.append(ns, [user("c"), user("d")], { ...options, expected: 2 })
  expect(between.lose).toBe(0)
  expect(written.map(({ seq }) => seq)).toEqual([3, 4])
  expect(await store.read(ns)).toEqual([{ seq: 1, ...user("a") }, { seq: 2, ...user("b") }, ...written])
})

test("the same written twice by somebody who got the answer is a conflict", async () => {
  const ns = newSession()
  const options = await held(ns)
  await store.append(ns, [user("a")], options)
  await expect(store.append(ns, [user("a")], options)).rejects.toThrow(VersionConflict)
})

test("what somebody else wrote in between is no success of ours", async () => {
  const ns = newSession()
  const options = await held(ns)
  await store.append(ns, [meta], { expected: 0 })
  between.lose = 1
  await expect(store.append(ns, [user("a")], options)).rejects.toThrow(VersionConflict)
  expect(between.lose).toBe(0)
})

test("without a lease it is not known who wrote what is there", async () => {
  const ns = newSession()
  await store.append(ns, [{ type: "input_cancelled", at: 1, inputId: "a" }], { expected: 0 })
  between.lose = 1
  const lost = store.append(ns, [{ type: "input_cancelled", at: 1, inputId: "b" }], { expected: 1 })
  await expect(lost).rejects.toMatchObject({ code: "store_unknown" })
  expect((await store.info(ns))?.version).toBe(2)
})

test("a lease is taken, prolonged and given back, whichever answer is lost", async () => {
  const ns = newSession()
  for (const lose of [1, 2]) {
    between.lose = lose
    const lease = await store.acquire(ns, "owner", 60_000)
    expect(lease?.token).toBeGreaterThan(0)
    if (!lease) return
    between.lose = lose
    const renewed = await store.renew(lease, 60_000)
    between.lose = lose
    await store.release(renewed)
    expect(between.lose).toBe(0)
    expect(await store.acquire(ns, "other", 60_000)).toBeDefined()
    await store.release({ ...renewed, token: (await store.acquire(ns, "other", 60_000))?.token ?? 0 })
  }
})

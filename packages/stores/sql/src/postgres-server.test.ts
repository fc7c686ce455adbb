import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { setImmediate } from "node:timers/promises"
import { LeaseLost, Namespace, type NewEntry, type SessionStore, userMessage } from "@orra/core"
import { postgresServer } from "@orra/testing/postgres"
import { killedAfter } from "@orra/testing/process"
import pg from "pg"
import { expect, onTestFinished, test, vi } from "vitest"
import { type Acknowledged, SESSIONS } from "./appender.child.ts"
import { expectAcknowledged } from "./appender-fixture.ts"
import { testServer } from "./fixture.ts"
import { type PostgresStoreOptions, postgresStore } from "./index.ts"

const ROUNDS = process.env["ORRA_TEST_FULL"] ? 50 : 6
const CHILD = new URL("./appender.child.ts", import.meta.url)

const server = testServer({ durable: true })

let schemas = 0
const newSchema = (): string => `s_${++schemas}`

async function opened(options: Partial<PostgresStoreOptions> = {}): Promise<SessionStore> {
  const store = await postgresStore({ url: server().url, schema: newSchema(), maxConnections: 4, ...options })
  onTestFinished(() => store.close())
  return store
}

async function sql(text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server().url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const ns = Namespace.of("tenant", "acme", "chat")
const user = (text: string): NewEntry => ({ type: "user", at: 1, message: userMessage(text) })
const meta = (n: number): NewEntry => ({ type: "meta", at: 1, patch: { n } })

test(`processes killed ${ROUNDS} times at random: every acknowledged entry is there, once, in order`, {
  timeout: 300_000,
}, async () => {
  const acknowledged = new Map<string, number>()
  const store = await opened({ schema: "orra" })
  for (let round = 0; round < ROUNDS; round++) {
    const lines = 1 + Math.floor(Math.random() * 60)
    for (const [key, seq] of await killedAfter<Acknowledged>(CHILD, [server().url], lines))
      acknowledged.set(key, seq)
    await expectAcknowledged(store, acknowledged)
  }
  expect(acknowledged.size).toBe(SESSIONS.length)
})

test("a server that restarts and crashes in the middle of the load: nothing acknowledged is lost or doubled", {
  timeout: 120_000,
}, async () => {
  const store = await opened({ patienceMs: 60_000 })
  const sessions = Array.from({ length: 20 }, (_, index) => ns.child(`${index}`))
  let stop = false
  let unknown = 0
  const work = sessions.map(async (session) => {
    let version = 0
    while (!stop) {
      try {
        await store.append(session, [meta(version + 1)], { expected: version })
        version++
      } catch (error) {
        // The commit's answer was lost: only reading tells.
        expect(error).toMatchObject({ code: "store_unknown" })
        unknown++
        const now = (await store.info(session))?.version ?? 0
        expect([version, version + 1]).toContain(now)
        version = now
      }
    }
    const entries = await store.read(session, { limit: 1_000_000 })
    expect(entries.map((entry) => entry.type === "meta" && entry.patch["n"])).toEqual(
      Array.from({ length: version }, (_, index) => index + 1),
    )
    return version
  })
  const total = async (): Promise<number> =>
    (await Promise.all(sessions.map((session) => store.info(session)))).reduce(
      (sum, info) => sum + (info?.version ?? 0),
      0,
    )
  const progress = async (): Promise<void> => {
    const before = await total()
    await expect.poll(() => total()).toBeGreaterThan(before + 40)
  }
  await progress()
  await server().restart()
  await progress()
  await server().crash()
  await server().start()
  await progress()
  stop = true
  const versions = await Promise.all(work)
  expect(Math.min(...versions)).toBeGreaterThan(0)
  expect(unknown).toBeLessThan(sessions.length * 2 + 1)
})

test("connections cut in the middle of what the holders of leases write: it is found out what was written", {
  timeout: 120_000,
}, async () => {
  const store = await opened({ patienceMs: 60_000 })
  let stop = false
  let written = 0
  const work = Array.from({ length: 8 }, async (_, index) => {
    const session = ns.child(`cut-${index}`)
    const lease = await store.acquire(session, "owner", 3_600_000)
    let version = 0
    for (; !stop; version++) {
      await store.append(session, [user(`${version}`)], { expected: version, ...(lease && { lease }) })
      written++
    }
    const entries = await store.read(session, { limit: 1_000_000 })
    expect(entries.map((entry) => entry.type === "user" && entry.message.parts)).toEqual(
      Array.from({ length: version }, (_, n) => [{ type: "text", text: `${n}` }]),
    )
    return version
  })
  for (let round = 0; round < 15; round++) {
    const before = written
    await expect.poll(() => written).toBeGreaterThan(before + 20)
    await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orra'")
  }
  stop = true
  await Promise.all(work)
})

test("connections that are cut while nobody uses them are replaced, and whoever asked to know is told", async () => {
  const told: unknown[] = []
  const store = await opened({ onError: (error) => told.push(error) })
  await store.append(ns, [meta(1)], { expected: 0 })
  await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orra'")
  // Or it would be in use when it is found to be cut, and nobody need be told.
  await expect.poll(() => told.length).toBeGreaterThan(0)
  expect((await store.info(ns))?.version).toBe(1)
})

test("who waits for a connection that others use waits longer than for a server, and is served", async () => {
  const schema = newSchema()
  const store = await opened({ schema, maxConnections: 1, patienceMs: 60_000 })
  await store.append(ns, [meta(1)], { expected: 0 })
  const locking = new pg.Client({ connectionString: server().url })
  await locking.connect()
  await locking.query(`BEGIN; LOCK TABLE ${schema}.sessions IN EXCLUSIVE MODE`)
  const slow = store.append(ns, [meta(2)], { expected: 1 })
  await expect.poll(() => sql("SELECT 1 FROM pg_locks WHERE NOT granted")).toHaveLength(1)
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
  onTestFinished(() => void vi.useRealTimers())
  const next = Promise.all([store.info(ns), store.info(ns.child("other"))])
  next.catch(() => {})
  await vi.advanceTimersByTimeAsync(600_000)
  expect(await Promise.race([next, setImmediate("waits")])).toBe("waits")
  vi.useRealTimers()
  await locking.query("COMMIT")
  await locking.end()
  await slow
  expect((await next)[0]?.version).toBe(2)
})

test("who waits behind those that a server never answers is told when they are", async () => {
  const own = await postgresServer()
  onTestFinished(() => own.stop())
  const store = await postgresStore({ url: own.url, maxConnections: 1, patienceMs: 60_000 })
  onTestFinished(() => store.close())
  await own.crash()
  const sockets: Socket[] = []
  const silent = createServer((socket) => sockets.push(socket)).listen(Number(new URL(own.url).port))
  await once(silent, "listening")
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
    vi.useRealTimers()
  })
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
  const asked = Array.from({ length: 60 }, (_, n) => store.info(ns.child(`${n}`)))
  let answered = false
  const all = Promise.allSettled(asked).finally(() => {
    answered = true
  })
  // One after the other they would need sixty times the patience of one.
  let patience = 0
  for (; !answered; patience++) {
    await expect.poll(() => answered || vi.getTimerCount() > 0).toBe(true)
    await vi.advanceTimersByTimeAsync(60_000)
  }
  vi.useRealTimers()
  expect(patience).toBeLessThan(10)
  for (const answer of await all) {
    expect(answer).toMatchObject({ status: "rejected", reason: { code: "store_unavailable" } })
  }
})

test("two stores: of those that write the same version at once, one does", async () => {
  const schema = newSchema()
  const stores = [await opened({ schema }), await opened({ schema })]
  for (let expected = 0; expected < 20; expected++) {
    const results = await Promise.allSettled(
      [0, 1, 2, 3].map((n) => stores[n % 2]?.append(ns, [meta(n), meta(n)], { expected: 2 * expected })),
    )
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1)
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "version_conflict" })
    }
  }
  expect((await stores[0]?.info(ns))?.version).toBe(40)
})

test("of many processes that ask for a lease at once one gets it, and a writer that lost it is refused", async () => {
  const schema = newSchema()
  const stores = await Promise.all([1, 2, 3].map(() => opened({ schema })))
  for (let round = 0; round < 10; round++) {
    const session = ns.child(`${round}`)
    const leases = await Promise.all(stores.map((store, n) => store.acquire(session, `owner-${n}`, 60_000)))
    expect(leases.filter(Boolean)).toHaveLength(1)
  }
  const [a, b] = stores as [SessionStore, SessionStore]
  const old = await a.acquire(ns, "a", 1)
  const taken = await vi.waitFor(async () => {
    const lease = await b.acquire(ns, "b", 60_000)
    expect(lease).toBeDefined()
    return lease
  }, 60_000)
  expect(taken?.token).toBeGreaterThan(old?.token ?? Number.NaN)
  await expect(a.append(ns, [user("late")], { expected: 0, ...(old && { lease: old }) })).rejects.toThrow(
    LeaseLost,
  )
})

test("leases run by the server's clock: a process whose own is minutes ahead takes nobody's", async () => {
  const schema = newSchema()
  const [a, b] = [await opened({ schema }), await opened({ schema })]
  await a.acquire(ns, "a", 60_000)
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10 * 60_000 })
  onTestFinished(() => void vi.useRealTimers())
  expect(await b.acquire(ns, "b", 60_000)).toBeUndefined()
})

test("what one store writes the others hear, each session, and not what they wrote themselves", async () => {
  const schema = newSchema()
  const [a, b] = [await opened({ schema }), await opened({ schema })]
  const heard = await listening(b)
  await b.append(ns.child("own"), [meta(1)], { expected: 0 })
  const sessions = Array.from({ length: 300 }, (_, index) => ns.child(`${"long-".repeat(20)}'${index}`))
  await Promise.all(sessions.map((session) => a.append(session, [meta(1)], { expected: 0 })))
  await a.delete(sessions[0] as Namespace)
  a.announce?.(ns.child("beside"))
  await expect.poll(() => heard.filter((key) => key === sessions[0]?.key)).toHaveLength(2)
  const keys = [...sessions, ns.child("beside")].map(({ key }) => key)
  await expect.poll(() => new Set(heard)).toEqual(new Set(["missed", ...keys]))
})

test("whoever listens is told when the connection was cut, and hears again", async () => {
  const schema = newSchema()
  const [a, b] = [await opened({ schema }), await opened({ schema })]
  const heard = await listening(b)
  await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orra'")
  await expect.poll(() => heard).toEqual(["missed", "missed"])
  await a.append(ns, [meta(1)], { expected: 0 })
  await expect.poll(() => heard).toContain(ns.key)
})

test("what travels are names of sessions and nothing of what is in them, and whoever waits asks the server nothing", async () => {
  const schema = newSchema()
  const [a, b] = [await opened({ schema }), await opened({ schema })]
  const heard = await listening(b)
  const client = new pg.Client({ connectionString: server().url })
  const payloads: string[] = []
  client.on("notification", ({ payload = "" }) => payloads.push(payload))
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`LISTEN orra_${schema}`)
  const asked = async (): Promise<readonly unknown[]> =>
    await sql(
      `SELECT pid, query, query_start FROM pg_stat_activity WHERE query = 'LISTEN orra_${schema}' ORDER BY pid`,
    )
  const before = await asked()
  expect(before).toHaveLength(2)
  for (let n = 1; n <= 5; n++) {
    await a.append(ns.child(`${n}`), [{ type: "meta", at: 1, patch: { title: "secret" } }], { expected: 0 })
    await expect.poll(() => heard).toContain(ns.child(`${n}`).key)
  }
  expect(await asked()).toEqual(before)
  await expect.poll(() => payloads.join("\n")).toContain(ns.child("5").key)
  for (const payload of payloads) expect(payload).toMatch(/^[\w-]+(\ntenant:acme:chat:\d)+$/)
})

/** The keys that a store hears of, from when it does. */
async function listening(store: SessionStore): Promise<readonly string[]> {
  const controller = new AbortController()
  const heard: string[] = []
  const listens = async (): Promise<void> => {
    for await (const namespace of store.changes?.(controller.signal) ?? [])
      heard.push(namespace?.key ?? "missed")
  }
  const done = listens()
  onTestFinished(async () => {
    controller.abort()
    await done
  })
  await expect.poll(() => heard).toEqual(["missed"])
  return heard
}

test("processes that open a new database at once all can", async () => {
  const schema = newSchema()
  const stores = await Promise.all(Array.from({ length: 6 }, () => opened({ schema })))
  await stores[0]?.append(ns, [meta(1)], { expected: 0 })
  for (const store of stores) expect((await store.info(ns))?.version).toBe(1)
})

test("a schema may have a word of SQL for its name", async () => {
  const store = await opened({ schema: "user" })
  await store.append(ns, [meta(1)], { expected: 0 })
  expect((await store.info(ns))?.version).toBe(1)
  expect(await sql('SELECT version FROM "user".format')).toHaveLength(1)
})

test("a newer format is refused and left as it is", async () => {
  const schema = newSchema()
  await opened({ schema })
  await sql(`UPDATE ${schema}.format SET version = 99`)
  await expect(opened({ schema })).rejects.toMatchObject({ code: "store_newer", details: { format: 99 } })
  expect(await sql(`SELECT version FROM ${schema}.format`)).toEqual([{ version: 99 }])
})

test("a row that is not what was written is corrupt, and its text is not in the error", async () => {
  const schema = newSchema()
  const store = await opened({ schema })
  await store.append(ns, [meta(1)], { expected: 0 })
  await sql(`SET orra.tenant = '${ns.key}'; UPDATE ${schema}.entries SET body = '{"secret'`)
  const error = await store.read(ns).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: "store_corrupt" })
  expect(JSON.stringify([error, String(error)])).not.toContain("secret")
})

test("what cannot be reached, and who is refused, is said without the password", async () => {
  const url = new URL(server().url)
  url.password = "hunter2-secret"
  url.pathname = "/nowhere"
  const nowhere = opened({ url: url.href })
  await expect(nowhere).rejects.toMatchObject({ code: "store_not_writable" })
  url.port = "1"
  const unreachable = await opened({ url: url.href, patienceMs: 100 }).catch((reason: unknown) => reason)
  expect(unreachable).toMatchObject({ code: "store_unavailable" })
  for (const error of [await nowhere.catch((reason: unknown) => reason), unreachable]) {
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain("hunter2")
  }
})

test.each([
  ["no URL", { url: "localhost" }],
  ["another database", { url: "mysql://localhost/x" }],
  ["a schema that is no name", { schema: 'x"; DROP SCHEMA orra; --' }],
  ["no connections", { maxConnections: 0 }],
])("%s is refused before anything is opened", async (_, options) => {
  await expect(opened(options)).rejects.toMatchObject({ code: "invalid_input" })
})

import { join } from "node:path"
import { Namespace, type SessionStore } from "@orra/core"
import { expect, onTestFinished, test, vi } from "vitest"
import { testFolder, testServer } from "./fixture.ts"
import { postgresStore } from "./postgres-store.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()
const server = testServer()

const acme = Namespace.of("acme")
const minutes = (count: number): number => count * 60_000

const STORES: readonly [string, (now?: () => number) => Promise<SessionStore>][] = [
  ["PostgreSQL", (now) => postgresStore({ url: server().url, ...(now && { now }) })],
  ["SQLite", (now) => sqliteStore({ path: join(folder, "orra.db"), ...(now && { now }) })],
]

test.each(STORES)("which leases ran out without having been given back is known: %s", async (_, open) => {
  const start = Date.now()
  let now = start
  const store = await open(() => now)
  onTestFinished(() => store.close())
  const [dead, alive, done] = [acme.child("dead"), acme.child("alive"), acme.child("done")]
  await store.acquire(dead, "a", 1_000)
  await store.acquire(Namespace.of("acmeother"), "a", 1_000)
  await store.acquire(alive, "a", 60_000)
  const lease = await store.acquire(done, "a", 1_000)
  if (lease) await store.release(lease)
  expect(await store.abandoned?.(acme)).toEqual([])
  now += 1_001
  const keys = async () => (await store.abandoned?.(acme))?.map(({ key }) => key)
  expect(await keys()).toEqual([dead.key])
  const taken = await store.acquire(dead, "b", 1_000)
  expect(await keys()).toEqual([])
  if (taken) await store.release(taken)
})

test.each(STORES)(
  "leases go by a clock of the store's own, whatever that of a process says: %s",
  async (_, open) => {
    const truth = Date.now()
    for (const shift of [minutes(10), minutes(-10)]) {
      const [a, b] = [await open(), await open()]
      onTestFinished(() => Promise.all([a.close(), b.close()]).then(() => {}))
      const session = acme.child(`shifted-${shift}`)
      const held = await a.acquire(session, "a", minutes(1))
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + shift })
      try {
        expect(Math.abs(((await b.now?.()) ?? 0) - truth)).toBeLessThan(minutes(2))
        expect(await b.acquire(session, "b", minutes(1))).toBeUndefined()
        expect(await b.abandoned?.(acme)).toEqual([])
        const meta = { type: "run_started", at: 1, runId: "r" } as const
        if (held) await a.append(session, [meta], { expected: 0, lease: await a.renew(held, minutes(1)) })
        expect((await b.info(session))?.version).toBe(1)
      } finally {
        vi.useRealTimers()
      }
    }
  },
)

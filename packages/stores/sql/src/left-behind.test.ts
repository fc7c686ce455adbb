import { join } from "node:path"
import { Namespace, type NewEntry, Peers, Runtime, type SessionStore, userMessage } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { describe, expect, onTestFinished, test } from "vitest"
import { testFolder, testServer } from "./fixture.ts"
import { postgresStore, sqliteStore } from "./index.ts"

const folder = testFolder()
const server = testServer()

const TENANT = Namespace.of("tenant")
const message: NewEntry = { type: "input", at: 1, inputId: "i", mode: "queue", message: userMessage("Hello") }
const HOUR = 3_600_000

describe.each<readonly [string, () => Promise<SessionStore>]>([
  ["SQLite", () => sqliteStore({ path: join(folder, "orra.db") })],
  ["PostgreSQL", () => postgresStore({ url: server().url, maxConnections: 4 })],
])("%s", (_, open) => {
  async function opened(): Promise<SessionStore> {
    const store = await open()
    onTestFinished(() => store.close())
    return store
  }

  test("a message whose process died before it could begin with it is answered by another", async () => {
    const store = await opened()
    const session = TENANT.child("limbo")
    await store.append(session, [message], { expected: 0 })
    const peers = await Peers.join(store, { takeOver: TENANT })
    const runtime = new Runtime({ provider: scriptedProvider(["Hi."]), store, peers, leaseTtlMs: 5_000 })
    onTestFinished(() => runtime.close())
    await expect.poll(async () => (await store.info(session))?.messages).toBe(2)
    await expect.poll(() => store.abandoned?.(TENANT)).toEqual([])
  })

  test("what is asked for marks a session that nobody holds, and nothing else does", async () => {
    const store = await opened()
    const abandoned = async (): Promise<readonly string[]> =>
      ((await store.abandoned?.(TENANT)) ?? []).map(({ key }) => key)
    const held = TENANT.child("held")
    const lease = await store.acquire(held, "holder", HOUR)
    await store.append(held, [message], { expected: 0 })
    await store.append(TENANT.child("titled"), [{ type: "meta", at: 1, patch: { title: "T" } }], {
      expected: 0,
    })
    expect(await abandoned()).toEqual([])
    if (lease) expect((await store.renew(lease, HOUR)).token).toBe(lease.token)

    const free = TENANT.child("free")
    await store.append(free, [message], { expected: 0 })
    expect(await abandoned()).toEqual([free.key])
    const taken = await store.acquire(free, "another", HOUR)
    expect(await abandoned()).toEqual([])
    await store.append(free, [{ type: "user", at: 1, message: userMessage("Hello"), inputId: "i" }], {
      expected: 1,
      ...(taken && { lease: taken }),
    })
    if (taken) await store.release(taken)
    expect(await abandoned()).toEqual([])
  })
})

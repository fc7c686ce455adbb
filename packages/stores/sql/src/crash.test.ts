import { join } from "node:path"
import { Namespace } from "@orra/core"
import { killedAfter, startChild } from "@orra/testing/process"
import { expect, test } from "vitest"
import { type Acknowledged, SESSIONS } from "./appender.child.ts"
import { expectAcknowledged } from "./appender-fixture.ts"
import { testFolder } from "./fixture.ts"
import { sqliteStore } from "./sqlite-store.ts"

const ROUNDS = process.env["ORRA_TEST_FULL"] ? 100 : 8
const CHILD = new URL("./appender.child.ts", import.meta.url)

const folder = testFolder()

test(`killed ${ROUNDS} times at random, every acknowledged entry is there, once, in order`, {
  timeout: 300_000,
}, async () => {
  const path = join(folder, "crash.db")
  const acknowledged = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    const lines = 1 + Math.floor(Math.random() * 60)
    for (const [key, seq] of await killedAfter<Acknowledged>(CHILD, [path], lines)) acknowledged.set(key, seq)
    const store = await sqliteStore({ path })
    await expectAcknowledged(store, acknowledged)
    if (round === ROUNDS - 1) expect(await store.integrity()).toEqual([])
    await store.close()
  }
  expect([...acknowledged.keys()].map(Namespace.parse)).toHaveLength(SESSIONS.length)
})

test("processes that open a new file at once all can, and of one owner only the last to ask writes on", {
  timeout: 60_000,
}, async () => {
  const path = join(folder, "race", "orra.db")
  const children = Array.from({ length: 4 }, () => startChild(CHILD, [path], () => {}))
  const running = new Set(children)
  const ended = await Promise.all(
    children.map(async (child) => {
      const end = await child.ended
      running.delete(child)
      if (running.size === 1) for (const last of running) last.kill("SIGKILL")
      return end
    }),
  )
  expect(ended.filter(({ signal }) => signal === "SIGKILL")).toHaveLength(1)
  for (const { signal, complaint } of ended) if (!signal) expect(complaint).toContain("LeaseLost")
  const store = await sqliteStore({ path })
  for (const ns of SESSIONS) {
    const entries = await store.read(ns, { limit: 1_000_000 })
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1))
  }
  expect(await store.integrity()).toEqual([])
  await store.close()
})

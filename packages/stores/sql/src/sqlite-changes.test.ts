import { join } from "node:path"
import { Namespace } from "@orra/core"
import { expect, onTestFinished, test } from "vitest"
import { testFolder } from "./fixture.ts"
import { sqliteChanges } from "./sqlite-changes.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

const ns = Namespace.of("acme", "bob")

test("whoever listens is told once at first, then when another connection wrote, and not of its own writes", async () => {
  const path = join(folder, "orra.db")
  const [ours, theirs] = [await sqliteStore({ path }), await sqliteStore({ path })]
  let told = 0
  const controller = new AbortController()
  const listening = (async () => {
    for await (const change of ours.changes?.(controller.signal) ?? []) {
      expect(change).toBeUndefined()
      told++
    }
  })()
  onTestFinished(async () => {
    controller.abort()
    await listening
    await ours.close()
    await theirs.close()
  })
  await expect.poll(() => told).toBe(1)
  for (let version = 0; version < 5; version++)
    await ours.append(ns, [{ type: "meta", at: 1, patch: {} }], { expected: version })
  expect(told).toBe(1)
  for (let version = 5; version < 8; version++) {
    const before = told
    await theirs.append(ns, [{ type: "meta", at: 1, patch: {} }], { expected: version })
    await expect.poll(() => told).toBeGreaterThan(before)
  }
})

test("a commit that shows only some time after the log was written to is told, and between two it rests", async () => {
  // Nobody tells of writes here: there is no such file.
  let version = 1
  let looks = 0
  const controller = new AbortController()
  const changes = sqliteChanges(join(folder, "none"), () => looks++ >= 0 && version, controller.signal)
  await changes.next()
  const next = changes.next()
  await expect.poll(() => looks).toBeGreaterThan(5)
  version = 2
  expect((await next).done).toBe(false)
  // 4, 8, 16, ... ms: not as often as it could.
  expect(looks).toBeLessThan(20)
  const last = changes.next()
  controller.abort()
  expect((await last).done).toBe(true)
})

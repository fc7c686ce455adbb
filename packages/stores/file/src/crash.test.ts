import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { killedAfter } from "@orra/testing/process"
import { afterAll, expect, test } from "vitest"
import { type Acknowledged, SESSIONS } from "./appender.child.ts"
import { fileStore } from "./file-store.ts"

const ROUNDS = process.env["ORRA_TEST_FULL"] ? 100 : 10
const CHILD = new URL("./appender.child.ts", import.meta.url)

const folder = mkdtempSync(join(tmpdir(), "orra-file-crash-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test(`killed ${ROUNDS} times at random, every acknowledged entry and record is there, once, in order`, {
  timeout: 300_000,
}, async () => {
  const path = join(folder, "sessions")
  const acknowledged = new Map<string, { seq: number; turns: number }>()
  for (let round = 0; round < ROUNDS; round++) {
    const lines = 1 + Math.floor(Math.random() * 60)
    for (const [key, seq, turns] of await killedAfter<Acknowledged>(CHILD, [path], lines))
      acknowledged.set(key, { seq, turns })
    const store = await fileStore({ path })
    for (const ns of SESSIONS) {
      const { seq, turns } = acknowledged.get(ns.key) ?? { seq: 0, turns: 0 }
      const entries = await store.read(ns, { limit: 1_000_000 })
      const version = (await store.info(ns))?.version ?? 0
      expect(version).toBeGreaterThanOrEqual(seq)
      // Turns of four numbers, two of which go when the answer is there; the last one may be without it.
      const whole = Array.from({ length: Math.floor(version / 4) }, (_, turn) => [4 * turn + 1, 4 * turn + 4])
      const last = version % 4 === 0 ? [] : [version - 2, version - 1, version]
      expect(entries.map((entry) => entry.seq)).toEqual([...whole.flat(), ...last])
      expect([0, 3]).toContain(version % 4)
      const counted = Number((await store.records("counts").get(ns, "turns"))?.value ?? 0)
      expect(counted).toBeGreaterThanOrEqual(turns)
      expect(counted).toBeLessThanOrEqual(whole.length)
    }
    await store.close()
  }
  expect(acknowledged.size).toBe(SESSIONS.length)
})

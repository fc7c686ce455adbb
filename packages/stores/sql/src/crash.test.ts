import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Namespace } from "@orra/core"
import { afterAll, expect, test } from "vitest"
import { type Acknowledged, SESSIONS } from "./appender.child.ts"
import { sqliteStore } from "./sqlite-store.ts"

const ROUNDS = process.env["ORRA_TEST_FULL"] ? 100 : 20
const CHILD = new URL("./appender.child.ts", import.meta.url).pathname

const folder = mkdtempSync(join(tmpdir(), "orra-crash-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test(`killed ${ROUNDS} times at random, every acknowledged entry is there, once, in order`, {
  timeout: 300_000,
}, async () => {
  const path = join(folder, "crash.db")
  const acknowledged = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [key, seq] of await killedAfter(path, 1 + Math.floor(Math.random() * 60)))
      acknowledged.set(key, seq)
    const store = await sqliteStore({ path })
    for (const ns of SESSIONS) {
      const entries = await store.read(ns, { limit: 1_000_000 })
      expect(entries.length).toBeGreaterThanOrEqual(acknowledged.get(ns.key) ?? 0)
      const said = entries.map((entry) => entry.type === "delta" && entry.pieces[0])
      expect(said).toEqual(entries.map((_, index) => ({ type: "text", text: `${index + 1}` })))
      expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1))
      expect((await store.info(ns))?.version ?? 0).toBe(entries.length)
    }
    if (round === ROUNDS - 1) expect(await store.integrity()).toEqual([])
    await store.close()
  }
  expect([...acknowledged.keys()].map(Namespace.parse)).toHaveLength(SESSIONS.length)
})

/** What the process acknowledged before it was killed, which is somewhere after so many lines. */
async function killedAfter(path: string, lines: number): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, ["--conditions=@orra/source", "--no-warnings", CHILD, path], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  let complaint = ""
  child.stderr.on("data", (text) => {
    complaint += text
  })
  const exit = once(child, "exit")
  const acknowledged: Acknowledged[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    // A line cut off by the kill acknowledged nothing.
    if (line.endsWith("]")) acknowledged.push(JSON.parse(line) as Acknowledged)
    if (acknowledged.length === lines) child.kill("SIGKILL")
  }
  expect((await exit)[1], complaint).toBe("SIGKILL")
  return acknowledged
}

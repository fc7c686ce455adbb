import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { Namespace } from "@orra/core"
import { afterAll, expect, test } from "vitest"
import { type Acknowledged, SESSIONS } from "./appender.child.ts"
import { sqliteStore } from "./sqlite-store.ts"

const ROUNDS = process.env["ORRA_TEST_FULL"] ? 100 : 20
const CHILD = fileURLToPath(new URL("./appender.child.ts", import.meta.url))

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

test("processes that open a new file at once all can, and of one owner only the last to ask writes on", {
  timeout: 60_000,
}, async () => {
  const path = join(folder, "race", "orra.db")
  const children = Array.from({ length: 4 }, () => start(path))
  const ended = await Promise.all(
    children.map(async (child) => {
      const exit = once(child, "exit")
      let complaint = ""
      child.stderr.on("data", (text) => {
        complaint += text
      })
      child.stdout.resume()
      await exit
      if (children.filter(isRunning).length === 1) children.find(isRunning)?.kill("SIGKILL")
      return { signal: child.signalCode, complaint }
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

const start = (path: string): ChildProcessByStdio<null, Readable, Readable> =>
  spawn(process.execPath, ["--conditions=@orra/source", "--no-warnings", CHILD, path], {
    stdio: ["ignore", "pipe", "pipe"],
  })

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

/** What the process acknowledged before it was killed, which is somewhere after so many lines. */
async function killedAfter(path: string, lines: number): Promise<readonly Acknowledged[]> {
  const child = start(path)
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

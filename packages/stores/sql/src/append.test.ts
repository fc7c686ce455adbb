import { join } from "node:path"
import {
  type EntryType,
  MemoryStore,
  Namespace,
  type NewEntry,
  NO_USAGE,
  type SessionStore,
  userMessage,
} from "@orra/core"
import fc from "fast-check"
import { expect, onTestFinished, test } from "vitest"
import { testFolder, testServer } from "./fixture.ts"
import { postgresStore, sqliteStore } from "./index.ts"

const folder = testFolder()
const server = testServer()

const entry: fc.Arbitrary<NewEntry> = fc
  .record({ at: fc.integer({ min: 0, max: 9 }), runId: fc.constantFrom("r1", "r2"), n: fc.nat(3) })
  .chain(({ at, runId, n }) =>
    fc.constantFrom<NewEntry>(
      { type: "user", at, message: userMessage("hello") },
      { type: "run_started", at, runId },
      { type: "delta", at, runId, messageId: "m", pieces: [{ type: "text", text: "x" }] },
      {
        type: "assistant",
        at,
        runId,
        messageId: "m",
        message: { role: "assistant", parts: [] },
        status: "complete",
      },
      { type: "run_waiting", at, runId, approvals: n, usage: NO_USAGE, durationMs: 1, expiresAt: at + n },
      { type: "approval_decision", at, runId, approvalId: "a", callId: "c", decision: "approve", by: "ada" },
      { type: "run_resumed", at, runId },
      { type: "run_finished", at, runId, outcome: "completed", usage: NO_USAGE },
      { type: "meta", at, patch: n === 0 ? { title: null } : { title: `Title ${n}`, n } },
      { type: "wake", at, runId },
    ),
  )

/** Those in the index of types, those that are not, and both. */
const FILTERS: readonly (readonly EntryType[])[] = [
  ["user"],
  ["meta", "wake", "approval_decision"],
  ["assistant", "delta"],
  ["user", "run_finished", "run_waiting"],
]

test.each<readonly [string, () => Promise<SessionStore>]>([
  ["SQLite", () => sqliteStore({ path: join(folder, "append.db") })],
  ["PostgreSQL", () => postgresStore({ url: server().url, maxConnections: 2 })],
])("the summary that one statement changes is the one that the entries describe: %s", async (_, open) => {
  const store = await open()
  onTestFinished(() => store.close())
  let sessions = 0
  const batches = fc.array(fc.array(entry, { minLength: 1, maxLength: 18 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(batches, fc.nat(40), async (written, bound) => {
      const ns = Namespace.of("tenant", `${++sessions}`)
      const memory = new MemoryStore()
      const leases = await Promise.all([store, memory].map((each) => each.acquire(ns, "owner", 60_000)))
      let expected = 0
      for (const entries of written) {
        const [ours, theirs] = await Promise.all(
          [store, memory].map((each, index) =>
            each.append(ns, entries, { expected, ...(leases[index] && { lease: leases[index] }) }),
          ),
        )
        expect(ours).toEqual(theirs)
        expect(await store.info(ns)).toEqual(await memory.info(ns))
        expected += entries.length
      }
      expect(await store.read(ns)).toEqual(await memory.read(ns))
      for (const types of FILTERS) {
        const options = {
          types,
          after: bound,
          limit: 5,
          direction: bound % 2 ? "forward" : "backward",
        } as const
        expect(await store.read(ns, options)).toEqual(await memory.read(ns, options))
      }
    }),
    { numRuns: process.env["ORRA_TEST_FULL"] ? 1_000 : 60 },
  )
})

import {
  type Entry,
  eraseNamespace,
  exportNamespace,
  importNamespace,
  type Json,
  MemoryStore,
  Namespace,
  type NewEntry,
  type SessionStore,
} from "@orra/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { assistant, delta, fixture, hold, type MakeStore, meta, started, user } from "./fixture.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined

/** Tests of taking a namespace from one store to another. */
export function transferConformance(makeStore: MakeStore): void {
  describe("export and import", () => {
    test("whatever there is comes through this store as it was", { timeout: 120_000 }, async () => {
      const { store } = await fixture(makeStore)
      let round = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(session, { maxLength: 4 }),
          fc.array(record, { maxLength: 6 }),
          async (sessions, records) => {
            const [from, to] = [new MemoryStore(), new MemoryStore()]
            await write(from, sessions, records)
            const under = Namespace.of("round", `${round++}`)
            const before = await linesOf(from, ROOT)
            await importNamespace(store, before, { under })
            const between = await linesOf(store, under)
            await importNamespace(to, between, { under: ROOT })
            expect(between.slice(1).sort()).toEqual(before.slice(1).sort())
            expect((await linesOf(to, ROOT)).slice(1).sort()).toEqual(before.slice(1).sort())
            for (const { path } of sessions) {
              const was = await from.info(ROOT.child(...path))
              const namespace = under.child(...path)
              expect(await store.info(namespace)).toEqual(was && { ...was, namespace })
            }
            await eraseNamespace(store, under)
            expect(await linesOf(store, under)).toHaveLength(2)
          },
        ),
        { numRuns: FULL ? 200 : 15 },
      )
    })

    test("a long session with gaps, and entries of 1 MB", { timeout: 300_000 }, async () => {
      const { store } = await fixture(makeStore)
      const from = new MemoryStore()
      const entries = FULL ? 100_000 : 2_000
      const long = ROOT.child("long")
      const lease = await hold(from, long)
      for (let expected = 0; expected < entries; expected += 20) {
        const turn = [user("question"), started("r"), ...Array.from({ length: 17 }, () => delta("piece"))]
        await from.append(long, turn, { expected, lease })
        const dropDeltas = { from: expected + 3, to: expected + 19 }
        await from.append(long, [assistant("answer")], { expected: expected + 19, lease, dropDeltas })
      }
      for (const n of [0, 1, 2])
        await from.append(ROOT.child("large"), [meta({ note: "ä\0\u{10ffff}".repeat(200_000) })], {
          expected: n,
        })
      await from.release(lease)
      const imported = await importNamespace(store, exportNamespace(from, ROOT))
      expect(imported).toMatchObject({ sessions: 2, entries: (entries * 3) / 20 + 3 })
      const lines = (await linesOf(from, ROOT)).slice(1)
      const copies = exportNamespace(store, ROOT)
      await copies.next()
      let index = 0
      // Not of all at once: what differs would be shown, megabytes of it.
      for await (const line of copies) if (line !== lines[index++]) throw new Error(`Line ${index} differs.`)
      expect(index).toBe(lines.length)
    })
  })
}

const ROOT = Namespace.of("ü:%", "root")

interface Session {
  readonly path: readonly string[]
  readonly steps: readonly Step[]
}
type Step = { readonly entries: readonly NewEntry[] } | { readonly drop: number }

const segment = fc
  .string({ unit: "binary", minLength: 1, maxLength: 6 })
  .filter((text) => text.isWellFormed())
const path = fc.array(segment, { maxLength: 2 })
const text = fc.string({ unit: "binary", maxLength: 20 })
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)
const entry: fc.Arbitrary<NewEntry> = fc.oneof(
  fc.tuple(text, fc.nat()).map(([said, at]) => user(said, at)),
  fc.tuple(text, fc.nat()).map(([said, at]) => delta(said, at)),
  text.map((said) => assistant(said)),
  text.map((runId) => started(runId)),
  fc.dictionary(fc.constantFrom("title", "deletedAt", "a", "__x"), json).map((patch) => meta(patch)),
)
const session: fc.Arbitrary<Session> = fc.record({
  path,
  steps: fc.array(
    fc.oneof(
      fc.array(entry, { minLength: 1, maxLength: 5 }).map((entries) => ({ entries })),
      fc.nat(6).map((drop) => ({ drop })),
    ),
    { minLength: 1, maxLength: 5 },
  ),
})
const record = fc.record({
  collection: fc.constantFrom("approval-rules", "budgets", "ß:%"),
  path,
  key: segment.filter((key) => !key.includes("\0")),
  value: json,
})

async function write(
  store: SessionStore,
  sessions: readonly Session[],
  records: readonly {
    readonly collection: string
    readonly path: readonly string[]
    readonly key: string
    readonly value: Json
  }[],
): Promise<void> {
  for (const { path, steps } of sessions) {
    const ns = ROOT.child(...path)
    const lease = await hold(store, ns, "writer")
    for (const step of steps) {
      const expected = (await store.info(ns))?.version ?? 0
      const dropDeltas =
        "drop" in step ? { from: Math.max(1, expected - step.drop), to: expected } : undefined
      const entries: readonly Omit<Entry, "seq">[] = "entries" in step ? step.entries : []
      if (expected === 0 && entries.length === 0) continue
      await store.append(ns, entries as readonly NewEntry[], {
        expected,
        lease,
        ...(dropDeltas && { dropDeltas }),
      })
    }
    await store.release(lease)
  }
  for (const { collection, path, key, value } of records) {
    await store.records(collection).put(ROOT.child(...path), key, value)
  }
}

async function linesOf(store: SessionStore, prefix: Namespace): Promise<string[]> {
  const lines: string[] = []
  for await (const line of exportNamespace(store, prefix)) lines.push(line)
  return lines
}

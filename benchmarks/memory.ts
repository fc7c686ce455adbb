// The figures of packages/tools/memory/README.md:
// `node --expose-gc --conditions=@orra/source benchmarks/memory.ts [memories of others] [folder]`.
// Recall from 100,000 memories of one namespace in SQLite, alone in the file and beside 10 million of others (that takes
// 10 GB and up to a quarter of an hour to load; a smaller number is measured in the same way and named in the result).

import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Namespace } from "@orra/core"
import { Memories, type MemoriesOptions } from "@orra/memory"
import { sqliteStore } from "@orra/store-sql"
import { replaceIn } from "./table.ts"

const OWN = 100_000
const OTHERS = Number(process.argv[2] ?? 10_000_000)
const PER_NAMESPACE = 10_000
const DIMENSIONS = 384
const ROUNDS = 12
const QUERIES = 25

const me = Namespace.of("tenant", "t0500", "user", "ada")
const withVectors = Namespace.of("tenant", "t0500", "user", "vera")
const small = Namespace.of("tenant", "t0500", "user", "small")

/** Words as often as in a language: the one of rank n about 1/n as often as the first. */
const WORDS = Array.from({ length: 20_000 }, (_, rank) => `${syllables(rank)}${rank % 7 === 0 ? "s" : ""}`)
let seed = 42
const random = (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}
const word = (): string => WORDS[Math.floor(WORDS.length ** random()) - 1] ?? "the"
const sentence = (least: number, most: number): string =>
  Array.from({ length: least + Math.floor(random() * (most - least + 1)) }, word).join(" ")

/** The same vector for the same text; no meaning, but as much work. */
function vectorOf(text: string): Float32Array {
  let state = [...text].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0, 7)
  return Float32Array.from({ length: DIMENSIONS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  })
}
const embedder: NonNullable<MemoriesOptions["embedder"]> = {
  id: "bench",
  embed: async (texts) => texts.map(vectorOf),
}

async function main(): Promise<void> {
  const [alone, beside] = [join(folder, "alone.db"), join(folder, "beside.db")]
  for (const path of [alone, beside]) await (await sqliteStore({ path })).close()
  const started = performance.now()
  load(alone, 0)
  load(beside, OTHERS)
  const gigabytes = statSync(beside).size / 1e9
  const loading = (performance.now() - started) / 1_000
  console.log(`Loaded in ${loading.toFixed(0)} s; the larger file has ${gigabytes.toFixed(1)} GB.`)
  const stores = [await sqliteStore({ path: alone }), await sqliteStore({ path: beside })] as const
  const options = { maxMemories: OWN, heldMemories: 10 * OWN, firstMs: 600_000 }
  const make = (): readonly Memories[] => stores.map((store) => new Memories(store, { ...options, embedder }))
  const first: string[] = []
  for (const [what, namespace] of [
    ["10,000, the default limit", small],
    ["100,000", me],
    [`100,000 with vectors of ${DIMENSIONS} numbers`, withVectors],
  ] as const)
    first.push(`| ${what} | ${(await firstRecall(make, namespace)).join(" | ")} |`)
  const both = make()
  const rows: string[] = []
  for (const [what, namespace, mode] of [
    ["by words", me, "keyword"],
    ["by meaning", withVectors, "vector"],
    ["by both", withVectors, "hybrid"],
  ] as const) {
    const sides = [new Times(), new Times()] as const
    for (const memories of both)
      for (let warm = 0; warm < QUERIES; warm++) await memories.recall(namespace, sentence(2, 5), { mode })
    for (let round = 0; round < ROUNDS; round++) {
      const queries = Array.from({ length: QUERIES }, () => sentence(2, 5))
      for (const side of round % 2 ? ([1, 0] as const) : ([0, 1] as const))
        for (const query of queries)
          await sides[side].of(async () => await both[side]?.recall(namespace, query, { mode }))
    }
    rows.push(`| ${what} | ${sides.map((times) => times.shown()).join(" | ")} |`)
  }
  for (const store of stores) await store.close()
  const others = OTHERS.toLocaleString("en")
  const text = [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, load ${(loadavg()[0] ?? 0).toFixed(1)} at the end.`,
    `Recall from 100,000 memories of one namespace in SQLite, ms, ${ROUNDS * QUERIES} of each kind, alone in the file and beside ${others} memories of ${(OTHERS / PER_NAMESPACE).toLocaleString("en")} other namespaces (${gigabytes.toFixed(1)} GB):`,
    "",
    `|  | alone: CPU, median | 95th percentile | wall, median | 95th percentile | beside others: CPU, median | 95th percentile | wall, median | 95th percentile |`,
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ...rows,
    "",
    "The first recall of a namespace after a start reads its memories, ms:",
    "",
    "|  | alone: CPU | wall | beside others: CPU | wall | memory it then holds, MB |",
    "|---|---:|---:|---:|---:|---:|",
    ...first,
  ].join("\n")
  console.log(text)
  replaceIn("memory", text)
}

/** What each recall took, ms of the processors' time and of the clock's. */
class Times {
  readonly cpu: number[] = []
  readonly wall: number[] = []

  async of(work: () => Promise<unknown>): Promise<void> {
    const { user, system } = process.cpuUsage()
    const before = performance.now()
    await work()
    this.wall.push(performance.now() - before)
    const after = process.cpuUsage({ user, system })
    this.cpu.push((after.user + after.system) / 1_000)
  }

  shown(): string {
    return [this.cpu, this.wall].map((all) => `${at(all, 0.5)} | ${at(all, 0.95)}`).join(" | ")
  }
}

/** What it takes in each file, and what of memory. */
async function firstRecall(
  make: () => readonly Memories[],
  namespace: Namespace,
): Promise<readonly string[]> {
  const figures: string[] = []
  let megabytes = 0
  for (const side of [0, 1]) {
    const memories = make()[side]
    globalThis.gc?.()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const times = new Times()
    await times.of(async () => await memories?.recall(namespace, "anything", { mode: "keyword" }))
    figures.push(...[times.cpu, times.wall].map(([ms = 0]) => ms.toFixed(0)))
    globalThis.gc?.()
    const after = process.memoryUsage()
    // The first one only: by the second it may be gone when that is measured.
    megabytes ||= (after.heapUsed + after.arrayBuffers - heapUsed - arrayBuffers) / 1e6
    // Still in use: else it would have been collected with the rest.
    await memories?.recall(namespace, "anything")
  }
  return [...figures, megabytes.toFixed(0)]
}

/** As `Memories` writes them, but without a transaction for each. Namespaces lie on both sides of those measured. */
function load(path: string, others: number): void {
  const database = new DatabaseSync(path)
  database.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -500000")
  const insert = database.prepare(
    "INSERT INTO records (ns, collection, key, value, updated_at, version) VALUES (?, 'memories', ?, ?, 0, 1)",
  )
  const namespaces = Array.from({ length: others / PER_NAMESPACE }, (_, number) => ({
    key: `tenant:t${String(number).padStart(4, "0")}:user:bob`,
    count: PER_NAMESPACE,
    vectors: false,
    isOwn: false,
  }))
  const mine = [
    { key: me.key, count: OWN, vectors: false, isOwn: true },
    { key: small.key, count: 10_000, vectors: false, isOwn: true },
    { key: withVectors.key, count: OWN, vectors: true, isOwn: true },
  ]
  const pool = Array.from({ length: 10_000 }, () => sentence(8, 20))
  for (const { key, count, vectors, isOwn } of [...namespaces, ...mine].sort((a, b) =>
    a.key < b.key ? -1 : 1,
  )) {
    database.exec("BEGIN")
    const source = { outside: false, principal: "ada", session: `${key}:chat`, runId: "r", callId: "c" }
    for (let at = 0; at < count; at++) {
      const content = isOwn ? sentence(8, 20) : (pool[at] ?? "")
      const vector = vectors ? { vector: { of: "bench", data: bytesOf(vectorOf(content)) } } : {}
      const kept = { content, tags: ["note"], source, createdAt: at, updatedAt: at, ...vector }
      insert.run(key, `a ${idOf(at)}`, JSON.stringify(kept))
    }
    const last = 1_000
    for (let number = 1; number <= last; number++) {
      const change = { stamp: `s${number}`, at: 0, type: "remember", ids: [idOf(number)], made: true }
      insert.run(key, `c ${String(number).padStart(16, "0")}`, JSON.stringify(change))
    }
    const marks = randomBytes(32 * count)
    for (let at = 0; at < count; at++) {
      insert.run(key, `h ${marks.toString("base64url", 32 * at, 32 * at + 32)}`, `"${idOf(at)}"`)
    }
    insert.run(key, "head", JSON.stringify({ stamp: `s${last}`, first: 1, last, undoable: last + 1, count }))
    database.exec("COMMIT")
  }
  database.close()
}

const idOf = (at: number): string => `${String(at).padStart(8, "0")}-0000-8000-8000-000000000000`

function bytesOf(vector: Float32Array): string {
  return Buffer.from(Int8Array.from(vector, (number) => Math.round(number * 127)).buffer).toString("base64")
}

function at(times: readonly number[], share: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2)
}

function syllables(rank: number): string {
  const parts = ["ka", "to", "mi", "re", "su", "no", "la", "vi", "do", "pe"]
  return [...String(rank + 10)].map((digit) => parts[Number(digit)] ?? "").join("")
}

const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), "orra-bench-memory-"))
try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

// Where the time of a turn goes: `node --expose-gc --conditions=@orra/source benchmarks/where.ts [--dry]`. A turn, a tool
// step and a streamed answer under V8's profiler, by what the code is there for; and what the first second and a forced
// collection of garbage add, as the comparison has them. All times are those that the processor spent on the main thread,
// so that a busy machine does little to them. The tables go into benchmarks/README.md.

import { fork } from "node:child_process"
import { Session } from "node:inspector/promises"
import { parseArgs } from "node:util"
import { MemoryStore } from "@orra/core"
import { generousBudgets, hooks, policies, STEPS, type Works, worksOf } from "./in-process.ts"
import { replaceIn } from "./table.ts"

/** What the files of core are there for, by how their names begin; the first that fits counts. */
const PARTS: readonly (readonly [part: string, files: RegExp])[] = [
  ["budget", /^(budget|price|memory-records|records)/],
  ["store in memory, and its copies", /^(memory-store|memory-leases|frozen|by-key|store|paging|session)\.ts/],
  [
    "log: view, events",
    /^(session-log|open-run|transcript|well-formed|context|broadcast|hub|follow|delta-writer|open-logs|taint)/,
  ],
  ["door: policy, tools", /^(effect|execution|policy|tool|schema|result-limit|json)/],
  ["start, loop and end", /^(?!in-process|where)[\w-]+\.ts$/],
  ["the model and whoever asks", /^(in-process|where)\.ts$/],
]
const COLLECTION = "collecting garbage"
const ENGINE = "Node: timers, ids, signals"
const KINDS = ["turn", "tools", "stream"] as const
type Kind = (typeof KINDS)[number]

const WARM_MS = 3_000
const PROFILE_MS = 4_000
/** As the comparison: warm for so long, then windows of this length, and in each case the one in the middle. */
const SHORT_MS = 800
const WINDOW_MS = 400
const WINDOWS = 3
const PROCESSES = 3
/** A sample that took longer was of a processor that had gone to somebody else. */
const MAX_SAMPLE_US = 200

const { values } = parseArgs({
  options: { dry: { type: "boolean", default: false }, child: { type: "string" }, mode: { type: "string" } },
})

function works(): Works {
  const store = new MemoryStore()
  return worksOf({ store, policies, hooks, budgets: generousBudgets(store) })
}

/** µs of one piece of work by part. */
async function profileOf(kind: Kind): Promise<ReadonlyMap<string, number>> {
  const work = works()[kind]
  await cpuOf(work, WARM_MS)
  const session = new Session()
  session.connect()
  await session.post("Profiler.enable")
  await session.post("Profiler.setSamplingInterval", { interval: 100 })
  await session.post("Profiler.start")
  const together = await cpuOf(work, PROFILE_MS)
  const { profile } = await session.post("Profiler.stop")
  const partOf = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url } }) => [id, part(functionName, url)]),
  )
  const parts = new Map<string, number>()
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const name = partOf.get(id)
    const us = Math.min(profile.timeDeltas?.[index] ?? 0, MAX_SAMPLE_US)
    if (name) parts.set(name, (parts.get(name) ?? 0) + us)
  }
  const sampled = [...parts.values()].reduce((sum, us) => sum + us, 0)
  return new Map([...parts].map(([name, us]) => [name, (us / sampled) * together]))
}

/** µs of the main thread that each took, one after the other, for so many ms of it. */
async function cpuOf(work: () => Promise<void>, ms: number): Promise<number> {
  const began = spent()
  let done = 0
  for (; spent() - began < ms * 1_000; done++) await work()
  return (spent() - began) / done
}

function spent(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** Undefined for the profiler itself and for waiting. */
function part(name: string, url: string): string | undefined {
  if (name === "(garbage collector)") return COLLECTION
  if (name.startsWith("(") || url.startsWith("node:inspector")) return undefined
  const file = /[^/]*$/.exec(url)?.[0] ?? ""
  return PARTS.find(([, files]) => files.test(file))?.[0] ?? ENGINE
}

/** The middle window of a process that has just begun, or has been at work for a while. */
async function windowsOf(kind: Kind, mode: string): Promise<number> {
  const work = works()[kind]
  await cpuOf(work, mode === "warm" ? WARM_MS : SHORT_MS)
  const readings: number[] = []
  for (let window = 0; window < WINDOWS; window++) {
    if (mode === "collected") globalThis.gc?.()
    readings.push(await cpuOf(work, WINDOW_MS))
  }
  return median(readings)
}

const median = (readings: readonly number[]): number =>
  readings.toSorted((a, b) => a - b)[Math.floor(readings.length / 2)] ?? Number.NaN

/** What a process of its own says: what ran before in a process shapes its compiled code. */
function inProcess<T>(kind: Kind, mode: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ["--child", kind, "--mode", mode])
    child.once("message", (answer) => resolve(answer as T))
    child.once("exit", (code) => reject(new Error(`The process for ${kind} ended with ${code}.`)))
  })
}

async function measureAll(): Promise<void> {
  const profiles = new Map<Kind, ReadonlyMap<string, number>>()
  for (const kind of KINDS)
    profiles.set(kind, new Map(await inProcess<readonly (readonly [string, number])[]>(kind, "profile")))
  const us = (kind: Kind, name: string): number => profiles.get(kind)?.get(name) ?? 0
  const names = [...PARTS.map(([name]) => name), ENGINE, COLLECTION]
  const all = [...names.map((name) => KINDS.map((kind) => us(kind, name)))]
  const sums = KINDS.map((_, column) => all.reduce((sum, row) => sum + (row[column] ?? 0), 0))
  const cells = ([turn = 0, tools = 0, stream = 0]: readonly number[]): string =>
    [turn, (tools - turn) / STEPS, stream].map((value) => value.toFixed(1)).join(" | ")

  const modes = ["warm", "begun", "collected"]
  const readings = new Map<string, number[]>()
  for (let round = 0; round < PROCESSES; round++)
    for (const mode of modes)
      for (const kind of KINDS) {
        const key = `${mode} ${kind}`
        readings.set(key, [...(readings.get(key) ?? []), await inProcess<number>(kind, mode)])
      }
  const row = (mode: string): string =>
    cells(KINDS.map((kind) => median(readings.get(`${mode} ${kind}`) ?? [])))
  const text = [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, µs:`,
    "",
    "| by the profiler, after some seconds | single turn | a tool step | an answer of 200 pieces |",
    "|---|---:|---:|---:|",
    ...names.map((name, index) => `| ${name} | ${cells(all[index] ?? [])} |`),
    `| together | ${cells(sums)} |`,
    "",
    "| in windows of 0.4 s | single turn | a tool step | an answer of 200 pieces |",
    "|---|---:|---:|---:|",
    `| after some seconds of work | ${row("warm")} |`,
    `| after 0.8 s | ${row("begun")} |`,
    `| and with a full collection before each window | ${row("collected")} |`,
  ].join("\n")
  console.log(text)
  if (!values.dry) replaceIn("where", text)
}

if (values.child === undefined) await measureAll()
else {
  const kind = KINDS.find((name) => name === values.child) ?? "turn"
  const answer =
    values.mode === "profile" ? [...(await profileOf(kind))] : await windowsOf(kind, values.mode ?? "warm")
  process.send?.(answer, () => process.exit(0))
}

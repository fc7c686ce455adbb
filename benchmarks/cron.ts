// The figures of packages/tools/cron/README.md: `node --conditions=@orra/source benchmarks/cron.ts`.
// 100,000 jobs: the next time of each, beside croner; reading them when a process starts; one look at what is due.

import { mkdtempSync, rmSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { type Json, MemoryStore, Namespace, PolicyRegistry, Runtime, type SessionStore } from "@orra/core"
import { jobRights, nextRun, type Schedule, Scheduler } from "@orra/cron"
import { sqliteStore } from "@orra/store-sql"
import { scriptedProvider } from "@orra/testing"
import { Cron } from "croner"
import { replaceIn } from "./table.ts"

const JOBS = 100_000
const PER_NAMESPACE = 50
const ROUNDS = 30
const DUE = 20
const NOW = Date.UTC(2026, 2, 28, 12)
const MINUTE = 60_000
const ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]

const household = Namespace.of("household")

/** What people ask for: times of day, on all or some days, and now and then a beat. */
function schedule(index: number): Schedule {
  const timezone = ZONES[index % ZONES.length] ?? "UTC"
  const time = `${(index * 7) % 60} ${(index * 5) % 24}`
  const kinds = [
    `${time} * * *`,
    `${time} * * MON-FRI`,
    `${time} 1 * *`,
    `${time} * * ${index % 7}`,
    "*/15 * * * *",
  ]
  const kind = index % 6
  if (kind === 5) return { type: "every", interval_ms: MINUTE * (5 + (index % 500)) }
  return { type: "cron", expression: kinds[kind] ?? "@daily", timezone }
}

const schedules = Array.from({ length: JOBS }, (_, index) => schedule(index))
const distinct = new Set(schedules.map((each) => JSON.stringify(each))).size

interface Cost {
  readonly wall: number
  readonly cpu: number
}

async function cost(work: () => unknown): Promise<Cost> {
  const [began, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { wall: performance.now() - began, cpu: (user + system) / 1_000 }
}

/** Middle and least of many rounds, in ms. */
function summary(costs: readonly Cost[]): string {
  const sorted = (pick: (cost: Cost) => number) => costs.map(pick).sort((one, other) => one - other)
  const [wall, cpu] = [sorted((each) => each.wall), sorted((each) => each.cpu)]
  const middle = (all: readonly number[]): string => (all[Math.floor(all.length / 2)] ?? 0).toFixed(1)
  return `${middle(wall)} | ${(wall[0] ?? 0).toFixed(1)} | ${middle(cpu)}`
}

/** The next time of each, at a moment of its own: nothing is remembered from one job to the next. */
function nextOfAll(round: number): number {
  let sum = 0
  for (const [index, each] of schedules.entries())
    sum += nextRun(each, NOW + ((index * 7_919 + round) % 86_400) * 1_000, NOW) ?? 0
  return sum
}

/** The same by croner, for one in a hundred: its objects hold 80 KB each. */
function byCroner(): number {
  let sum = 0
  for (let index = 0; index < JOBS; index += 100) {
    const each = schedules[index]
    if (each?.type !== "cron") continue
    const cron = new Cron(each.expression, { ...(each.timezone && { timezone: each.timezone }) })
    sum += cron.nextRun(new Date(NOW + ((index * 7_919) % 86_400) * 1_000))?.getTime() ?? 0
  }
  return sum
}

/** A scheduler and 100,000 jobs, of which so many are due each minute, at the same second. */
async function filled(store: SessionStore, clock: { now: number }): Promise<Scheduler> {
  const shared = Object.assign(store, { now: async () => clock.now })
  const policies = PolicyRegistry.allowAll()
  const provider = scriptedProvider([], { otherwise: "Done." })
  const runtime = new Runtime({ provider, store: shared, policies, rights: jobRights(policies) })
  const scheduler = new Scheduler(runtime, { prefix: household, maxRunning: 1_000 })
  const pattern = household.child("pattern")
  const made = await scheduler.create(pattern, {
    name: "What people call it",
    schedule: { type: "cron", expression: "30 7 * * MON-FRI", timezone: "Europe/Berlin" },
    payload: {
      type: "system_event",
      message: "A text as long as what people ask for, which is about a hundred letters.",
    },
  })
  const records = store.records("cron-jobs")
  const kept = (await records.get(pattern, made.id))?.value as Readonly<Record<string, Json>>
  await scheduler.delete(pattern, made.id)
  for (let from = 0; from < JOBS; from += 1_000) {
    await records.write(
      Array.from({ length: 1_000 }, (_, offset) => {
        const index = from + offset
        const id = index.toString(16).padStart(32, "0")
        const due =
          index < DUE * 100 ? NOW + MINUTE * (1 + Math.floor(index / DUE)) : NOW + 86_400_000 + index
        const value = { ...kept, id, due, schedule: { ...schedule(index) } }
        return { namespace: household.child(`user-${Math.floor(index / PER_NAMESPACE)}`), key: id, value }
      }),
    )
  }
  return scheduler
}

const rows: string[] = []
for (let round = 0; round < 3; round++) nextOfAll(round)
const computing: Cost[] = []
for (let round = 0; round < ROUNDS; round++) computing.push(await cost(() => nextOfAll(round)))
rows.push(`| the next time of each of them | ${summary(computing)} |`)
const theirs: Cost[] = []
for (let round = 0; round < 3; round++) {
  const { wall, cpu } = await cost(byCroner)
  theirs.push({ wall: wall * 100, cpu: cpu * 100 })
}
rows.push(`| the same by croner (of one in a hundred, times 100) | ${summary(theirs)} |`)

const folder = mkdtempSync(join(tmpdir(), "orra-bench-cron-"))
try {
  for (const [name, open] of [
    ["memory", async () => new MemoryStore()],
    ["SQLite", () => sqliteStore({ path: join(folder, "cron.db") })],
  ] as const) {
    const store = await open()
    const clock = { now: NOW }
    const scheduler = await filled(store, clock)
    const first = await cost(() => scheduler.tick())
    rows.push(`| ${name}: reading all, once, at the start | ${summary([first])} |`)
    const idle: Cost[] = []
    const busy: Cost[] = []
    for (let round = 0; round < ROUNDS; round++) {
      clock.now += 1_000
      idle.push(await cost(() => scheduler.tick()))
      clock.now = NOW + MINUTE * (round + 1)
      busy.push(await cost(() => scheduler.tick()))
      await scheduler.idle()
    }
    rows.push(`| ${name}: a tick, nothing is due | ${summary(idle)} |`)
    rows.push(`| ${name}: a tick in which ${DUE} are due: each taken on, durably | ${summary(busy)} |`)
    await store.close()
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const text = [
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}.`,
  `100,000 jobs with ${distinct.toLocaleString("en")} different schedules; ${ROUNDS} rounds, ms.`,
  "",
  "| | wall, median | least | CPU, median |",
  "|---|---:|---:|---:|",
  ...rows,
].join("\n")
console.log(text)
replaceIn("cron", text)

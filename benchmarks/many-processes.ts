// 1,000 sessions that take turns all at once on PostgreSQL, run by one process and by four, beside what the database can
// take: the statements of the same turns, recorded and sent by the driver alone from four processes.
// `node --conditions=@orra/source benchmarks/many-processes.ts [--dry]`. The table goes into benchmarks/README.md.
//
// The model answers at once. Server and processes share the machine, as they would not in real use.

import { readFileSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { availableParallelism, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { Namespace, Runtime } from "@orra/core"
import { postgresStore } from "@orra/store-sql"
import { postgresServer } from "@orra/testing/postgres"
import { startChild } from "@orra/testing/process"
import pg from "pg"
import { provider, QUESTION, replay, sessionKey, takeTurns, type Word } from "./many-processes/load.ts"
import { recordStatements, type Template, templateOf } from "./many-processes/recording.ts"
import { replaceIn } from "./table.ts"

const SESSIONS = 1_000
const TURNS = 3
const ROUNDS = 3
/** More sessions than a runtime keeps in memory. */
const OTHERS = 200
const RECORDED = Namespace.of("tenant", "recorded")

const [role, url = "", index = "0", count = "1", file = ""] = process.argv.slice(2)
const mine = Array.from({ length: SESSIONS }, (_, session) => session).filter(
  (session) => session % Number(count) === Number(index),
)
if (role === "turns") await takeTurns(url, mine, TURNS)
else if (role === "replay") await replay(url, mine, TURNS, JSON.parse(readFileSync(file, "utf8")))
else await measure(role === "--dry")

async function measure(dry: boolean): Promise<void> {
  const [load = 0] = loadavg()
  const folder = await mkdtemp(join(tmpdir(), "orra-bench-"))
  const file = join(folder, "turn.json")
  const server = await postgresServer()
  try {
    const turn = await recordTurn(server.url)
    writeFileSync(file, JSON.stringify(turn))
    const kinds = [
      { name: "one process", role: "turns", processes: 1, rates: [] as Rate[] },
      { name: "four processes", role: "turns", processes: 4, rates: [] as Rate[] },
      { name: "the driver alone, four processes", role: "replay", processes: 4, rates: [] as Rate[] },
    ]
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, role, processes, rates } of kinds) {
        await seed(server.url)
        const rate = await run(server.url, role, processes, file)
        rates.push(rate)
        console.log(`${name}: ${rate.perSecond.toFixed(0)} turns/s, ${rate.cpuMs.toFixed(2)} ms of CPU each`)
      }
    }
    const text = table(kinds, turn, load)
    console.log(`\n${text}`)
    if (!dry) replaceIn("many-processes", text)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Turns a second, and the CPU of all processes but the server for each. */
interface Rate {
  readonly perSecond: number
  readonly cpuMs: number
}

async function run(url: string, role: string, processes: number, file: string): Promise<Rate> {
  let [ready, cpuMs] = [0, 0]
  const started = Promise.withResolvers<void>()
  const children = Array.from({ length: processes }, (_, index) =>
    startChild<Word>(new URL(import.meta.url), [role, url, `${index}`, `${processes}`, file], (word) => {
      if (word !== "ready") cpuMs += word.cpuMs
      else if (++ready === processes) started.resolve()
    }),
  )
  const ended = Promise.all(
    children.map(async (child) => {
      const { code, complaint } = await child.ended
      if (code !== 0) throw new Error(`A process ended with ${code}: ${complaint}`)
    }),
  )
  await Promise.race([started.promise, ended])
  const began = performance.now()
  for (const child of children) child.tell("begin")
  await ended
  const turns = SESSIONS * TURNS
  return { perSecond: (turns * 1_000) / (performance.now() - began), cpuMs: cpuMs / turns }
}

/** The statements of a turn in a session that is not in memory, as most are not where there are so many. */
async function recordTurn(url: string): Promise<readonly (readonly Template[])[]> {
  const recording = recordStatements()
  const store = await postgresStore({ url })
  const leases: string[] = []
  const acquire: typeof store.acquire = async (...args) => {
    const lease = await store.acquire(...args)
    if (lease?.namespace.key === RECORDED.key) leases.push(`${lease.token}`)
    return lease
  }
  const runtime = new Runtime({ provider, store: { ...store, acquire } })
  const versions: number[] = []
  const turns = []
  for (let turn = 0; turn < 3; turn++) {
    for (let other = 0; other < OTHERS; other++) await runtime.run(RECORDED.child(`${other}`), QUESTION)
    // What comes after a run is part of it.
    await setTimeout(200)
    recording.take()
    await runtime.run(RECORDED, QUESTION)
    await setTimeout(200)
    turns.push(recording.take())
    versions.push((await store.info(RECORDED))?.version ?? 0)
  }
  await runtime.close()
  await store.close()
  const [, first = [], second = []] = turns
  const [, before = 0, after = 0] = versions
  const [, lease = "", latest = ""] = leases
  return templateOf(first, second, {
    session: RECORDED.key,
    entries: after - before,
    leases: [lease, latest],
  })
}

/** Every session is where the recorded one is. */
async function seed(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.replace("orra@", "postgres@") })
  await client.connect()
  const others = `ns LIKE '${sessionKey(0).slice(0, -1)}%'`
  await client.query(`DELETE FROM orra.sessions WHERE ${others}; DELETE FROM orra.leases`)
  for (const table of ["sessions", "entries"]) {
    const { rows } = await client.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'orra' AND table_name = '${table}' AND column_name <> 'ns'`,
    )
    const columns = rows.map(({ name }) => name).join(", ")
    await client.query(
      `INSERT INTO orra.${table} (ns, ${columns}) SELECT '${sessionKey(0).slice(0, -1)}' || n, ${columns}
        FROM orra.${table}, generate_series(0, ${SESSIONS - 1}) n WHERE ns = '${RECORDED.key}'`,
    )
  }
  await client.query("CHECKPOINT")
  await client.query("VACUUM ANALYZE")
  await client.end()
}

function table(
  kinds: readonly { readonly name: string; readonly rates: readonly Rate[] }[],
  turn: readonly (readonly Template[])[],
  load: number,
): string {
  const [one, four, driver] = kinds.map(({ rates }) => median(rates.map(({ perSecond }) => perSecond)))
  const statements = turn.flat().length
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${availableParallelism()} cores for server and processes, load ${load.toFixed(1)} at the start, medians of ${ROUNDS} rounds; a turn is ${statements} statements in ${turn.length} round trips:`,
    "",
    "| | turns a second | CPU a turn without the server, ms |",
    "|---|---:|---:|",
    ...kinds.map(
      ({ name, rates }) =>
        `| ${name} | ${median(rates.map(({ perSecond }) => perSecond)).toFixed(0)} | ${median(rates.map(({ cpuMs }) => cpuMs)).toFixed(2)} |`,
    ),
    "",
    `Four processes do ${((four ?? 0) / (one ?? 1)).toFixed(2)} times the turns of one, ${(((four ?? 0) / (driver ?? 1)) * 100).toFixed(0)}% of what the database takes of the same statements.`,
  ].join("\n")
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

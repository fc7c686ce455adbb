// What a plan costs beside its services: `node --expose-gc --conditions=@orra/source benchmarks/plans.ts`.
// Five tasks, the first one's result fanned out to three and in to the last, services that answer at once, over their
// sockets; on SQLite, on PostgreSQL, and with DBOS on PostgreSQL. Services and engine are one process.

import { mkdtempSync, rmSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { isObject, type Json, type JsonObject, Namespace, type Records, type SessionStore } from "@orra/core"
import { dbos } from "@orra/plan-dbos"
import { createPlanEngine, type Durability, embedded } from "@orra/plan-engine"
import { postgresStore, sqliteStore } from "@orra/store-sql"
import { scriptedProvider } from "@orra/testing"
import { postgresServer } from "@orra/testing/postgres"
import pg from "pg"
import { replaceIn } from "./table.ts"

const SINGLE = 100
const MANY = 256
const IN_FLIGHT = 64
const WAITING = 500
const IDLE_S = 12
const STEPS = 200
const TASKS = 5
const TEXT = { type: "string" }
const LAST = { type: "object", properties: { text: TEXT, one: TEXT, two: TEXT }, required: ["text"] }
const SCHEMA = { type: "object", properties: { text: TEXT }, required: ["text"] }

/** A store that counts what it is asked for, and tells when an orchestration's end is written. */
class Watched {
  readonly store: SessionStore
  operations = 0
  /** How long each run took, from before its first entry is written until its last is, in ms. */
  readonly runs: number[] = []
  readonly #begun = new Map<string, number>()
  readonly #ends = new Map<string, PromiseWithResolvers<void>>()

  constructor(store: SessionStore) {
    this.store = new Proxy(store, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property, target)
        if (property === "records") return (name: string) => this.#records(target.records(name))
        return typeof member === "function" ? member.bind(target) : member
      },
    })
  }

  async ended(id: string): Promise<void> {
    await this.#endOf(id).promise
    this.#ends.delete(id)
  }

  #records(records: Records): Records {
    return {
      get: (...given) => this.#count(records.get(...given)),
      list: (...given) => this.#count(records.list(...given)),
      delete: (...given) => this.#count(records.delete(...given)),
      put: async (namespace, key, value, options) => {
        const entry = isObject(value) && isObject(value["entry"]) ? value["entry"] : undefined
        const began = this.#begun.get(namespace.key) ?? performance.now()
        if (entry) this.#begun.set(namespace.key, began)
        const version = await this.#count(records.put(namespace, key, value, options))
        if (entry?.["type"] === "finished") {
          this.#begun.delete(namespace.key)
          this.runs.push(performance.now() - began)
        }
        return version
      },
      write: async (changes) => {
        const versions = await this.#count(records.write(changes))
        for (const change of changes)
          if ("value" in change && isObject(change.value) && change.value["status"] === "completed")
            this.#endOf(change.key).resolve()
        return versions
      },
    }
  }

  #endOf(id: string): PromiseWithResolvers<void> {
    const end = this.#ends.get(id) ?? Promise.withResolvers<void>()
    this.#ends.set(id, end)
    return end
  }

  #count<T>(work: Promise<T>): Promise<T> {
    this.operations++
    return work
  }
}

interface Bench {
  readonly watched: Watched
  readonly run: () => Promise<number>
  /** Begins one that waits for a service that never answers. */
  readonly begin: () => Promise<void>
  /** ms from a result that is sent until the task that needs it arrives. */
  readonly wakes: number[]
  readonly close: () => Promise<void>
}

async function bench(store: SessionStore, durable: Durability): Promise<Bench> {
  const watched = new Watched(store)
  let plan = ""
  const engine = createPlanEngine({
    store: watched.store,
    durable,
    cache: false,
    provider: scriptedProvider([], { otherwise: () => plan }),
    limits: { requestsPerSecond: 1_000_000, inFlight: 1_000_000 },
    onError: console.error,
  })
  const url = await engine.listen({ port: 0 })
  let key = ""
  const call = async (path: string, body: object): Promise<JsonObject> => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: key === "" ? {} : { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as JsonObject
  }
  key = String((await call("/register/project", { name: "bench" }))["apiKey"])
  const wakes: number[] = []
  /** When what the last task of an orchestration waits for was sent. */
  const sent = new Map<string, number>()
  const sockets: WebSocket[] = []
  const connect = async (name: string, answers: boolean): Promise<string> => {
    const schema = { input: name === "last" ? LAST : SCHEMA, output: SCHEMA }
    const made = await call("/register/service", { name, description: `Does ${name}.`, schema })
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws?serviceId=${made["id"]}&apiKey=${key}`)
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data)) as JsonObject
      if (frame["type"] !== "task_request" || !answers) return
      const { id, executionId, idempotencyKey, serviceId, input } = frame as Record<string, Json>
      const { text } = input as { text: string }
      const before = sent.get(text)
      if (before !== undefined && name === "last") wakes.push(performance.now() - before)
      const result = { task: { text }, compensation: null }
      const payload = {
        type: "task_result",
        taskId: id,
        executionId,
        idempotencyKey,
        serviceId,
        result,
        error: null,
      }
      socket.send(JSON.stringify({ id: String(executionId), payload }))
      if (name === "middle") sent.set(text, performance.now())
      if (name === "last") sent.delete(text)
    }
    await new Promise((resolve) => {
      socket.onopen = resolve
    })
    sockets.push(socket)
    return String(made["id"])
  }
  const [first, middle, last, mute] = [
    await connect("first", true),
    await connect("middle", true),
    await connect("last", true),
    await connect("mute", false),
  ]
  const planOf = (tasks: readonly (readonly [string, object])[]): string =>
    JSON.stringify({
      tasks: [
        { id: "task0", input: {} },
        ...tasks.map(([service, input], index) => ({ id: `task${index + 1}`, service, input })),
      ],
    })
  const five = planOf([
    [first, { text: "$task0.text" }],
    [middle, { text: "$task1.text" }],
    [middle, { text: "$task1.text" }],
    [middle, { text: "$task1.text" }],
    [last, { text: "$task2.text", one: "$task3.text", two: "$task4.text" }],
  ])
  const waiting = planOf([[mute, { text: "$task0.text" }]])
  let count = 0
  const ask = async (): Promise<string> => {
    const data = [{ field: "text", value: `text ${count++}` }]
    return String((await call("/orchestrations", { action: { Content: "Do it." }, data }))["id"])
  }
  return {
    watched,
    wakes,
    run: async () => {
      plan = five
      const began = performance.now()
      const id = await ask()
      await watched.ended(id)
      return performance.now() - began
    },
    begin: async () => {
      plan = waiting
      await ask()
    },
    close: async () => {
      for (const socket of sockets) socket.close()
      await engine.close()
    },
  }
}

const median = (numbers: readonly number[], part = 0.5): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)] ?? Number.NaN

/** What a step that does nothing takes, by itself. */
async function bareStep(store: SessionStore, durable: Durability): Promise<number> {
  const over = Promise.withResolvers<readonly number[]>()
  const root = Namespace.of("bare")
  const bare = durable({
    store,
    root,
    onError: over.reject,
    workflows: {
      steps: async (run) => {
        const times: number[] = []
        for (let step = 0; step < STEPS; step++) {
          const began = performance.now()
          await run.step(`step ${step}`, async () => step)
          times.push(performance.now() - began)
        }
        over.resolve(times)
        return null
      },
    },
  })
  await bare.open()
  await bare.start("steps", root.child(`${process.pid}`), null)
  const times = await over.promise
  while ((await bare.list(root)).items.length > 0) await pause(10)
  await bare.close()
  return median(times)
}

async function transactions(url: string | undefined): Promise<number> {
  if (url === undefined) return 0
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(
    "SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()",
  )
  await client.end()
  return Number(rows[0]?.n)
}

const heap = (): number => {
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function measure(
  name: string,
  open: () => Promise<SessionStore>,
  durable: Durability,
  url?: string,
): Promise<string> {
  const store = await open()
  const bare = await bareStep(store, durable)
  const { watched, run, begin, wakes, close } = await bench(store, durable)
  // Before there is anything to tidy up.
  await pause(3_000)
  const [operations, commits] = [watched.operations, await transactions(url)]
  await pause(IDLE_S * 1_000)
  const idle = (watched.operations - operations) / IDLE_S
  const idleCommits = ((await transactions(url)) - commits) / IDLE_S

  for (let warm = 0; warm < 30; warm++) await run()
  wakes.length = 0
  watched.runs.length = 0
  const single: number[] = []
  for (let round = 0; round < SINGLE; round++) single.push(await run())
  const carriedOut = median(watched.runs) / TASKS
  const [wake, late] = [median(wakes), median(wakes, 0.99)]

  const began = performance.now()
  let left = MANY
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run()
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const perSecond = MANY / ((performance.now() - began) / 1_000)

  const before = heap()
  for (let count = 0; count < WAITING; count += 20) await Promise.all(Array.from({ length: 20 }, begin))
  await pause(500)
  const each = (heap() - before) / WAITING / 1_024
  await close()
  await store.close()
  const task = median(single) / TASKS
  const cells = [
    carriedOut.toFixed(1),
    task.toFixed(1),
    bare.toFixed(1),
    name.includes("dbos") ? (carriedOut / bare).toFixed(1) : "–",
    `${wake.toFixed(1)} / ${late.toFixed(1)}`,
    perSecond.toFixed(0),
    each.toFixed(1),
    url === undefined ? idle.toFixed(1) : `${idle.toFixed(1)}, ${idleCommits.toFixed(1)}`,
  ]
  const row = `| ${name} | ${cells.join(" | ")} |`
  console.log(row)
  return row
}

const folder = mkdtempSync(join(tmpdir(), "orra-plans-"))
const server = await postgresServer()
const { url } = server
const load = loadavg()[0] ?? 0
const rows = [
  await measure("SQLite, `embedded()`", () => sqliteStore({ path: join(folder, "plans.db") }), embedded()),
  await measure(
    "PostgreSQL, `embedded()`",
    () => postgresStore({ url, schema: "embedded" }),
    embedded(),
    url,
  ),
  await measure(
    "PostgreSQL, `dbos()`",
    () => postgresStore({ url, schema: "dbos_plans" }),
    dbos({ url }),
    url,
  ),
]
await server.stop()
rmSync(folder, { recursive: true })

const text = [
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model.replace(/ \d+-Core.*/, "")}, ${cpus().length} cores, load ${load.toFixed(1)} at the start.`,
  "",
  "|  | engine time per task, ms, p50 | with request, planning and end | its own bare step, ms, p50 | ratio | from a result to the next task, ms, p50 / p99 | plans per second, 64 in flight | kB of a waiting orchestration | idle: operations of the store per second, commits |",
  "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
  ...rows,
].join("\n")
console.log(`\n${text}`)
if (!process.argv.includes("--dry")) replaceIn("plans", text)

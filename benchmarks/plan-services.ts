// 1,000 services connected to a plan engine and 200 orchestrations in flight: does every heartbeat come, what does one
// that waits keep in memory, and how long after a result does its plan go on, with one engine and with two on PostgreSQL?
// `node --conditions=@orra/source benchmarks/plan-services.ts [--dry] [services] [orchestrations]`. The engine runs in a process
// of its own, the services in this one. The table goes into benchmarks/README.md.

import { mkdtempSync, rmSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Provider } from "@orra/core"
import { createPlanEngine } from "@orra/plan-engine"
import { postgresStore, sqliteStore } from "@orra/store-sql"
import { postgresServer } from "@orra/testing/postgres"
import { heard, say, startChild } from "@orra/testing/process"
import { replaceIn } from "./table.ts"

const PING_MS = 5_000
/** How long the orchestrations wait. */
const WAIT_MS = 30_000
const WAKES = 100

const { values, positionals } = parseArgs({
  options: { dry: { type: "boolean", default: false } },
  allowPositionals: true,
})

/** What an engine says of itself. */
type Said =
  | { readonly type: "listens"; readonly url: string }
  | { readonly type: "uses"; readonly heap: number; readonly cpuMs: number }

/** In the child. Whatever it is asked stands in the request itself. */
async function engine(place: string): Promise<void> {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  const provider: Provider = {
    id: "bench",
    model: "bench",
    async *stream({ messages }) {
      const [, plan = ""] = /plan-([\w-]+)/.exec(JSON.stringify(messages.at(-1))) ?? []
      const text = Buffer.from(plan, "base64url").toString()
      yield {
        type: "done",
        message: { role: "assistant", parts: [{ type: "text", text }], provider: "bench", model: "bench" },
        finishReason: "stop",
        usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
      }
    },
  }
  const store = place.startsWith("postgres:")
    ? await postgresStore({ url: place, maxConnections: 4 })
    : await sqliteStore({ path: place })
  const running = createPlanEngine({
    store,
    provider,
    connections: { pingMs: PING_MS },
    limits: { requestsPerSecond: 10_000, inFlight: 10_000 },
    onError: (error) => console.error(error),
  })
  await say({ type: "listens", url: await running.listen({ port: 0 }) } satisfies Said)
  for await (const _ of heard()) {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    await say({ type: "uses", heap: heapUsed + external, cpuMs: (user + system) / 1_000 } satisfies Said)
  }
}

interface Engine {
  readonly url: string
  readonly uses: () => Promise<Extract<Said, { type: "uses" }>>
  readonly kill: () => Promise<void>
}

async function start(place: string): Promise<Engine> {
  const listens = Promise.withResolvers<string>()
  let uses = Promise.withResolvers<Extract<Said, { type: "uses" }>>()
  const child = startChild<Said>(new URL(import.meta.url), ["engine", place], (said) => {
    if (said.type === "listens") listens.resolve(said.url)
    else uses.resolve(said)
  })
  child.ended.then(({ complaint }) => listens.reject(new Error(complaint)))
  return {
    url: await listens.promise,
    uses: () => {
      uses = Promise.withResolvers()
      child.tell("uses")
      return uses.promise
    },
    kill: async () => {
      child.kill("SIGKILL")
      await child.ended
    },
  }
}

/** A project, as a client of an engine knows it. */
class Client {
  readonly url: string
  key = ""

  constructor(url: string, key = "") {
    this.url = url
    this.key = key
  }

  async ask(method: string, path: string, body?: object) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: this.key === "" ? {} : { authorization: `Bearer ${this.key}` },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as { id: string; apiKey: string; status: string }
  }

  /** Two tasks, the second with what the first gives. */
  async orchestrate(first: string, second: string): Promise<string> {
    const tasks = [
      { id: "task0", input: { text: "a" } },
      { id: "task1", service: first, input: { text: "$task0.text" } },
      { id: "task2", service: second, input: { text: "$task1.text" } },
    ]
    const content = `plan-${Buffer.from(JSON.stringify({ tasks })).toString("base64url")}`
    const data = [{ field: "text", value: "a" }]
    const { id } = await this.ask("POST", "/orchestrations", { action: { content }, data, timeout: "10m" })
    return id
  }
}

interface Task {
  readonly id: string
  readonly answer: () => void
}

/** A service on its socket, as the original's client is one. */
class Service {
  readonly id: string
  readonly pings: number[] = []
  closed = 0
  onTask: (task: Task) => void = () => {}
  readonly #asked = new Set<string>()
  readonly #socket: WebSocket

  constructor(client: Client, id: string) {
    this.id = id
    const url = client.url.replace("http", "ws")
    const socket = new WebSocket(`${url}/ws?serviceId=${id}&apiKey=${client.key}`)
    this.#socket = socket
    socket.onclose = () => void this.closed++
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)))
  }

  static async connect(client: Client, name: string): Promise<Service> {
    const text = { type: "object", properties: { text: { type: "string" } }, required: ["text"] }
    const schema = { input: text, output: text }
    const description = `Does what ${name} does.`
    const { id } = await client.ask("POST", "/register/service", { name, description, schema })
    const made = new Service(client, id)
    await new Promise((resolve, reject) => {
      made.#socket.onopen = resolve
      made.#socket.onerror = reject
    })
    return made
  }

  #receive(frame: Readonly<Record<string, string>>): void {
    if (frame["type"] === "ping") {
      this.pings.push(performance.now())
      this.#socket.send(JSON.stringify({ id: "pong", payload: { type: "pong", serviceId: this.id } }))
    }
    const key = frame["idempotencyKey"] ?? ""
    if (frame["type"] !== "task_request" || this.#asked.has(key)) return
    this.#asked.add(key)
    const { id, executionId } = frame
    const payload = {
      type: "task_result",
      taskId: id,
      executionId,
      serviceId: this.id,
      idempotencyKey: key,
      result: { task: { text: "b" } },
      error: null,
    }
    const answer = (): void => this.#socket.send(JSON.stringify({ id: `message_${key}`, payload }))
    this.onTask({ id: id ?? "", answer })
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

async function measure(services: number, orchestrations: number): Promise<void> {
  const load = loadavg()[0] ?? 0
  const folder = mkdtempSync(join(tmpdir(), "orra-bench-"))
  const rows: (readonly [string, string])[] = []
  const one = await start(join(folder, "plans.db"))
  try {
    const client = new Client(one.url)
    client.key = (await client.ask("POST", "/register/project", { name: "bench" })).apiKey
    const empty = await one.uses()
    const all: Service[] = []
    for (let from = 0; from < services; from += 50)
      all.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(50, services - from) }, (_, index) =>
            Service.connect(client, `service-${from + index}`),
          ),
        )),
      )
    const connected = await one.uses()
    const waiting: Task[] = []
    const ended = Promise.withResolvers<void>()
    let done = 0
    for (const service of all)
      service.onTask = (task) => {
        if (task.id === "task1") waiting.push(task)
        else {
          task.answer()
          if (++done === orchestrations) ended.resolve()
        }
      }
    const began = performance.now()
    const ids: Promise<string>[] = []
    for (let count = 0; count < orchestrations; count++) {
      const [first, second] = [all[count % services], all[(count + 1) % services]]
      if (first && second) ids.push(client.orchestrate(first.id, second.id))
      if (ids.length % 20 === 0) await Promise.all(ids)
    }
    await Promise.all(ids)
    while (waiting.length < orchestrations) await pause(20)
    const planned = performance.now() - began
    const busy = await one.uses()
    await pause(WAIT_MS)
    const rested = await one.uses()
    const gaps = all.flatMap(({ pings }) => pings.slice(1).map((at, index) => at - (pings[index] ?? at)))
    const pings = all.reduce((count, service) => count + service.pings.length, 0)
    const closed = all.reduce((count, service) => count + service.closed, 0)
    const released = performance.now()
    for (const { answer } of waiting) answer()
    await ended.promise
    const finished = performance.now() - released
    rows.push(
      ["services connected", String(services)],
      ["orchestrations in flight, each waiting for a service", String(orchestrations)],
      ["heartbeats, one of each service every 5 s", pings.toLocaleString("en")],
      ["sockets that were closed for a missed one", String(closed)],
      ["the longest time between two heartbeats of a service, s", seconds(Math.max(...gaps))],
      ["memory of a connected service, kB", ((connected.heap - empty.heap) / services / 1_000).toFixed(1)],
      [
        "memory of an orchestration that waits, kB",
        ((rested.heap - connected.heap) / orchestrations / 1_000).toFixed(1),
      ],
      ["planning and beginning all of them, s", seconds(planned)],
      [
        "the engine's CPU while they wait, % of a core",
        ((100 * (rested.cpuMs - busy.cpuMs)) / WAIT_MS).toFixed(1),
      ],
      ["all of them answered at once and done, s", seconds(finished)],
      ["a result until its plan has sent the next task, ms: median, 95%", await wakes(client, all)],
    )
    if (all.some((service) => service.closed > 0)) process.exitCode = 1
  } finally {
    await one.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  const server = await postgresServer()
  const engines = [await start(server.url), await start(server.url)] as const
  try {
    const sockets = new Client(engines[0].url)
    sockets.key = (await sockets.ask("POST", "/register/project", { name: "bench" })).apiKey
    const both = [await Service.connect(sockets, "first"), await Service.connect(sockets, "second")]
    const near = "the same on PostgreSQL, services at the engine that runs the plan, ms"
    rows.push([near, await wakes(sockets, both)])
    const far = "the same on PostgreSQL, services at another engine, there and back, ms"
    rows.push([far, await wakes(new Client(engines[1].url, sockets.key), both)])
  } finally {
    for (const each of engines) await each.kill()
    await server.stop()
  }
  const [{ model = "" } = {}] = cpus()
  const text = [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${model}, ${cpus().length} cores, load ${load.toFixed(1)} at the start.`,
    "",
    "| | |",
    "|---|---:|",
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
  ].join("\n")
  console.log(text)
  if (!values.dry) replaceIn("plan-services", text)
}

/** From a result that leaves its service to the next task of the plan that is there, one after the other. */
async function wakes(client: Client, services: readonly Service[]): Promise<string> {
  const [first, second] = services
  if (!first || !second) throw new Error("Two services at least.")
  const taken: number[] = []
  for (let round = 0; round < WAKES; round++) {
    const over = Promise.withResolvers<void>()
    let answeredAt = 0
    first.onTask = ({ answer }) => {
      answeredAt = performance.now()
      answer()
    }
    second.onTask = ({ answer }) => {
      taken.push(performance.now() - answeredAt)
      answer()
      over.resolve()
    }
    await client.orchestrate(first.id, second.id)
    await over.promise
  }
  const sorted = taken.toSorted((a, b) => a - b)
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1)
  return `${at(0.5)}, ${at(0.95)}`
}

if (positionals[0] === "engine") await engine(positionals[1] ?? "")
else await measure(Number(positionals[0] ?? 1_000), Number(positionals[1] ?? 200))

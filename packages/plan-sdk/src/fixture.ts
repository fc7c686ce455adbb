import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type JsonObject, MemoryStore, type SessionStore } from "@orra/core"
import { createPlanEngine, type PlanEngine, type PlanEngineOptions } from "@orra/plan-engine"
import { scriptedProvider } from "@orra/testing"
import { onTestFinished } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import type { ServiceOptions } from "./service.ts"

/** After so long without an acknowledgement a test's service sends again. */
export const ACK_MS = 50

/** A plan as the model of a test writes it. */
export type Written = readonly { readonly id: string; readonly service: string; readonly input: object }[]

/** What is asked of an inspection. */
export interface Inspected {
  readonly status: string
  readonly results?: readonly unknown[]
  readonly error?: unknown
  readonly tasks: readonly {
    readonly status: string
    readonly output?: unknown
    readonly error?: unknown
    readonly interimResults?: readonly { readonly data: unknown }[]
    readonly compensation?: { readonly status: string }
  }[]
}

/** A real engine, whose model plans what a test says, and a folder of the test's own. */
export class TestEngine {
  /** What the model answers: the ids of services, not their names. */
  plan: Written = []
  url = ""
  key = ""
  folder = ""
  engine: PlanEngine
  readonly store: SessionStore
  readonly errors: unknown[] = []
  readonly #options: Partial<PlanEngineOptions>
  #made = 0

  constructor(options: Partial<PlanEngineOptions> = {}, store: SessionStore = new MemoryStore()) {
    this.store = store
    this.#options = options
    this.engine = this.#create()
  }

  async listen(): Promise<this> {
    this.folder = await mkdtemp(join(tmpdir(), "orra-plan-sdk-"))
    this.url = await this.engine.listen({ port: 0 })
    const { apiKey } = await this.ask<{ apiKey: string }>("POST", "/register/project", { name: "shop" })
    this.key = apiKey
    return this
  }

  /** The same engine, as another process, at the same address. */
  async restart(between: () => Promise<unknown> = async () => {}): Promise<void> {
    const { port } = new URL(this.url)
    await this.engine.close()
    await between()
    this.engine = this.#create()
    await this.engine.listen({ port: Number(port) })
  }

  async close(): Promise<void> {
    await this.engine.close()
    await rm(this.folder, { recursive: true, force: true })
  }

  /** Options of a service that is told apart from all others, and quick. */
  options(name: string, more: Partial<ServiceOptions> = {}): ServiceOptions {
    return {
      name,
      orraUrl: this.url,
      orraKey: this.key,
      persistenceOpts: { filePath: join(this.folder, `${name}.json`) },
      connection: { reconnectMs: [10, 50], ackMs: ACK_MS },
      onError: (error) => void this.errors.push(error),
      ...more,
    }
  }

  async ask<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: this.key === "" ? {} : { authorization: `Bearer ${this.key}` },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return (text === "" ? undefined : JSON.parse(text)) as T
  }

  /** Begins a plan of one task of this service, or of those that `plan` says. */
  async begin(service?: string, data: Readonly<Record<string, unknown>> = { text: "a" }): Promise<string> {
    if (service !== undefined) {
      const input = Object.fromEntries(Object.keys(data).map((field) => [field, `$task0.${field}`]))
      this.plan = [{ id: "task1", service, input }]
    }
    const fields = Object.entries(data).map(([field, value]) => ({ field, value }))
    const { id } = await this.ask<{ id: string }>("POST", "/orchestrations", {
      action: { content: `Do it for the ${++this.#made}. time.` },
      data: fields,
    })
    return id
  }

  inspect(id: string): Promise<Inspected> {
    return this.ask<Inspected>("GET", `/orchestrations/inspections/${id}`)
  }

  /** Asks the list: an inspection has all that was given, which can be long. */
  async ended(id: string): Promise<Inspected> {
    for (;;) {
      type Groups = Readonly<Record<string, readonly { readonly id: string }[]>>
      const { pending = [], processing = [] } = await this.ask<Groups>("GET", "/orchestrations")
      if (![...pending, ...processing].some((each) => each.id === id)) return await this.inspect(id)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  #create(): PlanEngine {
    return createPlanEngine({
      store: this.store,
      provider: scriptedProvider([], {
        otherwise: () => JSON.stringify({ tasks: [{ id: "task0", input: {} }, ...this.plan] }),
      }),
      connections: { redeliverMs: [20, 50], handoverMs: 20 },
      retry: { delayMs: 1, maxDelayMs: 1 },
      undoRetry: { delayMs: 1, maxDelayMs: 1 },
      webhooks: { allowInternal: true },
      // Tests have other plans for the same words.
      cache: false,
      onError: (error) => void this.errors.push(error),
      ...this.#options,
    })
  }
}

/** What passed between a service and the engine. */
interface Passed {
  readonly from: "service" | "engine"
  readonly frame: JsonObject
}

/** Between services and an engine: it sees every frame, and loses, holds up and cuts what a test wants. */
export class Relay {
  readonly passed: Passed[] = []
  /** What says no is lost on the way. */
  passes: (passed: Passed) => boolean = () => true
  connections = 0
  url = ""
  readonly #target: TestEngine
  readonly #server = createServer((request, response) => void this.#forward(request, response))
  readonly #sockets = new WebSocketServer({ server: this.#server, maxPayload: 30 * 1024 * 1024 })

  constructor(target: TestEngine) {
    this.#target = target
    this.#sockets.on("connection", (service, { url = "" }) => {
      this.connections++
      const engine = new WebSocket(`${target.url.replace("http", "ws")}${url}`)
      const opened = new Promise((resolve) => engine.once("open", resolve))
      service.on("message", async (data) => {
        await opened
        this.#pass("service", engine, String(data))
      })
      engine.on("message", (data) => this.#pass("engine", service, String(data)))
      service.on("close", () => engine.terminate())
      engine.on("close", () => service.terminate())
      engine.on("error", () => service.terminate())
    })
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  /** Ends all connections, as a network does. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate()
  }

  /** All connections stay open, and nothing comes through any more. */
  freeze(): void {
    for (const socket of this.#sockets.clients) socket.pause()
  }

  /** Frames of a type that passed, or would have. */
  frames(type: string): readonly JsonObject[] {
    return this.passed.map(({ frame }) => frame).filter((frame) => typeOf(frame) === type)
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, "close")
  }

  #pass(from: Passed["from"], to: WebSocket, text: string): void {
    const passed = { from, frame: JSON.parse(text) as JsonObject }
    this.passed.push(passed)
    if (this.passes(passed) && to.readyState === WebSocket.OPEN) to.send(text)
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const answer = await fetch(`${this.#target.url}${request.url}`, {
      method: "POST",
      headers: { authorization: request.headers.authorization ?? "" },
      body: Buffer.concat(chunks),
    })
    response.writeHead(answer.status).end(await answer.text())
  }
}

/** An engine that is closed with the test, after everything that was opened behind it. */
export async function engine(...given: ConstructorParameters<typeof TestEngine>): Promise<TestEngine> {
  const made = await new TestEngine(...given).listen()
  onTestFinished(() => made.close())
  return made
}

/** A relay before it, for as long as the test. */
export async function relayed(at: TestEngine): Promise<Relay> {
  const relay = await new Relay(at).listen()
  onTestFinished(() => relay.close())
  return relay
}

/** In its envelope or not. */
const typeOf = ({ type, payload }: JsonObject): unknown =>
  type ?? (payload as JsonObject | undefined)?.["type"]

const object = (properties: object) =>
  ({ type: "object", properties: { ...properties }, required: Object.keys(properties) }) as const

/** Text in, text out. */
export const TEXT = {
  input: object({ text: { type: "string" } }),
  output: object({ text: { type: "string" } }),
} as const

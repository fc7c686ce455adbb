import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, type SessionStore } from "@orra/core"
import { createPlanEngine, type PlanEngine, type PlanEngineOptions } from "@orra/plan-engine"
import { scriptedProvider } from "@orra/testing"
import type { ServiceOptions } from "./service.ts"

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
      connection: { reconnectMs: [10, 50], ackMs: 50 },
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
    return JSON.parse(text) as T
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

  async ended(id: string): Promise<Inspected> {
    for (;;) {
      const inspected = await this.inspect(id)
      if (inspected.status !== "processing" && inspected.status !== "pending") return inspected
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
      onError: (error) => void this.errors.push(error),
      ...this.#options,
    })
  }
}

const object = (properties: object) =>
  ({ type: "object", properties: { ...properties }, required: Object.keys(properties) }) as const

/** Text in, text out. */
export const TEXT = {
  input: object({ text: { type: "string" } }),
  output: object({ text: { type: "string" } }),
} as const

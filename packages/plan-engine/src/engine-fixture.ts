import { type Json, MemoryStore, type SessionStore } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { createPlanEngine, type PlanEngine, type PlanEngineOptions } from "./plan-engine.ts"
import { type Handler, WireService } from "./wire/wire-fixture.ts"

/** What the API answers, as far as tests ask for its members by name. */
interface Body {
  readonly id: string
  readonly status: string
  readonly error: {
    readonly kind: string
    readonly code: string
    readonly message: string
    readonly error: Json
  }
  readonly apiKey: string
  readonly webhookSecret: string
  readonly results: readonly Json[]
  readonly tasks: readonly InspectedTask[]
}

interface InspectedTask {
  readonly status: string
  readonly compensation?: { readonly status: string }
  readonly statusHistory: readonly { readonly status: string }[]
}

interface Failure {
  readonly id: string
  readonly resolutionState: string
}

/** Orchestrations by how they stand. */
type Listed = Readonly<Record<string, readonly Body[] | undefined>>

interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

/** A plan as the model of a test writes it: tasks by the names of services. */
export type Written = readonly { readonly id: string; readonly service: string; readonly input: object }[]

/** An engine of its own, with what a test needs of it. */
export class Bench {
  readonly store: SessionStore
  readonly engine: PlanEngine
  /** What the model answers next, and from then on. */
  plan: Written | string = []
  url = ""
  key = ""
  readonly errors: unknown[] = []
  readonly ids = new Map<string, string>()
  readonly wires: WireService[] = []

  constructor(store: SessionStore = new MemoryStore(), options: Partial<PlanEngineOptions> = {}) {
    this.store = store
    this.engine = createPlanEngine({
      store,
      provider: scriptedProvider([], { otherwise: () => this.written() }),
      connections: { redeliverMs: [20, 50], handoverMs: 20 },
      retry: { delayMs: 1, maxDelayMs: 1 },
      undoRetry: { delayMs: 1, maxDelayMs: 1 },
      webhooks: { pauseMs: 5, allowInternal: true },
      // Each test says anew what the model answers.
      cache: false,
      onError: (error) => void this.errors.push(error),
      ...options,
    })
  }

  async listen(): Promise<this> {
    this.url = await this.engine.listen({ port: 0 })
    return this
  }

  async close(): Promise<void> {
    for (const wire of this.wires) wire.socket?.terminate()
    await this.engine.close()
  }

  async ask<T = Body>(method: string, path: string, body?: unknown, key = this.key): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: key === "" ? {} : { authorization: `Bearer ${key}` },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get("content-type") === "application/json"
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }

  async project(more: object = {}): Promise<Body> {
    const { body } = await this.ask("POST", "/register/project", { name: "shop", ...more })
    this.key = body.apiKey
    return body
  }

  /** Registers a service that takes and gives whatever text, and connects it. */
  async service(name: string, handler?: Handler, more: { revertible?: boolean } = {}): Promise<WireService> {
    const schema = { type: "object", properties: { text: { type: "string" } }, required: ["text"] }
    const registration = {
      name,
      description: `Does ${name}.`,
      schema: { input: schema, output: schema },
      ...more,
    }
    const { body } = await this.ask("POST", "/register/service", {
      id: this.ids.get(name) ?? null,
      ...registration,
    })
    this.ids.set(name, body.id)
    return await this.connect(name, handler)
  }

  async connect(name: string, handler?: Handler): Promise<WireService> {
    const socketUrl = this.url.replace("http", "ws")
    const wire = new WireService(`${socketUrl}//ws?serviceId=${this.ids.get(name)}&apiKey=${this.key}`)
    wire.handler = handler
    this.wires.push(wire)
    return await wire.connect()
  }

  async create(
    data: Readonly<Record<string, unknown>> = { text: "a" },
    more: object = {},
  ): Promise<Answer<Body>> {
    const fields = Object.entries(data).map(([field, value]) => ({ field, value }))
    return await this.ask("POST", "/orchestrations", { action: { Content: "Do it." }, data: fields, ...more })
  }

  async inspect(id: string): Promise<Body> {
    return (await this.ask("GET", `/orchestrations/inspections/${id}`)).body
  }

  async listed(): Promise<Listed> {
    return (await this.ask<Listed>("GET", "/orchestrations")).body
  }

  /** What could not be undone, as soon as there is so much of it as wanted. */
  async failures(count: number, isWanted = (_: Failure): boolean => true): Promise<readonly Failure[]> {
    for (;;) {
      const { body } = await this.ask<readonly Failure[]>("GET", "/compensation-failures")
      const found = body.filter(isWanted)
      if (found.length >= count) return found
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** The inspection of an orchestration, as soon as it is as wanted. */
  async until(id: string, isThere: (inspected: Body) => boolean): Promise<Body> {
    for (;;) {
      const inspected = await this.inspect(id)
      if (isThere(inspected)) return inspected
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async ended(id: string): Promise<Body> {
    return await this.until(id, ({ status }) => status !== "processing" && status !== "pending")
  }

  /** The plan as the model gives it. */
  written(): string {
    if (typeof this.plan === "string") return this.plan
    const tasks = this.plan.map((task) => ({ ...task, service: this.ids.get(task.service) ?? task.service }))
    return JSON.stringify({ tasks: [{ id: "task0", input: {} }, ...tasks] })
  }
}

import { join } from "node:path"
import { InvalidInput, isObject, type JsonObject, OrraError, parseJson } from "@orra/core"
import { WebSocket } from "ws"
import { Desk } from "./desk.ts"
import { type PersistenceOptions, ServiceIdentity } from "./identity.ts"
import { Link, type SocketClass } from "./link.ts"
import { unreachable } from "./orchestrate.ts"
import { type AnySchema, type Given, type Received, type TaskSchema, taskSchema } from "./schema.ts"
import { fileServiceStore, type ServiceStore } from "./service-store.ts"
import type { Handler, RevertHandler } from "./task.ts"

export interface ServiceOptions {
  /** 3 to 63 lower-case letters, digits, "." and "-". */
  readonly name: string
  /** Where the engine is, such as `http://127.0.0.1:8005`. */
  readonly orraUrl: string
  /** A key of the project. */
  readonly orraKey: string
  /** Where the id of the service is kept. Default: `.orra-data/<name>-orra-service-key.json`, where the original kept it. */
  readonly persistenceOpts?: PersistenceOptions
  /** Where it is kept what came of tasks. Default: a file for each in `.orra-data/<name>-tasks`. */
  readonly store?: ServiceStore
  readonly connection?: ConnectionOptions
  /** What connections are made with: `WebSocket` of `ws`, the default, or a class derived from it, such as one that goes through a proxy. */
  readonly WebSocketImpl?: SocketClass
  /** Told what went wrong with the connection or the store; the service goes on. Default: `console.error`. */
  readonly onError?: (error: unknown) => void
}

export interface ConnectionOptions {
  /** The first pause before a reconnect and the longest one, in ms. Default 1,000 and 30,000. */
  readonly reconnectMs?: readonly [first: number, longest: number]
  /** After so long without an acknowledgement a message is sent again, in ms. Default 5,000. */
  readonly ackMs?: number
  /** How often the engine has to give a sign of life, in ms. Default 20,000. */
  readonly heartbeatMs?: number
}

export interface RegisterOptions<In extends AnySchema, Out extends AnySchema> {
  /** What it does, for whoever plans: it is all they know besides the schemas. */
  readonly description: string
  /** Standard Schemas, or JSON Schema of type object. */
  readonly schema: { readonly input: In; readonly output: Out }
  /** Whether what it does can be undone: then `onRevert` comes before `start`. Default false. */
  readonly revertible?: boolean
  /** How long after a task that can be done, in ms, more than 100. Default 24 hours. */
  readonly revertTTL?: number
}

export interface ServiceInfo {
  /** Undefined until it was registered. */
  readonly id: string | undefined
  /** How often it was registered. */
  readonly version: number
  readonly revertible: boolean
  readonly revertTTL: number
}

/** A service of a plan engine: of tasks with an `Input`, whose handler gives an `Output`, which travels as a `Result`. */
export interface PlanService<Input = JsonObject, Output = unknown, Result = unknown> {
  readonly info: ServiceInfo
  /**
   * Tells the engine what it does, and connects; not waiting for the connection. Tasks that come before `start` wait for it.
   *
   * @returns the service, which knows the types of its schemas.
   * @throws InvalidInput; OrraError `plan_registration_failed` with what the engine says, `plan_engine_unreachable`,
   *   `plan_service_closed`.
   */
  register<In extends AnySchema, Out extends AnySchema>(
    options: RegisterOptions<In, Out>,
  ): Promise<PlanService<Received<In>, Given<Out>, Received<Out>>>
  /** Does the tasks. @throws InvalidInput when they can be undone and nobody said how. */
  start(handler: Handler<Input, Output>): void
  onRevert(handler: RevertHandler<Input, Result>): void
  /**
   * Takes no more tasks, waits `timeoutMs` (default 10,000) for those under way and until the engine has their results,
   * then stops what is left and disconnects, for good. What it could not tell the next process tells.
   */
  shutdown(options?: { readonly timeoutMs?: number }): Promise<void>
}

/**
 * A service of a plan engine.
 *
 * ```ts
 * const service = initService({ name: "echo", orraUrl: "http://127.0.0.1:8005", orraKey })
 * const echo = await service.register({ description: "Says it again.", schema: { input: Text, output: Text } })
 * echo.start(({ input }) => ({ text: input.text }))
 * ```
 *
 * @throws InvalidInput for a name that is none, and without an address or a key.
 */
export const initService = (options: ServiceOptions): PlanService => new Service("service", options)

/** An agent of a plan engine: to the planner it is one, else the same as `initService`. */
export const initAgent = (options: ServiceOptions): PlanService => new Service("agent", options)

const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const DAY_MS = 24 * 60 * 60 * 1_000
const HOUR_MS = 60 * 60 * 1_000
const REGISTER_MS = 30_000

type Registration = Omit<RegisterOptions<AnySchema, AnySchema>, "schema"> & { readonly schema: TaskSchema }

class Service implements PlanService {
  readonly #kind: "service" | "agent"
  readonly #options: ServiceOptions
  readonly #url: string
  readonly #identity: ServiceIdentity
  readonly #store: ServiceStore
  readonly #desk: Desk
  readonly #onError: (error: unknown) => void
  #registration: Registration | undefined
  #handler: Handler<never> | undefined
  #revert: RevertHandler<never, never> | undefined
  #info: ServiceInfo = { id: undefined, version: 0, revertible: false, revertTTL: DAY_MS }
  #link: Link | undefined
  #sweep: NodeJS.Timeout | undefined
  #shutdown: Promise<void> | undefined

  constructor(kind: "service" | "agent", options: ServiceOptions) {
    const { name, orraUrl, orraKey, persistenceOpts, onError = console.error } = options
    if (typeof name !== "string" || !NAME.test(name)) {
      throw new InvalidInput(
        `"${name}" is no name of a ${kind}: use 3 to 63 lower-case letters, digits, "." and "-".`,
      )
    }
    if (!orraUrl || !URL.canParse(orraUrl)) throw new InvalidInput("orraUrl is the address of the engine.")
    if (!orraKey) throw new InvalidInput("orraKey is a key of a project: register one at the engine.")
    this.#kind = kind
    this.#options = options
    this.#url = orraUrl.replace(/\/+$/, "")
    this.#identity = new ServiceIdentity(name, persistenceOpts)
    this.#store = options.store ?? fileServiceStore(join(this.#identity.folder, `${name}-tasks`))
    this.#onError = (error) => onError(error)
    this.#desk = new Desk({
      store: this.#store,
      send: (payload) => this.#link?.send(payload),
      onError: this.#onError,
    })
  }

  get info(): ServiceInfo {
    return this.#info
  }

  async register<In extends AnySchema, Out extends AnySchema>(
    options: RegisterOptions<In, Out>,
  ): Promise<PlanService<Received<In>, Given<Out>, Received<Out>>> {
    const { schema, revertible = false, revertTTL = DAY_MS } = options
    if (typeof revertible !== "boolean") throw new InvalidInput("revertible is true or false.")
    if (typeof revertTTL !== "number" || !(revertTTL > 100))
      throw new InvalidInput("revertTTL is a number of ms, more than 100.")
    if (this.#handler) this.#assertRevertible(revertible)
    this.#registration = { ...options, schema: taskSchema(schema ?? {}) }
    const id = await this.#identity.load().catch(this.#onError)
    this.#info = { id: id ?? undefined, version: 0, revertible, revertTTL }
    await this.#announce()
    const {
      reconnectMs = [1_000, 30_000],
      ackMs = 5_000,
      heartbeatMs = 20_000,
    } = this.#options.connection ?? {}
    this.#link ??= new Link({
      target: (isRefused) => this.#target(isRefused),
      onFrame: (frame) => this.#desk.take(frame),
      onError: this.#onError,
      reconnectMs,
      ackMs,
      heartbeatMs,
      WebSocketImpl: this.#options.WebSocketImpl ?? WebSocket,
    })
    this.#tidy()
    this.#sweep ??= setInterval(() => this.#tidy(), HOUR_MS).unref()
    this.#open()
    return this as unknown as PlanService<Received<In>, Given<Out>, Received<Out>>
  }

  start(handler: Handler): void {
    this.#assertRevertible(this.#info.revertible)
    this.#handler = handler
    this.#open()
  }

  onRevert(handler: RevertHandler): void {
    this.#revert = handler
    this.#open()
  }

  shutdown({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#shutdown ??= this.#leave(timeoutMs)
    return this.#shutdown
  }

  /** As soon as it is known both what it does and how. */
  #open(): void {
    const registration = this.#registration
    if (!registration || !this.#link || !this.#handler) return
    const { revertible, revertTTL } = this.#info
    this.#desk.open({
      schema: registration.schema,
      handler: this.#handler,
      revert: this.#revert,
      revertTtlMs: revertible ? revertTTL : undefined,
    })
  }

  #assertRevertible(revertible: boolean): void {
    if (revertible && !this.#revert)
      throw new InvalidInput("The onRevert handler is missing: set it before start.")
  }

  /** Where to connect; as a service that is registered anew when the engine does not know it, or its key, any more. */
  async #target(isRefused: boolean): Promise<string> {
    if (isRefused) await this.#announce()
    const query = new URLSearchParams({ serviceId: this.#info.id ?? "", apiKey: this.#options.orraKey })
    return `${this.#url.replace(/^http/, "ws")}/ws?${query}`
  }

  async #announce(): Promise<void> {
    const registration = this.#registration
    if (this.#shutdown || !registration)
      throw new OrraError("plan_service_closed", "The service was shut down: make a new one.")
    const { name, orraKey } = this.#options
    const { input, output } = registration.schema
    const response = await fetch(`${this.#url}/register/${this.#kind}`, {
      method: "POST",
      headers: { authorization: `Bearer ${orraKey}`, "content-type": "application/json" },
      body: JSON.stringify({
        id: this.#info.id ?? null,
        name,
        description: registration.description,
        schema: { input: input.json, output: output.json },
        revertible: this.#info.revertible,
        version: this.#info.version,
      }),
      signal: AbortSignal.timeout(REGISTER_MS),
    }).catch((error: unknown) => {
      throw unreachable(this.#url, error)
    })
    const text = await response.text()
    if (!response.ok) {
      throw new OrraError(
        "plan_registration_failed",
        `Failed to register ${this.#kind} because of ${response.statusText}: ${text}`,
        { status: response.status },
      )
    }
    const body = parseJson(text)
    const id = isObject(body) ? String(body["id"]) : ""
    const version = isObject(body) ? Number(body["version"]) : 0
    this.#info = { ...this.#info, id, version }
    await this.#identity.save(id)
  }

  #tidy(): void {
    const keepMs = Math.max(DAY_MS, this.#info.revertTTL)
    this.#store.prune(Date.now() - keepMs).catch(this.#onError)
  }

  async #leave(timeoutMs: number): Promise<void> {
    clearInterval(this.#sweep)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([this.#desk.leave().then(() => this.#link?.drained()), late])
    clearTimeout(timer)
    this.#desk.abort()
    await this.#link?.close()
  }
}

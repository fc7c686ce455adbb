import { type Json, type JsonObject, OrraError } from "@orra/core"
import { type Answer, answerRevert, answerTask, asJson, failure, identity } from "./answers.ts"
import type { TaskSchema } from "./schema.ts"
import type { ServiceStore } from "./service-store.ts"
import type { Handler, RevertHandler } from "./task.ts"

/** Who does the work, once the service has begun to. */
export interface Worker {
  readonly schema: TaskSchema
  readonly handler: Handler<never>
  readonly revert: RevertHandler<never, never> | undefined
  /** In ms; undefined when what the handler does cannot be undone. */
  readonly revertTtlMs: number | undefined
}

/** What is kept of a task: how often it was begun, and what the engine was told, which it is told again. */
interface Kept {
  readonly attempt: number
  /** The last attempt ended in a failure. */
  readonly hasFailed?: boolean
  readonly answer?: JsonObject
}

/**
 * Takes the engine's requests. Each is carried out once, also when it comes again or to another process: what came of it is
 * kept before the engine is told.
 */
export class Desk {
  readonly #store: ServiceStore
  readonly #send: (payload: JsonObject) => void
  readonly #onError: (error: unknown) => void
  readonly #held = new Map<string, JsonObject>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  #worker: Worker | undefined
  #isLeaving = false

  constructor({
    store,
    send,
    onError,
  }: {
    readonly store: ServiceStore
    readonly send: (payload: JsonObject) => void
    readonly onError: (error: unknown) => void
  }) {
    this.#store = store
    this.#send = send
    this.#onError = onError
  }

  /** From now on requests are carried out, those first that came before. */
  open(worker: Worker): void {
    this.#worker = worker
    const held = [...this.#held.values()]
    this.#held.clear()
    for (const request of held) this.take(request)
  }

  take(request: JsonObject): void {
    const { type } = request
    if ((type !== "task_request" && type !== "compensation_request") || this.#isLeaving) return
    const place = placeOf(type, identity(request).idempotencyKey)
    const worker = this.#worker
    if (!worker) {
      // The engine asks again until it hears something: the newest is the one it waits for.
      this.#held.set(place, request)
      return
    }
    if (this.#running.has(place)) {
      this.#tell(request, { type: "task_status", status: "in_progress" })
      return
    }
    const work = this.#work(place, request, worker)
      .catch((error: unknown) => this.#tell(request, failure(error, false).payload))
      .finally(() => this.#running.delete(place))
    this.#running.set(place, work)
  }

  /** Begins nothing more. Resolves when nothing is under way. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    await Promise.all(this.#running.values())
  }

  /** Tells what is still under way to stop. */
  abort(): void {
    this.#stop.abort(new OrraError("plan_service_closed", "The service shuts down."))
  }

  /** Rejects when nothing was begun. */
  async #work(place: string, request: JsonObject, worker: Worker): Promise<void> {
    const kept = (await this.#store.get(place)) as Kept | undefined
    if (kept?.answer) return this.#tell(request, kept.answer)
    const attempt = (kept?.attempt ?? 0) + 1
    await this.#store.put(place, { attempt })
    const wasInterrupted = kept !== undefined && !kept.hasFailed
    const answer = await this.#answer(request, { attempt, wasInterrupted }, worker)
    // What failed because it was told to stop was interrupted.
    const ended = answer.isFinal ? { answer: answer.payload } : { hasFailed: !this.#stop.signal.aborted }
    // It has been done, so the engine is told in any case.
    await this.#store.put(place, { attempt, ...ended }).catch(this.#onError)
    this.#tell(request, answer.payload)
  }

  async #answer(
    request: JsonObject,
    history: { readonly attempt: number; readonly wasInterrupted: boolean },
    worker: Worker,
  ): Promise<Answer> {
    const { schema, handler, revert, revertTtlMs } = worker
    if (request["type"] === "task_request") {
      const onUpdate = (data: Json): void =>
        this.#tell(request, { type: "task_interim_result", result: { task: asJson(data) ?? null } })
      return await answerTask(request, {
        ...history,
        signal: this.#stop.signal,
        handler,
        schema,
        revertTtlMs,
        onUpdate,
      })
    }
    if (!revert)
      return failure(new OrraError("plan_not_revertible", "What this service does cannot be undone."), false)
    return await answerRevert(request, { handler: revert, schema, resultOf: (key) => this.#resultOf(key) })
  }

  async #resultOf(key: string): Promise<Json> {
    const kept = (await this.#store.get(placeOf("task_request", key))) as Kept | undefined
    const result = kept?.answer?.["result"] as { readonly task?: Json } | undefined
    if (!result) throw new OrraError("plan_result_unknown", "What this task gave is no longer known here.")
    return result.task ?? null
  }

  #tell(request: JsonObject, payload: JsonObject): void {
    const { id, ...rest } = identity(request)
    this.#send({ taskId: id, ...rest, ...payload })
  }
}

const placeOf = (type: "task_request" | "compensation_request", key: string): string =>
  `${type === "task_request" ? "task" : "undo"} ${key}`

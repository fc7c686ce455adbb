import { createHash, createHmac } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import {
  errorMessage,
  type JsonObject,
  type Namespace,
  Outbox,
  type OutboxMessage,
  type SessionStore,
} from "@orra/core"
import type { PlanProject, WebhookKind } from "../api/projects.ts"
import { derivedId } from "../ids.ts"
import { timeOf } from "../stored.ts"
import { afterAttempt, Deliveries, type Delivery, type DeliveryAttempt } from "./deliveries.ts"
import { guardedPost } from "./guarded-post.ts"

export interface WebhookOptions {
  /** Whether webhooks may be at loopback, private and link-local addresses. Default false. */
  readonly allowInternal?: boolean
  /** The pause after the first failure, in ms, default 1,000; it doubles. After 10 failures a webhook is dead. */
  readonly pauseMs?: number
  /** How long a receiver may take, in ms, default 10,000. */
  readonly timeoutMs?: number
}

const MAX_ATTEMPTS = 10
const TIMEOUT_MS = 10_000
/** How much longer somebody else waits before they take over, in ms. */
const WRITE_MS = 5_000
/** How often it is looked for what another engine left behind, in ms. */
const SWEEP_MS = 5_000

/**
 * Tells the webhooks of projects what has ended, until each has heard it or has failed ten times: in the store, with growing
 * pauses, signed. Each webhook has a queue of its own, so that one that is slow or down holds up no other.
 *
 * `X-Orra-Signature: t=<s since 1970>,v1=<hex>` is the HMAC-SHA256 over `<t>.<body>` with the project's secret.
 */
export class PlanWebhooks {
  readonly deliveries: Deliveries
  readonly #store: Pick<SessionStore, "now">
  readonly #outbox: Outbox
  readonly #root: Namespace
  readonly #options: Options
  readonly #queues = new Map<string, Queue>()
  readonly #stop = new AbortController()
  #isRunning = false

  constructor(store: Pick<SessionStore, "records" | "now">, root: Namespace, options: Options) {
    const { onError, pauseMs, timeoutMs = TIMEOUT_MS } = options
    this.deliveries = new Deliveries(store, root)
    this.#store = store
    this.#root = root
    this.#options = options
    this.#outbox = new Outbox(store, {
      name: "plan-webhooks",
      attemptMs: timeoutMs + WRITE_MS,
      // What was tried too often is taken out below, and stays with the deliveries.
      maxAttempts: Number.POSITIVE_INFINITY,
      onError,
      ...(pauseMs !== undefined && { pauseMs }),
      deliver: (message, signal) =>
        this.#deliver(message, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])),
    })
  }

  /** Keeps it for every webhook of the project; what was told is not told again. */
  async add(project: PlanProject, kind: WebhookKind, body: JsonObject): Promise<void> {
    const at = await this.#now()
    for (const url of project[kind]) {
      const delivery = await this.deliveries.add({
        id: derivedId("d_", `${body["event_id"]}\n${url}`),
        projectId: project.id,
        kind,
        url,
        body,
        status: "pending",
        createdAt: at,
        updatedAt: at,
        tried: 0,
        attempts: [],
      })
      if (delivery.status === "pending") await this.#queue(delivery)
    }
  }

  /** Tells it again, whatever came of it: now, and as often as a new one. @throws NotFound. */
  async redeliver(projectId: string, id: string): Promise<Delivery> {
    const updatedAt = await this.#now()
    const delivery = await this.deliveries.update(projectId, id, () => ({ status: "pending", updatedAt }))
    await this.#queue(delivery)
    return delivery
  }

  /** Delivers until the signal fires, and goes on when the store has failed. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#stop.abort(), { once: true })
    this.#isRunning = true
    while (!signal.aborted) {
      try {
        for (const { namespace } of await this.#outbox.list(this.#root)) this.#work(namespace)
      } catch (error) {
        this.#options.onError(error)
      }
      await pause(SWEEP_MS, undefined, { signal }).catch(() => {})
    }
    await Promise.all([...this.#queues.values()].map(({ done }) => done))
  }

  async #queue({ projectId, id, url }: Delivery): Promise<void> {
    const place = this.#root.child(projectId, createHash("sha256").update(url).digest("hex"))
    if (!(await this.#outbox.add(place, id, {}))) await this.#outbox.revive(place, id)
    this.#work(place)
  }

  /** Works off what waits for one webhook, or looks again where that is done already. */
  #work(place: Namespace): void {
    const { signal } = this.#stop
    const before = this.#queues.get(place.key)
    if (before) before.look.abort()
    if (before || !this.#isRunning || signal.aborted) return
    const queue: Queue = { look: new AbortController(), done: Promise.resolve() }
    this.#queues.set(place.key, queue)
    queue.done = this.#workOff(place, queue)
      .catch(this.#options.onError)
      .finally(() => this.#queues.delete(place.key))
  }

  async #workOff(place: Namespace, queue: Queue): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      queue.look = new AbortController()
      const due = await this.#outbox.deliver(place, signal)
      const news = queue.look.signal
      if (due === undefined && !news.aborted) return
      const until = AbortSignal.any([news, signal])
      await pause(due ?? 0, undefined, { signal: until }).catch(() => {})
    }
  }

  async #deliver({ namespace, key, attempts }: OutboxMessage, signal: AbortSignal): Promise<void> {
    const { project, onError, onAttempt = () => {} } = this.#options
    const projectId = String(namespace.segments.at(-2))
    const delivery = await this.deliveries.find(projectId, key)
    if (!delivery) return
    const owner = await project(projectId)
    const at = await this.#now()
    const write = (change: (delivery: Delivery) => Partial<Delivery>): Promise<Delivery> =>
      this.deliveries.update(projectId, key, change)
    if (!owner?.[delivery.kind].includes(delivery.url)) {
      await write(() => ({ status: "dropped", updatedAt: at }))
      return
    }
    const outcome = await this.#post(delivery, owner, at, signal)
    // The engine stops: nothing is known of it, and it is told again.
    if (this.#stop.signal.aborted && outcome.error !== undefined) throw new Error(outcome.error)
    const attempt = { at, ms: Math.max(0, (await this.#now()) - at), ...outcome }
    const failed = attempts >= MAX_ATTEMPTS ? "dead" : "pending"
    const status = outcome.error === undefined ? "delivered" : failed
    onAttempt(await write((before) => afterAttempt(before, attempt, status)), attempt)
    if (status === "pending") throw new Error(outcome.error)
    if (status === "dead")
      onError(new Error(`A webhook is given up after ${attempts} attempts: ${outcome.error}`))
  }

  async #post(
    { body, url }: Delivery,
    { webhookSecret }: PlanProject,
    at: number,
    signal: AbortSignal,
  ): Promise<Pick<DeliveryAttempt, "answered" | "error">> {
    const text = JSON.stringify(body)
    const seconds = String(Math.floor(at / 1_000))
    try {
      const answered = await guardedPost(url, {
        allowInternal: this.#options.allowInternal ?? false,
        headers: {
          "content-type": "application/json",
          "user-agent": "orra/1.0",
          "x-orra-event": String(body["type"]),
          "x-orra-signature": `t=${seconds},v1=${signature(webhookSecret, seconds, text)}`,
        },
        body: text,
        signal,
      })
      if (answered >= 200 && answered <= 299) return { answered }
      return { answered, error: `The webhook at ${new URL(url).host} answered ${answered}.` }
    } catch (error) {
      const late = signal.aborted && !this.#stop.signal.aborted
      return {
        error: late ? `The webhook at ${new URL(url).host} did not answer in time.` : errorMessage(error),
      }
    }
  }

  async #now(): Promise<number> {
    return await timeOf(this.#store)
  }
}

interface Options extends WebhookOptions {
  readonly project: (id: string) => Promise<PlanProject | undefined>
  readonly onError: (error: unknown) => void
  /** Told of every attempt, and how the delivery stands after it. */
  readonly onAttempt?: (delivery: Delivery, attempt: DeliveryAttempt) => void
}

/** What is being worked off. `look` says that there is more. */
interface Queue {
  look: AbortController
  done: Promise<void>
}

const signature = (secret: string, seconds: string, text: string): string =>
  createHmac("sha256", secret).update(`${seconds}.${text}`).digest("hex")

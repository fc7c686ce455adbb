import { createHash, createHmac } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import { type JsonObject, type Namespace, Outbox, type SessionStore } from "@orra/core"
import type { PlanProject, WebhookKind } from "../api/projects.ts"
import { guardedPost } from "./guarded-post.ts"

export interface WebhookOptions {
  /** Whether webhooks may be at loopback, private and link-local addresses. Default false. */
  readonly allowInternal?: boolean
  /** The pause after the first failure, in ms, default 1,000; it doubles. After 10 failures a webhook is dead. */
  readonly pauseMs?: number
}

const ATTEMPT_MS = 10_000
const STORE_PAUSE_MS = 5_000

/**
 * Tells the webhooks of projects what has ended, until each has heard it: in the store, tried again with growing pauses, signed.
 *
 * `X-Orra-Signature: t=<s since 1970>,v1=<hex>` is the HMAC-SHA256 over `<t>.<body>` with the project's secret.
 */
export class PlanWebhooks {
  readonly #outbox: Outbox
  readonly #root: Namespace
  readonly #onError: (error: unknown) => void

  constructor(
    store: Pick<SessionStore, "records" | "now">,
    root: Namespace,
    {
      project,
      onError,
      allowInternal = false,
      pauseMs,
    }: WebhookOptions & {
      readonly project: (id: string) => Promise<PlanProject | undefined>
      readonly onError: (error: unknown) => void
    },
  ) {
    this.#root = root
    this.#onError = onError
    this.#outbox = new Outbox(store, {
      name: "plan-webhooks",
      attemptMs: ATTEMPT_MS,
      onError,
      ...(pauseMs !== undefined && { pauseMs }),
      deliver: async ({ namespace, value }, signal) => {
        const { kind, url, body } = value as { kind: WebhookKind; url: string; body: JsonObject }
        const owner = await project(String(namespace.segments.at(-2)))
        // Nobody wants to hear it any more.
        if (!owner?.[kind].includes(url)) return
        const text = JSON.stringify(body)
        const seconds = String(Math.floor(Date.now() / 1_000))
        const status = await guardedPost(url, {
          allowInternal,
          headers: {
            "content-type": "application/json",
            "user-agent": "orra/1.0",
            "x-orra-event": String(body["type"]),
            "x-orra-signature": `t=${seconds},v1=${signature(owner.webhookSecret, seconds, text)}`,
          },
          body: text,
          signal,
        })
        if (status < 200 || status > 299)
          throw new Error(`The webhook at ${new URL(url).host} answered ${status}.`)
      },
    })
  }

  /** Keeps it for every webhook of the project; what is added again waits once. */
  async add(project: PlanProject, kind: WebhookKind, body: JsonObject): Promise<void> {
    for (const url of project[kind]) {
      // Each has a queue of its own: one that is down holds up no other.
      const place = this.#root.child(project.id, createHash("sha256").update(url).digest("hex"))
      await this.#outbox.add(place, String(body["event_id"]), { kind, url, body })
    }
  }

  /** Delivers until the signal fires, and goes on when the store has failed. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#outbox.run(this.#root, { signal })
      } catch (error) {
        this.#onError(error)
        await pause(STORE_PAUSE_MS, undefined, { signal }).catch(() => {})
      }
    }
  }
}

const signature = (secret: string, seconds: string, text: string): string =>
  createHmac("sha256", secret).update(`${seconds}.${text}`).digest("hex")

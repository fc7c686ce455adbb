import {
  type JsonObject,
  type Namespace,
  NotFound,
  type Page,
  type RecordListOptions,
  type Records,
  type SessionStore,
} from "@orra/core"
import type { WebhookKind } from "../api/projects.ts"
import { listed, writeListed } from "../lists.ts"

/** `dead`: it failed too often. `dropped`: its webhook was removed before it was told. */
export const DELIVERY_STATUSES = ["pending", "delivered", "dead", "dropped"] as const

/** One attempt to tell a webhook. Times are ms since 1970. */
export interface DeliveryAttempt {
  readonly at: number
  readonly ms: number
  /** What it answered. */
  readonly answered?: number
  readonly error?: string
}

/** An event for one webhook, and how telling it went. Times are ms since 1970. */
export interface Delivery {
  readonly id: string
  readonly projectId: string
  readonly kind: WebhookKind
  readonly url: string
  readonly body: JsonObject
  readonly status: (typeof DELIVERY_STATUSES)[number]
  readonly createdAt: number
  readonly updatedAt: number
  /** How often it was tried; the last ten of them. */
  readonly tried: number
  readonly attempts: readonly DeliveryAttempt[]
}

const KEPT = 10

/** What webhooks are told, and were. */
export class Deliveries {
  readonly #records: Records
  readonly #root: Namespace

  constructor(store: Pick<SessionStore, "records">, root: Namespace) {
    this.#records = store.records("plan-deliveries")
    this.#root = root
  }

  /** Puts it in, unless it is there. @returns the one that is. */
  async add(delivery: Delivery): Promise<Delivery> {
    for (;;) {
      const record = await this.#records.get(this.#at(delivery.projectId), delivery.id)
      if (record) return record.value as unknown as Delivery
      if (await writeListed(this.#records, this.#at(delivery.projectId), undefined, delivery)) return delivery
    }
  }

  async find(projectId: string, id: string): Promise<Delivery | undefined> {
    const record = /^d_\w+$/.test(id) ? await this.#records.get(this.#at(projectId), id) : undefined
    return record && (record.value as unknown as Delivery)
  }

  /** @throws NotFound. */
  async get(projectId: string, id: string): Promise<Delivery> {
    const delivery = await this.find(projectId, id)
    if (!delivery) throw new NotFound("delivery")
    return delivery
  }

  /** @throws NotFound. */
  async update(
    projectId: string,
    id: string,
    change: (delivery: Delivery) => Partial<Delivery>,
  ): Promise<Delivery> {
    for (;;) {
      const record = /^d_\w+$/.test(id) ? await this.#records.get(this.#at(projectId), id) : undefined
      if (!record) throw new NotFound("delivery")
      const before = record.value as unknown as Delivery
      const after = { ...before, ...change(before) }
      if (await writeListed(this.#records, this.#at(projectId), record, after)) return after
    }
  }

  /** Those that changed last first. */
  async list(
    projectId: string,
    options: { readonly status?: Delivery["status"] } & RecordListOptions,
  ): Promise<Page<Delivery>> {
    return await listed(this.#records, this.#at(projectId), options)
  }

  #at = (projectId: string): Namespace => this.#root.child(projectId)
}

/** With one more attempt. */
export const afterAttempt = (
  { tried, attempts }: Delivery,
  attempt: DeliveryAttempt,
  status: Delivery["status"],
): Partial<Delivery> => ({
  status,
  updatedAt: attempt.at + attempt.ms,
  tried: tried + 1,
  attempts: [...attempts, attempt].slice(-KEPT),
})

import { setTimeout as pause } from "node:timers/promises"
import {
  type Approvals,
  errorMessage,
  type Hooks,
  type Namespace,
  Outbox,
  type OutboxMessage,
  type Runtime,
} from "@orra/core"
import type { Notice } from "@orra/cron"
import type { Gateway } from "@orra/gateway"
import { discordRoot, OWNER, principals } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import type { HeraldStore } from "../data/store.ts"
import { PEERS } from "../federation/peers.ts"
import type { Logger } from "../log/log.ts"
import { openQuestions } from "../tools/ask-user.ts"
import { type PushKeys, proofOf, pushKeys } from "./keys.ts"
import { approvalNews, jobNews, type News, questionNews, testNews } from "./news.ts"
import { send } from "./send.ts"
import { type KeptSubscription, Subscriptions } from "./subscriptions.ts"

export interface PushParts {
  /** As it is now. */
  readonly config: () => Config
  /** Absolute: where the keys are. */
  readonly dataDir: string
  readonly store: HeraldStore
  readonly logger: Logger
  readonly approvals: Approvals
  readonly runtime: () => Runtime
  /** The origin of a push service that may be on this machine: for tests. */
  readonly local: string | undefined
}

/** What waits in the store to be sent to one browser. */
type Kept = News & {
  /** After this it is no news any more, in ms since 1970. */
  readonly until: number
}

const ATTEMPTS = 6
const PAUSE_MS = 30_000
/** Nobody else adds anything; a clock that was set is noticed after so long. */
const POLL_MS = 60_000
const DAY_MS = 24 * 3_600_000
/** Nobody's: a push service only wants to know that there could be one. */
const CONTACT = "mailto:herald@example.com"

/**
 * Tells people on their devices what waits for them and what came of their jobs, when they have asked for it there. It is
 * always sent, whether or not a page of theirs is open somewhere: a page that is open can be in an empty room. The device
 * that gets it knows whether somebody looks at Herald there, and is then quiet.
 */
export class Pushes {
  /** For the runtime, which is made after this. */
  readonly hooks: Hooks
  readonly subscriptions: Subscriptions
  readonly #parts: PushParts
  readonly #outbox: (person: Namespace) => Outbox
  readonly #ending = new AbortController()
  /** By run: of what was told already. */
  readonly #told = new Map<string, ReadonlySet<string>>()
  #keys: Promise<PushKeys> | undefined
  #holderOf: Gateway["holderOf"] = async () => undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(parts: PushParts) {
    const { config, store } = parts
    this.#parts = parts
    this.subscriptions = new Subscriptions(store.records("push"), () => principals(config()))
    const outboxes = new Map<string, Outbox>()
    this.#outbox = (person) => {
      const outbox = outboxes.get(person.key) ?? this.#newOutbox()
      outboxes.set(person.key, outbox)
      return outbox
    }
    this.hooks = {
      name: "push",
      runWait: ({ namespace, runId }) => this.#waits(namespace, runId),
      runEnd: (_, { runId }) => void this.#told.delete(runId),
    }
  }

  get isOn(): boolean {
    return this.#parts.config().push.enabled
  }

  /** Made when they are first asked for. */
  async keys(): Promise<PushKeys> {
    this.#keys ??= pushKeys(this.#parts.dataDir)
    try {
      return await this.#keys
    } catch (error) {
      this.#keys = undefined
      throw error
    }
  }

  /** Begins to send. */
  start(holderOf: Gateway["holderOf"]): void {
    this.#holderOf = holderOf
    this.#running = Promise.all(principals(this.#parts.config()).map((person) => this.#run(person)))
  }

  /** Sends nothing more; what waits goes on after the next start. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  /** What came of a job was written to a chat. */
  async jobTold(notice: Notice, chat: Namespace): Promise<void> {
    await this.#tell(this.#peopleOf(chat), `job ${notice.key}`, DAY_MS, async () => jobNews(notice, chat))
  }

  /** Sends a word to one browser now. What it says of it is why that did not work. */
  async test(person: Namespace, id: string, signal: AbortSignal): ReturnType<typeof send> {
    const subscription = await this.#live(person, id)
    if (!subscription) return { sent: "gone" }
    const news = { ...testNews(), until: (await this.#now()) + 60_000 }
    return await this.#send(person, subscription, news, signal)
  }

  /** A run stands still: for somebody, or for something else. */
  async #waits(session: Namespace, runId: string): Promise<void> {
    const people = this.#peopleOf(session)
    if (!this.isOn || !(await this.#someSubscribed(people))) return
    const { approvals, runtime } = this.#parts
    const waiting = (await approvals.list(session)).filter((each) => each.runId === runId)
    const asked = await openQuestions(runtime(), session, runId)
    const ids = [...waiting.map(({ approvalId }) => approvalId), ...asked]
    const known = this.#told.get(runId)
    this.#told.set(runId, new Set(ids))
    const fresh = ids.find((id) => !known?.has(id))
    if (fresh === undefined) return
    const now = await this.#now()
    const [first] = waiting
    const ms = first ? first.expiresAt - now : DAY_MS
    // Some models number their calls anew in each run.
    await this.#tell(people, `waits ${runId} ${fresh}`, ms, async (person) =>
      first
        ? approvalNews(waiting, await this.#waitFor(person))
        : questionNews(session, await this.#waitFor(person)),
    )
  }

  /** Those who are told what happens in a session: whose it is, and where only the owner decides the owner. */
  #peopleOf(session: Namespace): readonly Namespace[] {
    const config = this.#parts.config()
    if ([discordRoot(config), PEERS].some((place) => place.contains(session))) return [OWNER]
    return principals(config).filter((person) => person.contains(session))
  }

  /** How many calls wait for somebody. */
  async #waitFor(person: Namespace): Promise<number> {
    const { approvals, config } = this.#parts
    const places = person.equals(OWNER) ? [person, discordRoot(config()), PEERS] : [person]
    const found = await Promise.all(places.map((place) => approvals.list(place)))
    return found.flat().length
  }

  async #someSubscribed(people: readonly Namespace[]): Promise<boolean> {
    const found = await Promise.all(people.map((person) => this.subscriptions.ids(person)))
    return found.some((ids) => ids.length > 0)
  }

  async #tell(
    people: readonly Namespace[],
    key: string,
    ms: number,
    newsFor: (person: Namespace) => Promise<News>,
  ): Promise<void> {
    if (!this.isOn) return
    const until = (await this.#now()) + ms
    for (const person of people) {
      const ids = await this.subscriptions.ids(person)
      if (ids.length === 0) continue
      const news = await newsFor(person)
      // Each browser has its own: one that cannot be reached keeps none of the others waiting.
      for (const id of ids) await this.#outbox(person).add(person.child(id), key, { ...news, until })
    }
  }

  #newOutbox(): Outbox {
    return new Outbox(this.#parts.store, {
      name: "push-outbox",
      pauseMs: PAUSE_MS,
      maxAttempts: ATTEMPTS,
      deliver: (message, signal) => this.#deliver(message, signal),
    })
  }

  async #run(person: Namespace): Promise<void> {
    const { signal } = this.#ending
    const { logger } = this.#parts
    while (!signal.aborted) {
      try {
        for (const id of await this.subscriptions.ids(person)) await this.#live(person, id)
        await this.#outbox(person).run(person, { signal, pollMs: POLL_MS })
      } catch (err) {
        logger.warn({ err }, "notifications")
        await pause(POLL_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** Rejects when it shall be tried again. What was tried often enough is given up, and not kept as dead. */
  async #deliver(message: OutboxMessage, signal: AbortSignal): Promise<void> {
    try {
      await this.#attempt(message, signal)
    } catch (error) {
      if (message.attempts < ATTEMPTS) throw error
      this.#parts.logger.warn(`A notification was not sent. ${errorMessage(error)}`)
    }
  }

  async #attempt({ namespace, value }: OutboxMessage, signal: AbortSignal): Promise<void> {
    const { parent: person, segments } = namespace
    const id = segments.at(-1)
    if (!person || id === undefined) return
    const news = value as Kept
    const subscription = await this.#live(person, id)
    if (!this.isOn || !subscription || news.until <= (await this.#now())) return
    const { sent, error } = await this.#send(person, subscription, news, signal)
    if (sent === "later") throw error
    if (error) this.#parts.logger.warn(`A notification was not sent. ${error.message}`)
  }

  /**
   * The subscription, as long as the login it was made with goes on and is still this person's, with the same key. One whose
   * login has ended is forgotten.
   */
  async #live(person: Namespace, id: string): Promise<KeptSubscription | undefined> {
    const subscription = await this.subscriptions.get(person, id)
    if (!subscription) return undefined
    const holder = await this.#holderOf(subscription.login)
    if (holder?.namespace.equals(person) && proofOf(await this.keys(), holder) === subscription.proof)
      return subscription
    await this.subscriptions.forget(person, subscription)
    return undefined
  }

  async #send(
    person: Namespace,
    subscription: KeptSubscription,
    { until, isUrgent, ...news }: Kept,
    signal: AbortSignal,
  ): ReturnType<typeof send> {
    const { local, config } = this.#parts
    const ttl = Math.max(0, Math.round((until - (await this.#now())) / 1_000))
    const push = { payload: JSON.stringify(news), ttl, isUrgent }
    const contact = config().push.contact ?? CONTACT
    const came = await send(subscription, push, { keys: await this.keys(), contact, local, signal })
    if (came.sent === "gone") await this.subscriptions.forget(person, subscription)
    return came
  }

  async #now(): Promise<number> {
    return (await this.#parts.store.now?.()) ?? Date.now()
  }
}

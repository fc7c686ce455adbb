import { Hub, Mailbox } from "./hub.ts"
import type { Namespace } from "./namespace.ts"
import { isEntry, type Notice, type RunEvent, type SessionChange } from "./run.ts"
import type { Entry, SessionInfo } from "./session.ts"
import type { SessionStore } from "./store.ts"

/** Events waiting for a slow reader before it is made to re-read the log instead. */
const MAX_WAITING = 1_000

/** Entries after which a list of sessions shows something else. */
const LISTED: ReadonlySet<Entry["type"]> = new Set([
  "user",
  "assistant",
  "run_started",
  "run_finished",
  "meta",
])

/** Tells those who watch what was written. The log is what they read; this only says that there is more of it. */
export class Broadcast {
  readonly #store: SessionStore
  readonly #events = new Hub<RunEvent>()
  readonly #changes = new Hub<SessionChange>()

  constructor(store: SessionStore) {
    this.#store = store
  }

  /** Durable entries, in the order of their numbers. */
  entries(namespace: Namespace, entries: readonly Entry[], info: SessionInfo): void {
    let listed = false
    for (const entry of entries) {
      this.#events.emit(namespace, entry)
      if (LISTED.has(entry.type)) listed = true
    }
    if (listed) this.#changes.emit(namespace, { type: "session", info })
  }

  notice(namespace: Namespace, notice: Notice): void {
    this.#events.emit(namespace, notice)
  }

  deleted(namespace: Namespace): void {
    this.#changes.emit(namespace, { type: "session_deleted", namespace })
  }

  async *subscribe(
    namespace: Namespace,
    options: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<RunEvent, void> {
    const mailbox = new Mailbox<RunEvent>(MAX_WAITING, options.signal)
    const off = this.#events.on(namespace, (event) => mailbox.push(event))
    try {
      let seen = options.after ?? (await this.#store.info(namespace))?.version ?? 0
      let behind = options.after !== undefined
      while (!mailbox.closed) {
        while (behind && !mailbox.closed) {
          const page = await this.#store.read(namespace, { after: seen, limit: 500 })
          for (const entry of page) {
            seen = entry.seq
            yield entry
          }
          behind = page.length > 0
        }
        for (const event of await mailbox.take()) {
          if (isEntry(event)) {
            if (event.seq <= seen) continue
            seen = event.seq
          }
          yield event
        }
        behind = mailbox.hasLagged()
      }
    } finally {
      off()
      mailbox.close()
    }
  }

  async *watch(prefix: Namespace, signal: AbortSignal | undefined): AsyncGenerator<SessionChange, void> {
    const mailbox = new Mailbox<SessionChange>(Number.POSITIVE_INFINITY, signal)
    const off = this.#changes.onPrefix(prefix, (change) => mailbox.push(change))
    try {
      while (!mailbox.closed) yield* await mailbox.take()
    } finally {
      off()
      mailbox.close()
    }
  }
}

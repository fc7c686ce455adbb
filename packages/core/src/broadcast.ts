import { Hub, Mailbox } from "./hub.ts"
import type { Namespace } from "./namespace.ts"
import { isEntry, type Notice, type RunEvent, type SessionChange } from "./run.ts"
import type { Entry, SessionInfo } from "./session.ts"
import type { SessionStore } from "./store.ts"

/** Events waiting for a slow reader before it is made to re-read the log instead. */
const MAX_WAITING = 1_000

/** Entries that are read at a time. */
const PAGE = 500

/** Entries after which a list of sessions shows something else. */
const LISTED: ReadonlySet<Entry["type"]> = new Set([
  "user",
  "assistant",
  "run_started",
  "run_waiting",
  "approval_decision",
  "run_resumed",
  "run_finished",
  "meta",
])

/** The session was deleted: what comes now is another one, numbered from 1. */
const ANEW = { type: "anew" } as const
/** Another process has written: who watches reads it. */
interface More {
  readonly type: "more"
}

type Failure = Extract<Notice, { type: "failure" }>

/** Tells those who watch what was written. The log is what they read; this only says that there is more of it. */
export class Broadcast {
  readonly #store: SessionStore
  readonly events = new Hub<RunEvent | typeof ANEW | More>()
  readonly changes = new Hub<SessionChange>()
  readonly #mailboxes = new Set<{ end(): void }>()
  /** Ends of runs that the log does not tell of, until the session's next run: for who was not there to hear it. */
  readonly #failures = new Map<string, Failure>()
  #closed = false

  constructor(store: SessionStore) {
    this.#store = store
  }

  /** Durable entries, in the order of their numbers. */
  entries(namespace: Namespace, entries: readonly Entry[], info: SessionInfo): void {
    let listed = false
    for (const entry of entries) {
      if (entry.type === "run_started") this.#failures.delete(namespace.key)
      this.events.emit(namespace, entry)
      if (LISTED.has(entry.type)) listed = true
    }
    if (listed) this.changes.emit(namespace, { type: "session", info })
  }

  notice(namespace: Namespace, notice: Notice): void {
    if (notice.type === "failure") this.#failures.set(namespace.key, notice)
    this.events.emit(namespace, notice)
  }

  deleted(namespace: Namespace): void {
    this.#failures.delete(namespace.key)
    this.events.emit(namespace, ANEW)
    this.changes.emit(namespace, { type: "session_deleted", namespace })
  }

  /** Ends all that watch, once they have what happened so far. */
  close(): void {
    this.#closed = true
    for (const mailbox of this.#mailboxes) mailbox.end()
  }

  async *subscribe(
    namespace: Namespace,
    options: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<RunEvent, void> {
    const mailbox = new Mailbox<RunEvent | typeof ANEW>(MAX_WAITING, options.signal)
    const off = this.events.on(namespace, (event) =>
      event.type === "more"
        ? mailbox.lag()
        : mailbox.push(event, event.type === "failure" || event.type === "anew"),
    )
    const leave = this.#register(mailbox, off)
    const store = this.#store
    let seen = 0
    async function* missed(): AsyncGenerator<Entry> {
      for (;;) {
        const page = await store.read(namespace, { after: seen, limit: PAGE })
        for (const entry of page) {
          if (mailbox.closed) return
          seen = entry.seq
          yield entry
        }
        if (page.length < PAGE) return
      }
    }
    try {
      const version = (await store.info(namespace))?.version ?? 0
      // A cursor from beyond the end is that of a session since deleted: this one is new to its reader.
      seen = options.after === undefined ? version : options.after > version ? 0 : options.after
      let behind = options.after !== undefined
      let told: Failure | undefined
      while (!mailbox.closed) {
        if (behind) {
          yield* missed()
          const failure = this.#failures.get(namespace.key)
          if (failure && failure !== told && !mailbox.closed) {
            told = failure
            yield failure
          }
        }
        for (const event of await mailbox.take()) {
          if (event.type === "anew") {
            seen = 0
            continue
          }
          if (isEntry(event)) {
            // What another process wrote in between was not told here.
            if (event.seq > seen + 1) yield* missed()
            if (event.seq <= seen) continue
            seen = event.seq
          } else if (event.type === "failure") {
            if (event === told) continue
            told = event
          }
          yield event
        }
        behind = mailbox.hasLagged()
      }
    } finally {
      leave()
    }
  }

  async *watch(prefix: Namespace, signal: AbortSignal | undefined): AsyncGenerator<SessionChange, void> {
    // A slow reader is told the last change of each session: the ones before it are of no use any more.
    const changes = new Map<string, SessionChange>()
    const mailbox = new Mailbox<true>(1, signal)
    const off = this.changes.onPrefix(prefix, (change) => {
      const { key } = change.type === "session" ? change.info.namespace : change.namespace
      changes.delete(key)
      changes.set(key, change)
      mailbox.push(true)
    })
    const leave = this.#register(mailbox, off)
    try {
      while (!mailbox.closed) {
        await mailbox.take()
        mailbox.hasLagged()
        for (const [key, change] of changes) {
          if (mailbox.closed) return
          changes.delete(key)
          yield change
        }
      }
    } finally {
      leave()
    }
  }

  /** @returns what to do when its reader has left. */
  #register<T>(mailbox: Mailbox<T>, off: () => void): () => void {
    this.#mailboxes.add(mailbox)
    if (this.#closed) mailbox.end()
    return () => {
      off()
      this.#mailboxes.delete(mailbox)
      mailbox.close()
    }
  }
}

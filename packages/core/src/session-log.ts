import { type Stretch, stretches, tipOf } from "./branches.ts"
import type { PromptCounter } from "./budget-prompt.ts"
import { countMessage, type Tokenizer, type ViewItem } from "./context.ts"
import { afterCut, type Cut, type CutView } from "./cut.ts"
import { asStoreError, StoreError, VersionConflict } from "./errors.ts"
import type { JsonObject } from "./json.ts"
import { type Message, type UserMessage, userMessage } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import { newOpenRun, type OpenRun, runAfter } from "./open-run.ts"
import { readMessages } from "./path-messages.ts"
import { readPathBack } from "./read-back.ts"
import { describe, type Entry, type EntryType, type NewEntry, type Pin, type SessionInfo } from "./session.ts"
import { shortenResult } from "./shorten.ts"
import type { Lease, SessionStore } from "./store.ts"
import { tainted } from "./taint.ts"
import { Transcript } from "./transcript.ts"
import { wellFormed } from "./well-formed.ts"

/** Entries that matter for what the model sees and for closing an open run. */
const TRANSCRIPT: readonly EntryType[] = [
  "user",
  "assistant",
  "tool_intent",
  "tool_result",
  "run_started",
  "run_finished",
  "run_waiting",
  "run_resumed",
  "approval_request",
  "approval_decision",
  "wake",
  "control",
  "input",
  "compaction",
  "delta",
]

export interface SessionLogOptions {
  readonly tokenizer: Tokenizer
  /** Tokens of view worth loading; older entries would be cut anyway. */
  readonly viewTokens: number
  readonly maxResultTokens: number
  /** Called with entries once they are durable, in order. */
  readonly onAppend: (namespace: Namespace, entries: readonly Entry[], info: SessionInfo) => void
  /** Called when the session turns out to have been deleted by somebody else. */
  readonly onDeleted: (namespace: Namespace) => void
  /** Makes of entries what is recorded. It runs again when the append has to be tried again. */
  readonly filter?: ((entries: readonly NewEntry[], metadata: JsonObject) => readonly NewEntry[]) | undefined
}

export interface LogAppendOptions {
  readonly lease?: Lease | undefined
  readonly dropDeltas?: { readonly from: number; readonly to: number } | undefined
  /** The session these entries are for, as `SessionLog.incarnation` said. */
  readonly incarnation?: number | undefined
}

/**
 * One session in memory: what the next request needs, kept up to date from the entries, so that a turn costs
 * what is new and not what is old. The store stays the truth: a version that does not match makes it catch up.
 */
export class SessionLog implements CutView {
  readonly namespace: Namespace
  /** Makes the messages of requests: it remembers what it made of the view. */
  readonly transcript = new Transcript()
  /** Messages on their way into the queue: who comes now comes after them. */
  arriving = 0
  readonly #store: SessionStore
  readonly #options: SessionLogOptions
  info: SessionInfo | undefined
  version = 0
  #rewinds: Entry<"rewind">[] = []
  /** The transcript that the model sees, oldest first. The same list as long as it has only grown. */
  view: ViewItem[] = []
  /** The tokens of its items that have been counted, which are the first so many, and of `first`. */
  #tokens = 0
  #counted = 0
  #cut: Cut & { readonly summary?: string } = { from: 0 }
  /** What stands before it for the messages that were cut away. Data, not system text: a model wrote it. */
  first: UserMessage | undefined
  pins: readonly Pin[] = []
  #pinned = new Set<number>()
  openRun: OpenRun | undefined
  /** What budgets have counted of its requests. */
  counter: PromptCounter | undefined
  /**
   * True once what the model sees may hold what strangers wrote: the answer of an untrusted tool, or what the model
   * made of one. It is in the log (`untrusted`, `tainted`), so it outlives the process; a rewind before it ends it.
   */
  tainted = false
  #inputs = new Map<string, Entry<"input">>()
  #seenInputs = new Set<string>()
  /** True after a rewind: the view must be refreshed before it is used. */
  stale = false
  /**
   * Grows when the session turns out to have been deleted, and perhaps begun anew, by somebody else. What belongs to
   * the session that was must not be written into the one that is.
   */
  incarnation = 0
  #queue: Promise<unknown> = Promise.resolve()
  #underWay = 0

  private constructor(namespace: Namespace, store: SessionStore, options: SessionLogOptions) {
    this.namespace = namespace
    this.#store = store
    this.#options = options
  }

  static open(namespace: Namespace, store: SessionStore, options: SessionLogOptions): Promise<SessionLog> {
    return new SessionLog(namespace, store, options).#load()
  }

  get stretches(): readonly Stretch[] {
    return stretches(this.#rewinds, this.version)
  }

  /** The number of the entry that the next one will follow. */
  get tip(): number {
    return this.#rewinds.length === 0 ? this.version : tipOf(this.stretches)
  }

  /** The tokens of the view and of what stands before it. */
  get viewTokens(): number {
    for (; this.#counted < this.view.length; this.#counted++)
      this.#tokens += this.view[this.#counted]?.tokens ?? 0
    return this.#tokens
  }

  /** Where it begins: what is before that and still in it is pinned, or began the turn. */
  get from(): number {
    return this.#cut.from
  }

  get summary(): string | undefined {
    return this.#cut.summary
  }

  /** True for what every cut leaves. */
  readonly pinned = (seq: number): boolean => this.#pinned.has(seq)

  /** Messages that wait for their turn, oldest first. */
  get inputs(): readonly Entry<"input">[] {
    return this.#inputs.size > 0 ? [...this.#inputs.values()] : NONE
  }

  /** True when a message with this id is in the transcript. */
  hasJoined(inputId: string): boolean {
    return this.#seenInputs.has(inputId)
  }

  /** True when it is, or waits for its turn. */
  hasSeen(inputId: string): boolean {
    return this.#seenInputs.has(inputId) || this.#inputs.has(inputId)
  }

  /**
   * Appends what `build` makes of the present state. When others have written meanwhile, it catches up and asks
   * again; undefined means there is nothing to write any more. Calls queue up, so entries of one process never
   * conflict with one another.
   *
   * @throws StoreError (`store_session_deleted`) when the session is not the `incarnation` that the entries are for.
   */
  append(
    build: readonly NewEntry[] | (() => readonly NewEntry[] | undefined),
    options: LogAppendOptions = {},
  ): Promise<readonly Entry[]> {
    return this.#inTurn(() => this.#append(build, options))
  }

  /**
   * Work on the log, one piece after the other; each counts itself out at its end. Where nothing is under way it begins
   * at once: to wait for a promise would cost as much as a store in memory takes.
   */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const task = this.#underWay++ === 0 ? work() : this.#queue.then(work, work)
    this.#queue = task
    return task
  }

  async #append(
    build: readonly NewEntry[] | (() => readonly NewEntry[] | undefined),
    { lease, dropDeltas, incarnation }: LogAppendOptions,
  ): Promise<readonly Entry[]> {
    try {
      for (;;) {
        if (incarnation !== undefined && incarnation !== this.incarnation) {
          throw new StoreError("store_session_deleted", "The session was deleted while it was being written.")
        }
        const given = typeof build === "function" ? build() : build
        if (!given || given.length === 0) return []
        const made = this.tainted ? tainted(given) : given
        const entries = this.#options.filter?.(made, this.info?.metadata ?? {}) ?? made
        if (entries.length === 0) return []
        try {
          const options = { expected: this.version, lease, dropDeltas }
          const stored = await this.#store.append(this.namespace, entries, options)
          for (const entry of stored) this.#apply(entry)
          this.#announce(stored)
          return stored
        } catch (error) {
          if (!(error instanceof VersionConflict)) throw asStoreError(error)
          await this.#catchUp(await this.#store.info(this.namespace))
        }
      }
    } finally {
      this.#underWay--
    }
  }

  /** Reads what others have written since. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#refresh())
  }

  async #refresh(): Promise<void> {
    try {
      const info = await this.#store.info(this.namespace)
      if (this.stale || (info?.version ?? 0) !== this.version || isAnother(this.info, info))
        await this.#catchUp(info)
    } finally {
      this.#underWay--
    }
  }

  #announce(entries: readonly Entry[]): void {
    if (this.info) this.#options.onAppend(this.namespace, entries, this.info)
  }

  async #catchUp(info: SessionInfo | undefined): Promise<void> {
    if (this.stale || isAnother(this.info, info) || !this.info) {
      if (info || this.info) await this.#load()
      return
    }
    for (let version = info?.version ?? 0; version > this.version; ) {
      const entries = await this.#store.read(this.namespace, { after: this.version })
      if (entries.length === 0) break
      for (const entry of entries) this.#apply(entry)
      this.#announce(entries)
    }
    if (this.stale) await this.#load()
  }

  /** Builds the state from the store, reading back from the tip only as far as the view can reach. */
  async #load(): Promise<this> {
    // Until the end: what is half read must not be taken for the whole when the store fails on the way.
    this.stale = true
    const info = await this.#store.info(this.namespace)
    if (isAnother(this.info, info)) {
      this.incarnation++
      this.#seenInputs.clear()
      this.#options.onDeleted(this.namespace)
    }
    this.info = info
    this.version = info?.version ?? 0
    if (info) await this.#loadFrom(info)
    else {
      this.#rewinds = []
      this.#inputs.clear()
      this.#setPins([])
      this.#begin()
    }
    this.stale = false
    return this
  }

  /** Forgets the transcript, where all of it has been read anew: a run that asks meanwhile is told what was known. */
  #begin(): void {
    this.view = []
    this.#tokens = 0
    this.#counted = 0
    this.#cut = { from: 0 }
    this.first = undefined
    this.openRun = undefined
    this.tainted = false
  }

  async #loadFrom(info: SessionInfo): Promise<void> {
    this.#rewinds = (await this.#readAll(["rewind"])) as Entry<"rewind">[]
    await this.#loadInputs()
    const [pin] = await this.#store.read(this.namespace, {
      types: ["pin"],
      direction: "backward",
      before: this.version + 1,
      limit: 1,
    })
    this.#setPins(pin?.type === "pin" ? pin.pins : [])
    const recent: { readonly entry: Entry; readonly item: ViewItem | undefined }[] = []
    let tokens = 0
    let cut: Entry<"compaction"> | undefined
    const back = readPathBack(this.#store, this.namespace, TRANSCRIPT, 200, this.stretches, this.tip)
    for await (const entry of back) {
      if (entry.type === "compaction") cut ??= entry
      if (entry.seq < (cut?.from ?? 0)) break
      const item = this.itemOf(entry)
      recent.push({ entry, item })
      if (item) tokens += item.tokens
      // One turn more than fits, so that the cut can fall on a turn's start.
      if (tokens > this.#options.viewTokens && entry.type === "user") break
    }
    // Of what is older, what the model still sees.
    const from = recent.at(-1)?.entry.seq ?? 0
    if (tokens > this.#options.viewTokens) cut ??= await this.#cutBefore(from)
    // Where the window ends before it reaches the cut, the view begins with the window, and with a newer turn.
    const { keep, summary } = cut ?? {}
    const begin = cut?.from === from ? cut : { from, ...(summary !== undefined && { summary }) }
    const kept = new Set(this.#pinned)
    if (begin === cut && keep !== undefined) kept.add(keep)
    const older = await readMessages(
      this.#store,
      this,
      [...kept].filter((seq) => seq < from),
    )
    this.#begin()
    for (const entry of older) this.#push(this.itemOf(entry))
    // The run may have begun before what was read: that it is open is known all the same.
    if (info.openRun !== undefined) this.openRun = newOpenRun(info.openRun)
    for (const { entry, item } of recent.reverse()) this.#applyTranscript(entry, item)
    this.#applyCut(begin)
    // A branch can leave a run in its middle, which ended all the same: its end is on another branch.
    if (info.openRun === undefined) this.openRun = undefined
  }

  /** The newest cut on the way to an entry: its summary stands before a window too small to reach it. */
  async #cutBefore(seq: number): Promise<Entry<"compaction"> | undefined> {
    const cuts = readPathBack(this.#store, this.namespace, ["compaction"], 20, this.stretches, this.tip)
    for await (const cut of cuts) if (cut.seq < seq) return cut
    return undefined
  }

  async #readAll(types: readonly EntryType[]): Promise<readonly Entry[]> {
    const all: Entry[] = []
    for (;;) {
      const page = await this.#store.read(this.namespace, {
        types,
        after: all.at(-1)?.seq ?? 0,
        before: this.version + 1,
      })
      if (page.length === 0) return all
      all.push(...page)
    }
  }

  /** Inputs are few and recent: the newest ones are enough to know what waits and what was seen. */
  async #loadInputs(): Promise<void> {
    const recent = await this.#store.read(this.namespace, {
      types: ["input", "input_cancelled", "user"],
      direction: "backward",
      before: this.version + 1,
      limit: 200,
    })
    this.#inputs.clear()
    for (const entry of recent.toReversed()) this.#applyInput(entry)
  }

  #apply(entry: Entry): void {
    this.version = entry.seq
    this.info = describe(this.namespace, this.info, entry)
    if (entry.type === "rewind") {
      this.#rewinds.push(entry)
      this.stale = true
    }
    if (entry.type === "pin") this.#applyPins(entry)
    this.#applyInput(entry)
    this.#applyTranscript(entry, this.itemOf(entry))
    if (entry.type === "compaction") this.#applyCut(entry)
  }

  #applyInput(entry: Entry): void {
    if (entry.type === "input") this.#inputs.set(entry.inputId, entry)
    else if (entry.type === "input_cancelled") this.#inputs.delete(entry.inputId)
    else if (entry.type === "user" && entry.inputId !== undefined) {
      this.#inputs.delete(entry.inputId)
      this.#seenInputs.add(entry.inputId)
    }
  }

  #applyTranscript(entry: Entry, item: ViewItem | undefined): void {
    this.#push(item)
    if ("untrusted" in entry || "tainted" in entry) this.tainted = true
    this.openRun = runAfter(this.openRun, entry)
  }

  #setPins(pins: readonly Pin[]): void {
    this.pins = pins
    this.#pinned = new Set(pins.flatMap(({ seqs }) => seqs))
  }

  /** The newest entry says all that is pinned. */
  #applyPins({ pins }: Entry<"pin">): void {
    const before = this.#pinned
    this.#setPins(pins)
    // What was cut away has to be read again, and what was only kept for its pin goes.
    const isOther = (seq: number): boolean => seq < this.from && !(before.has(seq) && this.#pinned.has(seq))
    if ([...before, ...this.#pinned].some(isOther)) this.stale = true
  }

  #applyCut(cut: Cut & { readonly summary?: string }): void {
    this.#cut = cut
    this.view = afterCut(this, cut)
    const [item] = this.view
    const { summary } = cut
    // Something has to be said for what is gone where the model could take the rest for the whole.
    this.first =
      summary !== undefined || (item && item.seq < cut.from && item.message.role !== "user")
        ? userMessage(summary === undefined ? CUT_AWAY : `${CUT_AWAY} Their summary:\n\n${summary}`, {
            kind: "host",
            name: "summary",
          })
        : undefined
    this.#tokens = this.first ? countMessage(this.first, this.#options.tokenizer) : 0
    this.#counted = 0
  }

  /** The message that an entry adds to the transcript, as the model sees it and with what it costs. */
  itemOf(entry: Entry): ViewItem | undefined {
    const stored = messageOf(entry)
    if (!stored) return undefined
    const { seq } = entry
    const { maxResultTokens, tokenizer } = this.#options
    let message = wellFormed(stored)
    if (message.role === "tool") {
      const parts = message.parts.map((part) => shortenResult(part, maxResultTokens, tokenizer, seq))
      message = { ...message, parts }
    }
    return new Item(seq, message, tokenizer)
  }

  #push(item: ViewItem | undefined): void {
    if (item) this.view.push(item)
  }
}

/** A message is counted when the model is next asked: of a session that is not used any more the last one never is. */
class Item implements ViewItem {
  readonly seq: number
  readonly message: Message
  readonly #tokenizer: Tokenizer
  #tokens: number | undefined

  constructor(seq: number, message: Message, tokenizer: Tokenizer) {
    this.seq = seq
    this.message = message
    this.#tokenizer = tokenizer
  }

  get tokens(): number {
    this.#tokens ??= countMessage(this.message, this.#tokenizer)
    return this.#tokens
  }
}

const NONE: readonly never[] = []

const CUT_AWAY = "Earlier messages of this conversation are no longer shown."

/** True when the session that was known is gone, whatever is there now. */
const isAnother = (known: SessionInfo | undefined, now: SessionInfo | undefined): boolean =>
  known !== undefined && (!now || now.createdAt !== known.createdAt || now.version < known.version)

/** The message that an entry adds to the transcript, if it does. */
function messageOf(entry: Entry): Message | undefined {
  if (entry.type === "user" || entry.type === "assistant") return entry.message
  if (entry.type === "tool_result") return { role: "tool", parts: [entry.result] }
  return undefined
}

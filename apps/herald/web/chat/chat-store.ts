import type { UserPart, WhenBusy } from "@orra/core"
import { api } from "../api/api.ts"
import { ApiError } from "../api/http.ts"
import type { Decision } from "../api/types.ts"
import { keep, recall } from "../app/storage.ts"
import type { Connection } from "../connection/socket.ts"
import type { OpenQuestion } from "./open-question.ts"
import { type ChatView, EMPTY_VIEW, reduceView, type ViewAction } from "./view.ts"

/** A message on its way: shown until the server says it has it. */
export interface Outbound {
  readonly inputId: string
  readonly at: number
  readonly parts: readonly UserPart[]
  readonly model?: string
  /** Who shall answer in this chat, when it begins with the message. */
  readonly agent?: string
  readonly whenBusy: WhenBusy
  /** There when sending failed and the person decides what to do. */
  readonly error?: { readonly code: string; readonly message: string }
}

export interface ChatState {
  readonly view: ChatView
  readonly outbox: readonly Outbound[]
  readonly status: "new" | "loading" | "ready" | "missing" | "failed"
  readonly isLoadingOlder: boolean
  /** Of messages with attachments that are on their way: which share has gone, from 0 to 1. */
  readonly progress: Readonly<Record<string, number>>
  /** What went wrong with the last thing the person asked for. */
  readonly actionError?: { readonly code: string; readonly message: string }
}

/** Entries that are loaded at a time where one message is meant. */
const MANY = 1_000

/** One chat of the page: its state, what a person can do with it, and its part in the connection. */
export class ChatStore {
  readonly namespace: string
  /** Calls whose groups are open: rows come and go while one scrolls. */
  readonly openGroups = new Set<string>()
  readonly #connection: Connection
  readonly #listeners = new Set<() => void>()
  #state: ChatState
  #unfollow: (() => void) | undefined
  #viewers = 0
  #reading: Promise<void> | undefined
  #older: Promise<void> | undefined

  constructor(namespace: string, connection: Connection, isNew: boolean) {
    this.namespace = namespace
    this.#connection = connection
    this.#state = {
      view: EMPTY_VIEW,
      outbox: recallOutbox(namespace),
      status: isNew ? "new" : "loading",
      isLoadingOlder: false,
      progress: {},
    }
  }

  readonly state = (): ChatState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Begins to follow the chat. @returns the function that ends it. */
  open(): () => void {
    if (++this.#viewers === 1) {
      if (this.#state.status === "new") this.#follow()
      else void this.read()
    }
    return () => {
      if (--this.#viewers > 0) return
      this.#unfollow?.()
      this.#unfollow = undefined
    }
  }

  /** Reads the newest window, then follows what comes after it. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** The chat was deleted. */
  leave(): void {
    this.#unfollow?.()
    this.#unfollow = undefined
    this.#set({ status: "missing" })
  }

  /** The chat exists, whatever was known before. */
  comeBack(): void {
    if (this.#state.status === "missing") void this.read()
  }

  /** After a lost connection: reads what a failed attempt could not. */
  recover(): void {
    if (this.#state.view.stale || this.#state.status === "failed") void this.read()
    for (const { inputId, error } of this.#state.outbox)
      if (error?.code === "offline") void this.resend(inputId)
  }

  loadOlder(limit?: number): Promise<void> {
    this.#older ??= this.#loadOlder(limit).finally(() => {
      this.#older = undefined
    })
    return this.#older
  }

  /** Loads what is older until the entry is there. */
  async reach(seq: number): Promise<void> {
    for (;;) {
      const first = this.#state.view.entries[0]
      if (!first || first.seq <= seq || !this.#state.view.hasMore) return
      await this.loadOlder(MANY)
      if (this.#state.view.entries[0] === first) return
    }
  }

  async #loadOlder(limit: number | undefined): Promise<void> {
    const first = this.#state.view.entries[0]
    if (!first || !this.#state.view.hasMore) return
    this.#set({ isLoadingOlder: true })
    try {
      const page = await api.history(this.namespace, first.seq, limit)
      // The branch may have changed meanwhile; then this page belongs to another one.
      if (this.#state.view.entries[0] === first) this.#act({ type: "older", page })
    } catch (error) {
      this.#fail(error)
    }
    this.#set({ isLoadingOlder: false })
  }

  /** Sends a message. It is shown at once, and stays when sending fails. */
  async send(message: Omit<Outbound, "inputId" | "at" | "error">): Promise<void> {
    await this.#deliver({ ...message, inputId: crypto.randomUUID(), at: Date.now() })
  }

  /** Sends a message again that could not be sent. The same id makes sure that it arrives once. */
  async resend(inputId: string): Promise<void> {
    const found = this.#state.outbox.find((outbound) => outbound.inputId === inputId)
    if (!found) return
    const { error: _, ...message } = found
    await this.#deliver(message)
  }

  discard(inputId: string): void {
    this.#set({ outbox: this.#state.outbox.filter((outbound) => outbound.inputId !== inputId) })
  }

  stop = (): Promise<boolean> => this.#do(() => api.stop(this.namespace))
  resume = (agent?: string): Promise<boolean> => this.#do(() => api.resume(this.namespace, agent))
  regenerate = (seq: number, model?: string, agent?: string): Promise<boolean> =>
    this.#do(() => api.regenerate(this.namespace, seq, model, agent))
  chooseAgent = (agent: string | undefined): Promise<boolean> =>
    this.#do(() => api.chooseAgent(this.namespace, agent))
  edit = (seq: number, parts: readonly UserPart[], model?: string): Promise<boolean> =>
    this.#do(() => api.edit(this.namespace, seq, parts, model))
  switchBranch = (tip: number): Promise<boolean> => this.#do(() => api.switchBranch(this.namespace, tip))
  decide = (approvalId: string, decision: Decision): Promise<boolean> =>
    this.#do(() => api.decide(this.namespace, approvalId, decision))
  /** @returns false when it did not count, which is said. */
  answer = ({ run, call }: OpenQuestion, text: string): Promise<boolean> =>
    this.#do(() => api.answer(this.namespace, { run, call, answer: [text] }))
  cancelInput = (inputId: string): Promise<boolean> =>
    this.#do(() => api.cancelInput(this.namespace, inputId))

  clearError(): void {
    const { actionError: _, ...rest } = this.#state
    this.#replace(rest)
  }

  async #read(): Promise<void> {
    try {
      // More than once when the conversation takes another way while the history is read.
      do this.#act({ type: "history", page: await api.history(this.namespace) })
      while (this.#state.view.stale)
      this.#set({ status: "ready" })
      this.#settleOutbox()
      this.#follow()
      this.recover()
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.#absent()
      else if (this.#state.status === "loading") {
        this.#set({ status: "failed" })
        this.#fail(error)
      } else this.#fail(error)
    }
  }

  async #deliver(message: Outbound): Promise<void> {
    const others = this.#state.outbox.filter(({ inputId }) => inputId !== message.inputId)
    this.#set({ outbox: [...others, message] })
    try {
      const { inputId, parts, model, agent, whenBusy } = message
      const isLarge = parts.some(({ type }) => type !== "text")
      await api.send(
        this.namespace,
        {
          message: parts,
          inputId,
          whenBusy,
          ...(model !== undefined && { model }),
          ...(agent !== undefined && { agent }),
        },
        isLarge
          ? (share) => this.#set({ progress: { ...this.#state.progress, [inputId]: share } })
          : undefined,
      )
      if (this.#state.status === "new") this.#set({ status: "ready" })
      if (agent !== undefined) await this.chooseAgent(agent)
    } catch (error) {
      const failure = asFailure(error)
      this.#set({
        outbox: this.#state.outbox.map((outbound) =>
          outbound.inputId === message.inputId ? { ...message, error: failure } : outbound,
        ),
      })
    }
  }

  async #do(work: () => Promise<unknown>): Promise<boolean> {
    this.clearError()
    try {
      await work()
      return true
    } catch (error) {
      this.#fail(error)
      return false
    }
  }

  #follow(): void {
    if (this.#viewers === 0) return
    this.#unfollow ??= this.#connection.follow(this.namespace, {
      cursor: () => this.#state.view.cursor,
      onEvent: (event) => {
        this.#act({ type: "event", event })
        if (event.type === "user" || event.type === "input") this.#settleOutbox()
        if (this.#state.view.stale) void this.read()
      },
      onError: (code) => {
        if (code === "not_found") this.#set({ status: "missing" })
      },
    })
  }

  /** A chat whose first message never arrived begins with it. */
  #absent(): void {
    const isMissing = this.#state.outbox.length === 0
    this.#set({ status: isMissing ? "missing" : "new" })
    if (isMissing) return
    this.#follow()
    this.recover()
  }

  /** What has arrived needs no place in the outbox. */
  #settleOutbox(): void {
    const { outbox, view } = this.#state
    if (outbox.length === 0) return
    const arrived = new Set(
      [...view.entries, ...view.queued].flatMap((entry) =>
        (entry.type === "user" || entry.type === "input") && entry.inputId !== undefined
          ? [entry.inputId]
          : [],
      ),
    )
    const rest = outbox.filter(({ inputId }) => !arrived.has(inputId))
    if (rest.length < outbox.length) this.#set({ outbox: rest })
  }

  #act(action: ViewAction): void {
    const view = reduceView(this.#state.view, action)
    if (view !== this.#state.view) this.#set({ view })
  }

  #fail(error: unknown): void {
    this.#set({ actionError: asFailure(error) })
  }

  #set(change: Partial<ChatState>): void {
    this.#replace({ ...this.#state, ...change })
  }

  #replace(state: ChatState): void {
    if (state.outbox !== this.#state.outbox) keepOutbox(this.namespace, state.outbox)
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

const asFailure = (error: unknown): { readonly code: string; readonly message: string } =>
  error instanceof ApiError
    ? { code: error.code, message: error.message }
    : { code: "internal", message: error instanceof Error ? error.message : String(error) }

/** Longer messages are kept only as long as the page. */
const KEPT_LENGTH = 500_000

/** What could not be sent survives a reload. */
function keepOutbox(namespace: string, outbox: readonly Outbound[]): void {
  const text = outbox.length === 0 ? undefined : JSON.stringify(outbox)
  keep(`outbox.${namespace}`, text !== undefined && text.length <= KEPT_LENGTH ? text : undefined)
}

/** What an earlier page had not sent: it is sent now, under the same ids, so that nothing arrives twice. */
function recallOutbox(namespace: string): readonly Outbound[] {
  try {
    const kept: unknown = JSON.parse(recall(`outbox.${namespace}`) ?? "[]")
    if (!Array.isArray(kept)) return []
    return (kept as readonly Outbound[]).map((outbound) => ({
      ...outbound,
      error: outbound.error ?? { code: "offline", message: "" },
    }))
  } catch {
    return []
  }
}

import type {
  AssistantMessage,
  Decision,
  DeltaPiece,
  Entry,
  FinishReason,
  JsonObject,
  RunFailure,
  RunOutcome,
  ToolResultPart,
  Usage,
  UserMessage,
} from "@orra/core"

/** One row of the transcript. `key` is stable while the row changes; `version` grows with each change. */
export type Item = UserItem | AnswerItem

export interface UserItem {
  readonly type: "user"
  readonly key: string
  readonly version: number
  readonly seq: number
  readonly at: number
  readonly message: UserMessage
}

/** What one run wrote without a person's message in between: model calls and the tools they used. */
export interface AnswerItem {
  readonly type: "answer"
  readonly key: string
  readonly version: number
  readonly runId: string
  /** The first entry shown in it, to find the fork that it belongs to. */
  readonly seq: number
  readonly at: number
  readonly model?: string
  /** Who wrote it. */
  readonly agent?: string
  readonly messages: readonly AnswerMessage[]
  readonly calls: Readonly<Record<string, Call>>
  /** There once the run has ended. */
  readonly end?: AnswerEnd
}

export interface AnswerEnd {
  readonly outcome: RunOutcome
  readonly at: number
  readonly usage: Usage
  readonly error?: RunFailure
  readonly durationMs?: number
}

/** One model call: a draft as far as it has come, or the message that replaced it. */
export interface AnswerMessage {
  readonly messageId: string
  readonly at: number
  readonly parts: readonly AnswerPart[]
  readonly status: "writing" | "complete" | "stopped" | "interrupted" | "error"
  readonly provider?: string
  readonly model?: string
  readonly finishReason?: FinishReason
  readonly usage?: Usage
  readonly durationMs?: number
  readonly thinkingMs?: number
  /** The number of the assistant entry: what "another answer" refers to. */
  readonly seq?: number
}

export type AnswerPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string; readonly isHidden: boolean }
  | {
      readonly type: "tool_call"
      readonly id: string
      readonly name: string
      /** The arguments as far as they have been written. */
      readonly draft?: string
      readonly arguments?: JsonObject
      readonly invalid?: string
    }

/** What became of a tool call after the model asked for it. */
export interface Call {
  readonly intent?: {
    readonly at: number
    readonly name: string
    readonly decision: Decision
    readonly reason: string
    readonly arguments: JsonObject
    /** The chat had read what strangers wrote. */
    readonly tainted?: true
  }
  readonly result?: { readonly at: number; readonly part: ToolResultPart; readonly durationMs?: number }
  readonly question?: Question
}

/** That somebody has to allow a call, and what was decided. */
export interface Question {
  readonly approvalId: string
  readonly arguments: JsonObject
  readonly reason: string
  /** Who asked for the run. */
  readonly principal?: string
  /** ms since 1970. */
  readonly expiresAt: number
  readonly decision?: { readonly decision: "approve" | "deny"; readonly by: string; readonly note?: string }
}

/** Whether it waits for somebody's decision, in a run that is still open. */
export const isAsked = (call: Call | undefined): boolean =>
  call?.question !== undefined && !call.question.decision && !call.result && call.intent?.decision !== "deny"

/**
 * The transcript after one more entry. Pure, and the same for a message that was streamed and one that was read
 * whole: the `assistant` entry replaces its draft.
 */
export function addEntry(items: readonly Item[], entry: Entry): readonly Item[] {
  switch (entry.type) {
    case "user":
      return [
        ...items,
        {
          type: "user",
          key: `u${entry.seq}`,
          version: entry.seq,
          seq: entry.seq,
          at: entry.at,
          message: entry.message,
        },
      ]
    case "run_started":
      return [
        ...items,
        {
          ...newAnswer(entry.runId, entry),
          ...(entry.model !== undefined && { model: entry.model }),
          ...(entry.agent !== undefined && { agent: entry.agent }),
        },
      ]
    case "delta":
      return inAnswer(items, entry, (answer) => ({ ...answer, messages: withDraft(answer.messages, entry) }))
    case "assistant":
      return inAnswer(items, entry, (answer) => ({ ...answer, messages: withWhole(answer.messages, entry) }))
    case "tool_intent": {
      const { at, name, decision, reason, arguments: args, tainted } = entry
      const intent = { at, name, decision, reason, arguments: args, ...(tainted && { tainted }) }
      return inAnswer(items, entry, (answer) => withCall(answer, entry.callId, { intent }))
    }
    case "tool_result": {
      const { at, result: part, durationMs } = entry
      const result = { at, part, ...(durationMs !== undefined && { durationMs }) }
      return inAnswer(items, entry, (answer) => withCall(answer, entry.callId, { result }))
    }
    case "approval_request": {
      const { approvalId, arguments: args, reason, principal, expiresAt } = entry
      const known = { approvalId, arguments: args, reason, expiresAt }
      const question = principal === undefined ? known : { ...known, principal }
      return inAnswer(items, entry, (answer) => withCall(answer, entry.callId, { question }))
    }
    case "approval_decision": {
      const { callId, decision, by, note } = entry
      const decided = { decision, by, ...(note !== undefined && { note }) }
      return inAnswer(items, entry, (answer) => {
        const question = answer.calls[callId]?.question
        return question ? withCall(answer, callId, { question: { ...question, decision: decided } }) : answer
      })
    }
    case "run_finished": {
      const { outcome, at, usage, error, durationMs } = entry
      const end = {
        outcome,
        at,
        usage,
        ...(error && { error }),
        ...(durationMs !== undefined && { durationMs }),
      }
      return inAnswer(items, entry, (answer) => ({ ...answer, end }))
    }
    default:
      return items
  }
}

/** The same rows, keeping the objects of `before` that did not change, so that they need no new rendering. */
export function reuse(items: readonly Item[], before: readonly Item[]): readonly Item[] {
  const known = new Map(before.map((item) => [item.key, item]))
  return items.map((item) => {
    const old = known.get(item.key)
    return old && old.version === item.version && old.seq === item.seq ? old : item
  })
}

const newAnswer = (runId: string, { seq, at }: Entry): AnswerItem => ({
  type: "answer",
  key: `a${seq}`,
  version: seq,
  runId,
  seq,
  at,
  messages: [],
  calls: {},
})

/** Changes the run's answer at the end of the transcript; a message that steered the run begins a new one. */
function inAnswer(
  items: readonly Item[],
  entry: Extract<Entry, { readonly runId: string }>,
  change: (answer: AnswerItem) => AnswerItem,
): readonly Item[] {
  const last = items.at(-1)
  if (last?.type === "answer" && last.runId === entry.runId) {
    return [...items.slice(0, -1), { ...change(last), version: entry.seq }]
  }
  // A late result belongs to the answer that asked for it, when that is shown.
  if ("callId" in entry) {
    const index = items.findLastIndex((item) => item.type === "answer" && asks(item, entry.callId))
    const owner = items[index]
    if (owner?.type === "answer") return items.with(index, { ...change(owner), version: entry.seq })
  }
  return [...items, { ...change(newAnswer(entry.runId, entry)), version: entry.seq }]
}

const asks = (answer: AnswerItem, callId: string): boolean =>
  answer.messages.some(({ parts }) => parts.some((part) => part.type === "tool_call" && part.id === callId))

function withDraft(messages: readonly AnswerMessage[], entry: Entry<"delta">): readonly AnswerMessage[] {
  const index = messages.findLastIndex(({ messageId }) => messageId === entry.messageId)
  const before = messages[index]
  if (before && before.status !== "writing") return messages
  const draft: AnswerMessage = before ?? {
    messageId: entry.messageId,
    at: entry.at,
    parts: [],
    status: "writing",
  }
  const next = { ...draft, parts: entry.pieces.reduce(withPiece, draft.parts) }
  return before ? messages.with(index, next) : [...messages, next]
}

function withPiece(parts: readonly AnswerPart[], piece: DeltaPiece): readonly AnswerPart[] {
  const last = parts.at(-1)
  if (piece.type === "tool_call") {
    const index = parts.findIndex((part) => part.type === "tool_call" && part.id === piece.id)
    const call = parts[index]
    if (call?.type === "tool_call") {
      const name = piece.name ?? call.name
      return parts.with(index, { ...call, name, draft: (call.draft ?? "") + (piece.text ?? "") })
    }
    return [...parts, { type: "tool_call", id: piece.id, name: piece.name ?? "", draft: piece.text ?? "" }]
  }
  if (last?.type === piece.type) return parts.with(-1, { ...last, text: last.text + piece.text })
  return [
    ...parts,
    piece.type === "text"
      ? { type: "text", text: piece.text }
      : { type: "thinking", text: piece.text, isHidden: false },
  ]
}

function withWhole(messages: readonly AnswerMessage[], entry: Entry<"assistant">): readonly AnswerMessage[] {
  const { message, finishReason, usage, durationMs, thinkingMs } = entry
  const index = messages.findIndex(({ messageId }) => messageId === entry.messageId)
  const whole: AnswerMessage = {
    messageId: entry.messageId,
    at: entry.at,
    seq: entry.seq,
    parts: message.parts.flatMap(shownPart),
    status: entry.status,
    ...(message.provider !== undefined && { provider: message.provider }),
    ...(message.model !== undefined && { model: message.model }),
    ...(finishReason && { finishReason }),
    ...(usage && { usage }),
    ...(durationMs !== undefined && { durationMs }),
    ...(thinkingMs !== undefined && { thinkingMs }),
  }
  return index < 0 ? [...messages, whole] : messages.with(index, whole)
}

function shownPart(part: AssistantMessage["parts"][number]): readonly AnswerPart[] {
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ type: "text", text: part.text }]
    case "thinking":
      return [{ type: "thinking", text: part.text, isHidden: part.text === "" }]
    case "tool_call": {
      const { id, name, arguments: args, invalid } = part
      return [{ type: "tool_call", id, name, arguments: args, ...(invalid !== undefined && { invalid }) }]
    }
  }
}

const withCall = (answer: AnswerItem, callId: string, change: Call): AnswerItem => ({
  ...answer,
  calls: { ...answer.calls, [callId]: { ...answer.calls[callId], ...change } },
})

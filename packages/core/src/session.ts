import { defined } from "./defined.ts"
import type { Envelope } from "./envelope.ts"
import type { Json, JsonObject } from "./json.ts"
import type { AssistantMessage, ToolResultPart, UserMessage } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import type { Decision } from "./policy.ts"
import type { FinishReason, Usage } from "./provider.ts"

/**
 * A session is an append-only log of entries, numbered from 1 without gaps in the order they were written. The
 * number (`seq`) is the session's version after the entry, and the cursor of a reader that has seen it.
 *
 * Everything shown to a person is an entry first, so a crash loses nothing that was seen. Two things look like
 * exceptions and are not: `delta` entries are drafts of a message and are removed by the append that completes
 * it (a reader whose cursor is among them gets the whole message instead), and a `rewind` does not remove
 * what it leaves behind.
 */
export type EntryBody =
  /** A person's (or host's) message joins the transcript. `inputId` names the queued input it came from. */
  | {
      readonly type: "user"
      readonly message: UserMessage
      readonly inputId?: string
      /** Strangers' text may be in it: see `post`. */
      readonly tainted?: true
    }
  /** A run begins. Model calls and tools between here and `run_finished` belong to it. */
  | {
      readonly type: "run_started"
      readonly runId: string
      readonly model?: string
      readonly agent?: string
      /** What its caller set for it, where that was not the runtime's own. */
      readonly maxTurns?: number
      /** Who asked, and on whose behalf it works. */
      readonly principal?: string
      readonly envelope?: Envelope
      /** A call that was made without a model: see `callTool`. */
      readonly direct?: true
      readonly tainted?: true
    }
  /** A piece of an answer being written. Superseded by the `assistant` entry with the same `messageId`. */
  | {
      readonly type: "delta"
      readonly runId: string
      readonly messageId: string
      readonly pieces: readonly DeltaPiece[]
    }
  /** The model's answer, whole, or as far as it came (`status`). */
  | {
      readonly type: "assistant"
      readonly runId: string
      readonly messageId: string
      readonly message: AssistantMessage
      readonly status: "complete" | "stopped" | "interrupted" | "error"
      readonly finishReason?: FinishReason
      readonly usage?: Usage
      /** Written after the session had read what strangers wrote: so may this be theirs. */
      readonly tainted?: true
      /** What the call cost in USD, where prices are known. */
      readonly cost?: number
      /** Wall time of the model call and of its thinking, in ms. */
      readonly durationMs?: number
      readonly thinkingMs?: number
    }
  /**
   * A tool call was decided. For `allow` it is about to run under `idempotencyKey`; for `deny` it never will; for `ask`
   * it waits, where somebody can approve it. A call that has waited is decided again, in an entry of its own.
   */
  | {
      readonly type: "tool_intent"
      readonly runId: string
      readonly callId: string
      readonly name: string
      readonly arguments: JsonObject
      readonly decision: Decision
      /** The policy layer and rule that decided, for people. */
      readonly reason: string
      /** The session had read what strangers wrote when this was decided. */
      readonly tainted?: true
      /** Policy asks, and this is why it is allowed all the same. */
      readonly approval?: Approval
      readonly idempotencyKey: string
    }
  /** A call waits for somebody's decision, for exactly these arguments, until `expiresAt`. */
  | {
      readonly type: "approval_request"
      readonly runId: string
      readonly approvalId: string
      readonly callId: string
      readonly name: string
      readonly arguments: JsonObject
      /** SHA-256 of the arguments as canonical JSON (RFC 8785), in hex. */
      readonly digest: string
      /** The policy layer and rule that ask. */
      readonly reason: string
      readonly principal?: string
      /** ms since 1970. */
      readonly expiresAt: number
    }
  | {
      readonly type: "approval_decision"
      readonly runId: string
      readonly approvalId: string
      readonly callId: string
      readonly decision: "approve" | "deny"
      /** Who decided, in the application's own terms. */
      readonly by: string
      /** For the model, when it is a denial. */
      readonly note?: string
    }
  /**
   * The run can only go on when somebody has decided or something has happened. Until then nobody holds its lease, and
   * nothing of it is in memory.
   */
  | {
      readonly type: "run_waiting"
      readonly runId: string
      /** How many decisions it waits for, and when the first of them is too late, or a budget is renewed. */
      readonly approvals: number
      readonly expiresAt?: number
      /** What the run has used so far, and for how long it ran. */
      readonly usage: Usage
      readonly durationMs: number
    }
  /** What the run waits for may have happened: see `Runtime.wake`. */
  | { readonly type: "wake"; readonly runId: string }
  /** The run goes on, after a wait or because its process died. */
  | { readonly type: "run_resumed"; readonly runId: string }
  | {
      readonly type: "tool_result"
      readonly runId: string
      readonly callId: string
      readonly result: ToolResultPart
      readonly durationMs?: number
      /** What strangers wrote: from here on the session is tainted. */
      readonly untrusted?: true
    }
  | {
      readonly type: "run_finished"
      readonly runId: string
      readonly outcome: RunOutcome
      readonly usage: Usage
      /** What its own model calls cost in USD, where prices are known. */
      readonly cost?: number
      readonly error?: RunFailure
      readonly durationMs?: number
    }
  /**
   * A budget changed how the run goes on: with the cheaper `model`, with less shown to it (`compact`), or not before it
   * gets more (`ask`); or the price of the `model` is not known (`unpriced`), and it counts as the dearest.
   */
  | {
      readonly type: "budget"
      readonly runId: string
      readonly action: "model" | "compact" | "ask" | "unpriced"
      /** Why, for people. */
      readonly reason: string
      readonly model?: string
    }
  /** A message that arrived while a run was going on and waits for its turn. */
  | {
      readonly type: "input"
      readonly inputId: string
      readonly mode: "queue" | "steer" | "interrupt"
      readonly message: UserMessage
      /** It follows this entry instead of the last one. */
      readonly rewindTo?: number
      /** What its sender asked of its run. A message that steers takes the run as it is. */
      readonly model?: string
      readonly maxTurns?: number
      readonly agent?: string
      readonly principal?: string
      readonly envelope?: Envelope
    }
  | { readonly type: "input_cancelled"; readonly inputId: string }
  /** Asked of the run, in whatever process it is: that it stops, or goes on without its caller. */
  | { readonly type: "control"; readonly runId: string; readonly action: "stop" | "detach" }

  /** The next entry follows `to`, not the one before it: an edit, another answer, a switch of branch. */
  | { readonly type: "rewind"; readonly to: number }
  /**
   * From here on the model sees `summary` (if any), what is pinned, the message `keep` that began the turn (if `from`
   * is one of its steps), and the entries from `from` on, instead of everything.
   */
  | {
      readonly type: "compaction"
      readonly from: number
      readonly keep?: number
      readonly summary?: string
      /** What making the summary took. */
      readonly usage?: Usage
      readonly tainted?: true
    }
  /** All that is pinned from here on, in place of what was: no cut takes it from the model. */
  | { readonly type: "pin"; readonly pins: readonly Pin[] }
  /** Title, settings, marks. A null value removes the key. */
  | { readonly type: "meta"; readonly patch: JsonObject }

export type EntryType = EntryBody["type"]

/** Why a call that policy asks about is allowed. */
export interface Approval {
  /** Who approved, or who made the rule. */
  readonly by: string
  /** The decision about this very call. */
  readonly approvalId?: string
  /** The remembered rule that covers it, and where it is kept. */
  readonly rule?: string
  readonly scope?: string
  /** All was approved until then, in ms since 1970. */
  readonly until?: number
}

export type DeltaPiece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "tool_call"; readonly id: string; readonly name?: string; readonly text?: string }

/** A pinned message: its entry, or those of an answer and the results of its calls, and what they cost together. */
export interface Pin {
  readonly seqs: readonly number[]
  readonly tokens: number
}

export type RunOutcome = "completed" | "stopped" | "failed" | "interrupted" | "max_turns"

/** Why a run failed, for people and programs: a stable code, what to do, and whether trying again can help. */
export interface RunFailure {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
}

/** An entry to be written: the store gives it its number. `at` is ms since 1970. */
export type NewEntry<T extends EntryType = EntryType> = { readonly at: number } & Extract<
  EntryBody,
  { type: T }
>

/** An entry as stored. */
export type Entry<T extends EntryType = EntryType> = { readonly seq: number } & NewEntry<T>

/**
 * What a list of sessions shows, kept by the store from the entries alone (`describe`), so that listing never
 * reads a log. `version` is the number of the last entry.
 */
export interface SessionInfo {
  readonly namespace: Namespace
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  /** User and assistant messages written. */
  readonly messages: number
  /** The run that began and has not finished, if any. */
  readonly openRun?: string | undefined
  /** That run waits since then: for so many decisions, of which the first will be too late at `expiresAt`. */
  readonly waiting?:
    | { readonly since: number; readonly approvals: number; readonly expiresAt?: number }
    | undefined
  /** Session metadata: `title`, `deletedAt` and whatever the application keeps. */
  readonly metadata: JsonObject
}

/** The summary of a session after `entry`: pure, shared by all stores. */
export function describe(namespace: Namespace, before: SessionInfo | undefined, entry: Entry): SessionInfo {
  const { at, seq: version } = entry
  let { createdAt = at, updatedAt = at, messages = 0, metadata = {}, openRun, waiting } = before ?? NOTHING
  switch (entry.type) {
    case "user":
    case "assistant":
      messages++
      updatedAt = at
      break
    case "run_started":
      openRun = entry.runId
      break
    case "run_finished":
      openRun = waiting = undefined
      updatedAt = at
      break
    case "run_waiting": {
      const { approvals, expiresAt } = entry
      waiting = { since: at, approvals, ...defined({ expiresAt }) }
      updatedAt = at
      break
    }
    case "approval_decision":
      if (waiting) waiting = { ...waiting, approvals: waiting.approvals - 1 }
      break
    case "run_resumed":
      waiting = undefined
      break
    case "meta":
      metadata = merge(metadata, entry.patch)
      break
  }
  // Always the same members: V8 forgets the shape of what grew with the last run that is under way.
  return { namespace, version, createdAt, updatedAt, messages, metadata, openRun, waiting }
}

const NOTHING: Partial<SessionInfo> = {}

function merge(metadata: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...metadata }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = value
  }
  return merged
}

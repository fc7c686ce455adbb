import { defined } from "./defined.ts"
import type { Envelope } from "./envelope.ts"
import type { UserMessage, UserPart } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import { NO_USAGE, type Usage } from "./provider.ts"
import type { Entry, Pin, RunFailure, RunOutcome, SessionInfo } from "./session.ts"

/** What goes on in a run and is not worth storing: it has no cursor and is not replayed. */
export type Notice =
  | { readonly type: "progress"; readonly runId: string; readonly callId: string; readonly text: string }
  /** The model call failed before it said anything and is tried again. */
  | {
      readonly type: "retry"
      readonly runId: string
      readonly attempt: number
      readonly delayMs: number
      readonly failure: RunFailure
    }
  /** The run ended and not even that could be recorded: the store failed or another process took over. */
  | { readonly type: "failure"; readonly runId: string; readonly failure: RunFailure }

/** What a run, or a session, shows as it happens. An entry's `seq` is the cursor to resume after. */
export type RunEvent = Entry | Notice

/** True for what is in the log and has a cursor. */
export const isEntry = (event: RunEvent): event is Entry => "seq" in event

/**
 * What happens to a message that arrives while the session is running.
 * - `queue`: it waits, durable and cancellable, and runs when the present run has ended.
 * - `steer`: it joins the present run before its next model call.
 * - `interrupt`: the present run is stopped, then it runs.
 * - `reject`: SessionBusy is thrown and nothing is written.
 */
export type WhenBusy = "queue" | "steer" | "interrupt" | "reject"

/** A message to the agent: text, parts, or a whole message with its origin. */
export type RunInput = string | readonly UserPart[] | UserMessage

export interface RunOptions {
  /** Another model for this run. */
  readonly model?: string
  /** Model calls at most, default the runtime's. */
  readonly maxTurns?: number
  /** The agent that shall answer, by name; recorded. What it differs in is `RuntimeOptions.agent`'s to say. */
  readonly agent?: string
  /** Who asks, in the application's own terms: a user's id. Recorded; hooks and tools are told, the model is not. */
  readonly principal?: string
  /** On whose behalf the run works when it is not a person's. Its rights are what `RuntimeOptions.rights` makes of it. */
  readonly envelope?: Envelope
  /** Stops the run when it fires, as `stop()` does. */
  readonly signal?: AbortSignal
  /** Default `queue`. */
  readonly whenBusy?: WhenBusy
  /**
   * The caller's own id for this message. A second message with the same id in the session is not run again: the
   * answer is the first one's.
   */
  readonly inputId?: string
  /**
   * The new message follows the entry of this number instead of the last one: an edited message names the entry
   * before the one it replaces. What came after stays in the log as another branch.
   */
  readonly rewindTo?: number
}

/** What became of a message: its run, or its place in the queue. */
export interface Submission {
  readonly status: "started" | "queued" | "duplicate"
  readonly namespace: Namespace
  readonly inputId: string
  /** The run, once it has started. */
  readonly runId?: string
  /** The number of the last entry before this message: read events after it. */
  readonly cursor: number
}

/** How a run ended, or what it has come to so far. */
export interface RunResult {
  readonly runId: string
  /** `waiting`: it stands still until somebody decides or something happens. `detached`: it goes on by itself. */
  readonly outcome: RunOutcome | "waiting" | "detached"
  /** The text of the last answer. */
  readonly text: string
  /** All model calls of the run. */
  readonly usage: Usage
  /** What they cost in USD, where prices are known. */
  readonly cost?: number | undefined
  readonly error?: RunFailure | undefined
}

/** A run that goes on without its caller. */
export const detached = (runId: string): RunResult => ({
  runId,
  outcome: "detached",
  text: "",
  usage: NO_USAGE,
})

/** How the run ended whose last entry is `end`. */
export const resultOf = (end: Entry<"run_finished">, text: string): RunResult => ({
  runId: end.runId,
  outcome: end.outcome,
  text,
  usage: end.usage,
  ...defined({ cost: end.cost, error: end.error }),
})

/** A session changed: what a list of sessions needs to stay current. */
export type SessionChange =
  | { readonly type: "session"; readonly info: SessionInfo }
  | { readonly type: "session_deleted"; readonly namespace: Namespace }

/** A window of a session's transcript, oldest entry first, on the branch that is current. */
export interface History {
  readonly info: SessionInfo
  /** Entries of the current branch, without deltas of finished messages. */
  readonly entries: readonly Entry[]
  /** Entry numbers where the conversation forks and the window shows one of the ways. */
  readonly forks: readonly Fork[]
  /** True when older entries exist: ask again with `before` the first one's number. */
  readonly more: boolean
  /** Messages waiting for their turn. */
  readonly queued: readonly Entry<"input">[]
  /** All that is pinned, also outside of the window and on other branches. */
  readonly pins: readonly Pin[]
}

/** A place where several continuations follow the same entry. */
export interface Fork {
  /** The entry they follow; 0 for the start of the session. */
  readonly after: number
  /** For each continuation, oldest first: its first entry, and the newest entry reached through it. */
  readonly branches: readonly { readonly first: number; readonly tip: number }[]
  /** Which of them the window shows. */
  readonly current: number
}

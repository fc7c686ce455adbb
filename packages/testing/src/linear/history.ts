import { openSync, readFileSync, writeSync } from "node:fs"
import type { EntryType, RunResult } from "@orra/core"

/** What a client asks of a process. A session is named by its key. */
export type Action =
  | {
      /** `ask` waits for the answer, `send` only until the message is durable. */
      readonly type: "send" | "ask"
      readonly session: string
      readonly inputId: string
      readonly text: string
      readonly whenBusy: "queue" | "steer"
    }
  | { readonly type: "cancel"; readonly session: string; readonly inputId: string }
  | { readonly type: "stop"; readonly session: string }
  | {
      readonly type: "decide"
      readonly session: string
      readonly approvalId: string
      readonly decision: "approve" | "deny"
    }

/** What is known of the answer to a message. */
export type Answer = Pick<RunResult, "runId" | "outcome" | "text">

/**
 * Something that happened, as it is written down. Who acts writes before and after: what stands earlier in the file came
 * earlier, in whichever process.
 */
export type HistoryEvent =
  /** A client is about to ask a process. */
  | { readonly type: "invoke"; readonly op: number; readonly process: string; readonly action: Action }
  /** It was told that it is done. `done` is false where there was nothing to cancel or stop. */
  | { readonly type: "ok"; readonly op: number; readonly answer?: Answer; readonly done?: boolean }
  /** It was told that nothing was done. */
  | { readonly type: "fail"; readonly op: number; readonly code: string }
  /** It was told something else, or never anything: it may have been done. */
  | { readonly type: "unknown"; readonly op: number; readonly code: string }
  /** A process is about to append these entries after `expected`. */
  | {
      readonly type: "writing"
      readonly write: string
      readonly session: string
      readonly expected: number
      readonly token: number | undefined
      readonly entries: readonly EntryType[]
    }
  /** They are durable. */
  | { readonly type: "written"; readonly write: string }
  /** The model is about to say this, in all. */
  | { readonly type: "said"; readonly text: string }
  /** Something happens in the world, which no crash undoes: what a tool does is to write this. */
  | {
      readonly type: "effect"
      readonly session: string
      readonly tool: string
      readonly what: string
      readonly runId: string
      readonly callId: string
      readonly key: string
      readonly idempotent: boolean
    }
  /** For people: what was done to whom. */
  | { readonly type: "trouble"; readonly what: string }

/** Writes events to the end of a file that others write to as well. */
export function historyWriter(path: string): (event: HistoryEvent) => void {
  const file = openSync(path, "a")
  // Each begins with the end of a line: what a process that was killed had half written stays by itself.
  return (event) => void writeSync(file, `\n${JSON.stringify(event)}`)
}

/** All events of the file, in the order in which they happened. */
export function readHistory(path: string): readonly HistoryEvent[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as HistoryEvent]
      } catch {
        return []
      }
    })
}

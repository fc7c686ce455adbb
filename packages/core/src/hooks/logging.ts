import type { HookContext, Hooks } from "../hooks.ts"
import type { ToolStatus } from "../message.ts"
import type { FinishReason, Usage } from "../provider.ts"
import type { RunResult } from "../run.ts"

/**
 * One record of what a runtime does, in the order things happen. All times are in ms. `session` is the namespace's
 * key. Nothing here is what people, models or tools said, unless `previewLength` asks for it.
 */
export type LogRecord = {
  readonly session: string
  readonly runId: string
} & (
  | { readonly event: "run_started" }
  | {
      readonly event: "model_call_started"
      readonly model?: string
      readonly messages: number
      readonly tools: number
    }
  | {
      readonly event: "model_call_finished"
      readonly model?: string
      readonly finishReason: FinishReason
      readonly usage: Usage
      readonly toolCalls: number
      readonly durationMs: number
    }
  | { readonly event: "tool_call_started"; readonly callId: string; readonly tool: string }
  | {
      readonly event: "tool_call_finished"
      readonly callId: string
      readonly tool: string
      readonly status: ToolStatus
      /** From the moment the call was asked for, with the decision and the wait for other calls. */
      readonly durationMs?: number
      /** The beginning of the result, on one line. */
      readonly preview?: string
    }
  | {
      readonly event: "budget_near" | "budget_hit"
      readonly on: string
      readonly unit: string
      readonly window: string
      readonly limit: number
      readonly used: number
    }
  | {
      readonly event: "run_finished"
      readonly outcome: RunResult["outcome"]
      readonly usage: Usage
      /** Since it began, or last went on after it had waited. */
      readonly durationMs: number
      /** The failure's code; its text can quote what was said. */
      readonly code?: string
    }
)

export interface LoggingOptions {
  /** Takes each record: writes a line of JSON, or hands it to a logger. */
  readonly write: (record: LogRecord) => void
  /** How many characters of a tool's result to show. Default 0: nothing of it. */
  readonly previewLength?: number
  /** The time in ms. Default `performance.now`, which no change of the clock disturbs. */
  readonly clock?: () => number
}

/** What is remembered of one run while it goes on. */
interface Timing {
  readonly began: number
  modelCall: number
  readonly calls: Map<string, number>
}

/**
 * Writes a record of every run, model call and tool call, with duration, token usage and outcome.
 *
 * ```ts
 * const log = logging({ write: (record) => console.error(JSON.stringify(record)) })
 * const runtime = new Runtime({ provider, hooks: [log] })
 * ```
 *
 * Sessions that run at the same time have their own times. Put it last to see what the other hooks have left.
 */
export function logging({
  write,
  previewLength = 0,
  clock = () => performance.now(),
}: LoggingOptions): Hooks {
  // By the run's signal, which lives as long as the run does here: nothing is left over when its end cannot be told.
  const runs = new WeakMap<AbortSignal, Timing>()
  const who = ({ namespace, runId }: HookContext) => ({ session: namespace.key, runId })
  const since = (began: number): number => Math.round(clock() - began)
  const timing = ({ signal }: HookContext): Timing => {
    // A run that waited goes on without a new start, perhaps in another process.
    const known = runs.get(signal) ?? { began: clock(), modelCall: clock(), calls: new Map<string, number>() }
    runs.set(signal, known)
    return known
  }
  return {
    name: "logging",
    runStart(context) {
      timing(context)
      write({ ...who(context), event: "run_started" })
    },
    beforeModel({ model, messages, tools }, context) {
      timing(context).modelCall = clock()
      write({
        ...who(context),
        event: "model_call_started",
        ...(model !== undefined && { model }),
        messages: messages.length,
        tools: tools.length,
      })
      return undefined
    },
    afterModel({ message, usage, finishReason }, context) {
      const { model, parts } = message
      write({
        ...who(context),
        event: "model_call_finished",
        ...(model !== undefined && { model }),
        finishReason,
        usage,
        toolCalls: parts.filter(({ type }) => type === "tool_call").length,
        durationMs: since(timing(context).modelCall),
      })
    },
    beforeTool({ id, name }, context) {
      timing(context).calls.set(id, clock())
      write({ ...who(context), event: "tool_call_started", callId: id, tool: name })
      return undefined
    },
    afterTool({ status, content }, { id, name }, context) {
      const { calls } = timing(context)
      const began = calls.get(id)
      calls.delete(id)
      const text = content.map((piece) => (piece.type === "text" ? piece.text : `[${piece.mediaType}]`))
      write({
        ...who(context),
        event: "tool_call_finished",
        callId: id,
        tool: name,
        status,
        ...(began !== undefined && { durationMs: since(began) }),
        ...(previewLength > 0 && { preview: preview(text, previewLength) }),
      })
      return undefined
    },
    budget({ type, namespace, unit, window, limit, used }, context) {
      write({
        ...who(context),
        event: type === "near" ? "budget_near" : "budget_hit",
        on: namespace.key,
        unit,
        window,
        limit,
        used,
      })
    },
    runEnd({ outcome, usage, error }, context) {
      write({
        ...who(context),
        event: "run_finished",
        outcome,
        usage,
        durationMs: since(timing(context).began),
        ...(error && { code: error.code }),
      })
    },
  }
}

/** The first characters on one line: never half a character, and no more work than that for a long text. */
function preview(texts: readonly string[], length: number): string {
  const start: string[] = []
  for (const text of texts) {
    for (const char of text) {
      if (start.length === length) return `${start.join("")}…`
      start.push(/\s|\p{Cc}/u.test(char) ? " " : char)
    }
  }
  return start.join("")
}

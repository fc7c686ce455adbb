import type { Json, JsonObject } from "../json.ts"
import type { Namespace } from "../namespace.ts"
import type { DeltaPiece, NewEntry } from "../session.ts"

/** What of a session's text is about to be recorded. */
export interface RecordedText {
  readonly namespace: Namespace
  readonly metadata: JsonObject
  readonly type: RecordedType
  /** The tool, when it is a tool's result. */
  readonly tool?: string
}

/** Whose text it is: a message to the agent, an answer, a tool's result, the summary of what was left out. */
export type RecordedType = "user" | "assistant" | "tool_result" | "compaction"

/** The session that an entry is for, and who is told of a filter that fails. */
interface Recording {
  readonly namespace: Namespace
  readonly metadata: JsonObject
  readonly report: (error: unknown) => void
}

declare const filter: unique symbol

/** What `Hooks.beforeRecord` takes. Only `redact` makes one, so that no hook can break the log. */
export interface RecordFilter {
  (entry: NewEntry, recording: Recording): NewEntry | undefined
  readonly [filter]: true
}

const ALL: readonly RecordedType[] = ["user", "assistant", "tool_result", "compaction"]
const EMPTIED = "[redacted]"
const WITHHELD = "[withheld: what checks a text before it is recorded failed]"

/**
 * Changes text before it is recorded: what is stored, what everybody watching sees and what the model is shown from
 * then on is what `rewrite` made of it.
 *
 * ```ts
 * const cards = redact((text) => text.replace(/\b\d{13,19}\b/g, "[card]"), { types: ["user", "tool_result"] })
 * const runtime = new Runtime({ provider, hooks: [{ name: "cards", beforeRecord: cards }] })
 * ```
 *
 * It sees the text of messages, answers, summaries and tool results, and the strings of a result's `structured`; by
 * default (`types`) all of them. With `assistant` among them answers are recorded when they are whole, because what
 * is to be changed may be split between two pieces: nobody sees them being written, and a crash keeps nothing of one.
 *
 * It works at once, without waiting, on each attempt to write. One that throws or gives no text is reported, and a
 * note that says so is recorded instead of the text; a text that nothing is left of becomes "[redacted]". It cannot add, drop or reorder entries, nor change ids, times,
 * decisions and outcomes; nor the arguments of calls, which are judged, approved and after a crash executed as they
 * are recorded (`beforeTool` changes both); nor thinking, which providers sign; nor pictures and files.
 */
export function redact(
  rewrite: (text: string, where: RecordedText) => string,
  options: { readonly types?: readonly RecordedType[] } = {},
): RecordFilter {
  const types = new Set(options.types ?? ALL)
  const apply = (entry: NewEntry, recording: Recording): NewEntry | undefined => {
    const change = (type: RecordedType, tool?: string) => {
      const { namespace, metadata, report } = recording
      const where = { namespace, metadata, type, ...(tool !== undefined && { tool }) }
      return (text: string): string => {
        if (!types.has(type) || text === "") return text
        try {
          const made: unknown = rewrite(text, where)
          // Services refuse a message without text.
          if (typeof made === "string") return made === "" ? EMPTIED : made
          report(new TypeError("What redacts a text gave none."))
        } catch (error) {
          report(error)
        }
        return WITHHELD
      }
    }
    switch (entry.type) {
      case "user":
      case "input":
        return { ...entry, message: { ...entry.message, parts: texts(entry.message.parts, change("user")) } }
      case "assistant":
        return {
          ...entry,
          message: { ...entry.message, parts: texts(entry.message.parts, change("assistant")) },
        }
      case "delta": {
        const pieces = types.has("assistant") ? entry.pieces.filter(isCall) : entry.pieces
        return pieces.length > 0 ? { ...entry, pieces } : undefined
      }
      case "tool_result": {
        const { result } = entry
        const changed = change("tool_result", result.name)
        const structured = result.structured !== undefined && { structured: deep(result.structured, changed) }
        return { ...entry, result: { ...result, content: texts(result.content, changed), ...structured } }
      }
      case "compaction":
        if (entry.summary === undefined) return entry
        return { ...entry, summary: change("compaction")(entry.summary) }
      default:
        return entry
    }
  }
  return apply as RecordFilter
}

const isCall = (piece: DeltaPiece): boolean => piece.type === "tool_call"

/** The same parts, with other text in those that are text. */
function texts<Part extends { readonly type: string }>(
  parts: readonly Part[],
  change: (text: string) => string,
): readonly Part[] {
  return parts.map((part) =>
    part.type === "text" && "text" in part ? { ...part, text: change(String(part.text)) } : part,
  )
}

function deep(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json) => deep(item, change))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, deep(item, change)]))
}

import { isSteps } from "../todo/steps.ts"
import type { AnswerItem, AnswerMessage, AnswerPart, Call } from "./items.ts"
import { ASKS } from "./open-question.ts"

/** A part of an answer, and where it stands. */
export interface Piece {
  readonly type: "piece"
  readonly message: AnswerMessage
  readonly index: number
  readonly part: AnswerPart
}

/** Calls that followed each other, with what was thought between them. */
export interface CallGroup {
  readonly type: "group"
  readonly pieces: readonly Piece[]
  readonly calls: readonly { readonly id: string; readonly name: string }[]
}

/** Fewer calls are not worth a click. */
const MIN_CALLS = 4

/** Tools that make pictures. */
export const DRAWN = /^(?:generate|edit)_image$/

/** Tools by which a task is handed on. */
export const HANDED_ON = /^(?:delegate_to_agent|spawn_agent)$/

/**
 * The parts of an answer in their order, finished calls without text between them as one group. What still runs, waits,
 * failed or was refused is never in a group, nor are calls whose card shows more than that they were done. Of lists of steps
 * there is only `steps`, the call that has the newest.
 */
export function groupCalls(
  { messages, calls }: Pick<AnswerItem, "messages" | "calls">,
  steps?: string,
): readonly (Piece | CallGroup)[] {
  const shown: (Piece | CallGroup)[] = []
  let run: Piece[] = []
  const endRun = (): void => {
    // Thoughts after the last call lead to what comes next.
    const end = run.findLastIndex(({ part }) => part.type === "tool_call") + 1
    const pieces = run.slice(0, end)
    const found = pieces.flatMap(({ part }) => (part.type === "tool_call" ? [part] : []))
    if (found.length < MIN_CALLS) shown.push(...run)
    else shown.push({ type: "group", pieces, calls: found }, ...run.slice(end))
    run = []
  }
  for (const message of messages) {
    for (const [index, part] of message.parts.entries()) {
      const piece: Piece = { type: "piece", message, index, part }
      const isList = part.type === "tool_call" && isSteps(part, calls[part.id])
      if (isList && part.id !== steps) continue
      const isInRun =
        part.type === "thinking"
          ? run.length > 0
          : part.type === "tool_call" && !isList && isQuiet(part.name, calls[part.id])
      if (isInRun) run.push(piece)
      else {
        endRun()
        shown.push(piece)
      }
    }
  }
  endRun()
  return shown
}

const isQuiet = (name: string, call: Call | undefined): boolean =>
  call?.result?.part.status === "ok" && name !== ASKS && !DRAWN.test(name) && !HANDED_ON.test(name)

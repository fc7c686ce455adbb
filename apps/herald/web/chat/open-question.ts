import type { Call } from "./items.ts"
import type { ChatView } from "./view.ts"

/** A question of the assistant's that nobody has answered yet: its run, its call, and what it is. */
export interface OpenQuestion {
  readonly run: string
  readonly call: string
  readonly question: string
}

/** The tool by which the assistant asks something. */
export const ASKS = "ask_user"

/** Whether a call waits for what the person says. */
export const isUnanswered = (call: Call | undefined): boolean =>
  call?.intent?.decision === "allow" && call.result === undefined

/** What the chat waits for the person to say. */
export function openQuestion({ openRun, items }: ChatView): OpenQuestion | undefined {
  const last = items.at(-1)
  if (openRun === undefined || last?.type !== "answer") return undefined
  for (const part of last.messages.flatMap(({ parts }) => parts)) {
    if (part.type === "tool_call" && part.name === ASKS && isUnanswered(last.calls[part.id]))
      return { run: openRun, call: part.id, question: String(part.arguments?.["question"]) }
  }
  return undefined
}

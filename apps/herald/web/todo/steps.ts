import type { AnswerPart, Call, Item } from "../chat/items.ts"

type CallPart = Extract<AnswerPart, { readonly type: "tool_call" }>

/** A step of the assistant's work. */
export interface Step {
  readonly text: string
  readonly status: "pending" | "running" | "done"
}

/** The tool by which the assistant says how far it is. */
const TODO = "todo"

/** Whether a call is a list of steps, written or still being written. One that failed is a call like any other. */
export const isSteps = ({ name, invalid }: CallPart, call: Call | undefined): boolean =>
  name === TODO &&
  invalid === undefined &&
  (call?.intent?.decision ?? "allow") === "allow" &&
  (call?.result?.part.status ?? "ok") === "ok"

/** What a call says, undefined as long as it is not all there. */
export function stepsOf({ arguments: args }: CallPart): readonly Step[] | undefined {
  const steps = args?.["steps"]
  return Array.isArray(steps) && steps.length > 0 && steps.every(isStep) ? steps : undefined
}

const isStep = (value: unknown): value is Step =>
  typeof value === "object" &&
  value !== null &&
  "text" in value &&
  typeof value.text === "string" &&
  "status" in value &&
  (value.status === "pending" || value.status === "running" || value.status === "done")

/** The call that has the chat's list as it is now: earlier ones are not shown any more. */
export function latestSteps(items: readonly Item[]): string | undefined {
  for (const item of items.toReversed()) {
    if (item.type !== "answer") continue
    const parts = item.messages.flatMap(({ parts }) => parts)
    const found = parts.findLast(
      (part) => part.type === "tool_call" && isSteps(part, item.calls[part.id]) && stepsOf(part),
    )
    if (found?.type === "tool_call") return found.id
  }
  return undefined
}

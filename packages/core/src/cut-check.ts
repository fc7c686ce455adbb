import { afterCut, type Cut, type CutView } from "./cut.ts"
import { OrraError } from "./errors.ts"

/**
 * Holds a cut against the view before it is written, whoever planned it: what is pinned stays, every open call stays,
 * an answer and the results of its calls stay or go together, and the newest message and the last one from a person
 * stay.
 *
 * @throws OrraError (`compaction_refused`) with what would be lost.
 */
export function assertCut(
  before: CutView,
  cut: Cut,
  openCalls: ReadonlyMap<string, unknown> = new Map(),
): void {
  const refuse = (what: string): never => {
    throw new OrraError("compaction_refused", `The cut before entry ${cut.from} would lose ${what}.`, {
      ...cut,
    })
  }
  const left = new Set(afterCut(before, cut))
  const { view, pinned } = before
  // Ids are unique in a step only: an open call is the newest of its id.
  const holder = (id: string) =>
    view.findLast(({ message }) => message.parts.some((part) => part.type === "tool_call" && part.id === id))
  const open = new Map(openCalls.keys().map((id) => [holder(id), id]))
  const asked = view.findLast(({ message }) => message.role === "user")
  /** Whether the answer is left whose results follow. */
  let isStepLeft: boolean | undefined
  for (const item of view) {
    const { seq, message } = item
    const isLeft = left.has(item)
    if (message.role !== "tool") isStepLeft = message.role === "assistant" ? isLeft : undefined
    else if (isLeft !== (isStepLeft ?? isLeft)) refuse(`half of a step, at entry ${seq}`)
    if (isLeft) continue
    if (pinned(seq)) refuse(`entry ${seq}, which is pinned`)
    if (item === asked || item === view.at(-1)) refuse(`entry ${seq}, which is what is being answered`)
    if (open.has(item)) refuse(`the open call ${open.get(item)}`)
  }
}

import type { ViewItem } from "./context.ts"
import { OrraError } from "./errors.ts"

/** Where the view starts after a cut, as a share of what is available: room for some turns until the next. */
const AFTER_CUT = 0.75

/**
 * A cut of the view: what is left of it are the messages from the entry `from` on, those that are pinned, and `keep`,
 * the message that began the turn when `from` is one of its steps.
 */
export interface Cut {
  readonly from: number
  readonly keep?: number
}

/** What a cut starts from: the view, where it begins since the last cut, and what is pinned. */
export interface CutView {
  readonly view: readonly ViewItem[]
  readonly from: number
  readonly pinned: (seq: number) => boolean
}

/**
 * The cut that brings `total` tokens down to `target`, or as near as can be: undefined where nothing can go. It falls
 * before a user message. Where the last turn alone is more than `limit`, it falls before one of its steps, an answer
 * with the results of its calls: no call is ever separated from its result, and the last step always stays. It leaves
 * room, so that it moves once in many turns and the provider's cache of the prefix holds in between.
 */
export function planCut(
  { view, from, pinned }: CutView,
  total: number,
  limit: number,
  target = limit * AFTER_CUT,
): Cut | undefined {
  const turn = view.findLastIndex((item) => item.message.role === "user")
  const keep = view[turn]?.seq
  let left = total
  let cut: Cut | undefined
  for (const [index, { seq, message, tokens }] of view.entries()) {
    const isBorder = message.role === "user" || (message.role === "assistant" && index > turn + 1)
    if (index > 0 && seq > from && isBorder) {
      cut = { from: seq, ...(index > turn && keep !== undefined && { keep }) }
      if (left <= target || (index === turn && left <= limit)) break
    }
    if (index !== turn && !pinned(seq)) left -= tokens
  }
  return cut
}

/** What a cut leaves. */
export const afterCut = ({ view, pinned }: CutView, { from, keep }: Cut): ViewItem[] =>
  view.filter(({ seq }) => seq >= from || seq === keep || pinned(seq))

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
    for (const part of message.parts) {
      if (part.type === "tool_call" && openCalls.has(part.id)) refuse(`the open call ${part.id}`)
    }
  }
}

import type { ViewItem } from "./context.ts"

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

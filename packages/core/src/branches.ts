import type { Entry } from "./session.ts"

/**
 * A stretch of the log without a rewind in it. Its first entry follows `parent`; each other one follows the entry
 * before it. The stretches of a session form the tree of its branches.
 */
export interface Stretch {
  readonly start: number
  /** The last entry; before `start` when there is none. */
  readonly end: number
  readonly parent: number
}

/** The stretches of a log of `version` entries with these rewinds, oldest first. */
export function stretches(rewinds: readonly Entry<"rewind">[], version: number): readonly Stretch[] {
  const result: Stretch[] = []
  let start = 1
  let parent = 0
  for (const { seq, to } of rewinds) {
    result.push({ start, end: seq - 1, parent })
    start = seq + 1
    parent = to
  }
  result.push({ start, end: version, parent })
  return result
}

/** The stretch that holds an entry; none holds a rewind. */
export function stretchOf(all: readonly Stretch[], seq: number): Stretch | undefined {
  let low = 0
  let high = all.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((all[middle]?.start ?? seq) <= seq) low = middle + 1
    else high = middle
  }
  const found = all[low - 1]
  return found && seq <= found.end ? found : undefined
}

/** The entry that `seq` follows; 0 when it is the first. */
export function parentOf(all: readonly Stretch[], seq: number): number {
  const stretch = stretchOf(all, seq)
  return stretch && stretch.start === seq ? stretch.parent : seq - 1
}

/** The entry that the next one will follow. */
export function tipOf(all: readonly Stretch[]): number {
  const last = all.at(-1)
  return !last ? 0 : last.end >= last.start ? last.end : last.parent
}

/** The ranges of the log on the way from `tip` back to the start, newest first; both ends belong to them. */
export function* pathBack(
  all: readonly Stretch[],
  tip: number,
): Generator<{ readonly from: number; readonly to: number }> {
  let seq = tip
  while (seq > 0) {
    const stretch = stretchOf(all, seq)
    if (!stretch) return
    yield { from: stretch.start, to: seq }
    seq = stretch.parent
  }
}

/** The first entries of the ways that lead on from `seq`, oldest first. */
export function childrenOf(all: readonly Stretch[], seq: number): readonly number[] {
  const children: number[] = []
  const own = stretchOf(all, seq)
  if (own && seq < own.end) children.push(seq + 1)
  if (seq === 0 && all[0] && all[0].end >= 1) children.push(1)
  for (const stretch of all) {
    if (stretch.start > 1 && stretch.parent === seq && stretch.end >= stretch.start)
      children.push(stretch.start)
  }
  return children.sort((a, b) => a - b)
}

/** The newest entry on any way that begins with the entry `first`. */
export function newestThrough(all: readonly Stretch[], first: number): number {
  const own = stretchOf(all, first)
  if (!own) return first
  // A stretch follows one that came before it, so one look at each, oldest first, finds all that lead on.
  const leading = new Set([own])
  let newest = own.end
  for (const stretch of all) {
    if (stretch.start <= first || stretch.end < stretch.start) continue
    const before = stretchOf(all, stretch.parent)
    if (!before || !leading.has(before) || (before === own && stretch.parent < first)) continue
    leading.add(stretch)
    newest = Math.max(newest, stretch.end)
  }
  return newest
}

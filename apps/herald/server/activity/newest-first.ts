/** Where something stands in a list that is sorted newest first. */
export interface Position {
  /** ms since 1970. */
  readonly at: number
  /** The key of the namespace in whose log it is. */
  readonly key: string
  /** Its place in that log. */
  readonly seq: number
}

/**
 * A log that is read from its end, in its own order. What a clock that was set back would put before what was written after it
 * counts as of that moment.
 *
 * @returns only what comes after `from`.
 */
export async function* inOrder<T extends Position>(
  log: AsyncIterable<T>,
  from: Position | undefined,
): AsyncGenerator<T, void, undefined> {
  let latest = Number.POSITIVE_INFINITY
  for await (const found of log) {
    latest = Math.min(latest, found.at)
    const placed = { ...found, at: latest }
    if (!from || compare(from, placed) < 0) yield placed
  }
}

/** A log that is read from its end. */
export interface Source<T extends Position> {
  /** Nothing in it is later, in ms since 1970. */
  readonly bound: number
  /** What it has, the newest first. */
  read(): AsyncGenerator<T, void, undefined>
}

/** What is next in a log that is being read. */
interface Reading<T> {
  readonly next: T
  readonly rest: AsyncGenerator<T, void, undefined>
}

/** Later ones first; of the same moment by key, and those of one log backwards. */
export const compare = (a: Position, b: Position): number =>
  b.at - a.at || (a.key === b.key ? b.seq - a.seq : a.key < b.key ? -1 : 1)

/**
 * What is in all logs, the newest first. `lists` are sorted by bound, the latest first: no log is opened before what it has may
 * be next.
 */
export async function* newestFirst<T extends Position>(
  lists: readonly AsyncGenerator<Source<T>, void, undefined>[],
): AsyncGenerator<T, void, undefined> {
  const waiting: Reading<Source<T>>[] = []
  const open: Reading<T>[] = []
  for (const list of lists) await advance(waiting, list)
  for (;;) {
    const best = first(open, compare)
    const due = first(waiting, (a, b) => b.bound - a.bound)
    if (due && (!best || due.next.bound >= best.next.at)) {
      remove(waiting, due)
      await advance(open, due.next.read())
      await advance(waiting, due.rest)
    } else if (best) {
      yield best.next
      remove(open, best)
      await advance(open, best.rest)
    } else return
  }
}

const first = <T>(readings: readonly Reading<T>[], order: (a: T, b: T) => number): Reading<T> | undefined =>
  readings.reduce<Reading<T> | undefined>(
    (one, other) => (one && order(one.next, other.next) <= 0 ? one : other),
    undefined,
  )

async function advance<T>(readings: Reading<T>[], rest: AsyncGenerator<T, void, undefined>): Promise<void> {
  const { done, value } = await rest.next()
  if (!done) readings.push({ next: value, rest })
}

const remove = <T>(readings: Reading<T>[], one: Reading<T>): void =>
  void readings.splice(readings.indexOf(one), 1)

import {
  type Entry,
  type EntryType,
  everyItem,
  type Namespace,
  type SessionInfo,
  type SessionStore,
} from "@orra/core"
import { inOrder, type Position, type Source } from "./newest-first.ts"

/** An entry of a session's log. */
export interface Found<T> extends Position {
  readonly namespace: Namespace
  readonly what: T
}

/** Entries that are read at first, of each of many logs, and at most at a time, of one that has more to tell. */
const FIRST = 4
const PAGE = 64
/** Entries of one moment are not in the order of their times to the millisecond. */
const MARGIN_MS = 1_000

/**
 * The logs of all sessions at and below a prefix, those with the latest change first, from `from` on. Sessions that somebody
 * has deleted are not among them.
 */
export async function* sessionSources(
  store: SessionStore,
  prefix: Namespace,
  types: readonly EntryType[],
  from: Position | undefined,
): AsyncGenerator<Source<Found<Entry>>, void, undefined> {
  const opened = new Set<string>()
  const source = (info: SessionInfo, bound: number): Source<Found<Entry>> => ({
    bound,
    read: () => inOrder(entriesBefore(store, info, types, from), from),
  })
  // The summary of a run that goes on is older than what is written in it.
  for await (const info of everyItem((page) => store.list(prefix, { ...page, openRun: true }))) {
    opened.add(info.namespace.key)
    yield source(info, Number.POSITIVE_INFINITY)
  }
  for await (const info of everyItem((page) => store.list(prefix, page))) {
    if (opened.has(info.namespace.key) || (from && info.createdAt > from.at)) continue
    yield source(info, info.updatedAt + MARGIN_MS)
  }
}

async function* entriesBefore(
  store: SessionStore,
  { namespace, version, createdAt, metadata }: SessionInfo,
  types: readonly EntryType[],
  from: Position | undefined,
): AsyncGenerator<Found<Entry>, void, undefined> {
  const { key } = namespace
  const isCopy = metadata["forkedFrom"] !== undefined
  let before = version + 1
  if (from) before = await seqAt(store, namespace, before, from.at + MARGIN_MS)
  for (let limit = FIRST; ; limit = Math.min(2 * limit, PAGE)) {
    const entries = await store.read(namespace, { types, before, limit, direction: "backward" })
    for (const entry of entries) {
      // What was copied happened in the chat that it was copied from.
      if (isCopy && entry.at <= createdAt) return
      yield { at: entry.at, key, seq: entry.seq, namespace, what: entry }
    }
    const last = entries.at(-1)
    if (!last || entries.length < limit) return
    before = last.seq
  }
}

/** The number of the first entry that was written then or later, of those before `end`. */
async function seqAt(store: SessionStore, namespace: Namespace, end: number, at: number): Promise<number> {
  let low = 0
  let high = end
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const [entry] = await store.read(namespace, { after: middle - 1, limit: 1 })
    if (!entry || entry.seq >= high || entry.at >= at) high = middle
    else low = entry.seq
  }
  return high
}

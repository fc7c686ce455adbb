import { defined } from "./defined.ts"
import { InvalidInput } from "./errors.ts"
import type { Namespace } from "./namespace.ts"
import type { SessionInfo } from "./session.ts"
import type { ListOptions, Page } from "./store.ts"

/** A place in a list that is sorted newest first: by `updatedAt`, then by key, both descending. */
export interface ListPosition {
  readonly updatedAt: number
  readonly key: string
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 500

/** The page size asked for. @throws InvalidInput when it is not a whole number from 1 to 500. */
export function pageLimit(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new InvalidInput(`A page has 1 to ${MAX_LIMIT} items: ask for a limit in that range.`, { limit })
}

/**
 * The cursor of a page that ends at this position. It is a place, not a permission: a store filters by the prefix it
 * is called with whatever the cursor says, so an altered one can only skip or repeat the caller's own sessions.
 */
export const encodeCursor = ({ updatedAt, key }: ListPosition): string =>
  `${updatedAt}~${encodeURIComponent(key)}`

/** The position of a cursor. @throws InvalidInput for text that `encodeCursor` never made. */
export function decodeCursor(cursor: string): ListPosition {
  const split = cursor.indexOf("~")
  const updatedAt = Number(cursor.slice(0, split))
  const key = decoded(cursor.slice(split + 1))
  if (Number.isFinite(updatedAt) && key !== undefined && encodeCursor({ updatedAt, key }) === cursor) {
    return { updatedAt, key }
  }
  throw new InvalidInput("This is not a cursor of this list: start again without one.")
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * Text as title search compares it: letters of either case are equal, in every script (ß and SS, σ and ς), and so
 * are the ways to write an accent. Stores that search in SQL keep the title in this form beside the summary.
 */
export const foldCase = (text: string): string => text.toLowerCase().toUpperCase().normalize("NFC")

/** The title of a session in the form that `foldCase` gives, empty when it has none. */
export function foldedTitle(info: SessionInfo): string {
  const title = info.metadata["title"]
  return typeof title === "string" ? foldCase(title) : ""
}

/** Everything in a list, asked for page by page. */
export async function* everyItem<T>(
  pageOfList: (options: { readonly limit: number; readonly cursor?: string }) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined
  do {
    const page = await pageOfList({ limit: MAX_LIMIT, ...defined({ cursor }) })
    yield* page.items
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** The first of what was found, with the cursor of the last of them when more follows. */
export function firstPage<T>(found: readonly T[], limit: number, cursorOf: (last: T) => string): Page<T> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return last && found.length > limit ? { items, cursor: cursorOf(last) } : { items }
}

/** A session as a list looks at it. */
export interface Listed {
  readonly info: SessionInfo
  /** As `foldedTitle` gives it. */
  readonly title: string
}

/** Where a session stands in a list. */
export const listPosition = ({ updatedAt, namespace }: SessionInfo): ListPosition => ({
  updatedAt,
  key: namespace.key,
})

/** Negative when `a` comes before `b` in a list. */
export const newestFirst = (a: ListPosition, b: ListPosition): number =>
  b.updatedAt - a.updatedAt || Number(a.key < b.key) - Number(a.key > b.key)

/** Those at and below the prefix, in the order of a list. */
export const newestOf = (sessions: Iterable<Listed>, prefix: Namespace): Listed[] =>
  [...sessions]
    .filter(({ info }) => prefix.contains(info.namespace))
    .sort((a, b) => newestFirst(listPosition(a.info), listPosition(b.info)))

/**
 * A page of sessions that are in memory, given in the order of a list: what `list` of a store answers. It looks at no
 * more of them than it needs.
 */
export function pageOf(sessions: Iterable<Listed>, options: ListOptions): Page<SessionInfo> {
  const limit = pageLimit(options.limit)
  const after = options.cursor === undefined ? undefined : decodeCursor(options.cursor)
  const title = options.title && foldCase(options.title)
  const deleted = options.deleted ?? false
  const found: SessionInfo[] = []
  for (const session of sessions) {
    const { info } = session
    if ("deletedAt" in info.metadata !== deleted) continue
    if (options.openRun && !info.openRun) continue
    if (options.waiting && !info.waiting) continue
    if (title && !session.title.includes(title)) continue
    if (after && newestFirst(listPosition(info), after) <= 0) continue
    if (found.push(info) > limit) break
  }
  return firstPage(found, limit, (last) => encodeCursor(listPosition(last)))
}

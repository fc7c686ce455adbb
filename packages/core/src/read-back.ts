import { pathBack, type Stretch } from "./branches.ts"
import type { Namespace } from "./namespace.ts"
import type { Entry, EntryType } from "./session.ts"
import type { SessionStore } from "./store.ts"

/** Which part of a log; both ends belong to it. */
interface Range {
  readonly from?: number
  readonly to?: number
}

/** Of what is looked for far back, at a time. */
const PAGE = 200

/** The entries of these types, newest first, in pages that grow: what is looked for is nearly always among the first. */
export async function* readBack<T extends EntryType>(
  store: SessionStore,
  namespace: Namespace,
  types: readonly T[],
  few: number,
  { from = 1, to = Number.MAX_SAFE_INTEGER - 1 }: Range = {},
): AsyncGenerator<Entry<T>, void, undefined> {
  for (let before = to + 1, limit = few; ; limit = Math.min(4 * limit, PAGE)) {
    const page = await store.read(namespace, { after: from - 1, before, direction: "backward", limit, types })
    yield* page as readonly Entry<T>[]
    const last = page.at(-1)
    if (!last || page.length < limit) return
    before = last.seq
  }
}

/** The same on the way from `tip` back to the start of the session. */
export async function* readPathBack<T extends EntryType>(
  store: SessionStore,
  namespace: Namespace,
  types: readonly T[],
  few: number,
  all: readonly Stretch[],
  tip: number,
): AsyncGenerator<Entry<T>, void, undefined> {
  for (const range of pathBack(all, tip)) yield* readBack(store, namespace, types, few, range)
}

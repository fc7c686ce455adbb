import { defined } from "./defined.ts"
import { EXPORT_VERSION, type ExportLine, IMPORTS } from "./export-format.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { everyItem } from "./paging.ts"
import type { SessionInfo } from "./session.ts"
import type { SessionStore } from "./store.ts"

/** So much is asked of the store at once, in characters: what an export holds in memory. */
const AT_ONCE = 1_000_000
const MAX_PAGE = 500

/**
 * All sessions at and below a namespace, deleted ones and those of delegated tasks included, with their entries, and the
 * records of every collection, as lines of JSON, each ended by a newline. `importNamespace` reads them into any store.
 *
 * Each session is as it was at one moment, that of its turn; to have all as they were at the same one, let nothing run
 * meanwhile. What is held in memory at a time is one or two MB, or the largest entry, and a name for each session.
 *
 * ```ts
 * for await (const line of exportNamespace(store, Namespace.of("household", "ada"))) file.write(line)
 * ```
 */
export async function* exportNamespace(
  store: SessionStore,
  prefix: Namespace,
): AsyncGenerator<string, void, undefined> {
  const namespace = keyOf(prefix)
  const header = { format: "orra-namespace", version: EXPORT_VERSION, namespace, at: Date.now() } as const
  yield toLine({ type: "header", ...header })
  const done = new Set<string>()
  let before: number
  let sessions = 0
  do {
    before = done.size
    for (const deleted of [false, true]) {
      for await (const { namespace } of everyItem((page) => store.list(prefix, { deleted, ...page }))) {
        if (done.has(namespace.key)) continue
        done.add(namespace.key)
        const info = await store.info(namespace)
        if (!info) continue
        sessions++
        yield* sessionLines(store, prefix, info)
      }
    }
    // What was written meanwhile has moved to the front of a list: it may have jumped over the page being read.
  } while (done.size > before)
  let records = 0
  for (const collection of await store.collections(prefix)) {
    if (collection === IMPORTS) continue
    for await (const line of recordLines(store, prefix, collection)) {
      records++
      yield line
    }
  }
  yield toLine({ type: "end", sessions, records })
}

async function* sessionLines(
  store: SessionStore,
  prefix: Namespace,
  { namespace, version, createdAt }: SessionInfo,
): AsyncGenerator<string, void, undefined> {
  yield toLine({ type: "session", path: pathOf(prefix, namespace), version, createdAt })
  let entries = 0
  let limit = 10
  for (let after = 0; after < version; ) {
    const page = await store.read(namespace, { after, before: version + 1, limit })
    let size = 0
    for (const entry of page) {
      const line = toLine({ type: "entry", entry })
      size += line.length
      yield line
    }
    entries += page.length
    after = page.length < limit ? version : (page.at(-1)?.seq ?? version)
    limit = nextLimit(limit, size)
  }
  yield toLine({ type: "session_end", entries })
}

async function* recordLines(
  store: SessionStore,
  prefix: Namespace,
  collection: string,
): AsyncGenerator<string, void, undefined> {
  const records = store.records(collection)
  let cursor: string | undefined
  let limit = 10
  do {
    const page = await records.list(prefix, { below: true, limit, ...defined({ cursor }) })
    let size = 0
    for (const { namespace, key, value } of page.items) {
      const line = toLine({ type: "record", collection, path: pathOf(prefix, namespace), key, value })
      size += line.length
      yield line
    }
    cursor = page.cursor
    limit = nextLimit(limit, size)
  } while (cursor !== undefined)
}

/** As many as are about `AT_ONCE` together, if they are like those before; never many more than that at once. */
const nextLimit = (limit: number, size: number): number =>
  Math.max(1, Math.min(MAX_PAGE, 4 * limit, Math.floor((limit * AT_ONCE) / Math.max(size, 1))))

const pathOf = (prefix: Namespace, { segments }: Namespace): readonly string[] => segments.slice(prefix.depth)

const toLine = (line: ExportLine): string => `${JSON.stringify(line)}\n`

import { codePoints, keyOf, type Namespace, type OrraError } from "@orra/core"
import { type Embedder, hybridSearch, type SearchHit, type SearchMode } from "@orra/search"
import { MemoryError } from "./errors.ts"
import type { Held } from "./held.ts"
import { cleanTags, type Memory, memoryOf } from "./memory.ts"
import { whole } from "./options.ts"
import type { Parts } from "./parts.ts"
import { type Standing, type Visible, visibleTo } from "./visible.ts"

export interface RecallOptions {
  /** 1 to 50, default 5. */
  readonly limit?: number
  /** Default: `hybrid` with an embedder, else `keyword`. */
  readonly mode?: SearchMode
  /** Only memories that have all of these. */
  readonly tags?: readonly string[]
  /** Only memories of this one of the namespaces that may be seen. */
  readonly within?: Namespace
  readonly signal?: AbortSignal
}

/** A memory that was found, and how well it fits. */
export interface Recalled {
  readonly memory: Memory
  /** Higher is better; to be compared within one answer only. */
  readonly score: number
  readonly standing: Standing
}

export interface RecallResult {
  /** Best first. Data, whoever wrote it: none of it belongs into a system prompt. */
  readonly memories: readonly Recalled[]
  /** How it was searched in the end. */
  readonly mode: SearchMode
  /** Why it was not searched by meaning although it should have been. */
  readonly failure?: OrraError
  /** False while memories are still being read after a start: older ones may be missing. */
  readonly isWhole: boolean
}

const MAX_QUERY = 1_000
const MODES: readonly SearchMode[] = ["keyword", "vector", "hybrid"]
/** How many hits more than asked for are looked at: of some the memory has gone since. */
const SPARE = 5

type Opened = Visible & { readonly held: Held }

/** What `Memories.recall` does. */
export async function recall(
  parts: Parts,
  namespace: Namespace,
  query: string,
  options: RecallOptions,
): Promise<RecallResult> {
  keyOf(namespace)
  const limit = whole("limit", options.limit ?? 5, 1, 50)
  const mode = modeOf(options.mode, parts.embedder)
  const tags = cleanTags(options.tags ?? [])
  assertQuery(query)
  const visible = within(await visibleTo(namespace, parts.children), options.within)
  options.signal?.throwIfAborted()
  const { opened, isWhole } = await open(parts, visible, options.signal)
  options.signal?.throwIfAborted()
  const late = AbortSignal.timeout(parts.limits.embedMs)
  const { hits, ...how } = await hybridSearch(query, {
    ...together(opened, await parts.now(), tags),
    embedder: parts.embedder && inTime(parts.embedder, late),
    mode,
    limit: limit + SPARE,
    signal: options.signal,
  })
  return { memories: await read(parts, opened, hits, limit), ...how, isWhole }
}

function assertQuery(query: string): void {
  if (typeof query !== "string" || query.trim() === "")
    throw new MemoryError("memory_empty", "The query is empty: say what to look for.")
  if (query.length > 2 * MAX_QUERY || codePoints(query) > MAX_QUERY) {
    throw new MemoryError(
      "memory_too_long",
      `A query has at most ${MAX_QUERY} characters: name what to look for.`,
    )
  }
}

function modeOf(asked: SearchMode | undefined, embedder: Embedder | undefined): SearchMode {
  const mode = asked ?? (embedder ? "hybrid" : "keyword")
  if (!MODES.includes(mode))
    throw new MemoryError("memory_option_invalid", `"mode" is one of ${MODES.join(", ")}.`)
  if (mode === "keyword" || embedder) return mode
  throw new MemoryError("memory_no_embedder", `To recall by "${mode}" give Memories an embedder.`)
}

function within(visible: readonly Visible[], asked: Namespace | undefined): readonly Visible[] {
  if (!asked) return visible
  const found = visible.filter(({ namespace }) => namespace.equals(asked))
  if (found.length > 0) return found
  throw new MemoryError(
    "memory_namespace_refused",
    "Memories of this namespace are not to be seen from here.",
  )
}

async function open(
  { indexes, limits }: Parts,
  visible: readonly Visible[],
  signal: AbortSignal | undefined,
): Promise<{ readonly opened: readonly Opened[]; readonly isWhole: boolean }> {
  const found = await Promise.all(
    visible.map(async (each) => ({
      each,
      index: await indexes.open(each.namespace, limits.firstMs, signal),
    })),
  )
  const opened = found.flatMap(({ each, index }) => (index ? [{ ...each, held: index.held }] : []))
  return { opened, isWhole: found.every(({ index }) => index?.isWhole ?? true) }
}

/** The indexes of several namespaces as one. An id is preceded by the number of its namespace. */
function together(
  opened: readonly Opened[],
  now: number,
  tags: readonly string[],
): Pick<Parameters<typeof hybridSearch>[1], "keywords" | "vectors"> {
  const among = opened.map(({ held }) => held.keywords)
  const all = (
    find: (held: Held, filter: (id: string) => boolean) => readonly SearchHit[],
  ): readonly SearchHit[] =>
    opened
      .flatMap(({ held }, at) =>
        find(held, (id) => held.admits(id, now, tags)).map(({ id, score }) => ({ id: `${at} ${id}`, score })),
      )
      .sort((a, b) => b.score - a.score)
  return {
    keywords: {
      search: (query, { limit = 10 } = {}) =>
        all(({ keywords }, filter) => keywords.search(query, { limit, filter, among })).slice(0, limit),
    },
    vectors: {
      size: opened.reduce((size, { held }) => size + held.vectors.size, 0),
      dimensions: opened.find(({ held }) => held.vectors.size > 0)?.held.vectors.dimensions,
      search: (vector, { limit = 10 } = {}) =>
        all(({ vectors }, filter) =>
          vectors.dimensions === vector.length ? vectors.search(vector, { limit, filter }) : [],
        ).slice(0, limit),
    },
  }
}

/** The memories as they are in the store now. */
async function read(
  { ledger }: Parts,
  opened: readonly Opened[],
  hits: readonly SearchHit[],
  limit: number,
): Promise<readonly Recalled[]> {
  const found: Recalled[] = []
  for (const { id: place, score } of hits) {
    const at = opened[Number.parseInt(place, 10)]
    const id = place.slice(place.indexOf(" ") + 1)
    const kept = at && (await ledger.get(at.namespace, id))
    if (!kept) continue
    found.push({ memory: memoryOf(at.namespace, id, kept), score, standing: at.standing })
    if (found.length === limit) break
  }
  return found
}

/** The embedder, given up when its time is up: the search by words goes on. */
const inTime = (embedder: Embedder, late: AbortSignal): Embedder => ({
  id: embedder.id,
  embed: (texts, options = {}) =>
    embedder.embed(texts, {
      ...options,
      signal: options.signal ? AbortSignal.any([options.signal, late]) : late,
    }),
})

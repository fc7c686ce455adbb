import { readdir, readFile, unlink } from "node:fs/promises"
import { join } from "node:path"
import {
  decodeCursor,
  foldedTitle,
  type Listed,
  type ListOptions,
  type ListPosition,
  listPosition,
  Namespace,
  newestFirst,
  newestOf,
  type Page,
  pageOf,
  type SessionInfo,
} from "@orra/core"
import { replaceFile } from "./durable.ts"
import { isMissing } from "./errors.ts"
import { fromNames } from "./path-name.ts"
import { DRAFTS, LOG } from "./session-files.ts"

/** Lists that stay in order: so many, those that were asked for last. */
const MAX_LISTS = 1_000

/** What a list shows of each session. */
export class SessionIndex {
  readonly #sessions = new Map<string, Listed>()
  /** By the key of what was listed: the sessions there, oldest first. Most are written at the end, where that is cheap. */
  readonly #lists = new Map<string, Listed[]>()

  values(): Iterable<Listed> {
    return this.#sessions.values()
  }

  /** Notes what became of a session; undefined: it is gone. */
  put(namespace: Namespace, info: SessionInfo | undefined): void {
    const before = this.#sessions.get(namespace.key)
    const after = info && { info, title: foldedTitle(info) }
    if (after) this.#sessions.set(namespace.key, after)
    else this.#sessions.delete(namespace.key)
    if (this.#lists.size === 0) return
    for (const key of namespace.lineageKeys) {
      const list = this.#lists.get(key)
      if (list && before) list.splice(placeIn(list, listPosition(before.info)), 1)
      if (list && after) list.splice(placeIn(list, listPosition(after.info)), 0, after)
    }
  }

  /** Forgets the sessions at and below the prefix. */
  erase(prefix: Namespace): void {
    this.#lists.clear()
    for (const { info } of this.#sessions.values())
      if (prefix.contains(info.namespace)) this.#sessions.delete(info.namespace.key)
  }

  /** Costs what is looked at, and all sessions once where nothing was listed yet. */
  page(prefix: Namespace, options: ListOptions): Page<SessionInfo> {
    const list = this.#lists.get(prefix.key) ?? newestOf(this.#sessions.values(), prefix).reverse()
    // Most recently used last.
    this.#lists.delete(prefix.key)
    this.#lists.set(prefix.key, list)
    const [oldest] = this.#lists.keys()
    if (this.#lists.size > MAX_LISTS && oldest !== undefined) this.#lists.delete(oldest)
    const { cursor } = options
    const end = cursor === undefined ? list.length : placeIn(list, decodeCursor(cursor))
    return pageOf(backward(list, end), options)
  }
}

/** The index of the first session that is not older than the position. */
function placeIn(list: readonly Listed[], position: ListPosition): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const session = list[middle]
    if (session && newestFirst(listPosition(session.info), position) > 0) low = middle + 1
    else high = middle
  }
  return low
}

function* backward(list: readonly Listed[], end: number): Generator<Listed, void, undefined> {
  for (let at = end - 1; at >= 0; at--) {
    const session = list[at]
    if (session) yield session
  }
}

/** The namespaces whose folder holds a session. What the store does not write is passed over. */
export async function* namespacesIn(
  folder: string,
  segments: readonly string[] = [],
  names: readonly string[] = [],
): AsyncGenerator<Namespace, void, undefined> {
  const children = await readdir(folder, { withFileTypes: true })
  const isSession = children.some((child) => child.isFile() && (child.name === LOG || child.name === DRAFTS))
  const namespace = isSession && names.length === 0 && segments.length > 0 && namespaceOf(segments)
  if (namespace) yield namespace
  for (const child of children) {
    // Not through links: they could lead in a circle, and out of the folder.
    if (!child.isDirectory()) continue
    const path = join(folder, child.name)
    const all = [...names, child.name]
    if (child.name.endsWith("+")) yield* namespacesIn(path, segments, all)
    else {
      const segment = fromNames(all)
      if (segment !== undefined) yield* namespacesIn(path, [...segments, segment])
    }
  }
}

function namespaceOf(segments: readonly string[]): Namespace | undefined {
  try {
    return Namespace.of(...segments)
  } catch {
    return undefined
  }
}

/** Reads the index and removes it: it holds as long as nothing is written. */
export async function takeIndex(path: string): Promise<SessionIndex | undefined> {
  try {
    const infos = JSON.parse(await readFile(path, "utf8")) as (Omit<SessionInfo, "namespace"> & {
      readonly namespace: string
    })[]
    await unlink(path)
    const index = new SessionIndex()
    for (const info of infos) {
      const namespace = Namespace.parse(info.namespace)
      index.put(namespace, { ...info, namespace })
    }
    return index
  } catch (error) {
    if (!isMissing(error) && !(error instanceof SyntaxError)) throw error
    return undefined
  }
}

export async function writeIndex(path: string, sessions: Iterable<Listed>): Promise<void> {
  const infos = Array.from(sessions, ({ info }) => ({ ...info, namespace: info.namespace.key }))
  await replaceFile(path, JSON.stringify(infos), false)
}

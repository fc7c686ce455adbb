import { readdir, readFile, unlink } from "node:fs/promises"
import { join } from "node:path"
import { foldedTitle, type Listed, Namespace, type SessionInfo } from "@orra/core"
import { replaceFile } from "./durable.ts"
import { isMissing } from "./errors.ts"
import { fromNames } from "./path-name.ts"
import { DRAFTS, LOG } from "./session-files.ts"

/** Notes what a list shows of a session; undefined: it is gone. */
export function putInto(
  index: Map<string, Listed>,
  namespace: Namespace,
  info: SessionInfo | undefined,
): void {
  if (info) index.set(namespace.key, { info, title: foldedTitle(info) })
  else index.delete(namespace.key)
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
export async function takeIndex(path: string): Promise<Map<string, Listed> | undefined> {
  try {
    const infos = JSON.parse(await readFile(path, "utf8")) as (Omit<SessionInfo, "namespace"> & {
      readonly namespace: string
    })[]
    await unlink(path)
    const index = new Map<string, Listed>()
    for (const info of infos) {
      const namespace = Namespace.parse(info.namespace)
      putInto(index, namespace, { ...info, namespace })
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

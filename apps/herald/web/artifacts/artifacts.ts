import type { AnswerItem, Item } from "../chat/items.ts"
import { isFileName } from "../markdown/fence-info.ts"
import { isLarge, kindOf } from "./kind.ts"
import { fileNameIn, titleIn } from "./title.ts"
import { type Written, type WrittenCode, type WrittenEdit, writtenIn } from "./written.ts"

/** Something that is worth a look of its own, as it has been written and written again. */
export interface Artifact {
  /** Its file or its title; undefined when it has none: then it has one version. */
  readonly name: string | undefined
  /** Oldest first. */
  readonly versions: readonly Version[]
}

export interface Version {
  /** The answer that it is in. */
  readonly seq: number
  /** Its place among all that the answer wrote, from 1 on. */
  readonly block: number
  readonly code: string
  readonly language: string
  /** A tool wrote it to a file. */
  readonly isFile: boolean
  readonly isGrowing: boolean
}

/**
 * What the answers of a chat have written, and what of it is the same thing again:
 *
 * - what has the same file name: as a tool wrote it, behind its fence, or alone in a comment that is its first line;
 * - else what is in the same language and has the same title: `title=` behind the fence, its title or its first heading.
 *
 * What has neither is never taken for a version of anything. A change of a file is a version where it can be made in
 * the one before; where it cannot, something else has changed the file, and no change of it is a version until it is
 * written as a whole again.
 *
 * @returns A function that reads each answer once for as long as it does not change.
 */
export function artifactReader(): (items: readonly Item[]) => readonly Artifact[] {
  const known = new WeakMap<AnswerItem, readonly (Written | undefined)[]>()
  return (items) => {
    const artifacts = new Map<string, { readonly name: string | undefined; readonly versions: Version[] }>()
    const lost = new Set<string>()
    const addEdit = (edit: WrittenEdit, seq: number, block: number): void => {
      const key = fileKey(edit.path)
      const versions = artifacts.get(key)?.versions
      const last = versions?.at(-1)
      if (!last || lost.has(key)) return
      const code = edited(last.code, edit)
      if (code === undefined) lost.add(key)
      else versions?.push({ ...last, seq, block, code, isFile: true })
    }
    const addCode = (written: WrittenCode, seq: number, block: number): void => {
      const { code, language, isGrowing, callId } = written
      const isFile = callId !== undefined
      if (!isFile && !isLarge(written)) return
      const { key, name } = identity(written) ?? { key: `${seq} ${block}`, name: undefined }
      lost.delete(key)
      const version = { seq, block, code, language, isFile, isGrowing }
      const found = artifacts.get(key)
      if (found) found.versions.push(version)
      else artifacts.set(key, { name, versions: [version] })
    }
    for (const answer of items) {
      if (answer.type !== "answer") continue
      const all = known.get(answer) ?? writtenIn(answer)
      known.set(answer, all)
      for (const [index, written] of all.entries()) {
        if (written?.type === "edit") addEdit(written, answer.seq, index + 1)
        else if (written) addCode(written, answer.seq, index + 1)
      }
    }
    return [...artifacts.values()]
  }
}

/** The artifact that has a version at a place, and which of them that is. */
export function findVersion(
  artifacts: readonly Artifact[],
  seq: number,
  block: number,
): { readonly artifact: Artifact; readonly index: number } | undefined {
  for (const artifact of artifacts) {
    const index = artifact.versions.findIndex((version) => version.seq === seq && version.block === block)
    if (index >= 0) return { artifact, index }
  }
  return undefined
}

const fileKey = (path: string): string => `file ${path.replaceAll("\\", "/").replace(/^(?:\.\/)+/, "")}`

function identity(written: WrittenCode): { readonly key: string; readonly name: string } | undefined {
  const { name, code, language, callId, isGrowing } = written
  // Half of a line is no title.
  const lines = isGrowing ? code : `${code}\n`
  const file = name ?? fileNameIn(lines)
  if (file !== undefined && (callId !== undefined || isFileName(file)))
    return { key: fileKey(file), name: file }
  const kind = kindOf(language)
  const title = name ?? titleIn(lines, kind)
  return title === undefined ? undefined : { key: `${kind} ${title}`, name: title }
}

function edited(code: string, { from, to, isEverywhere }: WrittenEdit): string | undefined {
  const parts = code.split(from)
  return parts.length === 2 || (parts.length > 2 && isEverywhere) ? parts.join(to) : undefined
}

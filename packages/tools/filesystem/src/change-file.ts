import { lstatSync } from "node:fs"
import type { ToolContext, ToolOutput } from "@orra/core"
import { writeAtomically } from "./atomic-write.ts"
import { FilesystemError } from "./errors.ts"
import type { Locks } from "./locks.ts"
import { readWhole, signature, withFile } from "./open-file.ts"
import type { Place, Sandbox } from "./sandbox.ts"
import type { Seen } from "./seen.ts"

/** What tools that change files share. */
export interface Changing {
  readonly sandbox: Sandbox
  readonly seen: Seen
  readonly locks: Locks
  /** Most bytes of a file before and after. */
  readonly maxWriteSize: number
}

/** What is there now. */
export interface Before {
  readonly shown: string
  readonly exists: boolean
  /** Undefined when there is no such file, or it is larger than what may be written. */
  readonly bytes: Buffer | undefined
}

/** What a file shall become, and what to say about it. */
export interface Change {
  readonly bytes: Buffer
  readonly answer: string
  /** The answer quotes what was in the file. */
  readonly untrusted: boolean
}

/**
 * Changes one file, whole or not at all. `create` makes it, and its folders, where there is none.
 * Calls about the same file follow one another. A file that is no longer as the session last saw it is left alone.
 */
export const changeFile = (
  { sandbox, seen, locks, maxWriteSize }: Changing,
  context: ToolContext,
  path: string,
  change: (before: Before) => Change,
  create: boolean,
): Promise<ToolOutput> =>
  sandbox.enter(
    context,
    path,
    (entered) =>
      locks(entered.path, async () => {
        const { directory, name, shown } = entered
        // Another call may have made it while this one waited.
        const stat = name === undefined ? undefined : lstatSync(directory.at(name), { throwIfNoEntry: false })
        const place: Place = { ...entered, stat }
        const finish = async (
          before: Parameters<typeof writeAtomically>[3],
          { bytes, answer, untrusted }: Change,
        ) => {
          if (bytes.length > maxWriteSize)
            throw new FilesystemError(
              "file_too_large",
              `${shown} would have ${bytes.length} bytes, and ${maxWriteSize} are allowed. Write less, or several files.`,
              { path: shown, limit: maxWriteSize },
            )
          seen.set(
            context,
            place.path,
            await writeAtomically(directory, name ?? "", bytes, before, context.signal),
          )
          return { content: [{ type: "text", text: answer }], untrusted } as const
        }
        if (name !== undefined && !stat && create)
          return await finish(undefined, change({ shown, exists: false, bytes: undefined }))
        return await withFile(sandbox, place, async (file) => {
          const last = seen.get(context, place.path)
          if (last !== undefined && last !== signature(file.stat)) throw changedSince(shown)
          const bytes =
            file.stat.size > maxWriteSize
              ? undefined
              : await readWhole(file, maxWriteSize, shown, context.signal)
          return await finish(file.stat, change({ shown, exists: true, bytes }))
        })
      }),
    { create },
  )

const changedSince = (path: string): FilesystemError =>
  new FilesystemError(
    "path_changed",
    `${path} was changed by somebody else since you last saw it. Nothing was written: read it again, then decide.`,
    { path },
  )

/** @throws FilesystemError (`content_unsupported`) for text that has no form on a disk. */
export function assertText(text: string, what: string): void {
  if (!text.isWellFormed())
    throw new FilesystemError(
      "content_unsupported",
      `${what} has half a character in it: write it again without.`,
    )
}

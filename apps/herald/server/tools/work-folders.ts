import { mkdir, realpath } from "node:fs/promises"
import { isAbsolute, join, sep } from "node:path"
import { InvalidInput, type JsonObject, type Namespace } from "@orra/core"
import { type LoadedConfig, OWNER, principals } from "../config/load.ts"

type Loaded = Pick<LoadedConfig, "config" | "dataDir">

/** A session, as tools know it. */
interface Session {
  readonly namespace: Namespace
  /** The folder that was chosen for it is under `WORKING_DIRECTORY`. */
  readonly metadata: JsonObject
}

/** The key of a session's metadata that has its folder: absolute, or not there. */
export const WORKING_DIRECTORY = "working_directory"

/**
 * Where tools work for a session: in the folder that was chosen for it; else in one of the person it belongs to, `work`
 * in the data directory, made when it is not there; for the owner in `own`, when that is given. A chosen folder is looked
 * at again each time: what is in none of the person's folders, or no longer, is refused.
 *
 * `mayHoldData`: the tool keeps away from Herald's own data by itself, so that a folder may be chosen which has that in it.
 */
export function workFolders(
  loaded: Loaded,
  own: string | undefined,
  { mayHoldData = false }: { readonly mayHoldData?: boolean } = {},
): (session: Session) => Promise<string> {
  const { config, dataDir } = loaded
  const people = principals(config)
  const folders = chosenFolders(loaded)
  return async ({ namespace, metadata }) => {
    const chosen = Object.hasOwn(metadata, WORKING_DIRECTORY) ? metadata[WORKING_DIRECTORY] : undefined
    if (typeof chosen === "string" && chosen !== "") {
      const real = await folders.within(namespace, chosen)
      if (real === undefined) {
        throw new InvalidInput(
          `The folder of this chat, "${chosen}", cannot be worked in any more: choose another one for it.`,
        )
      }
      if (!mayHoldData && isWithin(await realOrSame(dataDir), real)) {
        throw new InvalidInput(
          `Herald's own data is in the folder of this chat, "${chosen}": choose one beside it for programs to run in.`,
        )
      }
      return real
    }
    const person = people.find((each) => each.contains(namespace)) ?? namespace
    const folder = person.key === OWNER.key && own !== undefined ? own : workFolder(dataDir, person)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }
}

/** The folders that a chat's may be chosen from. */
export interface ChosenFolders {
  /** Those of a person: absolute, and theirs alone. Empty while no tool works in folders. */
  of(person: Namespace): Promise<readonly string[]>
  /** The real path of a folder, when it is one of this person's or below one. Undefined for any other, there or not. */
  within(session: Namespace, path: string): Promise<string | undefined>
}

/** @throws InvalidInput for one in the data directory. */
export function chosenFolders({ config, dataDir }: Loaded): ChosenFolders {
  const { tools } = config
  const people = principals(config)
  for (const path of tools.directories) {
    if (isWithin(path, dataDir))
      throw new InvalidInput(`tools.directories has "${path}", in the data directory: give another folder.`)
  }
  const isUsed = tools.filesystem || tools.exec || tools.claude_code
  const ownersOwn = [
    ...(tools.filesystem ? [tools.filesystem_base_dir] : []),
    ...(tools.exec ? [tools.exec_working_directory] : []),
    ...(tools.claude_code ? [tools.claude_code_working_directory] : []),
    ...tools.directories,
  ].filter((path) => path !== undefined)

  const rootsOf = async (session: Namespace): Promise<readonly string[]> => {
    const person = people.find((each) => each.contains(session))
    if (!person || !isUsed) return []
    const work = workFolder(dataDir, person)
    await mkdir(work, { recursive: true, mode: 0o700 })
    return [...new Set([...(person.equals(OWNER) ? ownersOwn : []), work])]
  }
  return {
    of: rootsOf,
    async within(session, path) {
      if (!isAbsolute(path) || path.includes("\0")) return undefined
      const real = await realpath(path).catch(() => undefined)
      if (real === undefined) return undefined
      const data = await realOrSame(dataDir)
      for (const root of await rootsOf(session)) {
        const realRoot = await realpath(root).catch(() => undefined)
        // A folder that leads into the data by a link is none of theirs; the one that is there is.
        const isTheirs = !isWithin(real, data) || isWithin(root, dataDir)
        if (realRoot !== undefined && isWithin(real, realRoot) && isTheirs) return real
      }
      return undefined
    },
  }
}

const realOrSame = (path: string): Promise<string> => realpath(path).catch(() => path)

/** Whether a path is a folder or lies below it. */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/** The folder of a person in the data directory. */
export const workFolder = (dataDir: string, person: Namespace): string =>
  join(dataDir, "work", fileName(person.key))

/** One name for each key, whatever is in it. */
const fileName = (key: string): string => encodeURIComponent(key).replaceAll(".", "%2E")

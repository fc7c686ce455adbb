import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Namespace } from "@orra/core"
import { type LoadedConfig, OWNER, principals } from "../config/load.ts"

/**
 * Where tools work for a session: in a folder of the person it belongs to, `work` in the data directory, made when it
 * is not there; for the owner in `own`, when that is given.
 */
export function workFolders(
  { config, dataDir }: Pick<LoadedConfig, "config" | "dataDir">,
  own: string | undefined,
): (session: Namespace) => Promise<string> {
  const people = principals(config)
  return async (session) => {
    const person = people.find((each) => each.contains(session)) ?? session
    const folder = person.key === OWNER.key && own !== undefined ? own : workFolder(dataDir, person)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }
}

/** The folder of a person in the data directory. */
export const workFolder = (dataDir: string, person: Namespace): string =>
  join(dataDir, "work", fileName(person.key))

/** One name for each key, whatever is in it. */
const fileName = (key: string): string => encodeURIComponent(key).replaceAll(".", "%2E")

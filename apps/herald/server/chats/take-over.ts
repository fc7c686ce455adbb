import { stat } from "node:fs/promises"
import { resolve } from "node:path"
import type { JsonObject, Namespace, SessionStore } from "@orra/core"
import { type AdoptedSession, type FoundSession, importSessions } from "@orra/store-file"
import { discordRoot, OWNER } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import type { Logger } from "../log/log.ts"
import { titleOf } from "../titles.ts"

const DONE = "chats"
const MAX_TITLE = 200
/** So many files that could not be read are named in the log. */
const MAX_NAMED = 20

/**
 * Takes over the chats of the original Herald, once: the owner's, and each person's in Discord. Their files are not changed.
 * What agents and other Heralds said among themselves is left.
 */
export async function takeOverChats({
  store,
  config,
  dataDir,
  logger,
}: {
  readonly store: SessionStore
  readonly config: Config
  /** Absolute. */
  readonly dataDir: string
  readonly logger: Logger
}): Promise<void> {
  const folder = resolve(dataDir, config.sessions.path)
  const records = store.records("taken-over")
  if (config.sessions.store === "memory" || !(await isFolder(folder)) || (await records.get(OWNER, DONE)))
    return
  const discord = discordRoot(config)
  const { imported, left, skipped } = await importSessions(folder, store, {
    adopt: (session) => adopted(session, discord),
  })
  for (const { file, reason } of skipped.slice(0, MAX_NAMED))
    logger.warn(`${file} in ${folder} is not taken over: ${reason}`)
  await records.put(OWNER, DONE, { folder, count: imported.length })
  logger.info(
    `${imported.length} chats of ${folder} were taken over; left were ${skipped.length} files that could not be, and ${left.length} sessions of agents among themselves.`,
  )
}

function adopted(session: FoundSession, discord: Namespace): AdoptedSession | undefined {
  const namespace = placeOf(session.namespace, discord)
  return namespace && { namespace, metadata: titled(session) }
}

/** Where it is found here: what the original kept where nobody saw it is the owner's. Undefined: nobody said it. */
function placeOf(namespace: Namespace, discord: Namespace): Namespace | undefined {
  if (discord.contains(namespace)) return namespace
  const { segments } = namespace
  if (segments[0] === "delegation" || segments[0] === "federation") return undefined
  if (OWNER.contains(namespace) && segments.length === 2) return namespace
  return OWNER.child(segments.join("_"))
}

/** It had a name, or else is called by what was said first. */
function titled({ metadata, first }: FoundSession): JsonObject {
  const { name } = metadata
  const given = typeof name === "string" ? [...name.trim()].slice(0, MAX_TITLE).join("") : ""
  const title = given || (first ? titleOf(first) : "")
  return title === "" ? {} : { title }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

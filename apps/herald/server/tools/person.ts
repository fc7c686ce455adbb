import type { Namespace } from "@orra/core"
import { discordRoot, principals } from "../config/load.ts"
import type { Config } from "../config/settings.ts"

/** Server, channel and person behind the prefix. */
const DISCORD_DEPTH = 3

/** Whose a session is: the person's namespace, in Discord that of somebody in a channel; undefined for nobody's. */
export function personOf(config: Config): (session: Namespace) => Namespace | undefined {
  const people = principals(config)
  const discord = discordRoot(config)
  return (session) =>
    discord.contains(session)
      ? session.lineage.find(({ depth }) => depth === discord.depth + DISCORD_DEPTH)
      : people.find((person) => person.contains(session))
}

import type { Namespace, SessionStore } from "@orra/core"
import { Memories, memoryTools } from "@orra/memory"
import { memoryRoutes } from "../api/memory.ts"
import { discordRoot, principals } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import type { ToolFamily } from "./tools.ts"

/** Server, channel and person behind the prefix. */
const DISCORD_DEPTH = 3

/** What the assistant remembers of each person who talks to it: of all their chats, and in Discord of those in a channel. */
export function heraldMemory(config: Config, store: SessionStore): ToolFamily {
  const people = principals(config)
  const discord = discordRoot(config)
  const ownerDepth = (session: Namespace): number =>
    discord.contains(session)
      ? discord.depth + DISCORD_DEPTH
      : (people.find((person) => person.contains(session))?.depth ?? 0)
  const memories = new Memories(store)
  return { tools: memoryTools(memories, { ownerDepth }), routes: memoryRoutes(memories) }
}

import type { SessionStore } from "@orra/core"
import { Memories, memoryTools } from "@orra/memory"
import { memoryRoutes } from "../api/memory.ts"
import type { Config } from "../config/settings.ts"
import { personOf } from "./person.ts"
import type { ToolFamily } from "./tools.ts"

/** What the assistant remembers of each person who talks to it: of all their chats, and in Discord of those in a channel. */
export function heraldMemory(config: Config, store: SessionStore): ToolFamily {
  const person = personOf(config)
  const memories = new Memories(store)
  return {
    tools: memoryTools(memories, { ownerDepth: (session) => person(session)?.depth ?? 0 }),
    routes: memoryRoutes(memories),
  }
}

import { discordTools } from "@orra/discord"
import type { ToolFamily } from "./tools.ts"

/** Reading in the servers that the bot is in, and writing there when somebody agrees. */
export function heraldDiscordTools(token: string): ToolFamily {
  const tools = discordTools({ token })
  const names = (risk: string) =>
    tools.filter((tool) => tool.risk === risk).map(({ definition }) => definition.name)
  return { tools, policy: { allow: names("network"), ask: names("write") } }
}

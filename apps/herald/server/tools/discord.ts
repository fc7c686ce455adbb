import { discordTools } from "@orra/discord"
import type { ToolFamily } from "./tools.ts"

/** Reading in the servers that the bot is in, and writing there when somebody agrees. `api` defaults to Discord's. */
export function heraldDiscordTools(token: string, api: string | undefined): ToolFamily {
  const tools = discordTools({ token, ...(api !== undefined && { api }) })
  const names = (risk: string) =>
    tools.filter((tool) => tool.risk === risk).map(({ definition }) => definition.name)
  return { tools, policy: { allow: names("network"), ask: names("write") } }
}

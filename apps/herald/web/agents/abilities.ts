import { t } from "../i18n/index.ts"
import type { Agent } from "./use-agents.ts"

type Ability = keyof typeof t.agents.abilities

/** Of each ability the tools that are needed for it. */
const NEEDED: readonly (readonly [Ability, RegExp])[] = [
  ["webPages", /^(?:web_fetch|read_url)$/],
  ["webSearch", /^web_search$/],
  ["documents", /^search_documents$/],
  ["readFiles", /^read_file$/],
  ["writeFiles", /^(?:write_file|edit_file)$/],
  ["commands", /^exec$/],
  ["claudeCode", /^claude_code$/],
  ["memory", /^remember$/],
  ["schedules", /^cron$/],
  ["pictures", /^generate_image$/],
  ["discord", /^(?:list_channels|get_messages)$/],
  ["plans", /^plan$/],
  ["github", /^(?:list|search|get)_issues?$/],
  ["others", /^delegate_to_agent$/],
  ["time", /^current_time$/],
]

/** What may have to be allowed, by the tools that are asked about. Those that only look are not. */
const ASKED: readonly (readonly [Ability, RegExp])[] = [
  ["writeFiles", /^(?:write_file|edit_file)$/],
  ["commands", /^exec$/],
  ["claudeCode", /^claude_code/],
  ["pictures", /^(?:generate|edit)_image$/],
  ["discordWrite", /^(?:send_message|reply_to_message)$/],
  ["plans", /^plan$/],
  ["githubWrite", /^(?:create|close|merge|add|review|comment)_/],
]

/** Whether some tool of these has to do with an ability. */
export const isAble = (tools: readonly string[], ability: Ability): boolean =>
  NEEDED.some(([name, needed]) => name === ability && tools.some((tool) => needed.test(tool)))

/** What somebody with these tools can do, in a person's words. */
export const abilitiesOf = (tools: readonly string[]): readonly string[] => inWords(NEEDED, tools)

/** What has to be allowed each time; of a server when all of its tools have to be. */
export function askedOf({ can, asks }: Pick<Agent, "can" | "asks">): readonly string[] {
  const free = new Set(can.filter((tool) => !asks.includes(tool)).map(serverOf))
  return inWords(
    ASKED,
    asks.filter((tool) => serverOf(tool) === undefined || !free.has(serverOf(tool))),
  )
}

/** The server of Model Context Protocol that a tool is from. */
const serverOf = (tool: string): string | undefined => /^(.+?)__/.exec(tool)?.[1]

function inWords(known: typeof NEEDED, tools: readonly string[]): readonly string[] {
  const found = known.flatMap(([name, needed]) =>
    tools.some((tool) => needed.test(tool)) ? [t.agents.abilities[name]] : [],
  )
  const servers = new Set(tools.flatMap((tool) => serverOf(tool) ?? []))
  return [...found, ...[...servers].map(t.agents.uses)]
}

import { t } from "../i18n/index.ts"

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
  ["discord", /^discord_/],
  ["github", /^(?:list|search|get)_issues?$/],
  ["others", /^delegate_to_agent$/],
  ["time", /^current_time$/],
]

/** Whether some tool of these has to do with an ability. */
export const isAble = (tools: readonly string[], ability: Ability): boolean =>
  NEEDED.some(([name, needed]) => name === ability && tools.some((tool) => needed.test(tool)))

/** What somebody with these tools can do, in a person's words. */
export function abilitiesOf(tools: readonly string[]): readonly string[] {
  const known = NEEDED.flatMap(([name]) => (isAble(tools, name) ? [t.agents.abilities[name]] : []))
  const servers = new Set(tools.flatMap((tool) => /^(.+?)__/.exec(tool)?.[1] ?? []))
  return [...known, ...[...servers].map(t.agents.uses)]
}

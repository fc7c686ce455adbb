import { agentKey, PolicyRegistry } from "@orra/core"
import { OWNER } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import { ruleName } from "./rules.ts"

const COMMANDS = "it allows no command: those are named in tools.exec_allowed_commands, which reads them"

/**
 * What a person should know of their rules, one line each: those that name a tool or an assistant that is not there. It
 * may come yet, from an MCP server or the page, so it is no mistake; but a misspelt one forbids nothing.
 */
export function policyRemarks(
  { policy, agents, agent }: Pick<Config, "policy" | "agents" | "agent">,
  tools: Iterable<string>,
): readonly string[] {
  const names = [...tools]
  const known = new Set((agents.length > 0 ? agents : [agent]).map(({ name }) => agentKey(name)))
  return policy.flatMap((rule, index) => {
    const named = (pattern: string, among = names): boolean => {
      const registry = new PolicyRegistry({ base: { deny: [pattern] }, default: "allow" })
      return among.some((tool) => registry.explain(OWNER, { tool, risk: "read" }).decision === "deny")
    }
    const isForCommands = rule.decision === "allow" && rule.tools.some((pattern) => named(pattern, ["exec"]))
    return [
      ...rule.tools
        .filter((pattern) => !named(pattern))
        .map((pattern) => `no tool that is on is called "${pattern}"`),
      ...rule.agents
        .filter((name) => !known.has(agentKey(name)))
        .map((name) => `the configuration has no assistant "${name}"`),
      ...(isForCommands && names.includes("exec") ? [COMMANDS] : []),
    ].map((line) => `${ruleName(rule, index)}: ${line}`)
  })
}

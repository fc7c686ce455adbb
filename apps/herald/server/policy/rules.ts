import { agentKey, Namespace, type PolicyRule, type ToolRisk } from "@orra/core"
import { isScheduled } from "@orra/cron"
import { discordRoot, OWNER, OWNER_NAME } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import { PEERS, peersOf } from "../federation/peers.ts"

/** A rule of `[[policy]]`. */
export type OwnRule = Config["policy"][number]

/** Where somebody talks to this Herald: the root of what is said there. */
export interface Place {
  readonly namespace: Namespace
  readonly channel: "web" | "api" | "discord" | "peer"
  /** Whose it is; undefined where many people are. */
  readonly person: string | undefined
  /** Whether somebody there can be asked. */
  readonly hasApprover: boolean
}

export const placesOf = (config: Config): readonly Place[] => [
  { namespace: OWNER, channel: "web", person: OWNER_NAME, hasApprover: true },
  ...config.gateway.keys.map(({ name, namespace, approve }) => ({
    namespace: Namespace.parse(namespace),
    channel: "api" as const,
    person: name,
    hasApprover: approve,
  })),
  {
    namespace: discordRoot(config),
    channel: "discord",
    person: undefined,
    hasApprover: config.discord.approvers.length > 0,
  },
  ...peersOf(config).map(({ name }) => ({
    namespace: PEERS.child(name),
    channel: "peer" as const,
    person: undefined,
    hasApprover: true,
  })),
]

/** The agents that a call comes from: the one that makes it, and all that handed the task on to it. */
export type AgentsOf = (namespace: string) => readonly string[] | undefined

/** How the rule is called where it speaks: people count from one. */
export const ruleName = ({ reason }: OwnRule, index: number): string =>
  `policy ${index + 1}${reason === "" ? "" : `: ${reason}`}`

/** The part of a rule that is about the call itself. */
export const ruleOf = (rule: OwnRule, index: number, tool: string): PolicyRule => ({
  tool,
  name: ruleName(rule, index),
  ...(rule.risk.length > 0 && { risk: rule.risk as readonly ToolRisk[] }),
  ...(Object.keys(rule.arguments).length > 0 && { arguments: rule.arguments }),
  ...(rule.tainted && { tainted: true }),
})

/** Rules of the owner's own, by what they decide. */
export type OwnLayer = Readonly<Record<OwnRule["decision"], readonly PolicyRule[]>>

/** Those that concern a place. */
export function ownLayer(rules: Config["policy"], place: Place, agentsOf: AgentsOf): OwnLayer {
  const layer: Record<OwnRule["decision"], PolicyRule[]> = { deny: [], ask: [], allow: [] }
  rules.forEach((rule, index) => {
    if (!concerns(rule, place)) return
    // A rule without a question is known before the call: what it denies is not even shown to the model.
    const check = isAlways(rule, place)
      ? {}
      : { check: (call: { readonly namespace: string }) => applies(rule, place, call.namespace, agentsOf) }
    for (const tool of rule.tools.length > 0 ? rule.tools : ["*"])
      layer[rule.decision].push({ ...ruleOf(rule, index, tool), ...check })
  })
  return layer
}

/** Whether a rule can hold in a place at all. */
export const concerns = ({ channels, people }: OwnRule, { channel, person }: Place): boolean =>
  (channels.length === 0 || channels.includes(channel) || channels.includes("schedule")) &&
  (people.length === 0 || person === undefined || people.includes(person))

const isAlways = ({ decision, channels, people, agents }: OwnRule, { channel, person }: Place): boolean =>
  agents.length === 0 &&
  (people.length === 0 || person !== undefined) &&
  (channels.length === 0 || (decision !== "allow" && channels.includes(channel)))

/**
 * Whether a rule holds for who calls. In doubt what forbids does and what allows does not: a job is in the channel of
 * its person and in `schedule`, and what is allowed in the one is not allowed in the other; what is allowed to an agent
 * is not allowed to one that works for another.
 */
export function applies(
  { decision, channels, people, agents }: OwnRule,
  place: Place,
  key: string,
  agentsOf: AgentsOf,
): boolean {
  const grants = decision === "allow"
  const namespace = Namespace.parse(key)
  const isJob = isScheduled(namespace)
  const isIn = (channel: string): boolean => channels.includes(channel)
  const isHere = grants
    ? isIn(isJob ? "schedule" : place.channel)
    : isIn(place.channel) || (isJob && isIn("schedule"))
  if (channels.length > 0 && !isHere) return false
  const person = place.person ?? namespace.segments[place.namespace.depth + USER]
  if (people.length > 0 && (person === undefined || !people.includes(person))) return false
  if (agents.length === 0) return true
  const callers = agentsOf(key)
  if (!callers) return !grants
  const named = new Set(agents.map(agentKey))
  const isNamed = (agent: string): boolean => named.has(agentKey(agent))
  return grants ? callers.every(isNamed) : callers.some(isNamed)
}

/** Below the prefix a namespace of Discord has the server, the channel and the person. */
const USER = 2

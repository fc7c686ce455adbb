import { type Hooks, Namespace, type PolicyLayer, PolicyRegistry, type PolicyRule } from "@orra/core"
import type { Config } from "../config/settings.ts"
import { PEERS } from "../federation/peers.ts"
import { type AgentsOf, type OwnLayer, ownLayer, type Place, placesOf } from "./rules.ts"

/** Which agents are calling, in sessions that run. */
export interface Callers {
  readonly agentsOf: AgentsOf
  /** Before all others that look at calls. */
  readonly hooks: Hooks
}

export function callers(): Callers {
  const known = new Map<string, readonly string[]>()
  const forget = (namespace: Namespace): void => void known.delete(namespace.key)
  return {
    agentsOf: (namespace) => known.get(namespace),
    hooks: {
      name: "callers",
      // Just before policy is asked; a session has one run at a time.
      beforeTool(_, { namespace, agent, envelope }) {
        const names = [...(agent === undefined ? [] : [agent]), ...(envelope?.agents ?? [])]
        if (names.length > 0) known.set(namespace.key, names)
        else forget(namespace)
        return undefined
      },
      runEnd: (_, { namespace }) => forget(namespace),
      runWait: ({ namespace }) => forget(namespace),
    },
  }
}

/** The layer of every place: what the tools' own sections say, and the rules of the owner's own. */
export const heraldLayers = (
  config: Config,
  tools: PolicyLayer,
  agentsOf: AgentsOf,
): readonly { readonly namespace: Namespace; readonly layer: PolicyLayer }[] => [
  ...placesOf(config).map((place) => ({
    namespace: place.namespace,
    layer: layerOf(place, tools, ownLayer(config.policy, place, agentsOf)),
  })),
  // Within that.
  { namespace: PEERS, layer: { allow: [...config.federation.tools, "current_time"], default: "deny" } },
]

/**
 * What forbids stands beside what the tools say, and narrows it. What allows takes back what is asked about by name
 * and nothing else: no denial, and no question about what a call holds.
 */
export function layerOf({ hasApprover }: Place, tools: PolicyLayer, own: OwnLayer): PolicyLayer {
  const allowed = own.allow.length > 0 ? new PolicyRegistry({ base: { allow: own.allow } }) : undefined
  const asked = (tools.ask ?? []).map((rule) => (allowed ? unless(rule, allowed) : rule))
  const ask = [...own.ask, ...asked]
  return {
    ...tools,
    // Where nobody can be asked, what would be asked about is refused.
    deny: [...own.deny, ...(tools.deny ?? []), ...(hasApprover ? [] : ask)],
    ask: hasApprover ? ask : [],
    allow: [...own.allow, ...(tools.allow ?? [])],
  }
}

function unless(rule: string | PolicyRule, allowed: PolicyRegistry): string | PolicyRule {
  if (typeof rule !== "string") return rule
  return {
    tool: rule,
    name: rule,
    check: ({ namespace, ...call }) => allowed.explain(Namespace.parse(namespace), call).decision !== "allow",
  }
}

import {
  type Decision,
  type JsonObject,
  type Namespace,
  type PolicyLayer,
  PolicyRegistry,
  type ToolRisk,
  type Verdict,
} from "@orra/core"
import type { Config } from "../config/settings.ts"
import { heraldLayers, layerOf } from "./layers.ts"
import { applies, concerns, type OwnRule, ownLayer, type Place, placesOf, ruleName } from "./rules.ts"

/** A call that nobody makes: what would be said of it is the question. */
export interface Question {
  readonly tool: string
  readonly risk: ToolRisk
  readonly arguments: JsonObject
  readonly tainted: boolean
  readonly namespace: Namespace
  readonly agent: string
}

/** What is decided, and what each layer and rule says by itself. */
export interface Explanation {
  readonly verdict: Verdict
  /** Undefined where the namespace is nobody's. */
  readonly place: Place | undefined
  readonly layers: readonly {
    readonly name: string
    /** `for others`: it is about other channels, people or agents. `nothing`: about other calls. */
    readonly says: Decision | "for others" | "nothing"
    /** Which of its rules that was, of those that have several. */
    readonly rule?: string
  }[]
}

/** What Herald would decide about a call, with all that speaks for and against it. */
export async function explainCall(
  config: Config,
  tools: PolicyLayer,
  { namespace, agent, ...call }: Question,
): Promise<Explanation> {
  const agentsOf = () => [agent]
  const policies = new PolicyRegistry()
  for (const each of heraldLayers(config, tools, agentsOf)) policies.set(each.namespace, each.layer)
  const verdict = await policies.decide(namespace, call)
  const place = placesOf(config).find((each) => each.namespace.contains(namespace))
  if (!place) return { verdict, place, layers: [] }
  const ask = async (layer: PolicyLayer): Promise<Verdict | undefined> => {
    const said = await new PolicyRegistry({ base: layer }).decide(namespace, call)
    return said.layer === "base" ? said : undefined
  }
  const isFor = (rule: OwnRule): boolean =>
    concerns(rule, place) && applies(rule, place, namespace.key, agentsOf)
  const built = await ask(layerOf(place, tools, { deny: [], ask: [], allow: [] }))
  return {
    verdict,
    place,
    layers: [
      {
        name: "the tools' own sections",
        says: built?.decision ?? "nothing",
        ...(built && { rule: built.rule }),
      },
      ...(await Promise.all(
        config.policy.map(async (rule, index) => {
          const said = isFor(rule) ? await ask(ownLayer([rule], place, agentsOf)) : undefined
          return {
            name: ruleName(rule, index),
            says: said?.decision ?? (isFor(rule) ? ("nothing" as const) : ("for others" as const)),
          }
        }),
      )),
    ],
  }
}

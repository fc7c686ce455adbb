import { InvalidInput } from "./errors.ts"
import type { JsonObject } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { ToolRisk } from "./tool.ts"

/** `ask` needs a person's approval before it becomes one of the others. */
export type Decision = "deny" | "ask" | "allow"

/**
 * A layer of policy. A rule is a tool name, a glob over names ("github.*", "*"), or a risk ("risk:exec"). Within
 * a layer deny is looked at before ask, ask before allow; `default` speaks for calls that no rule matches, and a
 * layer without it says nothing about them.
 */
export interface PolicyLayer {
  readonly deny?: readonly string[]
  readonly ask?: readonly string[]
  readonly allow?: readonly string[]
  readonly default?: Decision
}

/** The call to be judged. */
export interface PolicyCall {
  readonly tool: string
  readonly risk: ToolRisk
  readonly arguments: JsonObject
}

/** A decision and where it comes from: the layer (a namespace key, or "default") and the rule as it was written. */
export interface Verdict {
  readonly decision: Decision
  readonly layer: string
  readonly rule: string
}

const RANK: Readonly<Record<Decision, number>> = { deny: 0, ask: 1, allow: 2 }
const ORDER: readonly Decision[] = ["deny", "ask", "allow"]
const RULE = /^(risk:(read|write|exec|network)|[a-zA-Z0-9_.*-]+)$/

/**
 * Who may call what. Layers are set on namespaces; the decision for a call is the strictest (deny < ask < allow)
 * of all layers on its namespace and above it, so adding a layer can only narrow what others say. Where no layer
 * speaks the answer is `default`, which is deny unless said otherwise.
 *
 * ```ts
 * const policies = new PolicyRegistry({ default: "ask" })
 * policies.set(Namespace.parse("tenant:acme"), { deny: ["risk:exec"], allow: ["*"] })
 * policies.explain(Namespace.parse("tenant:acme:bob"), { tool: "shell", risk: "exec", arguments: {} })
 * // { decision: "deny", layer: "tenant:acme", rule: 'deny "risk:exec"' }
 * ```
 */
export class PolicyRegistry {
  readonly #layers = new Map<string, PolicyLayer>()
  readonly #default: Decision

  constructor(options: { readonly default?: Decision } = {}) {
    this.#default = decision(options.default ?? "deny")
  }

  /** A registry that allows every registered tool: for applications whose tools are safe for all their users. */
  static allowAll(): PolicyRegistry {
    return new PolicyRegistry({ default: "allow" })
  }

  /**
   * Sets the layer of a namespace, replacing the one it had. It is copied: changing the object later changes nothing.
   *
   * @throws InvalidInput for a rule, a decision or a member that is not one: a misspelt rule would forbid nothing.
   */
  set(namespace: Namespace, layer: PolicyLayer): void {
    this.#layers.set(namespace.key, checked(layer))
  }

  remove(namespace: Namespace): boolean {
    return this.#layers.delete(namespace.key)
  }

  /** The decision for a call in a namespace, with the layer and rule that made it. */
  explain(namespace: Namespace, call: PolicyCall): Verdict {
    let verdict: Verdict | undefined
    if (this.#layers.size > 0) {
      for (const key of namespace.lineageKeys) {
        const layer = this.#layers.get(key)
        const spoken = layer && judge(layer, key, call)
        if (spoken && (!verdict || RANK[spoken.decision] < RANK[verdict.decision])) verdict = spoken
      }
    }
    return verdict ?? { decision: this.#default, layer: "default", rule: `default ${this.#default}` }
  }
}

function decision(value: Decision): Decision {
  if (ORDER.includes(value)) return value
  throw new InvalidInput(`"${value}" is not a decision: use "deny", "ask" or "allow".`)
}

function checked(layer: PolicyLayer): PolicyLayer {
  const copy: { -readonly [K in keyof PolicyLayer]: PolicyLayer[K] } = {}
  for (const key of Object.keys(layer)) {
    if (key !== "default" && !ORDER.some((known) => known === key)) {
      throw new InvalidInput(`"${key}" is not part of a policy: it has deny, ask, allow and default.`)
    }
  }
  for (const key of ORDER) {
    const rules = layer[key]
    if (rules === undefined) continue
    if (!Array.isArray(rules)) throw new InvalidInput(`"${key}" takes a list of rules.`)
    for (const rule of rules) {
      if (typeof rule === "string" && RULE.test(rule)) continue
      throw new InvalidInput(
        `"${rule}" is not a rule: use a tool name, a glob such as "github.*", or "risk:exec".`,
      )
    }
    copy[key] = [...rules]
  }
  if (layer.default !== undefined) copy.default = decision(layer.default)
  return copy
}

/** What one layer says about a call, or undefined when it does not speak. */
function judge(layer: PolicyLayer, key: string, call: PolicyCall): Verdict | undefined {
  for (const decision of ORDER) {
    const rule = layer[decision]?.find((pattern) => matches(pattern, call))
    if (rule !== undefined) return { decision, layer: key, rule: `${decision} "${rule}"` }
  }
  return layer.default && { decision: layer.default, layer: key, rule: `default ${layer.default}` }
}

function matches(rule: string, call: PolicyCall): boolean {
  if (rule.startsWith("risk:")) return rule.slice(5) === call.risk
  if (!rule.includes("*")) return rule === call.tool
  return matchesGlob(rule.split("*"), call.tool)
}

/** Linear in the length of the name: each piece is looked for once, left to right. */
function matchesGlob(pieces: readonly string[], name: string): boolean {
  const first = pieces[0] ?? ""
  const last = pieces.at(-1) ?? ""
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false
  let from = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, from)
    if (found < 0 || found + piece.length > name.length - last.length) return false
    from = found + piece.length
  }
  return true
}

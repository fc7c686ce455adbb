import type { PolicyLayer } from "./policy.ts"
import type { PolicyRule } from "./policy-rule.ts"

/**
 * A layer as it can be recorded, no wider than it is together with the one it was made of. A check cannot be: a rule
 * that it narrows is recorded without it, and one that it makes forbid is left to the layer itself.
 */
export function frozen(layer: PolicyLayer | undefined): readonly PolicyLayer[] {
  if (!layer) return []
  const unchecked = (rules: PolicyLayer["deny"] = []): readonly (string | PolicyRule)[] =>
    rules.filter((rule) => typeof rule === "string" || !rule.check)
  const withoutCheck = (rule: string | PolicyRule): string | PolicyRule => {
    if (typeof rule === "string") return rule
    const { check: _, ...rest } = rule
    return rest
  }
  return [
    {
      ...layer,
      deny: unchecked(layer.deny),
      ask: unchecked(layer.ask),
      allow: (layer.allow ?? []).map(withoutCheck),
    },
  ]
}

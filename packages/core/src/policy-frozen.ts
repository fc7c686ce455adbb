import type { PolicyLayer } from "./policy.ts"
import type { PolicyRule } from "./policy-rule.ts"

/**
 * A layer as it can be recorded: what it denies beside itself it denies alone as well. Only a check cannot be recorded. A
 * rule that forbids by one is left to the layer itself; one that asks or allows is recorded as if it had none, so that a
 * person may be asked once too often.
 */
export function frozen(layer: PolicyLayer | undefined): readonly PolicyLayer[] {
  if (!layer) return []
  const { deny = [], ask = [], allow = [] } = layer
  return [
    {
      ...layer,
      deny: deny.filter((rule) => typeof rule === "string" || !rule.check),
      ask: ask.map(withoutCheck),
      allow: allow.map(withoutCheck),
    },
  ]
}

function withoutCheck(rule: string | PolicyRule): string | PolicyRule {
  if (typeof rule === "string") return rule
  const { check: _, ...rest } = rule
  return rest
}

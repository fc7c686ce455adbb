import fc from "fast-check"
import { expect, test } from "vitest"
import { Namespace } from "./namespace.ts"
import { type Decision, type PolicyLayer, PolicyRegistry } from "./policy.ts"
import { frozen } from "./policy-frozen.ts"
import type { PolicyRule } from "./policy-rule.ts"

const ns = Namespace.of("acme")
const rules = fc.array(
  fc.oneof(
    fc.constantFrom("t1", "t2", "*", "risk:exec"),
    fc.constantFrom<PolicyRule>(
      { tool: "t1", tainted: true },
      { tool: "t1", check: () => true },
      { tool: "t*", check: () => false },
    ),
  ),
  { maxLength: 3 },
)
const decision = fc.constantFrom<Decision>("deny", "ask", "allow")
const layers: fc.Arbitrary<PolicyLayer> = fc.record(
  { deny: rules, ask: rules, allow: rules, default: decision, ceiling: decision },
  { requiredKeys: [] },
)

const decided = (bounds: readonly PolicyLayer[]): readonly Decision[] => {
  const policies = PolicyRegistry.allowAll().within(bounds)
  return ["t1", "t2", "t3"].flatMap((tool) =>
    [true, false].map(
      (tainted) => policies.explain(ns, { tool, risk: "exec", arguments: {}, tainted }).decision,
    ),
  )
}

test("a layer as it was recorded, read back, denies nothing beside the layer that this alone does not", () => {
  fc.assert(
    fc.property(layers, (layer) => {
      const read = JSON.parse(JSON.stringify(structuredClone(frozen(layer)))) as readonly PolicyLayer[]
      const alone = decided([layer])
      const both = decided([layer, ...read])
      expect(both.map((each) => each === "deny")).toEqual(alone.map((each) => each === "deny"))
      const checksToAsk = layer.ask?.some((rule) => typeof rule === "object" && rule.check)
      if (!checksToAsk) expect(both).toEqual(alone)
    }),
    { numRuns: 1_000 },
  )
})

test("without checks it is the layer, and where there is none it is nothing", () => {
  const layer: PolicyLayer = { deny: ["t1"], ask: [{ tool: "t2", tainted: true }], default: "allow" }
  expect(decided(frozen(layer))).toEqual(decided([layer]))
  expect(frozen(undefined)).toEqual([])
})

test("what a registry says of a place, as it was recorded, is no more than it said, whatever is set later", () => {
  const acme = Namespace.of("acme", "bob")
  const calls = ["t1", "t2", "t3"].flatMap((tool) =>
    [true, false].map((tainted) => ({ tool, risk: "exec", arguments: {}, tainted }) as const),
  )
  const rank = { deny: 0, ask: 1, allow: 2 }
  fc.assert(
    fc.property(layers, layers, layers, layers, (base, tenant, bound, later) => {
      const plain = JSON.stringify([base, tenant, bound])
      const withCheck = (layer: PolicyLayer) =>
        [...(layer.deny ?? []), ...(layer.ask ?? []), ...(layer.allow ?? [])].some(
          (rule) => typeof rule !== "string" && rule.check,
        )
      fc.pre(![base, tenant, bound].some(withCheck))
      const registry = new PolicyRegistry({ base, default: "allow" })
      registry.set(ns, tenant)
      registry.set(Namespace.of("other"), { default: "deny" })
      const agent = registry.within([bound])
      const before = calls.map((call) => agent.explain(acme, call).decision)
      const recorded = JSON.parse(JSON.stringify(agent.layersAt(acme))) as readonly PolicyLayer[]
      registry.set(ns, later)
      const after = PolicyRegistry.allowAll().within(recorded)
      for (const [index, call] of calls.entries())
        expect(rank[after.explain(acme, call).decision]).toBe(rank[before[index] ?? "deny"])
      expect(JSON.stringify([base, tenant, bound])).toBe(plain)
    }),
  )
})

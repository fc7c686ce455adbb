import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Namespace } from "./namespace.ts"
import { type Decision, type PolicyLayer, PolicyRegistry } from "./policy.ts"
import type { PolicyCall } from "./policy-rule.ts"

const RANK = { deny: 0, ask: 1, allow: 2 }
const acme = Namespace.of("acme")
const bob = acme.child("bob")
const agent = Namespace.of("agent")
const call = (tool = "shell"): PolicyCall => ({ tool, risk: "exec", arguments: {} })

const decisions = fc.constantFrom<Decision>("deny", "ask", "allow")
const rules = fc.array(
  fc.constantFrom(
    "shell",
    "web",
    "*",
    "risk:exec",
    { tool: "shell", from: 100, until: 200 },
    { arguments: { "/x": { equals: 1 } } },
    { tool: "web", check: () => true },
    { check: () => false, name: "never" },
  ),
  { maxLength: 3 },
)
const layers = fc
  .record(
    {
      deny: rules,
      ask: rules,
      allow: rules,
      default: decisions,
      ceiling: decisions,
      from: fc.constantFrom(50, 150),
      until: fc.constantFrom(180, 250),
    },
    { requiredKeys: [] },
  )
  .map((layer) => layer as PolicyLayer)
const places = fc.constantFrom(acme, bob, bob.child("chat"), agent)
const settings = fc.array(fc.tuple(places, layers), { maxLength: 4 })
const calls = fc.record({
  tool: fc.constantFrom("shell", "web", "other"),
  risk: fc.constantFrom<PolicyCall["risk"]>("read", "exec"),
  arguments: fc.constantFrom({}, { x: 1 }, { x: "1" }),
  at: fc.integer({ min: 0, max: 300 }),
})

const fill = (policies: PolicyRegistry, given: readonly (readonly [Namespace, PolicyLayer])[]) => {
  for (const [namespace, layer] of given) policies.set(namespace, layer)
  return policies
}

describe("the predecessor's modes", () => {
  test("are one line each, and no layer widens a list", () => {
    const verdicts = (policies: PolicyRegistry) => {
      policies.set(acme, { allow: ["*"] })
      return [policies.explain(acme, call("shell")).decision, policies.explain(acme, call("web")).decision]
    }
    expect(verdicts(PolicyRegistry.allowAll())).toEqual(["allow", "allow"])
    expect(verdicts(PolicyRegistry.denyAll())).toEqual(["deny", "deny"])
    expect(verdicts(PolicyRegistry.allowList(["web"]))).toEqual(["deny", "allow"])
    expect(verdicts(PolicyRegistry.denyList(["web"]))).toEqual(["allow", "deny"])
    expect(verdicts(PolicyRegistry.allowList([]))).toEqual(["deny", "deny"])
    expect(verdicts(PolicyRegistry.denyList([]))).toEqual(["allow", "allow"])
  })
})

describe("a ceiling", () => {
  test("caps what others allow, and allows nothing by itself", () => {
    const policies = new PolicyRegistry({ default: "allow" })
    policies.set(acme, { ceiling: "ask" })
    policies.set(bob, { allow: ["*"] })
    expect(policies.explain(bob, call())).toEqual({ decision: "ask", layer: "acme", rule: "ceiling ask" })
    expect(policies.explain(acme, call()).decision).toBe("ask")
    expect(fill(new PolicyRegistry(), [[acme, { ceiling: "allow" }]]).explain(bob, call()).decision).toBe(
      "deny",
    )
  })
})

describe("epoch", () => {
  test("grows with each change, also of what a registry is within", () => {
    const policies = new PolicyRegistry()
    const child = policies.within([])
    const seen = [child.epoch]
    policies.set(acme, {})
    seen.push(child.epoch)
    child.set(acme, {})
    seen.push(child.epoch)
    policies.remove(acme)
    seen.push(child.epoch)
    expect(policies.remove(acme)).toBe(false)
    expect(seen).toEqual([0, 1, 2, 3])
    expect([policies.epoch, child.epoch]).toEqual([2, 3])
  })
})

describe("time", () => {
  const at = (layer: PolicyLayer, now: number, byDefault: Decision = "deny") =>
    new PolicyRegistry({ default: byDefault, base: layer, clock: () => now, skewMs: 10 }).explain(
      acme,
      call(),
    ).decision

  test("what a layer allows for a time ends early, what it denies does not end", () => {
    const layer: PolicyLayer = { allow: ["shell"], from: 100, until: 200 }
    expect([100, 109, 110, 189, 190, 200, 999].map((now) => at(layer, now))).toEqual([
      "deny",
      "deny",
      "allow",
      "allow",
      "deny",
      "deny",
      "deny",
    ])
    for (const now of [0, 150, 999]) {
      expect(at({ deny: ["shell"], from: 100, until: 200 }, now, "allow")).toBe("deny")
      expect(at({ ceiling: "ask", from: 100, until: 200 }, now, "allow")).toBe("ask")
      expect(at({ default: "deny", from: 100, until: 200 }, now, "allow")).toBe("deny")
    }
  })

  test("a rule that denies for a time begins early and ends late", () => {
    const layer: PolicyLayer = { deny: [{ tool: "shell", from: 100, until: 200 }] }
    expect([89, 90, 209, 210].map((now) => at(layer, now, "allow"))).toEqual([
      "allow",
      "deny",
      "deny",
      "allow",
    ])
  })

  test("a clock set back revives nothing, and one that says nothing allows nothing", () => {
    let now: number | undefined = 150
    const clock = () => {
      if (now === undefined) throw new Error("no clock")
      return now
    }
    const policies = new PolicyRegistry({
      clock,
      base: { allow: [{ tool: "shell", until: 200 }, "web"], deny: [{ tool: "web", until: 200 }] },
      skewMs: 0,
    })
    const both = () => [policies.explain(acme, call()).decision, policies.explain(acme, call("web")).decision]
    expect(both()).toEqual(["allow", "deny"])
    now = 250
    expect(both()).toEqual(["deny", "allow"])
    now = 150
    expect(both()).toEqual(["deny", "deny"])
    now = Number.NaN
    expect(both()).toEqual(["deny", "deny"])
    now = undefined
    expect(both()).toEqual(["deny", "deny"])
  })

  test("property: the end of a layer never widens anything", () => {
    fc.assert(
      fc.property(layers, settings, calls, (layer, others, asked) => {
        const policies = fill(new PolicyRegistry(), others)
        const { from: _, until: __, ...always } = layer
        policies.set(bob, always as PolicyLayer)
        const inTime = RANK[policies.explain(bob, asked).decision]
        policies.set(bob, { ...always, from: 1_000_000, until: 2_000_000 } as PolicyLayer)
        expect(RANK[policies.explain(bob, asked).decision]).toBeLessThanOrEqual(inTime)
      }),
      { numRuns: 500 },
    )
  })
})

describe("layers of every kind", () => {
  test("property: adding one never widens what was said, order and repetition do not matter", () => {
    const unique = fc.uniqueArray(fc.tuple(places, layers), { selector: ([namespace]) => namespace.key })
    fc.assert(
      fc.property(unique, calls, (given, asked) => {
        const where = bob.child("chat")
        const verdict = fill(new PolicyRegistry(), given).explain(where, asked)
        expect(fill(new PolicyRegistry(), given.toReversed()).explain(where, asked)).toEqual(verdict)
        expect(fill(new PolicyRegistry(), [...given, ...given]).explain(where, asked)).toEqual(verdict)
        const fewer = fill(new PolicyRegistry(), given.slice(0, -1)).explain(where, asked)
        if (fewer.layer !== "default")
          expect(RANK[verdict.decision]).toBeLessThanOrEqual(RANK[fewer.decision])
      }),
      { numRuns: 500 },
    )
  })

  test("property: a tool that could be called with some arguments is listed", () => {
    fc.assert(
      fc.property(settings, calls, (given, asked) => {
        const policies = fill(new PolicyRegistry(), given)
        const { arguments: _, ...listing } = asked
        expect(RANK[policies.explain(bob, listing).decision]).toBeGreaterThanOrEqual(
          RANK[policies.explain(bob, asked).decision],
        )
      }),
      { numRuns: 500 },
    )
  })
})

describe("within", () => {
  test("bounds a child by a namespace, by a layer and by its own layers, and names which", () => {
    const policies = fill(PolicyRegistry.allowAll(), [[agent, { deny: ["web"] }]])
    const child = policies.within([agent, { ceiling: "ask", deny: ["git_*"] }])
    child.set(bob, { deny: ["mail"] })
    expect(child.explain(bob, call("web"))).toMatchObject({ decision: "deny", layer: "agent" })
    expect(child.explain(bob, call("git_push"))).toMatchObject({ decision: "deny", layer: "delegation" })
    expect(child.explain(bob, call("mail"))).toMatchObject({ decision: "deny", layer: "acme:bob" })
    expect(child.explain(bob, call())).toMatchObject({ decision: "ask", rule: "ceiling ask" })
    expect(policies.explain(bob, call("web")).decision).toBe("allow")
    policies.set(acme, { deny: ["shell"] })
    expect(child.explain(bob, call()).decision).toBe("deny")
  })

  test("property: never more than the parent here, than the parent at a bound, or than a bound says", () => {
    fc.assert(
      fc.property(
        settings,
        settings,
        fc.array(layers, { maxLength: 2 }),
        decisions,
        calls,
        (of, own, bounds, byDefault, asked) => {
          const parent = fill(new PolicyRegistry({ default: byDefault }), of)
          const child = fill(parent.within([agent, ...bounds]), own)
          const grandchild = child.within([{ allow: ["*"], default: "allow" }])
          const rank = (policies: PolicyRegistry, where = bob) =>
            RANK[policies.explain(where, asked).decision]
          expect(rank(child)).toBeLessThanOrEqual(rank(parent))
          expect(rank(child)).toBeLessThanOrEqual(rank(parent, agent))
          for (const base of bounds) {
            expect(rank(child)).toBeLessThanOrEqual(rank(new PolicyRegistry({ default: "allow", base })))
          }
          expect(rank(grandchild)).toBe(rank(child))
          expect(rank(parent.within([]))).toBe(rank(parent))
        },
      ),
      { numRuns: 500 },
    )
  })
})

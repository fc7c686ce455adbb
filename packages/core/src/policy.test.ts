import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Namespace } from "./namespace.ts"
import { type Decision, type PolicyLayer, PolicyRegistry } from "./policy.ts"
import type { PolicyCall } from "./policy-rule.ts"

const RANK = { deny: 0, ask: 1, allow: 2 }

const acme = Namespace.parse("tenant:acme")
const bob = acme.child("bob")
const call = (tool: string, risk: PolicyCall["risk"] = "read"): PolicyCall => ({ tool, risk, arguments: {} })

const registry = (layers: readonly (readonly [Namespace, PolicyLayer])[], byDefault?: Decision) => {
  const policies = new PolicyRegistry(byDefault && { default: byDefault })
  for (const [namespace, layer] of layers) policies.set(namespace, layer)
  return policies
}

describe("explain", () => {
  test("says which layer and rule decided", () => {
    const policies = registry([
      [acme, { deny: ["risk:exec"], ask: ["github_*"], allow: ["*"] }],
      [bob, { deny: ["github_delete"], default: "allow" }],
    ])
    expect(policies.explain(bob, call("shell", "exec"))).toEqual({
      decision: "deny",
      layer: "tenant:acme",
      rule: 'deny "risk:exec"',
    })
    expect(policies.explain(bob, call("github_read"))).toMatchObject({
      decision: "ask",
      layer: "tenant:acme",
    })
    expect(policies.explain(bob, call("github_delete"))).toMatchObject({
      decision: "deny",
      layer: "tenant:acme:bob",
    })
    expect(policies.explain(acme, call("github_delete"))).toMatchObject({ decision: "ask" })
    expect(policies.explain(bob, call("weather"))).toMatchObject({ decision: "allow", layer: "tenant:acme" })
  })

  test("is deny where nobody speaks, unless said otherwise", () => {
    expect(new PolicyRegistry().explain(bob, call("x"))).toEqual({
      decision: "deny",
      layer: "default",
      rule: "default deny",
    })
    expect(PolicyRegistry.allowAll().explain(bob, call("x")).decision).toBe("allow")
    expect(registry([[acme, { allow: ["other"] }]]).explain(bob, call("x")).decision).toBe("deny")
  })

  test("a layer speaks for its namespace and what is below, never for another", () => {
    const policies = registry([[bob, { deny: ["*"] }]], "allow")
    expect(policies.explain(bob.child("deep"), call("x")).decision).toBe("deny")
    for (const other of [acme, acme.child("bobby"), Namespace.of("tenant")]) {
      expect(policies.explain(other, call("x")).decision).toBe("allow")
    }
    expect(policies.remove(bob)).toBe(true)
    expect(policies.explain(bob, call("x")).decision).toBe("allow")
  })
})

describe("set", () => {
  test("refuses what is not a rule, a decision or a part of a layer", () => {
    const policies = new PolicyRegistry()
    for (const layer of [
      { deny: ["risk:delete"] },
      { deny: ["risk:"] },
      { deny: ["two words"] },
      { allow: [""] },
      { ask: [1] },
      { deny: "shell" },
      { denny: ["shell"] },
      { default: "alow" },
    ]) {
      expect(() => policies.set(acme, layer as unknown as PolicyLayer)).toThrow(
        expect.objectContaining({ code: "invalid_input" }),
      )
    }
    expect(() => new PolicyRegistry({ default: "yes" as Decision })).toThrow("is not a decision")
    expect(policies.explain(acme, call("shell")).layer).toBe("default")
  })

  test("keeps a copy", () => {
    const deny = ["shell"]
    const policies = registry([[acme, { deny }]], "allow")
    deny.pop()
    expect(policies.explain(acme, call("shell")).decision).toBe("deny")
  })
})

describe("globs", () => {
  test("match a name from end to end", () => {
    const matches = (rule: string, name: string) =>
      registry([[acme, { allow: [rule] }]]).explain(acme, call(name)).decision === "allow"
    for (const [rule, name, expected] of [
      ["github_*", "github_read", true],
      ["github_*", "github_", true],
      ["github_*", "my_github_read", false],
      ["*_read", "github_read", true],
      ["*_read", "github_readx", false],
      ["a*a", "a", false],
      ["a*a", "aa", true],
      ["a*b*c", "axxbxxc", true],
      ["a*b*c", "axxcxxb", false],
      ["*", "anything", true],
      ["a.c", "abc", false],
      ["shell", "shell2", false],
    ] as const) {
      expect(matches(rule, name), `${rule} on ${name}`).toBe(expected)
    }
  })

  test("property: match exactly what the same pattern as a regular expression does", () => {
    const letters = fc.stringMatching(/^[ab*]{1,8}$/)
    fc.assert(
      fc.property(letters, fc.stringMatching(/^[ab]{1,10}$/), (rule, name) => {
        const regex = new RegExp(`^${rule.replaceAll("*", ".*")}$`)
        const allowed = registry([[acme, { allow: [rule] }]]).explain(acme, call(name)).decision === "allow"
        expect(allowed).toBe(regex.test(name))
      }),
      { numRuns: 500 },
    )
  })

  test("of a hundred stars on a long name cost no more than reading it", () => {
    let looks = 0
    const name = new Proxy(new String("a".repeat(10_000)), {
      get: (target, key) => {
        if (key === "indexOf") looks++
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === "function" ? value.bind(target) : value
      },
    })
    const policies = registry([[acme, { allow: [`${"*a".repeat(100)}*c*b`] }]])
    expect(policies.explain(acme, { ...call(""), tool: name as unknown as string }).decision).toBe("deny")
    expect(looks).toBeLessThanOrEqual(101)
  })
})

describe("layers", () => {
  const rules = fc.array(fc.constantFrom("shell", "web", "git_*", "*", "risk:exec", "risk:read"), {
    maxLength: 3,
  })
  const decisions = fc.constantFrom<Decision>("deny", "ask", "allow")
  const layer: fc.Arbitrary<PolicyLayer> = fc
    .record({ deny: rules, ask: rules, allow: rules, default: decisions }, { requiredKeys: [] })
    .map((given) => given as PolicyLayer)
  const places = [Namespace.of("tenant"), acme, bob, bob.child("chat")]
  const layers = fc.uniqueArray(fc.tuple(fc.constantFrom(...places), layer), {
    selector: ([namespace]) => namespace.key,
  })
  const calls = fc.record({
    tool: fc.constantFrom("shell", "web", "git_push", "other"),
    risk: fc.constantFrom<PolicyCall["risk"]>("read", "write", "exec", "network"),
    arguments: fc.constant({}),
  })

  test("property: adding one never widens what the others say", () => {
    fc.assert(
      fc.property(layers, calls, decisions, (given, asked, byDefault) => {
        for (let count = 0; count < given.length; count++) {
          const before = registry(given.slice(0, count), byDefault).explain(bob.child("chat"), asked)
          const after = registry(given.slice(0, count + 1), byDefault).explain(bob.child("chat"), asked)
          if (before.layer !== "default")
            expect(RANK[after.decision]).toBeLessThanOrEqual(RANK[before.decision])
        }
      }),
      { numRuns: 500 },
    )
  })

  test("property: their order and their repetition do not matter", () => {
    fc.assert(
      fc.property(layers, calls, (given, asked) => {
        const verdict = registry(given).explain(bob, asked)
        expect(registry(given.toReversed()).explain(bob, asked)).toEqual(verdict)
        expect(registry([...given, ...given]).explain(bob, asked)).toEqual(verdict)
      }),
      { numRuns: 300 },
    )
  })

  test("property: a child has at most what its parent has, where the parent's layers speak", () => {
    fc.assert(
      fc.property(layers, calls, (given, asked) => {
        const policies = registry(given)
        const parent = policies.explain(acme, asked)
        const child = policies.explain(bob, asked)
        if (parent.layer !== "default")
          expect(RANK[child.decision]).toBeLessThanOrEqual(RANK[parent.decision])
      }),
      { numRuns: 300 },
    )
  })
})

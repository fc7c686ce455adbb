import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { Json, JsonObject } from "./json.ts"
import { Namespace } from "./namespace.ts"
import { type Decision, PolicyRegistry } from "./policy.ts"
import type { ArgumentMatcher, PolicyCall, PolicyRule } from "./policy-rule.ts"

const acme = Namespace.of("acme")
const shell = (args: JsonObject): PolicyCall => ({ tool: "shell", risk: "exec", arguments: args })

const denied = (rule: PolicyRule, call: PolicyCall): boolean =>
  PolicyRegistry.denyList([rule]).explain(acme, call).decision === "deny"
const allowed = (rule: PolicyRule, call: PolicyCall): boolean =>
  PolicyRegistry.allowList([rule]).explain(acme, call).decision === "allow"

describe("a rule about arguments", () => {
  const cases: readonly (readonly [ArgumentMatcher, readonly Json[], readonly Json[]])[] = [
    [{ equals: "rm" }, ["rm"], ["rmdir", "ls"]],
    [{ equals: { a: [1, "x"], b: null } }, [{ b: null, a: [1, "x"] }], [{ a: [1, "y"], b: null }, {}]],
    [{ oneOf: ["main", "release"] }, ["main", "release"], ["dev"]],
    [{ prefix: "https://example.com/" }, ["https://example.com/a"], ["https://example.com.evil/"]],
    [{ glob: "*.pem" }, ["key.pem", "/etc/key.pem"], ["key.pem.txt"]],
    [{ min: 100 }, [100, 1e9], [99]],
    [{ min: 1, max: 3 }, [1, 2, 3], [0, 4]],
  ]

  test("matches by equality, choice, beginning, glob and range", () => {
    for (const [matcher, yes, no] of cases) {
      const rule = { tool: "shell", arguments: { "/x": matcher } }
      for (const x of yes) {
        expect(
          [denied(rule, shell({ x })), allowed(rule, shell({ x }))],
          JSON.stringify([matcher, x]),
        ).toEqual([true, true])
      }
      for (const x of no) {
        expect(
          [denied(rule, shell({ x })), allowed(rule, shell({ x }))],
          JSON.stringify([matcher, x]),
        ).toEqual([false, false])
      }
      expect([denied(rule, shell({})), allowed(rule, shell({}))]).toEqual([false, false])
    }
  })

  test("looks where its JSON Pointer says, and nowhere else", () => {
    const at = (pointer: string) => ({ arguments: { [pointer]: { equals: "x" } } })
    expect(denied(at("/a/b"), shell({ a: { b: "x" } }))).toBe(true)
    expect(denied(at("/a~1b"), shell({ "a/b": "x" }))).toBe(true)
    expect(denied(at("/a~0b"), shell({ "a~b": "x" }))).toBe(true)
    expect(denied(at("/a/1"), shell({ a: ["y", "x"] }))).toBe(true)
    expect(denied(at("/a/b"), shell({ a: "x" }))).toBe(false)
    expect(allowed(at("/toString"), shell({}))).toBe(false)
  })

  test("about every item: one is enough to deny, all are needed to allow", () => {
    const rule = (matcher: ArgumentMatcher) => ({ arguments: { "/to/*": matcher } })
    const mine = rule({ glob: "*@acme.example" })
    expect(allowed(mine, shell({ to: ["a@acme.example", "b@acme.example"] }))).toBe(true)
    expect(allowed(mine, shell({ to: ["a@acme.example", "b@evil.example"] }))).toBe(false)
    expect(allowed(mine, shell({ to: [] }))).toBe(false)
    expect(allowed(mine, shell({ to: "a@acme.example" }))).toBe(false)
    const theirs = rule({ glob: "*@evil.example" })
    expect(denied(theirs, shell({ to: ["a@acme.example", "b@evil.example"] }))).toBe(true)
    expect(denied(theirs, shell({ to: "b@evil.example" }))).toBe(true)
    expect(denied(theirs, shell({ to: [] }))).toBe(false)
  })

  test("denies what it cannot compare, and never allows it", () => {
    for (const [matcher, value] of [
      [{ prefix: "rm" }, ["ls"]],
      [{ glob: "rm*" }, { cmd: "ls" }],
      [{ equals: "rm" }, ["rm"]],
      [{ min: 100 }, "many"],
      [{ min: 100 }, [500]],
    ] as const) {
      const rule = { arguments: { "/x": matcher } }
      expect(denied(rule, shell({ x: value })), JSON.stringify(value)).toBe(true)
      expect(allowed(rule, shell({ x: value })), JSON.stringify(value)).toBe(false)
    }
  })

  test("leaves the listing of a tool to what it may allow", () => {
    const listing = { tool: "shell", risk: "exec" } as const
    const rule = { tool: "shell", arguments: { "/x": { equals: "ls" } } }
    expect(PolicyRegistry.allowList([rule]).explain(acme, listing).decision).toBe("allow")
    expect(PolicyRegistry.denyList([rule]).explain(acme, listing).decision).toBe("allow")
    expect(PolicyRegistry.denyList(["shell"]).explain(acme, listing).decision).toBe("deny")
  })

  test("is refused when it is none", () => {
    for (const rule of [
      {},
      { name: "nothing" },
      { tool: "two words" },
      { risk: "delete" },
      { tools: "shell" },
      { from: 2, until: 1 },
      { until: "tomorrow" },
      { check: "yes" },
      { arguments: { url: { equals: 1 } } },
      { arguments: { "/url": {} } },
      { arguments: { "/url": { equals: 1, prefix: "x" } } },
      { arguments: { "/url": { min: 3, max: 1 } } },
      { arguments: { "/url": { startsWith: "x" } } },
      { arguments: { "/url": "x" } },
    ]) {
      expect(() => PolicyRegistry.denyList([rule as PolicyRule]), JSON.stringify(rule)).toThrow(
        expect.objectContaining({ code: "invalid_input" }),
      )
    }
  })
})

describe("a spelling", () => {
  const disguises: readonly ((text: string) => string)[] = [
    (text) => text.toUpperCase(),
    (text) => `  ${text}`,
    (text) => text.replaceAll(" ", "\t \n"),
    (text) => [...text].join("\u200b"),
    (text) => [...text].join("\u00ad"),
    (text) => `\u202e${text}`,
    (text) => `\0${text}`,
    (text) => `\ud800${text}`,
    (text) => text.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(0xff41 + letter.charCodeAt(0) - 97)),
    (text) =>
      text.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(0x1d41a + letter.charCodeAt(0) - 97)),
    (text) => text.replaceAll("k", "\u212a").replaceAll("s", "\u017f"),
  ]
  const disguise = fc.array(fc.constantFrom(...disguises), { maxLength: 4 })
  const texts = fc.constantFrom("rm -rf", "/etc/passwd", "drop tables", "kiosk")
  const matchers = [
    (text: string) => ({ equals: text }),
    (text: string) => ({ oneOf: ["other", text] }),
    (text: string) => ({ prefix: text }),
    (text: string) => ({ glob: `${text.slice(0, 3)}*` }),
  ]

  test("property: never slips past what denies, never gets in by what allows", () => {
    fc.assert(
      fc.property(texts, disguise, fc.constantFrom(...matchers), (text, steps, matcher) => {
        const spelt = steps.reduce<string>((so, step) => step(so), text)
        const rule = { arguments: { "/x": matcher(text) } }
        expect(denied(rule, shell({ x: spelt }))).toBe(true)
        if (!spelt.startsWith(text.slice(0, 3))) expect(allowed(rule, shell({ x: spelt }))).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test("of a tool's name or of a number neither", () => {
    expect(denied({ tool: "shell" }, { ...shell({}), tool: "SHELL" })).toBe(true)
    expect(allowed({ tool: "shell" }, { ...shell({}), tool: "SHELL" })).toBe(false)
    for (const amount of ["500", " 5e2 ", "\uff15\uff10\uff10", "0x1F4"]) {
      expect(denied({ arguments: { "/amount": { min: 100 } } }, shell({ amount })), amount).toBe(true)
      expect(denied({ arguments: { "/amount": { equals: 500 } } }, shell({ amount })), amount).toBe(true)
      expect(allowed({ arguments: { "/amount": { min: 100 } } }, shell({ amount })), amount).toBe(false)
    }
    expect(denied({ arguments: { "/force": { equals: true } } }, shell({ force: "True" }))).toBe(true)
  })

  test("arguments that could be another thing when they are used are denied by whatever looks at them", () => {
    let reads = 0
    const shifty = Object.defineProperty({}, "x", { enumerable: true, get: () => (reads++ ? "rm" : "ls") })
    class Odd {
      x = "ls"
    }
    for (const args of [
      JSON.parse('{"__proto__": {"x": "rm"}}'),
      JSON.parse('{"x": "ls", "deep": [{"constructor": 1}]}'),
      shifty,
      new Odd(),
      { x: "ls", y: () => "rm" },
    ] as JsonObject[]) {
      const rule = { arguments: { "/x": { equals: "rm" } } }
      expect(denied(rule, shell(args))).toBe(true)
      expect(allowed({ arguments: { "/x": { equals: "ls" } } }, shell(args))).toBe(false)
      expect(denied({ check: () => false }, shell(args))).toBe(true)
    }
  })
})

describe("a check", () => {
  const with_ = (check: PolicyRule["check"], list: "allow" | "deny" | "ask" = "allow") =>
    new PolicyRegistry({
      base: { [list]: [{ tool: "shell", name: "office hours", check }] as PolicyRule[], default: "allow" },
      checkTimeoutMs: 5,
    })

  test("that says yes makes the rule match, at once when it answers at once", async () => {
    const policies = with_(({ arguments: args }) => args?.["x"] === 1, "deny")
    expect(policies.explain(acme, shell({ x: 1 }))).toEqual({
      decision: "deny",
      layer: "base",
      rule: 'deny "office hours"',
    })
    expect(policies.explain(acme, shell({ x: 2 })).decision).toBe("allow")
    const later = with_(async ({ arguments: args }) => args?.["x"] === 1, "deny")
    await expect(later.decide(acme, shell({ x: 1 }))).resolves.toMatchObject({ decision: "deny" })
    await expect(later.decide(acme, shell({ x: 2 }))).resolves.toMatchObject({ decision: "allow" })
    expect(() => later.explain(acme, shell({ x: 2 }))).toThrow("use decide()")
  })

  test("that throws, rejects, hangs or gives no boolean denies, whatever the rule is for", async () => {
    const broken: readonly PolicyRule["check"][] = [
      () => {
        throw new Error("database")
      },
      () => Promise.reject(new Error("database")),
      () => new Promise(() => {}),
      () => undefined as unknown as boolean,
      async () => "yes" as unknown as boolean,
    ]
    for (const check of broken) {
      for (const list of ["allow", "ask", "deny"] as const) {
        expect(await with_(check, list).decide(acme, shell({}))).toEqual({
          decision: "deny",
          layer: "base",
          rule: `${list} "office hours": its check failed`,
        })
      }
    }
  })

  test("cannot change the call, and is not asked to list a tool or when the answer is no anyway", () => {
    const call = shell({ x: { y: 1 } })
    let asked = 0
    const policies = with_(({ arguments: args }) => {
      asked++
      Object.assign(args?.["x"] as object, { y: 2 })
      return true
    })
    expect(policies.explain(acme, call).decision).toBe("allow")
    expect(call.arguments).toEqual({ x: { y: 1 } })
    policies.explain(acme, { tool: "shell", risk: "exec" })
    policies.set(acme, { deny: ["shell"] })
    policies.explain(acme, call)
    expect(asked).toBe(1)
  })

  test("is judged by the layers as they are when it has answered", async () => {
    const gate = Promise.withResolvers<boolean>()
    const policies = new PolicyRegistry({ base: { allow: [{ check: () => gate.promise }] } })
    const verdict = policies.decide(acme, shell({}))
    policies.set(acme, { deny: ["shell"] })
    gate.resolve(true)
    expect((await verdict).decision).toBe("deny")
  })

  test("in a layer that then has nothing to say leaves the default", async () => {
    for (const byDefault of ["deny", "ask", "allow"] as Decision[]) {
      const policies = new PolicyRegistry({
        default: byDefault,
        base: { ask: [{ check: async () => false }] },
      })
      expect((await policies.decide(acme, shell({}))).decision).toBe(byDefault)
    }
  })
})

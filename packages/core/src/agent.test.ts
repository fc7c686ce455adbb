import { call, say, scriptedProvider, wait } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { agentKey, resolveAgents } from "./agent.ts"
import { Namespace } from "./namespace.ts"
import { PolicyRegistry } from "./policy.ts"
import { Runtime } from "./runtime.ts"
import { tool } from "./tool.ts"

describe("resolving agents", () => {
  test("a list wins over the single agent of an older configuration", () => {
    expect(resolveAgents([{ name: "Nova" }], { name: "Old" })).toEqual([{ name: "Nova" }])
  })

  test("without a list there is one agent, of the older values or the default", () => {
    const legacy = { name: "Old", personality: "dry", systemPrompt: "Be brief." }
    expect(resolveAgents([], legacy)).toEqual([legacy])
    expect(resolveAgents([])).toEqual([{ name: "Atlas" }])
    expect(resolveAgents([], { name: " ", personality: "", systemPrompt: "" })).toEqual([{ name: "Atlas" }])
  })

  test.each(["", " ", "Nova ", "no@va", "a\nb", "\ud800", "x".repeat(65)])("%j is no name", (name) => {
    expect(() => resolveAgents([{ name }])).toThrow(expect.objectContaining({ code: "invalid_input" }))
  })

  test.each([
    ["CodeBot", "codebot"],
    ["STRASSE", "Straße"],
    ["Σας", "ΣΑΣ"],
    ["Jos\u00e9", "JOSE\u0301"],
  ])("%s and %s are the same name", (one, other) => {
    expect(agentKey(one)).toBe(agentKey(other))
    expect(() => resolveAgents([{ name: one }, { name: other }])).toThrow(/same name/)
  })

  test("an accent makes another name", () => {
    expect(resolveAgents([{ name: "Jose" }, { name: "José" }])).toHaveLength(2)
  })
})

describe("a runtime with several agents", () => {
  const ns = Namespace.of("acme", "bob")
  const started = async (runtime: Runtime) =>
    (await runtime.store.read(ns, { types: ["run_started"] })).map((entry) =>
      entry.type === "run_started" ? { agent: entry.agent, model: entry.model } : undefined,
    )

  test("asks what the run's agent has of its own, also for a message that waited", async () => {
    const hold = Promise.withResolvers<void>()
    const other = scriptedProvider(["From B."])
    const provider = scriptedProvider([[wait(hold.promise), say("From A.")]])
    const asked: unknown[] = []
    const runtime = new Runtime({
      provider,
      systemPrompt: "The runtime's.",
      model: "m",
      agent: ({ agent, namespace, metadata, envelope }) => {
        asked.push([agent, namespace.key, metadata, envelope?.depth])
        if (agent === "b") return { name: "B", provider: other, systemPrompt: "B's.", model: "m-b" }
        return agent === undefined ? undefined : { name: "A" }
      },
    })
    const first = await runtime.submit(ns, "One", { agent: "a" })
    const envelope = { agents: ["A"], depth: 1 }
    const second = await runtime.submit(ns, "Two", { agent: "b", envelope })
    expect(second.status).toBe("queued")
    hold.resolve()
    for await (const _ of runtime.follow(second));
    expect(await runtime.result(ns, first.runId ?? "")).toMatchObject({ text: "From A." })
    expect(provider.requests[0]).toMatchObject({ system: "The runtime's.", model: "m" })
    expect(other.requests[0]).toMatchObject({ system: "B's.", model: "m-b" })
    expect(await started(runtime)).toEqual([
      { agent: "A", model: "m" },
      { agent: "B", model: "m-b" },
    ])
    expect(asked).toEqual([
      ["a", ns.key, {}, undefined],
      ["b", ns.key, {}, 1],
    ])
  })

  test("judges by the agent's policies, which rights narrow further", async () => {
    const policies = PolicyRegistry.allowList(["look"])
    const provider = scriptedProvider([call("look"), "Done."])
    const look = tool({
      name: "look",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => "",
    })
    const write = tool({
      name: "write",
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: () => "",
    })
    const runtime = new Runtime({
      provider,
      tools: [look, write],
      agent: () => ({ name: "A", policies }),
      rights: (_, given) => {
        expect(given).toBe(policies)
        return policies.within([{ deny: ["look"] }])
      },
    })
    await runtime.run(ns, "Go")
    await runtime.run(ns, "Again", { envelope: { agents: ["X"], depth: 1 } }).catch(() => {})
    expect(provider.requests.map(({ tools }) => tools.map(({ name }) => name))).toEqual([
      ["look"],
      ["look"],
      [],
    ])
  })
})

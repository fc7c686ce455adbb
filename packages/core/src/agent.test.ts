import { describe, expect, test } from "vitest"
import { agentKey, resolveAgents } from "./agent.ts"

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

import { describe, expect, test } from "vitest"
import { Namespace } from "./namespace.ts"
import { type ToolContext, type ToolOptions, ToolRegistry, tool } from "./tool.ts"

const context: ToolContext = {
  namespace: Namespace.of("a"),
  runId: "r",
  callId: "c",
  idempotencyKey: "k",
  signal: new AbortController().signal,
  metadata: {},
  progress: () => {},
}

const make = (options: Partial<ToolOptions<unknown>> = {}) =>
  tool<unknown>({
    name: "tool",
    description: "What it does.",
    input: { type: "object" },
    risk: "read",
    execute: () => "done",
    ...options,
  })

describe("a tool", () => {
  test("is what it was declared to be, with defaults that are safe", () => {
    expect(make()).toMatchObject({
      definition: { name: "tool", description: "What it does.", inputSchema: { type: "object" } },
      risk: "read",
      idempotent: true,
      untrusted: false,
      timeoutMs: 120_000,
    })
    for (const risk of ["write", "exec", "network"] as const) expect(make({ risk }).idempotent).toBe(false)
    expect(make({ risk: "write", idempotent: true }).idempotent).toBe(true)
  })

  test("has a name that every provider accepts", () => {
    for (const name of ["a", "get_weather-2", "x".repeat(64)])
      expect(make({ name }).definition.name).toBe(name)
    for (const name of ["", "x".repeat(65), "a.b", "a b", "é", "a\n"]) {
      expect(() => make({ name })).toThrow(expect.objectContaining({ code: "invalid_input" }))
    }
  })

  test("gives its arguments checked, and its context, to the one who wrote it", async () => {
    const seen: unknown[] = []
    const made = make({
      input: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
      execute: (input, given) => {
        seen.push(input, given)
        return "x"
      },
    })
    await expect(made.parse({})).rejects.toMatchObject({ code: "invalid_input", message: "n is missing." })
    await made.execute(await made.parse({ n: 1 }), context)
    expect(seen).toEqual([{ n: 1 }, context])
  })

  test("answers in text, JSON, or parts", async () => {
    const output = (value: unknown) => make({ execute: () => value as string }).execute({}, context)
    const text = (value: string) => ({ content: [{ type: "text", text: value }] })
    expect(await output("plain")).toEqual(text("plain"))
    expect(await output({ a: [1] })).toEqual(text('{"a":[1]}'))
    expect(await output(undefined)).toEqual(text("Done."))
    const parts = { content: [{ type: "image", mediaType: "image/png", data: "AA==" }], isError: true }
    expect(await output(parts)).toBe(parts)
    for (const almost of [
      { content: [{ type: "text" }] },
      { content: [null] },
      { content: [{ type: "image" }] },
    ]) {
      expect(await output(almost)).toEqual(text(JSON.stringify(almost)))
    }
    await expect(output({ big: 1n })).rejects.toMatchObject({ code: "tool_output_invalid" })
  })
})

describe("a registry", () => {
  test("holds one tool of a name, in an order that does not depend on when it came", () => {
    const names = ["b", "a", "c"]
    const registry = new ToolRegistry(names.map((name) => make({ name })))
    expect(registry.list().map(({ definition }) => definition.name)).toEqual(["a", "b", "c"])
    expect(() => registry.add(make({ name: "a" }))).toThrow(expect.objectContaining({ code: "tool_exists" }))
    expect([registry.remove("a"), registry.remove("a")]).toEqual([true, false])
    expect(registry.get("a")).toBeUndefined()
    expect(registry.get("constructor")).toBeUndefined()
    registry.add(make({ name: "a" }))
    expect(registry.get("a")).toBeDefined()
  })
})

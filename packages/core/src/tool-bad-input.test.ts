import { call, say, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { type Entry, Namespace, Runtime, type Tool, ToolRegistry, tool } from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const make = (options: Partial<Parameters<typeof tool>[0]> = {}): Tool =>
  tool({
    name: "work",
    description: "",
    input: { type: "object" },
    risk: "read",
    execute: () => "done",
    ...options,
  })

describe("a tool that cannot be one is refused where it is declared", () => {
  const pointless = { type: "object", properties: { a: { $ref: "#/nowhere" } } }
  test.each<[string, () => unknown, string]>([
    ["no name", () => make({ name: "" }), "invalid_input"],
    ["a name of another script", () => make({ name: "werkzeug\u00e4" }), "invalid_input"],
    ["a name with a space", () => make({ name: "a b" }), "invalid_input"],
    ["a name that is too long", () => make({ name: "x".repeat(65) }), "invalid_input"],
    ["a name that is no text", () => make({ name: 42 as unknown as string }), "invalid_input"],
    ["no schema", () => make({ input: undefined as never }), "invalid_input"],
    ["a schema that is null", () => make({ input: null as never }), "invalid_input"],
    ["a schema that is a text", () => make({ input: "object" as never }), "invalid_input"],
    ["a schema of a list", () => make({ input: { type: "array" } }), "invalid_input"],
    ["a schema that refers to nothing", () => make({ input: pointless }), "invalid_input"],
    ["a pattern that is none", () => make({ input: { type: "object", pattern: "(" } }), "invalid_input"],
    ["the same name twice", () => new ToolRegistry([make(), make()]), "tool_exists"],
    ["the same name as one that is there", () => new ToolRegistry([make()]).add(make()), "tool_exists"],
  ])("%s", (_, declare, code) => {
    expect(declare).toThrow(expect.objectContaining({ code }))
  })

  test("a runtime with a name twice is not made", () => {
    const provider = scriptedProvider()
    expect(() => new Runtime({ provider, tools: [make(), make()] })).toThrow(
      expect.objectContaining({ code: "tool_exists" }),
    )
  })
})

const cycle: Record<string, unknown> = {}
cycle["self"] = cycle
let deep: unknown = "end"
for (let level = 0; level < 100_000; level++) deep = [deep]
const hostile = {
  get content(): never {
    throw new Error("do not look at me")
  },
}
const unspeakable = Object.create(null) as object
const proxy = new Proxy(
  {},
  {
    get: () => {
      throw new Error("nor at me")
    },
  },
)

/** What the tool does, and the status that the call is answered with; what the answer says, where it matters. */
const table: Record<string, { execute: () => unknown; status: string; says?: string | RegExp }> = {
  "returns nothing": { execute: () => undefined, status: "ok", says: "Done." },
  "returns null": { execute: () => null, status: "ok", says: "null" },
  "returns 100 MB": { execute: () => "x".repeat(100_000_000), status: "ok", says: /^x{1000}/ },
  "returns a cycle": { execute: () => cycle, status: "error", says: /not JSON/ },
  "returns a BigInt": { execute: () => 10n, status: "error", says: /not JSON/ },
  "returns a BigInt inside": { execute: () => ({ a: [1n] }), status: "error", says: /not JSON/ },
  "returns what is nested 100,000 deep": { execute: () => deep, status: "error", says: /not JSON/ },
  "returns a function": { execute: () => () => 1, status: "ok" },
  "returns a symbol": { execute: () => Symbol("x"), status: "ok", says: "Symbol(x)" },
  "returns what must not be looked at": {
    execute: () => hostile,
    status: "error",
    says: "do not look at me",
  },
  "returns a proxy that throws": { execute: () => proxy, status: "error" },
  "returns a text with lone surrogates": { execute: () => "a\ud800b", status: "ok", says: "a\ufffdb" },
  "returns an empty list of parts": { execute: () => ({ content: [] }), status: "ok" },
  "returns parts of no kind": { execute: () => ({ content: [{ type: "film" }] }), status: "ok" },
  "returns structured data in a circle": {
    execute: () => ({ content: [], structured: cycle }),
    status: "error",
    says: /not JSON/,
  },
  "throws an Error": { execute: () => throwing(new Error("no")), status: "error", says: "no" },
  "throws a text": { execute: () => throwing("no"), status: "error", says: "no" },
  "throws undefined": { execute: () => throwing(undefined), status: "error" },
  "throws null": { execute: () => throwing(null), status: "error" },
  "throws an object without text": { execute: () => throwing(unspeakable), status: "error" },
  "throws a proxy that throws": { execute: () => throwing(proxy), status: "error" },
  "throws an Error whose message is none": {
    execute: () => throwing(Object.assign(new Error(), { message: 42 })),
    status: "error",
  },
  "rejects with undefined": { execute: () => Promise.reject(undefined), status: "error" },
  "does not end": { execute: () => new Promise(() => {}), status: "error", says: /abandoned/ },
}

function throwing(value: unknown): never {
  throw value
}

describe("a tool that behaves badly", () => {
  test.each(Object.entries(table))("%s", async (_, { execute, status, says }) => {
    const provider = scriptedProvider([[call("work")], "fine", "fine again"])
    const runtime = new Runtime({
      provider,
      tools: [make({ execute: execute as () => string, timeoutMs: 50 })],
      deltaIntervalMs: 0,
    })
    expect((await runtime.run(ns, "Go")).text).toBe("fine")
    const [answer] = (await runtime.store.read(ns, {
      types: ["tool_result"],
    })) as readonly Entry<"tool_result">[]
    expect(answer?.result.status).toBe(status)
    const [piece] = answer?.result.content ?? []
    const text = piece?.type === "text" ? piece.text : ""
    if (typeof says === "string") expect(text).toBe(says)
    else if (says) expect(text).toMatch(says)
    expect(typeof text).toBe("string")
    // The session is not stuck, and what is in it is JSON.
    expect((await runtime.run(ns, "Again")).text).toBe("fine again")
    const entries = await runtime.store.read(ns)
    expect(JSON.parse(JSON.stringify(entries))).toEqual(entries)
  })

  test("speaks after its time: nothing is heard of it", async () => {
    const late = Promise.withResolvers<void>()
    let tell: (text: string) => void = () => {}
    const execute = async (_: unknown, { progress }: { progress(text: string): void }): Promise<string> => {
      tell = progress
      await late.promise
      return "too late"
    }
    const provider = scriptedProvider([[call("work")], [say("fine")]])
    const runtime = new Runtime({ provider, tools: [make({ execute: execute as never, timeoutMs: 20 })] })
    expect((await runtime.run(ns, "Go")).text).toBe("fine")
    const before = await runtime.store.read(ns)
    tell("still here")
    late.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await runtime.store.read(ns)).toEqual(before)
  })
})

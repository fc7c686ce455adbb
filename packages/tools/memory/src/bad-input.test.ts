import type { Namespace } from "@orra/core"
import { describe, expect, test } from "vitest"
import { ada, byAda, newMemories, wordEmbedder } from "./fixture.ts"
import { Memories, type MemoriesOptions, memoryTools, type NewMemory } from "./index.ts"

const remembered = { source: byAda, content: "x" }

describe("what cannot be remembered is refused, and nothing is written", () => {
  test.each<[string, Partial<NewMemory>, string]>([
    ["nothing", { content: "" }, "memory_empty"],
    ["what is no text", { content: 42 as never }, "memory_empty"],
    ["tags that are none", { tags: "a,b" as never }, "memory_tags_invalid"],
    ["a tag that is no text", { tags: [1 as never] }, "memory_tags_invalid"],
    ["from nowhere", { source: undefined as never }, "memory_source_invalid"],
    ["from who knows where", { source: { principal: "ada" } as never }, "memory_source_invalid"],
    [
      "from somebody with a long name",
      { source: { outside: false, principal: "x".repeat(1_025) } },
      "memory_source_invalid",
    ],
    [
      "from too many",
      { source: { outside: false, agents: new Array(33).fill("x") } },
      "memory_source_invalid",
    ],
    ["only what nobody sees", { content: " \u200b\u{e0041}\n" }, "memory_empty"],
    ["too much", { content: "x".repeat(4_001) }, "memory_too_long"],
    ["far too much", { content: "x".repeat(50_000_000) }, "memory_too_long"],
    ["an empty tag", { tags: ["a", " "] }, "memory_tags_invalid"],
    ["a long tag", { tags: ["x".repeat(65)] }, "memory_tags_invalid"],
    ["many tags", { tags: Array.from({ length: 17 }, (_, at) => `t${at}`) }, "memory_tags_invalid"],
    ["an expiry that has been", { expiresAt: 1 }, "memory_expiry_invalid"],
    ["an expiry that is no number", { expiresAt: Number.NaN }, "memory_expiry_invalid"],
    ["no time at all", { ttlMs: 0 }, "memory_expiry_invalid"],
    ["time without end", { ttlMs: Number.POSITIVE_INFINITY }, "memory_expiry_invalid"],
  ])("%s", async (_, given, code) => {
    const { memories, store } = await newMemories()
    await expect(memories.remember(ada, { ...remembered, ...given })).rejects.toMatchObject({ code })
    expect((await store.records("memories").list(ada)).items).toEqual([])
  })

  test("4,000 characters are not too long, whatever they are", async () => {
    const { memories } = await newMemories()
    const content = "\u{1f600}".repeat(4_000)
    expect((await memories.remember(ada, { ...remembered, content })).memory.content).toBe(content)
  })
})

describe("what cannot be recalled is refused", () => {
  test.each<[string, string, Parameters<Memories["recall"]>[2], string]>([
    ["nothing", " ", {}, "memory_empty"],
    ["too much", "x".repeat(1_001), {}, "memory_too_long"],
    ["none", "x", { limit: 0 }, "memory_option_invalid"],
    ["more than 50", "x", { limit: 51 }, "memory_option_invalid"],
    ["half a one", "x", { limit: 1.5 }, "memory_option_invalid"],
    ["a mode that is none", "x", { mode: "magic" as never }, "memory_option_invalid"],
    ["by meaning without an embedder", "x", { mode: "vector" }, "memory_no_embedder"],
    ["a tag that is none", "x", { tags: [""] }, "memory_tags_invalid"],
  ])("%s", async (_, query, options, code) => {
    const { memories } = await newMemories()
    await expect(memories.recall(ada, query, options)).rejects.toMatchObject({ code })
  })
})

test("of a source only what belongs to one is kept", async () => {
  const { memories } = await newMemories()
  const source = { ...byAda, secret: "x", constructor: "y" }
  expect((await memories.remember(ada, { ...remembered, source })).memory.source).toEqual(byAda)
})

test("whoever stopped is told so", async () => {
  const { memories } = await newMemories("memory", { embedder: wordEmbedder() })
  await memories.remember(ada, remembered)
  const signal = AbortSignal.abort(new Error("stopped"))
  await expect(memories.recall(ada, "x", { signal })).rejects.toThrow("stopped")
})

test("without a namespace nothing is done", async () => {
  const { memories } = await newMemories()
  const none = undefined as unknown as Namespace
  const source = { source: byAda }
  for (const work of [
    () => memories.remember(none, remembered),
    () => memories.recall(none, "x"),
    () => memories.get(none, "id"),
    () => memories.list(none),
    () => memories.edit(none, "id", {}, source),
    () => memories.forget(none, "id", source),
    () => memories.changes(none),
    () => memories.undo(none, 1, source),
    () => memories.purge(none),
  ])
    await expect(work()).rejects.toMatchObject({ code: "namespace_invalid" })
})

test.each<[string, MemoriesOptions]>([
  ["maxMemories", { maxMemories: 0 }],
  ["maxLength", { maxLength: -1 }],
  ["undoMs", { undoMs: -1 }],
  ["maxChanges", { maxChanges: 0.5 }],
  ["embedMs", { embedMs: 0 }],
  ["firstMs", { firstMs: Number.NaN }],
  ["heldNamespaces", { heldNamespaces: Number.POSITIVE_INFINITY }],
  ["heldMemories", { heldMemories: "9" as never }],
])("an option that is none is refused by its name: %s", async (name, options) => {
  const { store } = await newMemories()
  expect(() => new Memories(store, options)).toThrow(
    expect.objectContaining({ code: "memory_option_invalid", message: expect.stringContaining(name) }),
  )
})

test("an owner that has no depth is refused", async () => {
  const { memories } = await newMemories()
  for (const ownerDepth of [0, 1.5, Number.NaN])
    expect(() => memoryTools(memories, { ownerDepth })).toThrow(
      expect.objectContaining({ code: "memory_option_invalid" }),
    )
})

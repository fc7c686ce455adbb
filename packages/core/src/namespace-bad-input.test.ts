import { scriptedProvider, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { MemoryStore, Namespace, Runtime } from "./index.ts"

const odd = [
  "a:b",
  "../..",
  "/etc/passwd",
  "a\\b",
  "a\0b",
  "a\nb",
  "%",
  "%3A",
  " ",
  ".",
  "..",
  "CON",
  "😀👩‍👩‍👧",
  "e\u0301",
  "\u00e9",
  "\u202egnp.exe",
  "__proto__",
  "constructor",
  "undefined",
  "null",
  "toString",
]

describe("a segment with anything in it", () => {
  test("is that segment and no other: each has a session of its own, found by its key", async () => {
    const store = new MemoryStore()
    const runtime = new Runtime({ provider: scriptedProvider([], { otherwise: "ok" }), store })
    const places = odd.flatMap((segment) => [Namespace.of("t", segment), Namespace.of("t", segment, "below")])
    for (const [index, place] of places.entries()) await runtime.run(place, `message ${index}`)
    expect(new Set(places.map(({ key }) => key)).size).toBe(places.length)
    for (const [index, place] of places.entries()) {
      const [entry] = await store.read(Namespace.parse(place.key), { types: ["user"] })
      expect(entry).toMatchObject({ message: { parts: [{ text: `message ${index}` }] } })
    }
    for (const segment of odd) {
      const { items } = await runtime.list(Namespace.of("t", segment))
      expect(items.map(({ namespace }) => namespace.segments)).toEqual(
        expect.arrayContaining([
          ["t", segment],
          ["t", segment, "below"],
        ]),
      )
      expect(items).toHaveLength(2)
    }
    // A key can be written into a log, a URL or a table as it is.
    for (const { key } of places) expect([...key].every((char) => char >= " " && char !== "\x7f")).toBe(true)
  })
})

describe("what makes no namespace", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `s${index}`)
  test.each<[string, readonly unknown[]]>([
    ["no segment", []],
    ["an empty one", [""]],
    ["an empty one inside", ["a", "", "b"]],
    ["10,000 of them", many],
    ["one of a million characters", ["x".repeat(1_000_000)]],
    ["a lone high surrogate", ["a\ud83d"]],
    ["a lone low surrogate", ["\ude00"]],
    ["a number", ["a", 1]],
    ["undefined", ["a", undefined]],
    ["null", [null]],
    ["an object that says it is a text", [{ toString: () => "a" }]],
    ["a list", [["a", "b"]]],
  ])("%s", (_, segments) => {
    const code = expect.objectContaining({ code: "namespace_invalid" })
    expect(() => Namespace.of(...(segments as readonly string[]))).toThrow(code)
    expect(() => Namespace.of("a").child("b", ...(segments.length ? (segments as string[]) : [""]))).toThrow(
      code,
    )
  })

  test.each([undefined, null, 1, {}, "a".repeat(2_000), many.join(":")])("%j is no key", (key) => {
    expect(() => Namespace.parse(key as string)).toThrow(
      expect.objectContaining({ code: "namespace_invalid" }),
    )
  })

  test("reaches no store: a runtime that is given one asks for nothing and writes nothing", async () => {
    const store = watchedStore(new MemoryStore())
    const provider = scriptedProvider([], { otherwise: "ok" })
    const runtime = new Runtime({ provider, store })
    for (const nowhere of [undefined, null, "t", {}, { key: "t" }] as unknown as Namespace[]) {
      await expect(runtime.run(nowhere, "Hello")).rejects.toMatchObject({ code: "namespace_invalid" })
      await expect(runtime.submit(nowhere, "Hello")).rejects.toMatchObject({ code: "namespace_invalid" })
    }
    expect(store.calls.append).toBe(0)
    expect(provider.requests).toEqual([])
  })
})

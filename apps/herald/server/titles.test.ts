import { MemoryStore, Namespace, Runtime, userMessage } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { titleHook, titleOf } from "./titles.ts"

const title = (text: string) => titleOf(userMessage(text))

test.each([
  ["short", "What is the capital of Peru?", "What is the capital of Peru?"],
  ["first line", "\n\n  Fix this:\n```js\nx\n```", "Fix this:"],
  ["white space", "a\t b \u00a0 c", "a b c"],
  ["markdown", "## Plan for Sunday\n- eat", "Plan for Sunday"],
  ["to somebody", "@Nova, plan my Sunday", "plan my Sunday"],
  ["only to somebody", "@Nova", "@Nova"],
  ["code first", "```js\nconst a = 1\n```", "const a = 1"],
  [
    "a sentence of a long line",
    "Write a letter to my landlord. He has not repaired the heating for three weeks and it is cold.",
    "Write a letter to my landlord.",
  ],
  [
    "words that fit",
    "Please compare the following twelve offers for electricity and tell me which one is the cheapest",
    "Please compare the following twelve offers for electricity…",
  ],
  ["control characters and direction marks", "a\u0000b\u202egnp.exe\u2066c", "a b gnp.exe c"],
  ["a lone surrogate", "a\ud800b", "a\ufffdb"],
  ["nothing", " \n\t", ""],
])("%s", (_, text, expected) => {
  expect(title(text)).toBe(expected)
})

test("R1: is cut by code points and never inside one", () => {
  for (const text of ["👩‍👩‍👧‍👦".repeat(40), `https://example.org/${"x".repeat(300)}`, "漢字".repeat(100)]) {
    const cut = title(text)
    expect([...cut].length).toBeLessThanOrEqual(60)
    expect([...cut].length).toBeGreaterThan(20)
    expect(cut.isWellFormed()).toBe(true)
    expect(text.startsWith(cut.slice(0, -1))).toBe(true)
  }
})

test("a huge message costs nothing", () => {
  expect(title(" ".repeat(10_000_000))).toBe("")
  expect(title("word ".repeat(2_000_000)).length).toBeLessThan(61)
})

test("a session is named once, and never against a person's wish", async () => {
  const ns = Namespace.of("web", "s")
  const runtime: Runtime = new Runtime({
    provider: scriptedProvider(["one", "two", "three"]),
    store: new MemoryStore(),
    hooks: [titleHook(() => runtime)],
  })
  const name = async () => (await runtime.info(ns))?.metadata["title"]
  await runtime.run(ns, "First question")
  expect(await name()).toBe("First question")
  await runtime.run(ns, "Second question")
  expect(await name()).toBe("First question")
  await runtime.update(ns, { title: "Mine" })
  await runtime.run(ns, "Third question")
  expect(await name()).toBe("Mine")
  await runtime.close()
})

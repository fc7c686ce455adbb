import { call, scriptedProvider } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { MemoryStore, Namespace, Runtime, tool } from "./index.ts"
import type { ImagePart, TextPart } from "./message.ts"
import { bounded } from "./result-limit.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const bytes = (text: string): number => new TextEncoder().encode(text).length

const pieces = fc.array(
  fc.oneof(
    fc
      .string({ unit: fc.constantFrom("a", "é", "漢", "😀", "\ud800"), maxLength: 60, size: "max" })
      .map((text): TextPart | ImagePart => ({ type: "text", text })),
    fc
      .string({ unit: fc.constantFrom("A"), maxLength: 200, size: "max" })
      .map((data): TextPart | ImagePart => ({ type: "image", mediaType: "image/png", data })),
  ),
  { maxLength: 12, size: "max" },
)

describe("what is kept of a tool's answer", () => {
  test("property: is its beginning, within the limit, cut between code points, and it says so", () => {
    let cuts = 0
    fc.assert(
      fc.property(pieces, fc.integer({ min: 0, max: 600 }), (content, max) => {
        const kept = bounded(content, max)
        const size = (part: TextPart | ImagePart) =>
          bytes(part.type === "text" ? part.text : part.mediaType + part.data)
        const all = content.reduce((sum, part) => sum + size(part), 0)
        const isCut = kept.length !== content.length || kept.some((part, index) => part !== content[index])
        if (all + content.length * 32 <= max) expect(kept).toEqual(content)
        if (!isCut) {
          expect(all).toBeLessThanOrEqual(max)
          return
        }
        cuts++
        const note = kept.at(-1)
        expect(note).toMatchObject({ text: expect.stringContaining(`may have ${max} bytes`) })
        const rest = kept.slice(0, -1)
        expect(rest.reduce((sum, part) => sum + size(part), 0)).toBeLessThanOrEqual(max)
        for (const [index, part] of rest.entries()) {
          const whole = content[index]
          if (whole?.type !== "text" || part.type !== "text") expect(part).toBe(whole)
          else {
            expect(whole.text.startsWith(part.text)).toBe(true)
            if (whole.text.isWellFormed()) expect(part.text.isWellFormed()).toBe(true)
          }
        }
      }),
      { numRuns: 500 },
    )
    expect(cuts).toBeGreaterThan(100)
  })
})

describe("a tool that answers with 100 MB", () => {
  const logged = async (answer: unknown): Promise<string> => {
    const huge = tool({
      name: "huge",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => {
        if (answer instanceof Error) throw answer
        return answer as string
      },
    })
    const store = new MemoryStore()
    const provider = scriptedProvider([call("huge"), "ok"])
    const runtime = new Runtime({ provider, store, tools: [huge], context: { maxResultBytes: 50_000 } })
    expect((await runtime.run(ns, "Go")).text).toBe("ok")
    return JSON.stringify(await store.read(ns))
  }

  test("as text, as an error, as JSON, as a picture or beside its text leaves a log of what is allowed, and a run that goes on", async () => {
    const text = "x".repeat(100_000_000)
    const beside = { content: [{ type: "text", text: "short" }], structured: { text } }
    for (const [answer, size] of [
      [text, 50_000],
      [new Error(text), 50_000],
      [{ text }, 50_000],
      [beside, 0],
      [{ content: [{ type: "image", mediaType: "image/png", data: text }] }, 0],
      [{ content: [{ type: "image", mediaType: text, data: "" }] }, 0],
    ] as const) {
      const log = await logged(answer)
      expect(log.length).toBeGreaterThan(size)
      expect(log.length).toBeLessThan(size + 3_000)
    }
    expect(await logged(text)).toContain("a result may have 50000 bytes: the rest was not kept")
  })

  test("in a million pieces is no more", async () => {
    const content = Array.from({ length: 1_000_000 }, () => ({ type: "text", text: "" }))
    expect((await logged({ content })).length).toBeLessThan(60_000)
  })
})

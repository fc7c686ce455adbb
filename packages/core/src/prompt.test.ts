import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { PromptBuilder } from "./prompt.ts"
import { tool } from "./tool.ts"

const now = new Date("2026-11-21T23:30:00Z")
const clock = (): Date => now
const named = (name: string, description: string) =>
  tool({ name, description, input: { type: "object" }, risk: "read", execute: () => "" })

describe("a prompt", () => {
  test("says who, when, where, how, what, and then the rest", () => {
    const prompt = new PromptBuilder({
      clock,
      timeZone: "UTC",
      place: "a Discord server",
      capabilities: ["Remember things"],
      sections: ["The house has a cat.", " "],
    })
    expect(
      prompt.build({ name: "Nova", personality: "dry" }, { tools: [named("w", "Look up\n the weather")] }),
    ).toBe(`You are Nova, an AI assistant. You are dry.

Today is Saturday, November 21, 2026.

You are talking to people in a Discord server. Be brief and conversational; you may use Markdown.

Answer directly. When you have a tool to look something up, use it before you answer. When you are not sure, say so.

This is what you can do:
- Look up the weather
- Remember things

The house has a cat.`)
  })

  test("of an agent's own is used word for word", () => {
    expect(new PromptBuilder().build({ name: "Nova", systemPrompt: " Be brief.\n" })).toBe(" Be brief.\n")
    expect(new PromptBuilder().build({ name: "Nova", systemPrompt: " " })).toContain("You are Nova")
  })

  test("has the date of the zone, and nothing finer than a day", () => {
    const oslo = new PromptBuilder({ timeZone: "Europe/Oslo" })
    expect(oslo.build({ name: "Nova" }, { now })).toContain("Sunday, November 22, 2026")
    const later = new Date("2026-11-22T20:00:00Z")
    expect(oslo.build({ name: "Nova" }, { now: later })).toBe(oslo.build({ name: "Nova" }, { now }))
  })

  test("says nothing of what it can do when that is nothing", () => {
    expect(new PromptBuilder({ clock }).build({ name: "Nova" })).not.toContain("what you can do")
  })

  test("is the same bytes whatever the order of tools and capabilities", () => {
    const abilities = ["Remember things", "Paint", "Look up the weather", "éclairs", "Zebra"]
    fc.assert(
      fc.property(fc.shuffledSubarray(abilities, { minLength: 5 }), fc.nat(5), (shuffled, cut) => {
        const tools = shuffled.slice(cut).map((text, index) => named(`t${index}`, text))
        const prompt = new PromptBuilder({ clock, timeZone: "UTC", capabilities: shuffled.slice(0, cut) })
        const expected = new PromptBuilder({ clock, timeZone: "UTC", capabilities: abilities })
        expect(prompt.build({ name: "Nova" }, { tools })).toBe(expected.build({ name: "Nova" }))
      }),
    )
  })

  test("a zone that there is none of is refused", () => {
    expect(() => new PromptBuilder({ timeZone: "Moon/Base" })).toThrow(/IANA/)
  })
})

import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { agentKey } from "./agent.ts"
import { findMention } from "./mention.ts"

const names = ["Atlas", "CodeBot", "Code", "İris", "Ada Lovelace", "José", "🦊"]

describe("a mention", () => {
  test.each([
    ["@atlas hello", "Atlas", "hello"],
    ["hello @ATLAS", "Atlas", "hello"],
    ["hello @codebot, look", "CodeBot", "hello , look"],
    ["hello @atlas again", "Atlas", "hello again"],
    ["(@Atlas)", "Atlas", "()"],
    ["Hi.@atlas", "Atlas", "Hi."],
    ["👍@atlas", "Atlas", "👍"],
    ["❤️@atlas", "Atlas", "❤️"],
    ["@atlas👍🏽", "Atlas", "👍🏽"],
    ["@atlas- hello", "Atlas", "- hello"],
    ["@Atlas's turn", "Atlas", "'s turn"],
    ["@ada lovelace: why?", "Ada Lovelace", ": why?"],
    ["@i\u0307RIS hi", "İris", "hi"],
    ["İ @İRİS hi", undefined, ""],
    ["İİİ @İRIS hi", "İris", "İİİ hi"],
    ["@JOSE\u0301 hi", "José", "hi"],
    ["@🦊 hi", "🦊", "hi"],
    ["bob@atlas.example or @atlas", "Atlas", "bob@atlas.example or"],
    ["@atlasses, @atlas!", "Atlas", "@atlasses, !"],
  ])("%s", (text, name, rest) => {
    expect(findMention(text, names)).toEqual(name === undefined ? undefined : { name, text: rest })
  })

  test.each([
    "bob@atlas.example",
    "élan@atlas",
    "e\u0301@atlas",
    "9@atlas",
    "a_@atlas",
    "bob+@atlas.example",
    "https://example.com/@atlas",
    "@atlas@mastodon.example",
    "@atlas_two",
    "@atlas-two",
    "@atlasé",
    "@jose\u0300",
    "@atlas9",
    "@ atlas",
    "@",
    "atlas",
    "𝒜@atlas",
  ])("%s is none", (text) => {
    expect(findMention(text, names)).toBeUndefined()
  })

  test("the longer of two names that fit is meant", () => {
    expect(findMention("@ada lovelace", ["Ada", "Ada Lovelace"])?.name).toBe("Ada Lovelace")
    expect(findMention("@ada love", ["Ada", "Ada Lovelace"])?.name).toBe("Ada")
  })

  test("no name, no mention", () => {
    expect(findMention("@atlas", [])).toBeUndefined()
    expect(findMention("@", [""])).toBeUndefined()
  })
})

const anyText = fc.string({ unit: "grapheme", maxLength: 20 })
const nearText = fc
  .array(
    fc.constantFrom("@", "@", "atlas", "ATLAS", "code", "bot", "i\u0307ris", "İ", "é", "👍", " ", "-", "."),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""))

describe("whatever the text", () => {
  test("a name between spaces is found, in any case, and all the rest is kept", () => {
    const cases = fc.constantFrom<(name: string) => string>(
      (name) => name,
      (name) => name.toUpperCase(),
      (name) => name.toLowerCase(),
    )
    fc.assert(
      fc.property(fc.constantFrom(...names), cases, anyText, anyText, (name, write, before, after) => {
        fc.pre(!before.includes("@"))
        const written = write(name)
        fc.pre(agentKey(written) === agentKey(name))
        const found = findMention(`${before} @${written}, ${after}`, [name])
        expect(found).toEqual({ name, text: `${before} , ${after}` })
      }),
    )
  })

  test("a name inside a word is not", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\p{L}\p{N}]{1,5}$/u), (word) => {
        expect(findMention(`${word}@atlas.example`, names)).toBeUndefined()
        expect(findMention(`@atlas${word}`, ["Atlas"])).toBeUndefined()
      }),
    )
  })

  test("what is found is a configured name, the text is the rest of it, and nothing throws", () => {
    fc.assert(
      fc.property(fc.oneof(nearText, anyText, fc.string({ unit: "binary" })), (text) => {
        const found = findMention(text, names)
        if (!found) return
        expect(names).toContain(found.name)
        expect(text.length).toBeGreaterThan(found.text.length)
        expect(agentKey(text)).toContain(`@${agentKey(found.name)}`)
      }),
    )
  })

  test("the order of the names does not matter", () => {
    fc.assert(
      fc.property(nearText, fc.shuffledSubarray(names, { minLength: names.length }), (text, shuffled) => {
        expect(findMention(text, shuffled)).toEqual(findMention(text, names))
      }),
    )
  })
})

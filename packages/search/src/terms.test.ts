import fc from "fast-check"
import { expect, test } from "vitest"
import { singular } from "./singular.ts"
import { queryTerms, terms } from "./terms.ts"

test.each([
  ["Crème BRÛLÉE, ﬁne", ["creme", "brulee", "fine"]],
  ["don't snake_case v1.2", ["don", "t", "snake", "case", "v1", "2"]],
  ["Straße STRASSE Łódź ØRE Ærø", ["strasse", "strasse", "lodz", "ore", "aero"]],
  ["ΟΔΟΣ οδός", ["οδοσ", "οδοσ"]],
  ["Ёлка ёлка", ["елка", "елка"]],
  ["İstanbul ISTANBUL", ["istanbul", "istanbul"]],
  ["כָּל מֶלֶךְ", ["כל", "מלך"]],
  ["कि", ["कि"]],
  ["東京都へ", ["東", "京", "都", "へ", "東京", "京都", "都へ"]],
  ["ｶﾞｷﾞ ガギ", ["ガ", "ギ", "ガギ", "ガ", "ギ", "ガギ"]],
  ["한국은", ["한", "국", "은", "한국", "국은"]],
  ["iPhoneの価格は１００円", ["iphone", "の", "価", "格", "は", "の価", "価格", "格は", "100", "円"]],
  ["ภาษาไทย", ["ภาษา", "ไทย"]],
  ["a\u0301b e\u0301", ["ab", "e"]],
  ["👍🏽 -- …", []],
])("the terms of %s", (text, expected) => {
  expect(terms(text)).toEqual(expected)
})

test("a question for neighbouring characters is for the pairs, a single one for itself", () => {
  expect([...queryTerms("東京都 猫")]).toEqual(["東京", "京都", "猫"])
})

test("any text has terms, and what is written in capitals or decomposed has the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const found = terms(text)
      expect(found.every((term) => term.length > 0 && term.length <= 64)).toBe(true)
      expect(terms(text.normalize("NFD"))).toEqual(terms(text.normalize("NFC")))
    }),
  )
  fc.assert(
    fc.property(fc.stringMatching(/^[ a-zà-öø-ÿа-яα-ρσ-ω]{0,30}$/), (text) => {
      expect(terms(text.toUpperCase())).toEqual(terms(text))
    }),
  )
})

test("long texts of one kind take linear time", () => {
  const count = (text: string): number => terms(text).length
  expect(count("x".repeat(1_000_000))).toBe(1)
  expect(count("é".repeat(300_000))).toBe(1)
  expect(count("東".repeat(200_000))).toBe(399_999)
  expect(count("ไทย".repeat(20_000))).toBeGreaterThan(1)
})

test.each([
  ["queries", "query"],
  ["cats", "cat"],
  ["houses", "house"],
  ["goes", "goe"],
  ["glass", "glass"],
  ["status", "status"],
  ["gas", "gas"],
  ["query", "query"],
])("the singular of %s is %s", (word, expected) => {
  expect(singular(word)).toBe(expected)
})

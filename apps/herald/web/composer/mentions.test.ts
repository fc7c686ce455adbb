import { expect, test } from "vitest"
import { asked, fitting } from "./mentions.tsx"

const agents = ["Atlas", "Ada", "Code Bot"].map((name) => ({
  name,
  personality: "",
  can: [],
  asks: [],
  model: null,
}))
const names = (text: string, caret = text.length, of = agents) =>
  fitting(text, caret, of)?.map(({ name }) => name)

test("names are offered after an @ that begins the message, and nowhere else", () => {
  expect(names("@")).toEqual(["Atlas", "Ada", "Code Bot"])
  expect(names("  @a")).toEqual(["Atlas", "Ada"])
  expect(names("@CODE b")).toEqual(["Code Bot"])
  expect(names("@at, look", 3)).toEqual(["Atlas"])
  for (const text of ["", "a@", "see @a", "@x", "@a\n", "@@a", "Ada"])
    expect(names(text), text).toBeUndefined()
})

test("no help is needed for a name that is whole, or where there is nobody else", () => {
  expect(names("@ada")).toBeUndefined()
  expect(names("@ada ")).toBeUndefined()
  expect(names("@", 1, agents.slice(0, 1))).toBeUndefined()
})

test.each([
  ["@", 1, ""],
  ["look at @src/a", 14, "src/a"],
  ["look at @src/a", 11, "sr"],
  ["line\n@Lease", 11, "Lease"],
  ["me@example.org", 14, undefined],
  ["@src/a and", 10, undefined],
  ["plain", 5, undefined],
])("in %j at %i a name is asked for: %j", (text, caret, typed) => {
  expect(asked(text, caret)).toBe(typed)
})

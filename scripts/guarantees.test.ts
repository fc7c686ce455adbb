import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { guarantees } from "../packages/core/guarantees/index.ts"
import { heldBy } from "../packages/core/guarantees/laws.ts"
import { page, problems, rendered } from "./guarantees.ts"

test("every promise names a test that exists and a text that can be changed", () => {
  expect(problems(guarantees)).toEqual([])
})

test("every law of the house is held by promises that are there", () => {
  const ids = new Set(guarantees.map(({ id }) => id))
  expect(
    Object.values(heldBy)
      .flat()
      .filter((id) => !ids.has(id)),
  ).toEqual([])
})

test("GUARANTEES.md is current; `node scripts/guarantees.ts` writes it", () => {
  expect(readFileSync(page, "utf8")).toBe(rendered(guarantees))
})

test("a test that is gone, a text that is not there once, and a promise without a test are found", () => {
  const mutation = { file: "scripts/guarantees.ts", text: ["no such", "text"].join(" "), replacement: "" }
  const proof = {
    file: "scripts/guarantees.test.ts",
    test: ["a test", "that is", "not here"].join(" "),
    mutation,
  }
  const one = { id: "X1", title: "", promise: "", proofs: [proof] }
  const common = { ...proof, file: "scripts/gone.ts", mutation: { ...mutation, text: "const" } }
  expect(problems([one, { ...one, proofs: [] }, { ...one, id: "X2", proofs: [common] }])).toEqual([
    "X1 is there twice",
    "X1 is held by no test",
    expect.stringContaining("X1: scripts/guarantees.test.ts has no test"),
    expect.stringContaining("X1: the text to change is not in scripts/guarantees.ts"),
    "X2: there is no scripts/gone.ts",
    expect.stringContaining("X2: scripts/gone.ts has no test"),
    expect.stringContaining("X2: the text to change is"),
  ])
})

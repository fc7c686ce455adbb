import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

/** What went wrong with the original Herald: security, reliability, surprises. Each is a test whose title begins with it. */
const CASES: readonly string[] = [
  ...Array.from({ length: 23 }, (_, index) => `S${index + 1}`),
  ...Array.from({ length: 25 }, (_, index) => `R${index + 1}`),
  ...Array.from({ length: 25 }, (_, index) => `F${index + 1}`),
]

/** What cannot go wrong here, since there is nothing of the kind. */
const NOT_HERE: Readonly<Record<string, string>> = {
  R24: "there are no binaries: it is installed from the registry or a clone",
}

test("what went wrong with the original has a test by its name", () => {
  const root = fileURLToPath(new URL("../", import.meta.url))
  const files = globSync(["apps/*/**/*.test.ts", "packages/**/src/**/*.ts"], {
    cwd: root,
    exclude: (name) => name.endsWith("node_modules") || name.endsWith("dist"),
  })
  const named = new Set<string>()
  for (const file of files) {
    const titles = readFileSync(`${root}${file}`, "utf8").matchAll(
      /\b(?:test|describe)\b[^\n]*?["'`]((?:[SRF]\d+(?:, )?)+): /g,
    )
    for (const [, cases = ""] of titles) for (const name of cases.split(", ")) named.add(name)
  }
  expect(CASES.filter((name) => !named.has(name) && !(name in NOT_HERE))).toEqual([])
  expect(Object.keys(NOT_HERE).filter((name) => named.has(name))).toEqual([])
})

import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

/**
 * What went wrong with the original Herald: security, reliability, surprises, and what was there and did nothing. Each is a
 * test whose title begins with it.
 */
const CASES: readonly string[] = Object.entries({ S: 23, R: 25, F: 25, D: 12 }).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
)

test("what went wrong with the original has a test by its name", () => {
  const root = fileURLToPath(new URL("../", import.meta.url))
  const files = globSync(["apps/herald/**/*.test.ts", "packages/**/src/**/*.ts"], {
    cwd: root,
    // The original plan engine has numbers of its own.
    exclude: (name) => /^(node_modules|dist|plan-.*)$/.test(name.split(/[\\/]/).at(-1) ?? ""),
  })
  const named = new Set<string>()
  for (const file of files) {
    const titles = readFileSync(`${root}${file}`, "utf8").matchAll(
      /\b(?:test|describe)\b[^\n]*?["'`]((?:[SRFD]\d+(?:, )?)+): /g,
    )
    for (const [, cases = ""] of titles) for (const name of cases.split(", ")) named.add(name)
  }
  expect(CASES.filter((name) => !named.has(name))).toEqual([])
})

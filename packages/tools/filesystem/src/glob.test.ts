import { expect, test } from "vitest"
import { ignoreFile } from "./gitignore.ts"
import { globMatcher } from "./glob.ts"

test.each([
  ["*.ts", ["a.ts", "deep/er/b.ts"], ["a.tsx", "ts"]],
  ["src/*.ts", ["src/a.ts"], ["src/b/a.ts", "lib/src/a.ts"]],
  ["./src/", ["src/a", "src/a/b"], ["src"]],
  ["**/test/**", ["test/a", "a/test/b/c"], ["test", "atest/b"]],
  ["a/**/z", ["a/z", "a/b/c/z"], ["a/bz"]],
  ["{a,b{1,2}}.md", ["a.md", "b1.md", "b2.md"], ["b.md", "{a}.md"]],
  ["[a-c][!x]?", ["ab1", "ca\u{1F600}"], ["ax1", "ab", "dab"]],
  ["\\*.[ch]", ["*.c"], ["a.c"]],
  ["a{b", ["a{b"], ["ab"]],
  ["*a*b*", ["xaxbx", "ab"], ["ba"]],
])("%s", (glob, inside, outside) => {
  const matches = globMatcher(glob)
  expect(inside.filter((path) => !matches(path))).toEqual([])
  expect(outside.filter(matches)).toEqual([])
})

test("no glob takes long, whoever wrote it", () => {
  const path = `${"a".repeat(250)}/${"ab/".repeat(60)}${"a".repeat(250)}`
  for (const line of [
    "*a".repeat(400),
    `${"**/a/".repeat(190)}b`,
    "[!b]*".repeat(190),
    `${"?*".repeat(400)}b`,
  ]) {
    // A backtracking matcher would not come back, nor would an automaton of all of them be built in time.
    const ignores = ignoreFile(`${line}c\n`.repeat(80))
    for (let n = 0; n < 10; n++) expect(ignores?.(path + n, false)).toBeFalsy()
    expect(globMatcher(`${line}c`)(path)).toBe(false)
  }
})

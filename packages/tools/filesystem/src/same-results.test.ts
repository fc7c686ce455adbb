import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  oneof,
  property,
  string,
  tuple,
} from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Fixture, fixture } from "./fixture.ts"
import { ignoreFile } from "./gitignore.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined

const has = (program: string): boolean => {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!has("rg"))("with ripgrep and without", () => {
  let [withIt, without] = [undefined, undefined] as [Fixture | undefined, Fixture | undefined]
  beforeAll(() => {
    withIt = fixture()
    without = fixture({ root: withIt.root, ripgrep: false })
    const texts = [
      "foo bar\nbaz_1 é\n",
      "Foo\r\nBAR\r\n\r\nend",
      "\uFEFFfoo first\n\tx-y=[z]\n",
      "a&b|c~d^e-f.g\n{1,2} (3) \\4 $5\n",
      "ÉÀ straße K \u212A ſ\n日本語 テスト\n",
      "",
      "\n\n",
      "   \nfoo",
    ]
    for (const [index, text] of texts.entries()) withIt.write(`root/d${index % 3}/f${index}.txt`, text)
    withIt.write("root/latin.txt", Buffer.from("caf\xe9 foo\n\xff\n", "latin1"))
    withIt.write("root/wide.txt", Buffer.from("\uFEFFfoo wide é\r\nbar\r\n", "utf16le"))
    withIt.write("root/d1/.gitignore", "f4*\n")
  })
  afterAll(() => {
    withIt?.remove()
    without?.remove()
  })

  const atom = constantFrom(
    ...[
      "foo",
      "a",
      ".",
      "\\w",
      "\\W",
      "\\d",
      "\\D",
      "\\s",
      "\\S",
      "\\b",
      "\\B",
      "^",
      "$",
      "é",
      "K",
      "\\.",
      "\\-",
      "\\<",
    ],
    ...[
      "[a-f]",
      "[^a]",
      "[\\w-]",
      "[^\\s]",
      "[[:alpha:]]",
      "[[:^digit:]]",
      "[]&&a]",
      "[~-]",
      "[.\\]]",
      "(?i:FOO)",
      "(?s:.)",
    ],
    ...[
      "\\p{L}",
      "\\pN",
      "\\PL",
      "\\p{Greek}",
      "\\x41",
      "\\x{e9}",
      "\\t",
      "-",
      "&&",
      "#",
      " ",
      "/",
      "~",
      "<",
      "1,2",
    ],
  )
  const repeated = tuple(atom, constantFrom("", "", "", "*", "+", "?", "*?", "{1,2}", "{2}")).map((parts) =>
    parts.join(""),
  )
  const sequence = array(repeated, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""))
  const patterns = oneof(
    sequence,
    tuple(sequence, sequence).map(([left, right]) => `(${left}|${right})`),
    tuple(constantFrom("(?i)", "(?m)", "(?U)", "\\A", "\\Q"), sequence).map((parts) => parts.join("")),
  )

  test(
    "a search finds the same",
    async () => {
      await assert(
        asyncProperty(patterns, boolean(), async (pattern, ignore_case) => {
          const input = { pattern, ignore_case, context: 1, limit: 1_000 }
          const answers = [withIt, without].map((files) =>
            (files as Fixture).call("search", input).catch((error: { code: string }) => error.code),
          )
          const [one, other] = await Promise.all(answers)
          expect(one).toBe(other)
        }),
        {
          numRuns: FULL ? 1_500 : 60,
          // What the two engines read differently unless it is spelt out.
          examples: [
            "\\Bé",
            " \\bé",
            "\\w é",
            "\\PLfoo",
            "\\p{So} foo",
            "[^a] foo$",
            "k\\W",
            "[[:^alpha:]]foo",
            "$^",
            "^$|^foo$",
          ].map((pattern) => [pattern, true]),
        },
      )
    },
    FULL ? 900_000 : 60_000,
  )
})

describe.skipIf(!has("git"))("as git has it", () => {
  let files: Fixture
  beforeAll(() => {
    files = fixture()
    execFileSync("git", ["init", "-q"], { cwd: files.root })
  })
  afterAll(() => files.remove())

  test(
    "a path is ignored or not",
    () => {
      const piece = constantFrom(
        "a",
        "b",
        "ab",
        "*",
        "**",
        "?",
        "[ab]",
        "[!a]",
        "/",
        "/",
        ".",
        "\\*",
        "{a,b}",
        "\\#",
      )
      const line = tuple(
        constantFrom("", "", "!", "/", "#", " "),
        string({ unit: piece, minLength: 1, maxLength: 5 }),
        constantFrom("", "", "/", "  ", "\\ "),
      ).map((parts) => parts.join(""))
      // Of two slashes in a row the manual says nothing.
      const rules = array(
        line.filter((text) => !text.includes("//")),
        { minLength: 1, maxLength: 4 },
      )
      const name = constantFrom("a", "b", "ab", "a.b", "*", "#", "{a,b}", "c")
      const path = array(name, { minLength: 1, maxLength: 3 })
      assert(
        property(rules, array(path, { minLength: 8, maxLength: 8 }), (lines, paths) => {
          writeFileSync(join(files.root, ".gitignore"), `${lines.join("\n")}\n`)
          const wanted = ignoredByGit(
            files.root,
            paths.map((names) => names.join("/")),
          )
          const ours = ignoreFile(lines.join("\n"))
          for (const names of paths) {
            // A folder that is ignored hides what is in it.
            const isIgnored = names.some((_, index) =>
              ours?.(names.slice(0, index + 1).join("/"), index < names.length - 1),
            )
            const shown = names.join("/")
            expect([lines, shown, isIgnored]).toEqual([lines, shown, wanted.has(shown)])
          }
        }),
        { numRuns: FULL ? 3_000 : 50 },
      )
    },
    FULL ? 900_000 : 60_000,
  )
})

function ignoredByGit(root: string, paths: readonly string[]): ReadonlySet<string> {
  mkdirSync(root, { recursive: true })
  try {
    const output = execFileSync("git", ["check-ignore", "--no-index", "--stdin", "-z"], {
      cwd: root,
      input: `${paths.join("\0")}\0`,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_NOSYSTEM: "1" },
    })
    return new Set(output.split("\0"))
  } catch (error) {
    // 1 says that none is.
    if ((error as { status?: number }).status === 1) return new Set()
    throw error
  }
}

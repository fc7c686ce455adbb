import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { OrraError } from "@orra/core"
import { startChild } from "@orra/testing/process"
import { array, assert, asyncProperty, boolean, constantFrom, option, record } from "fast-check"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Fixture, fixture } from "./fixture.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined
const CANARY = "CANARY-of-the-outside"

const paths = constantFrom(
  "a/canary.txt",
  "b/c/canary.txt",
  "inside/c/canary.txt",
  "inside/canary.txt",
  "new.txt",
  "a/deep/er/new.txt",
  "b/c/new.txt",
  "a/../a/canary.txt",
  "a",
  "b/c",
  ".",
  "../outside/canary.txt",
)
const calls = record({
  tool: constantFrom("read_file", "write_file", "edit_file", "list_dir", "search"),
  path: paths,
  recursive: boolean(),
  text: constantFrom("harmless", "written by a tool", "x\n"),
  glob: option(constantFrom("*.txt", "**/c/*"), { nil: undefined }),
})

describe.each([
  { holding: "descriptor", ripgrep: "rg" },
  { holding: "descriptor", ripgrep: false },
  { holding: "path", ripgrep: false },
] as const)("held by $holding, ripgrep $ripgrep", ({ holding, ripgrep }) => {
  let files: Fixture
  beforeEach(() => {
    files = fixture({ ripgrep }, holding)
    for (const path of ["root/a/canary.txt", "root/b/c/canary.txt", "root/new.txt"])
      files.write(path, "harmless\n")
    symlinkSync("b", join(files.root, "inside"))
    files.write("outside/canary.txt", `${CANARY}\n`)
    files.write("outside/c/canary.txt", `${CANARY}\n`)
    mkdirSync(join(files.outside, "deep"))
  })
  afterEach(() => files.remove())

  const outside = () =>
    readdirSync(files.outside, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), "utf8")] as const)
      // Where folders can only be held by their path, an empty file may be made in another one; nothing is written to it.
      .filter(([, text]) => holding === "descriptor" || text !== "")
      .sort()

  test(
    "whatever is swapped while tools run, nothing outside is read or changed",
    async () => {
      const before = outside()
      const folders = readdirSync(files.outside).sort()
      const ready = Promise.withResolvers<void>()
      const swapper = startChild<string>(
        new URL("./swapper.child.ts", import.meta.url),
        [files.root, files.outside],
        () => ready.resolve(),
      )
      const outcomes = new Map<string, number>()
      try {
        await Promise.race([
          ready.promise,
          swapper.ended.then(({ complaint }) => Promise.reject(new Error(complaint))),
        ])
        await assert(
          asyncProperty(array(calls, { minLength: 4, maxLength: 12 }), async (sequence) => {
            const answers = await Promise.all(
              sequence.map(({ tool, path, recursive, text, glob }) =>
                files.call(tool, argumentsOf(tool, path, recursive, text, glob)).catch((error: unknown) => {
                  if (!(error instanceof OrraError)) throw error
                  return `${error.code} ${error.message}`
                }),
              ),
            )
            for (const answer of answers) {
              expect(answer).not.toContain(CANARY)
              const kind = /^[a-z_]+(?= )|^\[|^[WR]/.exec(answer)?.[0] ?? answer
              outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1)
            }
          }),
          { numRuns: FULL ? 3_000 : 30 },
        )
      } finally {
        swapper.kill("SIGKILL")
        await swapper.ended
      }
      expect(outside()).toEqual(before)
      if (holding === "descriptor") expect(readdirSync(files.outside).sort()).toEqual(folders)
      // It was a race: some calls came through, and some were turned away at the door.
      expect(outcomes.get("[") ?? 0).toBeGreaterThan(3)
      expect(outcomes.get("path_outside") ?? 0).toBeGreaterThan(3)
    },
    FULL ? 900_000 : 60_000,
  )
})

function argumentsOf(tool: string, path: string, recursive: boolean, text: string, glob: string | undefined) {
  switch (tool) {
    case "write_file":
      return { path, content: text }
    case "edit_file":
      return { path, old_string: "harmless", new_string: text, replace_all: true }
    case "list_dir":
      return { path, recursive }
    case "search":
      return { path, pattern: "CANARY|harmless", ...(glob !== undefined && { glob }) }
    default:
      return { path }
  }
}

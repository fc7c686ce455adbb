import { execFileSync } from "node:child_process"
import { symlinkSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { type Fixture, fixture } from "./fixture.ts"

let files: Fixture
beforeEach(() => {
  files = fixture()
})
afterEach(() => files.remove())

const list = (input = {}) => files.call("list_dir", input)

test("folders come first, then files with their sizes, whatever the case", async () => {
  files.write("root/b.txt", "12345")
  files.write("root/A.txt", "")
  truncateSync(files.write("root/large", ""), 3 * 1024 ** 2)
  files.write("root/sub/x", "")
  files.write("root/Other/y", "")
  expect(await list()).toBe("[. | 5 entries]\nOther/\nsub/\nA.txt (0B)\nb.txt (5B)\nlarge (3.0MB)")
  expect(await list({ path: "sub" })).toBe("[sub | 1 entry]\nx (0B)")
  expect(await list({ path: "" })).toContain("[. | 5 entries]")
})

test("below, down to a depth, but not in folders of programs, and through no link", async () => {
  files.write("root/a/b/c/d/e", "")
  files.write("root/node_modules/x/index.js", "")
  files.write("root/.env", "")
  files.write("root/.git/config", "")
  symlinkSync("/etc", join(files.root, "etc"))
  execFileSync("mkfifo", [join(files.root, "pipe")])
  expect(await list({ recursive: true })).toBe(
    [
      "[. | 8 entries]",
      ".git/ (protected)",
      "a/",
      "a/b/",
      "a/b/c/",
      "node_modules/ (not listed)",
      ".env (protected)",
      "etc (link)",
      "pipe (no file: a device, a pipe or a socket)",
    ].join("\n"),
  )
  expect(await list({ recursive: true, max_depth: 1 })).toContain("[. | 6 entries]")
  expect(await list({ path: "node_modules", recursive: true })).toContain("x/index.js (0B)")
  for (const [path, code] of [
    ["etc", "path_outside"],
    [".git", "path_protected"],
    ["pipe", "path_kind"],
    ["a/b/c/d/e", "path_kind"],
    ["none", "path_missing"],
  ])
    await expect(list({ path }), path).rejects.toMatchObject({ code })
})

test("many entries come in parts", async () => {
  for (let n = 0; n < 25; n++) files.write(`root/${String(n).padStart(2, "0")}`, "")
  const parts: string[] = []
  for (const offset of [0, 10, 20]) parts.push(await list({ offset, limit: 10 }))
  expect(parts.map((part) => part.split("\n")[0])).toEqual([
    "[. | 10 entries | there are more: go on with offset 10]",
    "[. | 11-20 entries | there are more: go on with offset 20]",
    "[. | 21-25 entries]",
  ])
  expect(parts.flatMap((part) => part.split("\n").slice(1))).toHaveLength(25)
  expect(await list({ offset: 100 })).toBe("[. | 0 entries]")
})

test("a name cannot look like several lines", async () => {
  files.write("root/a\n[. | 9 entries]\nfake.txt", "")
  const text = await list()
  expect(text.split("\n")).toHaveLength(2)
  expect(text).toContain('"a\\n[. | 9 entries]\\nfake.txt" (0B)')
})

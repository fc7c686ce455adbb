import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Fixture, fixture } from "./fixture.ts"

let files: Fixture
afterEach(() => files.remove())

const hasRipgrep = (() => {
  try {
    execFileSync("rg", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

const ways = [...(hasRipgrep ? (["rg"] as const) : []), false as const]

describe.each(ways)("with ripgrep %s", (ripgrep) => {
  beforeEach(() => {
    files = fixture({ ripgrep })
    files.write("root/src/a.ts", "export const one = 1\nconst two = 2\n")
    files.write("root/src/deep/b.ts", "one\r\nTwo\r\nexport function three() {}\r\n")
    files.write("root/readme.md", "one two three\n")
  })

  const search = (input: object) => files.call("search", input as never)

  test("lines come by file, in order, with their numbers", async () => {
    expect(await search({ pattern: "one|two" })).toBe(
      [
        "[search | 4 lines in 3 files]",
        "readme.md",
        "     1: one two three",
        "src/a.ts",
        "     1: export const one = 1",
        "     2: const two = 2",
        "src/deep/b.ts",
        "     1: one",
      ].join("\n"),
    )
    expect(await search({ pattern: "^two$", ignore_case: true })).toContain("src/deep/b.ts\n     2: Two")
    expect(await search({ pattern: "nothing like it" })).toBe("[search | 0 lines]")
  })

  test("by name, by content, or both, from a folder or in a file", async () => {
    expect(await search({ glob: "*.ts" })).toBe("[search | 2 files]\nsrc/a.ts\nsrc/deep/b.ts")
    expect(await search({ glob: "src/*.ts" })).toBe("[search | 1 file]\nsrc/a.ts")
    expect(await search({ glob: "**/deep/*" })).toBe("[search | 1 file]\nsrc/deep/b.ts")
    expect(await search({ glob: "*.{md,js}", pattern: "one" })).toContain(
      "[search | 1 line in 1 file]\nreadme.md",
    )
    expect(await search({ path: "src", pattern: "function" })).toContain(
      "src/deep/b.ts\n     3: export function",
    )
    expect(await search({ path: "src/a.ts", pattern: "two" })).toBe(
      "[search | 1 line in 1 file]\nsrc/a.ts\n     2: const two = 2",
    )
  })

  test("lines around, and a part of many", async () => {
    files.write("root/long.txt", Array.from({ length: 300 }, (_, n) => `line ${n + 1}`).join("\n"))
    expect(await search({ path: "long.txt", pattern: "line (5|7|90)$", context: 1 })).toBe(
      [
        "[search | 3 lines in 1 file]",
        "long.txt",
        "     4- line 4",
        "     5: line 5",
        "     6- line 6",
        "     7: line 7",
        "     8- line 8",
        "    --",
        "    89- line 89",
        "    90: line 90",
        "    91- line 91",
      ].join("\n"),
    )
    const first = await search({ path: "long.txt", pattern: "line" })
    expect(first).toContain("[search | 100 lines in 1 file | there are more: go on with offset 100,")
    const rest = await search({ path: "long.txt", pattern: "line", offset: 100, limit: 1_000 })
    expect(rest).toContain("[search | 200 lines in 1 file]\nlong.txt\n   101: line 101")
    expect(await search({ glob: "*.ts", limit: 1 })).toContain("src/a.ts")
    expect(await search({ glob: "*.ts", limit: 1, offset: 1 })).toBe("[search | 1 file]\nsrc/deep/b.ts")
  })

  test("what .gitignore names is left out, and what it takes back is not", async () => {
    files.write("root/.gitignore", "# comment\n*.log\n!keep.log\n/build\nout/\n\\#odd\ndocs/**/draft.md\n")
    files.write("root/src/.gitignore", "!a.log\ngenerated\n")
    for (const path of [
      "x.log",
      "keep.log",
      "build/x",
      "src/build/y",
      "out/x",
      "lib/out/x",
      "src/out",
      "src/a.log",
      "src/generated/z",
      "#odd",
      "docs/a/b/draft.md",
      "docs/draft.md",
      "docs/final.md",
    ])
      files.write(`root/${path}`, "needle")
    const found = ["docs/final.md", "keep.log", "src/a.log", "src/build/y", "src/out"]
    expect((await search({ glob: "*" })).split("\n").filter((line) => /needle|\.|\//.test(line))).toEqual(
      expect.arrayContaining(found),
    )
    const hits = (await search({ pattern: "needle" })).split("\n").filter((line) => !/^[ []/.test(line))
    expect(hits).toEqual(found)
    const inside = (await search({ pattern: "needle", path: "src" }))
      .split("\n")
      .filter((line) => !/^[ []/.test(line))
    expect(inside).toEqual(["src/a.log", "src/build/y", "src/out"])
  })

  test("protected, skipped, binary, linked and half-written files are left out", async () => {
    files.write("outside/secret.txt", "needle")
    symlinkSync(files.outside, join(files.root, "linked"))
    symlinkSync(join(files.outside, "secret.txt"), join(files.root, "link.txt"))
    for (const path of [
      ".env",
      ".git/config",
      "node_modules/x/index.js",
      "dist/x.js",
      ".ssh/id",
      `.orra-${"a".repeat(24)}.tmp`,
    ])
      files.write(`root/${path}`, "needle")
    files.write("root/binary", Buffer.from("needle\0"))
    files.write(
      "root/late-binary",
      Buffer.concat([Buffer.from("needle\n"), Buffer.alloc(100_000, 32), Buffer.from("\0")]),
    )
    files.write("root/wide.txt", Buffer.from("\uFEFFa needle\r\n", "utf16le"))
    files.write("root/.github/ci.yml", "needle")
    execFileSync("mkfifo", [join(files.root, "pipe")])
    const hits = await search({ pattern: "^.*needle$" })
    expect(hits).toBe(
      "[search | 2 lines in 2 files]\n.github/ci.yml\n     1: needle\nwide.txt\n     1: a needle",
    )
    await expect(search({ pattern: "x", path: "binary" })).rejects.toMatchObject({
      code: "content_unsupported",
    })
    expect(await search({ glob: "*", path: "node_modules" })).toContain("node_modules/x/index.js")
    await expect(search({ pattern: "x", path: "linked" })).rejects.toMatchObject({ code: "path_outside" })
    await expect(search({ pattern: "x", path: ".ssh" })).rejects.toMatchObject({ code: "path_protected" })
  })

  test("what may not be opened is passed by", async () => {
    mkdirSync(join(files.root, "closed"))
    chmodSync(files.write("root/closed.txt", "one"), 0)
    chmodSync(join(files.root, "closed"), 0)
    expect(await search({ pattern: "three" })).toContain("[search | 2 lines in 2 files]")
    chmodSync(join(files.root, "closed"), 0o700)
  })

  test("a long line is shown around what was found", async () => {
    files.write("root/min.js", `${"é".repeat(5_000)}needle${"x".repeat(5_000)}`)
    const line = (await search({ path: "min.js", pattern: "needle" })).split("\n").at(-1) ?? ""
    expect(line).toMatch(/^ {5}1: …é+needlex+…$/u)
    expect(line.length).toBeLessThan(400)
  })

  test("no pattern holds up the process, and none that is none is run", async () => {
    files.write("root/evil.txt", `${"a".repeat(60_000)}!\n${"x".repeat(60_000)}\n`)
    files.write("root/.gitignore", `${"*a".repeat(40)}*b\n`)
    for (const pattern of ["(a+)+$", "(a|a)*b", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}b"]) {
      // In the processor's time: what others do with it is not counted.
      let longest = 0
      let last = process.cpuUsage()
      const timer = setInterval(() => {
        const { user, system } = process.cpuUsage(last)
        longest = Math.max(longest, (user + system) / 1_000)
        last = process.cpuUsage()
      }, 1)
      expect(await search({ pattern })).toMatch(/^\[search \|/)
      clearInterval(timer)
      expect(longest).toBeLessThan(3_000)
    }
    for (const pattern of ["(", "a{2000}", "(?=a)", "\\1", "x".repeat(1_001), "((a{100}){100}){100}"])
      await expect(search({ pattern }), pattern).rejects.toMatchObject({ code: "pattern_invalid" })
    await expect(search({})).rejects.toMatchObject({ code: "pattern_invalid" })
    for (const glob of ["[", "{a", "a}", "[z-a]", "[!]", "**", "***", "{,a}", "\\", "[]]", "*".repeat(500)])
      expect(await search({ glob }), glob).toMatch(/^\[search \|/)
  })

  test("a stop ends it, and so does the time", async () => {
    for (let n = 0; n < 300; n++) files.write(`root/many/${n}.txt`, "line of text\n".repeat(2_000))
    const stopped = files.call("search", { pattern: "(l|x)+ine of nothing" }, { signal: AbortSignal.abort() })
    await expect(stopped).rejects.toThrow(/abort/i)
    await expect(search({ path: "many", pattern: "x", glob: "{a,b}".repeat(20) })).rejects.toMatchObject({
      code: "pattern_invalid",
    })
    const hurried = fixture({ root: files.root, ripgrep: false, searchTimeoutMs: 1 })
    expect(await hurried.call("search", { pattern: "[a-z]+ of (.*) [0-9]" })).toContain("time is up")
    hurried.remove()
  })
})

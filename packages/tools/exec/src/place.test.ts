import { randomUUID } from "node:crypto"
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { realpath } from "node:fs/promises"
import { join } from "node:path"
import { callTool, MemoryStore, Namespace, PolicyRegistry, Runtime, workingDirectory } from "@orra/core"
import { scriptedProvider, textOf } from "@orra/testing"
import fc from "fast-check"
import { expect, test } from "vitest"
import { bench, script, temporaryDirectory } from "./fixture.ts"
import { execTool } from "./index.ts"
import { isWithin, leadsOutside } from "./place.ts"

test("it runs in its directory or one below, by whatever name that has", async () => {
  const { call, directory } = bench({ allow: ["pwd"] })
  mkdirSync(join(directory, "sub", "deep"), { recursive: true })
  symlinkSync(join(directory, "sub"), join(directory, "inner"))
  for (const [wanted, place] of [
    [undefined, ""],
    ["", ""],
    [null, ""],
    [".", ""],
    ["sub", "/sub"],
    ["./sub//deep/..", "/sub"],
    ["inner/deep", "/sub/deep"],
    [`${directory}/sub`, "/sub"],
    [directory, ""],
  ] as const) {
    const input = wanted === undefined ? {} : { working_directory: wanted }
    expect(textOf(await call({ command: "pwd", ...input })), String(wanted)).toBe(directory + place)
  }
})

test("and nowhere else", async () => {
  const { call, directory } = bench({ allow: ["touch"] })
  const outside = temporaryDirectory()
  symlinkSync(outside, join(directory, "out"))
  symlinkSync("/nowhere", join(directory, "dangling"))
  symlinkSync("loop", join(directory, "loop"))
  writeFileSync(join(directory, "file"), "")
  mkdirSync(`${directory}-sibling`)
  const wrong = [
    "..",
    "/",
    "/etc",
    outside,
    "out",
    "dangling",
    "loop",
    "file",
    "none",
    `${directory}-sibling`,
  ]
  const odd = [
    "~",
    "$HOME",
    "a\0b",
    "\u202e",
    "x".repeat(10_000),
    "../".repeat(500),
    "%2e%2e",
    "．．",
    "//etc",
  ]
  for (const wanted of [...wrong, ...odd]) {
    const result = await call({ command: "touch here", working_directory: wanted })
    expect(result.status, wanted).toBe("denied")
    expect(textOf(result)).toContain("is no directory within the one this session works in")
  }
  rmSync(`${directory}-sibling`, { recursive: true })
  expect(() => readFileSync(join(outside, "here"))).toThrow()
})

test("each session has its own, from what the application knows of it", async () => {
  const root = temporaryDirectory()
  for (const name of ["bob", "eve", "bob/project"]) mkdirSync(join(root, name))
  const exec = execTool({
    directory: ({ namespace }) => join(root, namespace.segments[1] ?? ""),
    isolation: "off",
    allow: ["pwd"],
  })
  const policies = new PolicyRegistry()
  policies.set(Namespace.of("acme"), exec.policy)
  const hooks = [workingDirectory({ tools: ["exec"] }), exec.hooks]
  const store = new MemoryStore()
  const runtime = new Runtime({ provider: scriptedProvider([]), store, tools: [exec.tool], hooks, policies })
  /** In a session of that user, for which a person has chosen that directory. */
  const where = async (user: string, chosen: string | null = null, input = {}) => {
    const session = Namespace.of("acme", user, randomUUID())
    const patch = { working_directory: chosen }
    await store.append(session, [{ type: "meta", at: 1, patch }], { expected: 0 })
    return textOf(await callTool(runtime, session, "exec", { command: "pwd", ...input }))
  }
  expect(await where("bob")).toBe(join(root, "bob"))
  expect(await where("eve")).toBe(join(root, "eve"))
  expect(await where("eve", null, { working_directory: join(root, "bob") })).toContain(
    "is no directory within",
  )
  expect(await where("bob", join(root, "bob", "project"))).toBe(join(root, "bob", "project"))
  expect(await where("eve", join(root, "bob", "project"))).toContain("is no directory within")
})

test("a directory that is not there is said, before and in the middle", async () => {
  const gone = join(temporaryDirectory(), "gone")
  const { call } = bench({ directory: gone, allow: ["pwd"] })
  expect(textOf(await call({ command: "pwd" }))).toContain(
    "The directory this session works in does not exist",
  )
  const { run, directory } = script('cd sub && rm -r ../sub && echo still; echo "$?"')
  mkdirSync(join(directory, "sub"))
  expect(textOf(await run())).toBe("still\n0")
})

test("an argument that is said to stay within leads nowhere else, however it is put together", async () => {
  const directory = temporaryDirectory()
  const outside = temporaryDirectory()
  writeFileSync(join(outside, "secret"), "")
  mkdirSync(join(directory, "a", "b"), { recursive: true })
  writeFileSync(join(directory, "a", "file"), "")
  symlinkSync(outside, join(directory, "out"))
  symlinkSync("../..", join(directory, "a", "up"))
  mkdirSync(join(directory, "a", "http:"))
  symlinkSync(outside, join(directory, "a", "http:", "out"))
  symlinkSync("a", join(directory, "in"))
  symlinkSync(join(outside, "secret"), join(directory, "a", "b", "link"))
  const step = fc.constantFrom("a", "b", "in", "out", "up", "link", "file", "secret", ".", "..", "", "http:")
  const paths = fc.array(step, { minLength: 1, maxLength: 6 }).map((steps) => steps.join("/"))
  const args = fc.tuple(
    fc.constantFrom("", "", "--x=", "-f", "@", "k:", "a,"),
    paths,
    fc.constantFrom("", "/", outside),
  )
  // A directory may be called as an address begins.
  const from = join(directory, "a")
  expect(await leadsOutside("http://out/secret", from, directory)).toBe(true)
  expect(await leadsOutside("--url=https://example.com/a,b", from, directory)).toBe(false)
  expect(await leadsOutside("file:///etc/passwd", from, directory)).toBe(true)
  expect(await leadsOutside(`-${"a".repeat(80)}flink`, from, directory)).toBe(true)
  const tried = { within: 0, outside: 0 }
  await fc.assert(
    fc.asyncProperty(args, async ([prefix, path, root]) => {
      const target = root + path
      if (await leadsOutside(prefix + target, join(directory, "a"), directory)) {
        tried.outside++
        return
      }
      tried.within++
      // What a program that is given this opens.
      const real = await realpath(target.startsWith("/") ? target : `${directory}/a/${target}`).catch(
        () => directory,
      )
      expect(isWithin(real, directory), `${prefix}${target}`).toBe(true)
    }),
    { numRuns: 3_000, seed: 3 },
  )
  expect(tried.within).toBeGreaterThan(150)
  expect(tried.outside).toBeGreaterThan(150)
})

import { execFileSync } from "node:child_process"
import { linkSync, mkdirSync, renameSync, symlinkSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { Namespace } from "@orra/core"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Holding } from "./directory.ts"
import { type Fixture, fixture } from "./fixture.ts"

let files: Fixture
let holding: Holding

describe.each(["descriptor", "path"] as const)("folders held by %s", (way) => {
  beforeEach(() => {
    holding = way
    files = fixture({}, holding)
    files.write("outside/secret.txt", "SECRET")
    files.write("root/inside.txt", "inside")
  })
  afterEach(() => files.remove())

  const read = (path: string, context = {}) => files.call("read_file", { path }, context)

  test.each([
    "../outside/secret.txt",
    "a/../../outside/secret.txt",
    "./.././outside/secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "/../etc/passwd",
    "../../../../../../../../etc/passwd",
  ])("%s leads out", async (path) => {
    mkdirSync(join(files.root, "a"))
    await expect(read(path)).rejects.toMatchObject({ code: "path_outside" })
  })

  test.each([
    "..%2foutside%2fsecret.txt",
    "..\\outside\\secret.txt",
    "．．/outside/secret.txt",
    "‥/outside/secret.txt",
    "..\u200b/outside/secret.txt",
    "~/secret.txt",
    "$HOME/secret.txt",
    "file:///etc/passwd",
  ])("%s is a name like any other, and there is none such", async (path) => {
    await expect(read(path)).rejects.toMatchObject({ code: "path_missing" })
  })

  test.each([
    "a\0b",
    "\ud800",
    "C:\\Windows\\win.ini",
    "c:/windows",
    "\\\\server\\share",
    "x/".repeat(3_000),
    "é".repeat(200),
  ])("%#: is no path", async (path) => {
    await expect(read(path)).rejects.toMatchObject({ code: "path_invalid" })
  })

  test("a sibling whose name begins like the sandbox's is outside", async () => {
    files.write("root-two/a", "SECRET")
    await expect(read(join(files.folder, "root-two/a"))).rejects.toMatchObject({ code: "path_outside" })
    await expect(read("../root-two/a")).rejects.toMatchObject({ code: "path_outside" })
  })

  test("an absolute path inside is as good as a relative one, also by the name the sandbox was given", async () => {
    expect(await read(join(files.root, "inside.txt"))).toContain("[inside.txt |")
    symlinkSync(files.root, join(files.folder, "alias"))
    const aliased = fixture({ root: join(files.folder, "alias") }, holding)
    expect(await aliased.call("read_file", { path: join(files.folder, "alias/inside.txt") })).toContain(
      "inside",
    )
    aliased.remove()
  })

  test("links are followed inside and nowhere else, however they are written", async () => {
    files.write("root/a/b/file", "found")
    symlinkSync("../inside.txt", join(files.root, "a/up"))
    symlinkSync(join(files.root, "a/b"), join(files.root, "absolute"))
    symlinkSync("a/b/../b/./file", join(files.root, "winding"))
    expect(await read("a/up")).toContain("[inside.txt |")
    expect(await read("absolute/file")).toContain("[a/b/file |")
    expect(await read("winding")).toContain("[a/b/file |")
    for (const [name, target] of [
      ["out", files.outside],
      ["relative", "../outside"],
      ["root", "/"],
      ["twice", "out"],
    ] as const) {
      symlinkSync(target, join(files.root, name))
      await expect(read(`${name}/secret.txt`), name).rejects.toMatchObject({ code: "path_outside" })
    }
    symlinkSync("circle", join(files.root, "circle"))
    await expect(read("circle")).rejects.toMatchObject({ code: "path_invalid" })
  })

  test("only files are opened: no pipe, no device, no socket, and nobody waits for one", async () => {
    execFileSync("mkfifo", [join(files.root, "pipe")])
    await expect(read("pipe")).rejects.toMatchObject({ code: "path_kind" })
    const server = createServer().listen(join(files.root, "socket"))
    await new Promise((done) => server.once("listening", done))
    await expect(read("socket")).rejects.toMatchObject({ code: "path_kind" })
    server.close()
    const whole = fixture({ root: "/" }, holding)
    for (const path of ["/dev/zero", "/dev/tty", "/proc/self/environ", "/sys/kernel/notes"])
      await expect(whole.call("read_file", { path }), path).rejects.toMatchObject({ code: "path_protected" })
    whole.remove()
  })

  test("a hard link is a file like any other: its path says nothing of where else it is", async () => {
    linkSync(join(files.outside, "secret.txt"), join(files.root, "hard.txt"))
    expect(await read("hard.txt")).toContain("SECRET")
  })

  test("relative paths begin at the session's working directory, which is inside", async () => {
    files.write("root/project/a.txt", "mine")
    const session = (working_directory: unknown) => ({ metadata: { working_directory } as never })
    expect(await read("a.txt", session("project"))).toContain("[a.txt | 1 line")
    expect(await read("a.txt", session(join(files.root, "project")))).toContain("mine")
    expect(await read("../inside.txt", session("project"))).toContain("[../inside.txt |")
    expect(await read("inside.txt", session(null))).toContain("inside")
    for (const elsewhere of [files.outside, "..", "project/../..", 7, "a\0"])
      await expect(read("a.txt", session(elsewhere))).rejects.toMatchObject({
        code: "working_directory_invalid",
      })
    await expect(read("../../outside/secret.txt", session("project"))).rejects.toMatchObject({
      code: "path_outside",
    })
  })

  test("each session can have a folder of its own", async () => {
    const own = fixture({ root: ({ namespace }) => join(files.folder, namespace.key) }, holding)
    files.write("ada/note", "of ada")
    files.write("bob/note", "of bob")
    const as = (name: string) => ({ namespace: Namespace.of(name) })
    expect(await own.call("read_file", { path: "note" }, as("ada"))).toContain("of ada")
    expect(await own.call("read_file", { path: "note" }, as("bob"))).toContain("of bob")
    await expect(own.call("read_file", { path: "../bob/note" }, as("ada"))).rejects.toMatchObject({
      code: "path_outside",
    })
    await expect(own.call("read_file", { path: "note" }, as("eve"))).rejects.toMatchObject({
      code: "io_failed",
    })
    own.remove()
  })

  test("a folder that is replaced by a link is not followed out", async () => {
    files.write("root/a/secret.txt", "harmless")
    expect(await read("a/secret.txt")).toContain("harmless")
    renameSync(join(files.root, "a"), join(files.folder, "a"))
    symlinkSync(files.outside, join(files.root, "a"))
    await expect(read("a/secret.txt")).rejects.toMatchObject({ code: "path_outside" })
  })
})

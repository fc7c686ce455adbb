import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { Namespace } from "@orra/core"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Fixture, fixture } from "./fixture.ts"

let files: Fixture
beforeEach(() => {
  files = fixture()
})
afterEach(() => files.remove())

const write = (path: string, content: string, context = {}) =>
  files.call("write_file", { path, content }, context)
const edit = (path: string, old_string: string, new_string: string, more = {}) =>
  files.call("edit_file", { path, old_string, new_string, ...more })
const content = (path: string) => readFileSync(join(files.root, path), "utf8")

describe("write_file", () => {
  test("makes a file and its folders, and shows what it changed in one that was there", async () => {
    expect(await write("a/b/c.txt", "one\ntwo\n")).toBe("Wrote 8 bytes to a/b/c.txt (a new file)")
    expect(await write("a/b/c.txt", "one\n2\n")).toBe(
      "Wrote 6 bytes to a/b/c.txt\n\n--- a/b/c.txt\n+++ a/b/c.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2",
    )
    expect(content("a/b/c.txt")).toBe("one\n2\n")
    expect(readdirSync(join(files.root, "a/b"))).toEqual(["c.txt"])
  })

  test("keeps mode, line endings, byte order mark and encoding", async () => {
    const file = files.write("root/run.sh", "\uFEFFone\r\ntwo\r\n")
    chmodSync(file, 0o751)
    await write("run.sh", "three\nfour\n")
    expect(content("run.sh")).toBe("\uFEFFthree\r\nfour\r\n")
    expect(statSync(file).mode & 0o7777).toBe(0o751)
    files.write("root/wide", Buffer.from("\uFEFFold", "utf16le"))
    await write("wide", "new")
    expect(readFileSync(join(files.root, "wide"))).toEqual(Buffer.from("\uFEFFnew", "utf16le"))
  })

  test("refuses what is too large, half a character, a folder, and what may not be written to", async () => {
    const small = fixture({ maxWriteSize: 10 })
    await expect(small.call("write_file", { path: "a", content: "é".repeat(6) })).rejects.toMatchObject({
      code: "file_too_large",
    })
    expect(readdirSync(small.root)).toEqual([])
    small.write("root/large", "x".repeat(20))
    expect(await small.call("write_file", { path: "large", content: "y" })).toContain("too large, or no text")
    small.remove()
    await expect(write("a", "\ud800")).rejects.toMatchObject({ code: "content_unsupported" })
    mkdirSync(join(files.root, "folder"))
    await expect(write("folder", "x")).rejects.toMatchObject({ code: "path_kind" })
    await expect(write(".", "x")).rejects.toMatchObject({ code: "path_kind" })
    await expect(write("a/../../x", "x")).rejects.toMatchObject({ code: "path_missing" })
    expect(readdirSync(files.root)).toEqual(["folder"])
  })

  test("goes through no link to the outside, also where the link leads to nothing yet", async () => {
    symlinkSync(join(files.outside, "new.txt"), join(files.root, "dangling"))
    symlinkSync(files.outside, join(files.root, "folder"))
    symlinkSync("real.txt", join(files.root, "inside"))
    for (const path of ["dangling", "folder/new.txt", "folder/a/b/new.txt", "../outside/new.txt"])
      await expect(write(path, "x"), path).rejects.toMatchObject({ code: "path_outside" })
    expect(readdirSync(files.outside)).toEqual([])
    expect(await write("inside", "x")).toContain("to real.txt (a new file)")
    expect(lstatSync(join(files.root, "inside")).isSymbolicLink()).toBe(true)
  })

  test("changes no file outside that is the same file under another name", async () => {
    const secret = files.write("outside/shared.txt", "theirs")
    linkSync(secret, join(files.root, "shared.txt"))
    await write("shared.txt", "mine")
    expect(readFileSync(secret, "utf8")).toBe("theirs")
    expect(content("shared.txt")).toBe("mine")
  })

  test("a file that was changed since the session read it is left alone, until it is read again", async () => {
    const file = files.write("root/a.txt", "one")
    const [ada, bob] = [{ namespace: Namespace.of("ada") }, { namespace: Namespace.of("bob") }]
    await files.call("read_file", { path: "a.txt" }, ada)
    writeFileSync(file, "two")
    // Not even its time tells: a careful look does.
    utimesSync(file, 0, 0)
    await expect(write("a.txt", "three", ada)).rejects.toMatchObject({ code: "path_changed" })
    expect(content("a.txt")).toBe("two")
    expect(await write("a.txt", "of bob", bob)).toContain("-two")
    await files.call("read_file", { path: "a.txt" }, ada)
    await write("a.txt", "four", ada)
    await write("a.txt", "five", ada)
    expect(content("a.txt")).toBe("five")
  })

  test("leaves nothing behind when it is stopped, and takes away what a dead process left", async () => {
    const stale = files.write(`root/.orra-${"0".repeat(24)}.tmp`, "half")
    utimesSync(stale, 0, 0)
    const young = files.write(`root/.orra-${"1".repeat(24)}.tmp`, "another writer's")
    await expect(write("a.txt", "x", { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
    expect(readdirSync(files.root)).toEqual([young.split("/").at(-1)])
  })
})

describe("edit_file", () => {
  test("replaces a passage that is there once, and shows the difference", async () => {
    files.write("root/a.txt", "one\ntwo\nthree\n")
    expect(await edit("a.txt", "two", "$& $1 2")).toBe(
      "Replaced 1 occurrence in a.txt\n\n--- a.txt\n+++ a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+$& $1 2\n three",
    )
    expect(content("a.txt")).toBe("one\n$& $1 2\nthree\n")
  })

  test("names the places of one that is there more often, and changes nothing", async () => {
    files.write("root/a.txt", "x = 1\ny = 2\nx = 1\n\nx = 1; x = 1\n")
    const error = await edit("a.txt", "x = 1", "z").catch((problem: unknown) => problem)
    expect(error).toMatchObject({ code: "edit_ambiguous", details: { count: 4, lines: [1, 3, 5, 5] } })
    expect(String(error)).toContain("4 times, at lines 1, 3, 5, 5")
    expect(content("a.txt")).toContain("x = 1\ny")
    expect(await edit("a.txt", "x = 1", "z", { replace_all: true })).toContain("Replaced 4 occurrences")
    expect(content("a.txt")).toBe("z\ny = 2\nz\n\nz; z\n")
  })

  test("takes \\n for the file's own line endings, and keeps those and the byte order mark", async () => {
    files.write("root/a.txt", "\uFEFFone\r\ntwo\r\nthree\r\n")
    await edit("a.txt", "one\ntwo", "1\n2")
    expect(content("a.txt")).toBe("\uFEFF1\r\n2\r\nthree\r\n")
    files.write("root/mixed.txt", "one\r\ntwo\nthree\n")
    await edit("mixed.txt", "two\nthree", "2\n3")
    expect(content("mixed.txt")).toBe("one\r\n2\n3\n")
  })

  test("says where a passage stands that differs in white space only", async () => {
    files.write("root/a.ts", "if (a) {\n\treturn b\n}\n")
    await expect(edit("a.ts", "    return b\n}", "x")).rejects.toThrow(
      /line 2 differs from it only in white space/,
    )
    await expect(edit("a.ts", "nothing like it", "x")).rejects.toMatchObject({ code: "edit_not_found" })
  })

  test("refuses an empty text, one that is replaced by itself, no text and no file", async () => {
    files.write("root/a", "aa")
    await expect(edit("a", "", "x")).rejects.toMatchObject({ code: "edit_not_found" })
    await expect(edit("a", "a", "a")).rejects.toMatchObject({ code: "edit_not_found" })
    files.write("root/binary", Buffer.from([1, 0, 2]))
    await expect(edit("binary", "a", "b")).rejects.toMatchObject({ code: "content_unsupported" })
    await expect(edit("none", "a", "b")).rejects.toMatchObject({ code: "path_missing" })
    const small = fixture({ maxWriteSize: 10 })
    small.write("root/a", "x".repeat(6))
    await expect(
      small.call("edit_file", { path: "a", old_string: "x", new_string: "xx", replace_all: true }),
    ).rejects.toMatchObject({ code: "file_too_large" })
    small.remove()
  })

  test("edits of one file at the same time follow one another", async () => {
    files.write("root/a", "0,1,2,3,4,5,6,7,8,9")
    await Promise.all(Array.from({ length: 10 }, (_, n) => edit("a", `${n}`, `<${n}>`)))
    expect(content("a")).toBe("<0>,<1>,<2>,<3>,<4>,<5>,<6>,<7>,<8>,<9>")
    await Promise.all(["x", "y", "z"].map((text) => write("new", text)))
    expect(content("new")).toBe("z")
  })
})

/** A signal whose last question before a file takes its place is the moment at which something else happens. */
function meanwhile(act: () => void): AbortSignal {
  const { signal } = new AbortController()
  let asked = 0
  signal.throwIfAborted = () => {
    if (existsSync(join(files.root, "folder")) && ++asked === 3) act()
  }
  return signal
}

describe("what happens between reading and writing", () => {
  const during = (act: () => void, path = "folder/a.txt") => write(path, "mine", { signal: meanwhile(act) })
  const inside = (name: string) => join(files.root, "folder", name)
  beforeEach(() => files.write("root/folder/a.txt", "old"))

  test("a change by somebody else stays", async () => {
    await expect(during(() => writeFileSync(inside("a.txt"), "theirs"))).rejects.toMatchObject({
      code: "path_changed",
    })
    expect(content("folder/a.txt")).toBe("theirs")
    expect(readdirSync(join(files.root, "folder"))).toEqual(["a.txt"])
  })

  test("a link that takes its place is not written through", async () => {
    const secret = files.write("outside/secret", "secret")
    const link = () => {
      rmSync(inside("a.txt"))
      symlinkSync(secret, inside("a.txt"))
    }
    await expect(during(link)).rejects.toMatchObject({ code: "path_changed" })
    expect(readFileSync(secret, "utf8")).toBe("secret")
  })

  test("the folder is not followed out of the sandbox", async () => {
    const moved = join(files.outside, "moved")
    await expect(during(() => renameSync(join(files.root, "folder"), moved))).rejects.toMatchObject({
      code: "path_changed",
    })
    expect(readdirSync(moved)).toEqual(["a.txt"])
    expect(readFileSync(join(moved, "a.txt"), "utf8")).toBe("old")
  })
})

test("a file that somebody else makes meanwhile is theirs", async () => {
  mkdirSync(join(files.root, "folder"))
  const { signal } = new AbortController()
  let asked = 0
  signal.throwIfAborted = () => {
    if (++asked === 2) files.write("root/folder/new.txt", "theirs")
  }
  await expect(write("folder/new.txt", "mine", { signal })).rejects.toMatchObject({ code: "path_changed" })
  expect(content("folder/new.txt")).toBe("theirs")
  expect(readdirSync(join(files.root, "folder"))).toEqual(["new.txt"])
})

test("the difference of what has nothing in common is bounded", async () => {
  const lines = (from: number) =>
    Array.from({ length: 50_000 }, (_, n) => `${(n * 7_919 + from) % 100_003}`).join("\n")
  files.write("root/a", lines(0))
  const text = await write("a", lines(1))
  expect(text.length).toBeLessThan(120_000)
  expect(text).toMatch(/too large to be shown|more lines of the difference/)
})

import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Fixture, fixture } from "./fixture.ts"

let files: Fixture
beforeEach(() => {
  files = fixture()
})
afterEach(() => files.remove())

const read = (path: string, input = {}) => files.call("read_file", { path, ...input })

test("lines come with their numbers, under what they are part of", async () => {
  files.write("root/a.txt", "one\ntwo\nthree\n")
  expect(await read("a.txt")).toBe("[a.txt | 3 lines | showing 1-3]\n     1| one\n     2| two\n     3| three")
  expect(await read("a.txt", { offset: 2, limit: 1 })).toBe(
    "[a.txt | 3 lines | showing 2-2 | go on with offset 3]\n     2| two",
  )
  expect(await read("a.txt", { offset: 2, limit: Number.MAX_SAFE_INTEGER })).toContain("showing 2-3]")
  expect(await read("a.txt", { offset: 9 })).toBe("[a.txt | 3 lines | nothing at line 9]")
})

test("a last line without an end, CRLF, a byte order mark and an empty file", async () => {
  files.write("root/a.txt", "\uFEFFone\r\ntwo")
  expect(await read("a.txt")).toBe("[a.txt | 2 lines | showing 1-2]\n     1| one\n     2| two")
  files.write("root/empty", "")
  expect(await read("empty")).toBe("[empty | 0 lines | nothing at line 1]")
  files.write("root/utf16", Buffer.from("\uFEFFgrüß\r\ndich", "utf16le"))
  expect(await read("utf16")).toBe("[utf16 | 2 lines | showing 1-2]\n     1| grüß\n     2| dich")
})

test("bytes that are not UTF-8 are shown as such; a binary file is not shown", async () => {
  files.write("root/latin", Buffer.from("caf\xe9\n", "latin1"))
  expect(await read("latin")).toBe(
    "[latin | 1 line | showing 1-1 | bytes that are not UTF-8 are shown as \uFFFD]\n     1| caf\uFFFD",
  )
  files.write("root/program", Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0]))
  await expect(read("program")).rejects.toMatchObject({ code: "content_unsupported" })
})

test("a long line is cut between characters, a long file between lines, and how to go on is said", async () => {
  files.write("root/long", `${"😀".repeat(3_000)}\nend\n`)
  const text = await read("long")
  expect(text).toContain(`| ${"😀".repeat(2_000)} [line cut: 4000 bytes more]\n     2| end`)
  files.write("root/many", "x".repeat(99).concat("\n").repeat(10_000))
  const part = await read("many")
  const [, next] = /^\[many \| 10000 lines \| showing 1-\d+ \| go on with offset (\d+)\]/.exec(part) ?? []
  expect(part.length).toBeLessThan(250_000)
  expect(await read("many", { offset: Number(next), limit: 1 })).toContain(`${next}| xxx`)
})

test("F17: some lines of a huge file are read in little memory", async () => {
  const size = (process.env["ORRA_TEST_FULL"] ? 2_048 : 128) * 1024 ** 2
  const fd = openSync(join(files.root, "huge"), "w")
  // Nearly all of it is a hole: no disk is needed, and it reads as NUL.
  writeSync(fd, "first\n".repeat(2_000))
  ftruncateSync(fd, size)
  writeSync(fd, "\nlast\n", size)
  closeSync(fd)
  const before = process.memoryUsage().arrayBuffers
  expect(await read("huge", { limit: 1 })).toMatch(
    /^\[huge \| \S+[MG]B \| showing 1-1 \| go on with offset 2\]\n {5}1\| first$/,
  )
  expect(await read("huge", { offset: 2_002 })).toBe("[huge | 2002 lines | showing 2002-2002]\n  2002| last")
  let most = 0
  const { signal } = new AbortController()
  // Asked before each piece is read.
  signal.throwIfAborted = () => {
    most = Math.max(most, process.memoryUsage().arrayBuffers)
  }
  expect(await files.call("read_file", { path: "huge", offset: 2_001, limit: 1 }, { signal })).toContain(
    "bytes more]",
  )
  expect(most - before).toBeLessThan(50e6)
})

test("a stop is heard in the middle of a file", async () => {
  const fd = openSync(join(files.root, "huge"), "w")
  writeSync(fd, "x".repeat(10_000))
  ftruncateSync(fd, 1024 ** 3)
  closeSync(fd)
  const controller = new AbortController()
  const reading = files.call("read_file", { path: "huge", offset: 5 }, { signal: controller.signal })
  controller.abort()
  await expect(reading).rejects.toThrow(/abort/i)
})

describe("a picture", () => {
  const PNG = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  )

  test("comes as a picture", async () => {
    files.write("root/a.png", PNG)
    const { content } = await files.output("read_file", { path: "a.png" })
    expect(content).toEqual([
      { type: "text", text: "[a.png | image/png | 1 × 1 | 70B]" },
      { type: "image", mediaType: "image/png", data: PNG.toString("base64") },
    ])
  })

  test("that a service would refuse does not", async () => {
    files.write("root/cut.png", PNG.subarray(0, 60))
    await expect(read("cut.png")).rejects.toThrow(/not complete/)
    const wide = Buffer.from(PNG)
    wide.writeUInt32BE(9_000, 16)
    files.write("root/wide.png", wide)
    await expect(read("wide.png")).rejects.toThrow(/9000 × 1 pixels/)
    files.write("root/big.png", Buffer.concat([PNG, Buffer.alloc(700_000)]))
    await expect(read("big.png")).rejects.toMatchObject({ code: "file_too_large" })
  })
})

test("what is no file is named as what it is", async () => {
  await expect(read("none.txt")).rejects.toThrow("none.txt does not exist")
  await expect(read(".")).rejects.toThrow("is a folder: use list_dir")
  files.write("root/folder/a", "")
  await expect(read("folder")).rejects.toThrow("folder is a folder: use list_dir")
  await expect(read("folder/a/b")).rejects.toMatchObject({ code: "path_kind" })
})

test("names that differ in case or Unicode form are other names, and are pointed out", async () => {
  files.write("root/caf\u00e9.txt", "composed")
  await expect(read("cafe\u0301.txt")).rejects.toThrow("There is caf\u00e9.txt, which is spelt another way.")
  await expect(read("CAF\u00c9.TXT")).rejects.toThrow("spelt another way")
  files.write("root/cafe\u0301.txt", "decomposed")
  expect(await read("cafe\u0301.txt")).toContain("decomposed")
  expect(await read("caf\u00e9.txt")).toContain("1| composed")
})

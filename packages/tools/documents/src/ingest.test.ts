import { execFileSync } from "node:child_process"
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { MemoryStore, Namespace } from "@orra/core"
import { expect, test } from "vitest"
import { Documents } from "./documents.ts"
import { newFolder, pdf } from "./fixture.ts"

const FULL = Boolean(process.env["ORRA_TEST_FULL"])
const ann = Namespace.of("ann")
/** Longer ago than files can be confused by. */
const EARLIER = new Date("2026-01-01")

function handbook(): {
  readonly root: string
  write(name: string, content: string | Uint8Array, at?: Date): string
} {
  const root = join(newFolder(), "handbook")
  mkdirSync(root)
  return {
    root,
    write(name, content, at = EARLIER) {
      const path = join(root, name)
      mkdirSync(join(path, ".."), { recursive: true })
      writeFileSync(path, content)
      utimesSync(path, at, at)
      return path
    },
  }
}

const open = (): Documents => new Documents({ store: new MemoryStore() })

const found = async (documents: Documents, query: string): Promise<readonly string[]> =>
  (await documents.search(ann, query)).passages.map(({ id }) => id)

test("Markdown, text, HTML and PDF of a folder and those in it; the rest is left out", async () => {
  const { root, write } = handbook()
  write("leave.md", "---\ntitle: 'Days off'\n---\n# Leave\n\nThirty days.")
  write("deep/er/notes.txt", "Some kangaroo notes")
  write(
    "page.html",
    "<title>Wombats</title><script>evil()</script><h1>About</h1><p>A wombat digs. <a href='/x'>more</a>",
  )
  write("report.pdf", pdf(["First page", "The quokka smiles"]))
  write("image.png", "not read")
  write(".secret/hidden.md", "hidden")
  write("node_modules/a/readme.md", "hidden")
  symlinkSync("/etc/passwd", join(root, "link.txt"))
  const documents = open()
  const report = await documents.ingest(ann, root)
  expect(report).toEqual({
    added: ["handbook/deep/er/notes.txt", "handbook/leave.md", "handbook/page.html", "handbook/report.pdf"],
    changed: [],
    removed: [],
    unchanged: 0,
    failed: [],
    warnings: [],
  })
  expect((await documents.list(ann)).map(({ title }) => title)).toEqual([
    "notes",
    "Days off",
    "Wombats",
    "report",
  ])
  expect(await found(documents, "wombat evil")).toEqual(["handbook/page.html"])
  const [quokka] = (await documents.search(ann, "quokka")).passages
  expect(quokka).toMatchObject({ id: "handbook/report.pdf", page: 2, text: "The quokka smiles" })
  expect(await documents.get(ann, "handbook/report.pdf")).toMatchObject({
    pages: 2,
    path: join(root, "report.pdf"),
  })
})

test("only what has changed is read again; what is gone goes, and what was put by hand stays", async () => {
  const { root, write } = handbook()
  write("a.md", "apple")
  write("b.md", "banana")
  write("c.md", "cherry")
  const documents = open()
  await documents.put(ann, { id: "mine", title: "Mine", content: "apple" })
  await documents.ingest(ann, root)
  write("a.md", "grape")
  write("b.md", "banana", new Date("2026-02-02"))
  rmSync(join(root, "c.md"))
  write("d.md", "date")
  const report = await documents.ingest(ann, root)
  // Of the same size and time: nobody can see that a.md is another one.
  expect(report).toMatchObject({
    added: ["handbook/d.md"],
    changed: [],
    removed: ["handbook/c.md"],
    unchanged: 2,
  })
  write("a.md", "lemon", new Date("2026-02-03"))
  expect(await documents.ingest(ann, root)).toMatchObject({ changed: ["handbook/a.md"], unchanged: 2 })
  expect(await found(documents, "apple lemon")).toEqual(["handbook/a.md", "mine"])
  rmSync(join(root, "d.md"))
  expect(await documents.ingest(ann, root, { keepMissing: true })).toMatchObject({ removed: [] })
  expect(await documents.ingest(ann, root)).toMatchObject({ removed: ["handbook/d.md"] })
})

test("a file that was written just before it was read is looked at again, whatever its time says", async () => {
  const { root, write } = handbook()
  const documents = new Documents({ store: new MemoryStore(), now: () => EARLIER.getTime() + 1_000 })
  write("a.md", "apple")
  await documents.ingest(ann, root)
  write("a.md", "grape")
  expect(await documents.ingest(ann, root)).toMatchObject({ changed: ["handbook/a.md"] })
})

test("a single file, and a prefix; an id that is from elsewhere is not taken over", async () => {
  const { root, write } = handbook()
  const path = write("a.md", "apple")
  const documents = open()
  expect(await documents.ingest(ann, path)).toMatchObject({ added: ["a.md"] })
  expect(await documents.ingest(ann, root, { prefix: "" })).toMatchObject({
    added: [],
    failed: [{ path, error: { code: "document_invalid" } }],
  })
  expect(await documents.ingest(ann, root, { prefix: "books/" })).toMatchObject({
    added: ["books/a.md"],
    removed: [],
  })
  expect(await documents.ingest(ann, path)).toMatchObject({ unchanged: 1, removed: [] })
})

test("each bad file fails by itself, with a reason to act on, and the good ones are kept", async () => {
  const { root, write } = handbook()
  write("good.md", "good")
  write("empty.md", " \n")
  // A second of processor time for each PDF.
  const morePdfs = FULL ? { "pictures.pdf": "document_empty", "broken.pdf": "document_unreadable" } : {}
  if (FULL) {
    write("pictures.pdf", pdf(["", ""]))
    write("broken.pdf", "%PDF-1.4\nnothing")
  }
  const lock = `/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<${"ab".repeat(32)}>/U<${"cd".repeat(32)}>>>`
  write("locked.pdf", pdf(["secret"], `/ID[<00><00>]${lock}`))
  write("binary.txt", Buffer.from([0, 1, 2, 3]))
  write("late.txt", `${"x".repeat(5_000)}\0`)
  write("huge.txt", "")
  truncateSync(join(root, "huge.txt"), 1_000_000_000)
  const documents = open()
  const report = await documents.ingest(ann, root)
  expect(report.added).toEqual(["handbook/good.md"])
  expect(
    Object.fromEntries(report.failed.map(({ path, error }) => [path.slice(root.length + 1), error.code])),
  ).toEqual({
    "empty.md": "document_empty",
    ...morePdfs,
    "locked.pdf": "document_encrypted",
    "binary.txt": "document_unsupported",
    "late.txt": "document_unsupported",
    "huge.txt": "document_too_large",
  })
  const huge = report.failed.find(({ path }) => path.endsWith("huge.txt"))?.error
  expect(huge?.message).toContain("1000000000 bytes, more than the 20000000")
  expect(huge?.details["limit"]).toBe(20_000_000)
})

test("text in another encoding is read as what it says, as what it is told to be, or as a guess that is said", async () => {
  const { root, write } = handbook()
  write("utf16.txt", Buffer.from("\ufeffKänguru", "utf16le"))
  write("latin.txt", Buffer.from("Känguru", "latin1"))
  const documents = open()
  const { warnings } = await documents.ingest(ann, root)
  expect(warnings).toEqual([expect.stringContaining('"latin.txt" is not UTF-8')])
  expect(await found(documents, "känguru")).toHaveLength(2)
  const japanese = write("sjis.txt", Buffer.from([0x93, 0x8c, 0x8b, 0x9e]))
  expect(await documents.ingest(ann, japanese, { encoding: "shift_jis" })).toMatchObject({ warnings: [] })
  expect(await found(documents, "東京")).toEqual(["sjis.txt"])
  const wrong = write("x.txt", "x")
  expect(await documents.ingest(ann, wrong, { encoding: "klingon" })).toMatchObject({
    failed: [{ error: { code: "document_unreadable" } }],
  })
})

test("nothing there, too many files, a pipe, a folder that cannot be read", async () => {
  const { root, write } = handbook()
  const documents = open()
  await expect(documents.ingest(ann, join(root, "nothing"))).rejects.toMatchObject({
    code: "document_unreadable",
  })
  write("a.md", "apple")
  write("sub/b.md", "banana")
  await expect(documents.ingest(ann, root, { maxFiles: 1 })).rejects.toMatchObject({
    code: "document_too_large",
    details: { limit: 1 },
  })
  execFileSync("mkfifo", [join(root, "pipe.txt")])
  await expect(documents.ingest(ann, join(root, "pipe.txt"))).resolves.toMatchObject({
    failed: [{ error: { code: "document_unsupported" } }],
  })
  expect(await documents.ingest(ann, root)).toMatchObject({ added: ["handbook/a.md", "handbook/sub/b.md"] })
  renameSync(join(root, "sub"), join(root, "locked"))
  chmodSync(join(root, "locked"), 0)
  const { removed, failed } = await documents.ingest(ann, root)
  // Root may read everything: then it was only renamed.
  expect(failed.length > 0 ? removed : []).toEqual([])
  chmodSync(join(root, "locked"), 0o700)
})

test("stops when it is told to", async () => {
  const { root, write } = handbook()
  write("a.md", "apple")
  const documents = open()
  await expect(documents.ingest(ann, root, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow(
    "stop",
  )
  expect(await documents.list(ann)).toEqual([])
})

import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

let site: HeraldSite

beforeAll(async () => {
  site = await heraldSite({
    config: (folder) => {
      for (const name of ["private", "handbook"]) mkdirSync(join(folder, name))
      writeFileSync(join(folder, "private", "diary.md"), "# Diary\n\nThe quokka smiled at me.\n")
      writeFileSync(join(folder, "handbook", "leave.md"), "# Leave\n\nEverybody has thirty days of leave.\n")
      writeFileSync(join(folder, "handbook", "broken.txt"), "a\0b")
      return '[documents]\nfolders = [{ path = "private" }, { path = "handbook", shared = true }]\n'
    },
  })
  await site.ask("POST", "/api/documents/sync", {})
})
afterAll(() => site.close())

const base64 = (text: string) => Buffer.from(text).toString("base64")
const put = (name: string, text: string, who?: "ada") =>
  site.ask("POST", "/api/documents", { name, data: base64(text) }, who)
const search = async (query: string, who?: "ada") => {
  const [, body] = await site.ask("GET", `/api/documents/search?q=${query}`, undefined, who)
  return (body as { passages: { id: string }[] }).passages.map(({ id }) => id)
}
const list = async (who?: "ada") => {
  const [, body] = await site.ask("GET", "/api/documents", undefined, who)
  return body as { documents: { id: string }[]; folders: { name: string }[] }
}

test("D4: what is uploaded is listed, found, read from a line on, deleted and brought back", async () => {
  const text = [
    "# Boiler",
    ...Array.from({ length: 400 }, (_, at) => `line ${at}`),
    "The valve is red.",
  ].join("\n")
  expect(await put("boiler.md", text)).toMatchObject([
    200,
    {
      document: { id: "boiler.md", title: "Boiler", lines: 402, synced: false, byMeaning: false },
      replaced: false,
    },
  ])
  expect(await put("boiler.md", text)).toMatchObject([200, { replaced: true }])
  expect((await list()).documents).toMatchObject([{ id: "boiler.md" }])
  const [, found] = await site.ask("GET", "/api/documents/search?q=valve")
  expect(found).toMatchObject({
    passages: [{ id: "boiler.md", heading: "Boiler", text: expect.stringContaining("red") }],
  })
  const [{ lines } = { lines: [0, 0] }] = (found as { passages: { lines: [number, number] }[] }).passages
  expect(lines[1]).toBe(402)
  expect(await site.ask("GET", "/api/documents/text?id=boiler.md&line=401")).toMatchObject([
    200,
    { document: { id: "boiler.md" }, from: 401, lines: ["line 399", "The valve is red."] },
  ])

  expect(await site.ask("DELETE", "/api/documents/boiler.md")).toEqual([200, { deleted: true }])
  expect([(await list()).documents, await search("valve")]).toEqual([[], []])
  expect((await site.ask("DELETE", "/api/documents/boiler.md"))[0]).toBe(404)
  expect(await site.ask("POST", "/api/documents/boiler.md/restore", {})).toEqual([200, { restored: true }])
  expect(await search("valve")).toEqual(["boiler.md"])
  expect((await site.ask("POST", "/api/documents/boiler.md/restore", {}))[0]).toBe(404)
})

test("nobody finds, reads, deletes or brings back a document of somebody else, nor sees their folders", async () => {
  await put("secret.txt", "The safe opens with wombat.")
  await put("hers.txt", "Ada keeps a platypus.", "ada")
  expect(await search("wombat")).toEqual(["secret.txt"])
  expect(await search("wombat", "ada")).toEqual([])
  expect(await search("quokka")).toEqual(["private/diary.md"])
  expect(await search("quokka", "ada")).toEqual([])
  // What is shared is everybody's.
  expect(await search("leave")).toEqual(["handbook/leave.md"])
  expect(await search("leave", "ada")).toEqual(["handbook/leave.md"])
  for (const id of ["secret.txt", "private/diary.md"]) {
    const path = encodeURIComponent(id)
    expect((await site.ask("GET", `/api/documents/text?id=${path}`))[0]).toBe(200)
    expect((await site.ask("GET", `/api/documents/text?id=${path}`, undefined, "ada"))[0]).toBe(404)
    expect((await site.ask("DELETE", `/api/documents/${path}`, undefined, "ada"))[0]).toBe(404)
  }
  expect(await site.ask("DELETE", "/api/documents/secret.txt")).toMatchObject([200, {}])
  expect((await site.ask("POST", "/api/documents/secret.txt/restore", {}, "ada"))[0]).toBe(404)
  expect(await search("wombat", "ada")).toEqual([])

  const hers = await list("ada")
  expect(hers.documents.map(({ id }) => id)).toEqual(["hers.txt"])
  expect(hers.folders).toEqual([
    { name: "handbook", shared: true, documents: 1, state: "read", at: expect.any(Number) },
  ])
  expect(JSON.stringify(hers)).not.toContain(site.folder)
  expect((await site.ask("GET", "/api/documents?folder=private", undefined, "ada"))[0]).toBe(404)
  expect((await site.ask("POST", "/api/documents/sync", {}, "ada"))[0]).toBe(403)
  expect((await site.ask("GET", "/api/documents", undefined, "nobody"))[0]).toBe(401)
})

test("folders are shown with what could not be read, and followed as they change", async () => {
  const { folders } = await list()
  expect(folders).toMatchObject([
    { name: "private", path: join(site.folder, "private"), documents: 1, state: "read", failedCount: 0 },
    { name: "handbook", failed: [{ path: join(site.folder, "handbook", "broken.txt") }], failedCount: 1 },
  ])
  expect(await site.ask("DELETE", `/api/documents/${encodeURIComponent("private/diary.md")}`)).toMatchObject([
    409,
    { code: "document_synced" },
  ])
  rmSync(join(site.folder, "private", "diary.md"))
  writeFileSync(join(site.folder, "private", "new.md"), "A cassowary ran by.")
  await site.ask("POST", "/api/documents/sync", {})
  expect([await search("quokka"), await search("cassowary")]).toEqual([[], ["private/new.md"]])
  const [, shown] = await site.ask("GET", "/api/documents?folder=private")
  expect(shown).toMatchObject({ documents: [{ id: "private/new.md", synced: true }] })
})

test.each([
  ["no name", { data: "eA==" }, 400, "invalid_input"],
  ["no base64", { name: "a.txt", data: "ä" }, 400, "invalid_input"],
  ["nothing in it", { name: "a.txt", data: "" }, 422, "document_empty"],
  [
    "a picture",
    { name: "a.png", data: Buffer.from([0x89, 0x50, 0, 1]).toString("base64") },
    422,
    "document_unsupported",
  ],
])("an upload with %s is refused, and says why", async (_, body, status, code) => {
  expect(await site.ask("POST", "/api/documents", body)).toMatchObject([status, { code }])
})

test("a name that leads elsewhere is only a name", async () => {
  expect(await put("../../etc/passwd", "root of it")).toMatchObject([
    200,
    { document: { id: "..-..-etc-passwd" } },
  ])
})

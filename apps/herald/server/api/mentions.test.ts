import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { heraldSite } from "../fixture.ts"

test("files of the chat's folder and documents are found by what is in their names, and nothing of anybody else's", async () => {
  const site = await heraldSite({
    config: (folder) => `[tools]\nfilesystem = true\ndirectories = ["${join(folder, "project")}"]`,
  })
  onTestFinished(() => site.close())
  const file = (...path: readonly string[]): void => {
    const whole = join(site.folder, ...path)
    mkdirSync(join(whole, ".."), { recursive: true })
    writeFileSync(whole, "x")
  }
  file("data", "work", "web", "notes.md")
  // Its name would end the mark that a name stands in.
  file("data", "work", "web", "no`tes.md")
  file("data", "work", "ada", "adas-notes.md")
  for (const name of [
    "README.md",
    "src/notes/a.ts",
    "node_modules/notes.js",
    ".git/notes",
    "other/NOTES.txt",
  ])
    file("project", ...name.split("/"))
  symlinkSync(join(site.folder, "data"), join(site.folder, "project", "notes-link"))
  const document = { name: "notes-of-2025.txt", data: Buffer.from("Tea.").toString("base64") }
  expect((await site.ask("POST", "/api/documents", document))[0]).toBe(200)
  const found = async (query: string, chat = "web:one", who?: "ada") => {
    const [, answer] = await site.ask("GET", `/api/sessions/${chat}/mentions?q=${query}`, undefined, who)
    const { found } = answer as {
      readonly found: readonly { readonly type: string; readonly name: string }[]
    }
    return found?.map(({ type, name }) => `${type} ${name}`)
  }
  expect(await found("no")).toEqual(["document notes-of-2025.txt", "file notes.md"])
  expect(await found("", "ada:one", "ada")).toEqual(["file adas-notes.md"])
  expect(await found("n", "web:one", "ada")).toBeUndefined()

  // The folder that was chosen, also before the chat begins.
  const directory = { directory: join(site.folder, "project") }
  expect((await site.ask("PUT", "/api/sessions/web:one/directory", directory))[0]).toBe(200)
  expect(await found("notes")).toEqual([
    "document notes-of-2025.txt",
    "file other/NOTES.txt",
    "file src/notes/a.ts",
  ])
  expect(await found("readme")).toEqual(["file README.md"])

  // What the chat may not read it is not offered.
  expect((await site.ask("PATCH", "/api/sessions/web:one/options", { off: ["files"] }))[0]).toBe(200)
  expect(await found("notes")).toEqual(["document notes-of-2025.txt"])
})

test("Herald's own data is not found, also where the owner's folder is named by a link to one that has it", async () => {
  const site = await heraldSite({
    config: (folder) => {
      symlinkSync(folder, join(folder, "link"))
      return `[tools]\nfilesystem = true\nfilesystem_base_dir = "${join(folder, "link")}"`
    },
  })
  onTestFinished(() => site.close())
  const [, { found }] = (await site.ask("GET", "/api/sessions/web:one/mentions?q=")) as [
    number,
    { readonly found: readonly { readonly name: string }[] },
  ]
  expect(found.map(({ name }) => name).filter((name) => name.startsWith("data"))).toEqual([])
  expect(found.map(({ name }) => name)).toContain("assistant.toml")
})

import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { call, lastText } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { hasResults, lastUserText } from "../../e2e/support/demo-model.ts"
import { type HeraldSite, heraldSite } from "../fixture.ts"

let site: HeraldSite
const at = (...names: string[]) => join(realpathSync(site.folder), ...names)

/** The model does what the message says: `exec ls`, `read notes.txt`; then it repeats what came of it. */
beforeAll(async () => {
  site = await heraldSite({
    config: (folder) => {
      for (const name of ["projects/site/src", "projects/.hidden", "elsewhere", "base", "data"])
        mkdirSync(join(folder, name), { recursive: true })
      writeFileSync(join(folder, "projects", "site", "notes.txt"), "of the site")
      writeFileSync(join(folder, "elsewhere", "secret.txt"), "of nobody here")
      symlinkSync(join(folder, "elsewhere"), join(folder, "projects", "way-out"))
      symlinkSync(join(folder, "data"), join(folder, "projects", "into-data"))
      return [
        "[tools]",
        "exec = true",
        'exec_isolation = "off"',
        'exec_allowed_commands = ["pwd", "ls"]',
        "filesystem = true",
        'filesystem_base_dir = "base"',
        'directories = ["projects", "."]',
      ].join("\n")
    },
    answer: (request) => {
      if (hasResults(request)) return `It said: ${lastText(request)}`
      const [, tool, input = ""] = /^(exec|read) (.+)$/.exec(lastUserText(request)) ?? []
      return [tool === "exec" ? call("exec", { command: input }) : call("read_file", { path: input })]
    },
  })
})
afterAll(() => site.close())

const place = (chat: string) => `/api/sessions/${encodeURIComponent(chat)}/directory`
const choose = (chat: string, directory: string | null, who?: "ada") =>
  site.ask("PUT", place(chat), { directory }, who)

/** Says something in a chat, and what came of it when it is over. */
async function say(chat: string, message: string, who?: "ada"): Promise<string> {
  const [status, answer] = await site.ask("POST", "/api/chat", { namespace: chat, message }, who)
  return `${status} ${JSON.stringify(answer)}`
}

test("S6, F17: a chat works in the folder that was chosen for it, before it began or later, and no other chat does", async () => {
  expect(await choose("web:one", at("projects", "site"))).toEqual([
    200,
    { directory: at("projects", "site") },
  ])
  expect(await say("web:one", "exec pwd")).toContain(at("projects", "site"))
  expect(await say("web:one", "read notes.txt")).toContain("of the site")
  const [, session] = await site.ask("GET", "/api/sessions/web%3Aone")
  expect(session).toMatchObject({ info: { metadata: { working_directory: at("projects", "site") } } })

  // Nothing was chosen here: files are where the configuration says, programs in the person's own folder.
  expect(await say("web:two", "exec pwd")).toContain(join("data", "work", "web"))
  expect(await say("web:two", "read notes.txt")).toContain("does not exist")
  await choose("web:two", at("projects", "site", "src"))
  expect(await say("web:two", "exec pwd")).toContain(at("projects", "site", "src"))
  expect(await say("web:two", "read ../notes.txt")).toContain("leads out of the folder")
  expect(await choose("web:two", null)).toEqual([200, { directory: null }])
  expect(await say("web:two", "exec pwd")).toContain(join("data", "work", "web"))
  expect(await say("web:one", "exec pwd")).toContain(at("projects", "site"))
})

test("folders are shown below those that the configuration names, without hidden ones and links", async () => {
  const [, all] = await site.ask("GET", place("web:new"))
  expect(all).toEqual({
    directory: null,
    roots: [at("base"), at("projects"), at(), at("data", "work", "web")],
  })
  const below = (path: string) => site.ask("GET", `${place("web:new")}?path=${encodeURIComponent(path)}`)
  expect(await below(at("projects"))).toMatchObject([200, { folders: [at("projects", "site")] }])
  expect(await below(at("projects", "way-out"))).toMatchObject([200, {}])
})

test("S21: never outside the roots, by whatever way", async () => {
  for (const path of [
    "/",
    "/etc",
    at(".."),
    at("projects", "..", ".."),
    at("projects", "into-data"),
    at("data"),
    at("data", "work"),
    at("data", "work", "ada"),
    at("nothing-there"),
    "projects",
    "",
    "\0",
    `${at("projects")}\0/etc`,
  ]) {
    if (path !== "")
      expect(await choose("web:bad", path), path).toMatchObject([400, { code: "directory_refused" }])
    const [status, shown] = await site.ask("GET", `${place("web:bad")}?path=${encodeURIComponent(path)}`)
    expect([status, JSON.stringify(shown)], path).toEqual([400, expect.not.stringContaining("folders")])
  }
  for (const directory of [5, ["/etc"], "x".repeat(5_000)])
    expect((await site.ask("PUT", place("web:bad"), { directory }))[0]).toBe(400)
  expect(await site.ask("GET", place("web:bad"))).toMatchObject([200, { directory: null }])
})

test("S21: another person's root is neither shown nor taken, nor is the folder of another person's chat", async () => {
  const [, hers] = await site.ask("GET", place("ada:chat"), undefined, "ada")
  expect(hers).toEqual({ directory: null, roots: [at("data", "work", "ada")] })
  for (const path of [at("projects"), at("base"), at("data", "work", "web"), at()]) {
    expect(await choose("ada:chat", path, "ada"), path).toMatchObject([400, { code: "directory_refused" }])
    expect(
      await site.ask("GET", `${place("ada:chat")}?path=${encodeURIComponent(path)}`, undefined, "ada"),
    ).toMatchObject([400, { code: "directory_refused" }])
  }
  expect(await choose("ada:chat", at("data", "work", "ada"), "ada")).toMatchObject([200, {}])
  expect((await choose("web:one", at("data", "work", "ada"), "ada"))[0]).toBe(404)
  expect((await site.ask("GET", place("web:one"), undefined, "ada"))[0]).toBe(404)
})

test("SEC: what was chosen is looked at again when it is used", async () => {
  const moved = at("projects", "moved")
  mkdirSync(moved)
  await choose("web:moved", moved)
  rmSync(moved, { recursive: true })
  symlinkSync(at("elsewhere"), moved)
  // "." is a root here, and what is in it may be worked in; the way out of all of them may not.
  rmSync(moved)
  symlinkSync("/etc", moved)
  expect(await say("web:moved", "read hostname")).toContain("choose another one")
  expect(await say("web:moved", "exec pwd")).not.toContain("/etc")
})

test("SEC: no program runs in a folder with Herald's own data in it; the file tools keep away from that by themselves", async () => {
  await choose("web:all", at())
  expect(await say("web:all", "exec ls data")).toContain("own data is in the folder")
  expect(await say("web:all", "read elsewhere/secret.txt")).toContain("of nobody here")
  expect(await say("web:all", "read data/herald.db")).toMatch(/protected/)
})

import { mkdirSync, realpathSync } from "node:fs"
import { join } from "node:path"
import { lastText, say } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

interface Folder {
  readonly id: string
  readonly version: number
  readonly name: string
}

const AT = 1_700_000_000_000
let site: HeraldSite
let now = AT

beforeAll(async () => {
  site = await heraldSite({
    config: (folder) => {
      mkdirSync(join(folder, "garden"))
      return '[tools]\nfilesystem = true\ndirectories = ["garden"]\n[[agents]]\nname = "Atlas"\n[[agents]]\nname = "Nova"\nsystem_prompt = "You are Nova, in your own words."\n'
    },
    answer: (request) => say(`You said: ${lastText(request)}`),
    now: () => now,
  })
})
afterAll(() => site.close())

type Who = "owner" | "ada"

async function make(fields: Record<string, unknown>, who?: Who): Promise<Folder> {
  const [status, answer] = await site.ask("POST", "/api/folders", fields, who)
  expect(status, JSON.stringify(answer)).toBe(200)
  return (answer as { folder: Folder }).folder
}

const put = (chat: string, folder: string | null, who?: Who) =>
  site.ask("PUT", `/api/sessions/${encodeURIComponent(chat)}/folder`, { folder }, who)

async function list(who?: Who) {
  const [, answer] = await site.ask("GET", "/api/folders", undefined, who)
  const { folders, chats } = answer as {
    folders: readonly Folder[]
    chats: readonly { namespace: string; metadata: Record<string, unknown> }[]
  }
  return {
    names: folders.map(({ name }) => name),
    chats: chats.map(({ namespace, metadata }) => [namespace, metadata["folder"]]),
  }
}

/** Says something in a chat, and what the model was told before it. */
async function told(chat: string, message: string): Promise<string> {
  const before = site.model.requests.length
  const [status] = await site.ask("POST", "/api/chat", { namespace: chat, message })
  expect(status).toBe(200)
  return JSON.stringify(site.model.requests[before]?.body["system"])
}

test("a folder is made, changed, deleted and brought back with its chats; another person has none of it", async () => {
  const garden = await make({ name: "  The\n garden " })
  expect(garden).toMatchObject({ name: "The garden", instructions: "", agent: null, directory: null })
  await told("web:bulbs", "When are tulips planted?")
  expect(await put("web:bulbs", garden.id)).toEqual([200, { folder: garden.id }])
  expect(await list()).toEqual({ names: ["The garden"], chats: [["web:bulbs", garden.id]] })
  expect(await list("ada")).toEqual({ names: [], chats: [] })

  const path = `/api/folders/${garden.id}`
  for (const [method, of, body] of [
    ["PATCH", path, { name: "Hers" }],
    ["DELETE", path, undefined],
    ["POST", `${path}/restore`, {}],
    ["PUT", "/api/sessions/ada%3Aone/folder", { folder: garden.id }],
    ["PUT", "/api/sessions/web%3Abulbs/folder", { folder: null }],
  ] as const)
    expect(await site.ask(method, of, body, "ada"), `${method} ${of}`).toMatchObject([
      404,
      { code: "not_found" },
    ])

  const [, renamed] = await site.ask("PATCH", path, { name: "Garden", version: garden.version })
  expect(renamed).toMatchObject({ folder: { name: "Garden" } })
  expect(await site.ask("PATCH", path, { name: "Yard", version: garden.version })).toMatchObject([
    409,
    { code: "version_conflict" },
  ])

  expect(await site.ask("DELETE", path)).toEqual([200, { deleted: true }])
  expect(await list()).toEqual({ names: [], chats: [] })
  expect((await put("web:bulbs", garden.id))[0]).toBe(404)
  // Nothing is lost, and nothing has to be put back.
  await site.restart()
  expect((await site.ask("POST", `${path}/restore`, {}))[0]).toBe(200)
  expect(await list()).toEqual({ names: ["Garden"], chats: [["web:bulbs", garden.id]] })

  expect(await put("web:bulbs", null)).toEqual([200, { folder: null }])
  expect((await list()).chats).toEqual([])
  await site.ask("DELETE", path)
  now = AT + 10 * 60_000
  expect((await site.ask("POST", `${path}/restore`, {}))[0]).toBe(404)
  expect((await list()).names).toEqual([])
})

test("agents are told the instructions of the folder in its chats and nowhere else, each time as they are", async () => {
  const { id } = await make({ name: "Letters", instructions: "Answer in French." })
  const instructions = `This conversation is in the person's folder \\"Letters\\", for which they ask:\\n\\nAnswer in French.`
  expect(await told("web:elsewhere", "Hello")).not.toContain("French")
  await put("web:elsewhere", id)
  expect(await told("web:elsewhere", "Hello")).toContain(instructions)
  // Also one whose prompt is its own.
  await site.ask("PUT", "/api/sessions/web%3Aelsewhere/agent", { name: "Nova" })
  const own = await told("web:elsewhere", "Hello")
  expect(own).toContain("You are Nova, in your own words.")
  expect(own).toContain(instructions)
  await site.ask("PATCH", `/api/folders/${id}`, { instructions: "Answer in Greek." })
  expect(await told("web:elsewhere", "Hello")).toContain("Answer in Greek.")
  await site.ask("DELETE", `/api/folders/${id}`)
  expect(await told("web:elsewhere", "Hello")).not.toContain("Greek")
})

test("a chat that begins in a folder is with its agent, and works in its directory unless another was chosen", async () => {
  const [, { roots }] = (await site.ask("GET", "/api/sessions/web%3Anew/directory")) as [
    number,
    { roots: readonly string[] },
  ]
  const directory = join(realpathSync(site.folder), "garden")
  expect(roots).toContain(directory)
  const { id } = await make({ name: "Beds", agent: "Nova", directory })
  expect(await put("web:first", id)).toEqual([200, { folder: id }])
  expect(await told("web:first", "Hello")).toContain("You are Nova")
  const metadata = async (chat: string) => {
    const [, answer] = await site.ask("GET", `/api/sessions/${encodeURIComponent(chat)}`)
    return (answer as { info: { metadata: unknown } }).info.metadata
  }
  expect(await metadata("web:first")).toMatchObject({
    folder: id,
    agent: "Nova",
    working_directory: directory,
  })

  const other = roots.at(-1)
  await site.ask("PUT", "/api/sessions/web%3Asecond/directory", { directory: other })
  await put("web:second", id)
  await told("web:second", "Hello")
  expect(await metadata("web:second")).toMatchObject({ folder: id, working_directory: other })

  // In a folder it has begun, and has not run: what was chosen is shown, and can be taken back.
  const third = "/api/sessions/web%3Athird/directory"
  await site.ask("PUT", third, { directory: other })
  await put("web:third", id)
  expect(await site.ask("GET", third)).toMatchObject([200, { directory: other }])
  expect(await site.ask("PUT", third, { directory: null })).toEqual([200, { directory }])
  expect(await site.ask("GET", third)).toMatchObject([200, { directory }])
  await told("web:third", "Hello")
  expect(await metadata("web:third")).toMatchObject({ working_directory: directory })

  // A copy of a chat is where the chat is.
  const [, { entries }] = (await site.ask("GET", "/api/sessions/web%3Afirst")) as [
    number,
    { entries: readonly { seq: number }[] },
  ]
  const body = { seq: entries.at(-1)?.seq, to: "web:copy" }
  expect((await site.ask("POST", "/api/sessions/web%3Afirst/fork", body))[0]).toBe(201)
  expect(await metadata("web:copy")).toMatchObject({ folder: id })
})

test("a folder stays with its agent when that has another name, and begins with the default when it is gone", async () => {
  const agents = async (method: string, path: string, body?: unknown) => {
    const [status, answer] = await site.ask(method, `/api/agents${path}`, body)
    expect(status).toBe(200)
    return (answer as { agents: { name: string; id: string; version: number }[] }).agents
  }
  const cy = (await agents("POST", "", { name: "Cy" })).find(({ name }) => name === "Cy")
  const { id } = await make({ name: "Cy's", agent: "cy" })
  await agents("PUT", `/${cy?.id}`, { name: "Dee", version: cy?.version })
  const [, { folders }] = (await site.ask("GET", "/api/folders")) as [
    number,
    { folders: readonly { id: string; agent: string }[] },
  ]
  expect(folders.find((each) => each.id === id)?.agent).toBe("Dee")
  await put("web:with", id)
  await agents("DELETE", `/${cy?.id}`)
  await put("web:without", id)
  for (const [chat, agent] of [
    ["web:with", "Dee"],
    ["web:without", undefined],
  ] as const) {
    const [, { info }] = (await site.ask("GET", `/api/sessions/${encodeURIComponent(chat)}`)) as [
      number,
      { info: { metadata: Record<string, unknown> } },
    ]
    expect(info.metadata["agent"], chat).toBe(agent)
  }
})

test("what is no folder is refused, with what to do", async () => {
  for (const [path, body] of [
    ["/api/folders", {}],
    ["/api/folders", { name: " " }],
    ["/api/folders", { name: "x".repeat(81) }],
    ["/api/folders", { name: "x", instructions: "x".repeat(8_001) }],
    ["/api/folders", { name: "x", agent: "Nobody" }],
    ["/api/folders", { name: "x", directory: "/etc" }],
    ["/api/folders", { name: "x", id: "mine" }],
  ] as const)
    expect(await site.ask("POST", path, body), JSON.stringify(body).slice(0, 60)).toMatchObject([
      400,
      { code: expect.any(String) },
    ])
  const { id } = await make({ name: "Last" })
  for (const chat of ["web", "web:~temporary:one"]) expect((await put(chat, id))[0], chat).toBe(400)
  expect((await put("web:none", null))[0]).toBe(200)
  expect((await site.ask("GET", "/api/sessions/web%3Anone"))[0]).toBe(404)
})

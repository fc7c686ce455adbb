import { existsSync } from "node:fs"
import { join } from "node:path"
import { call, type WireRequest } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

let site: HeraldSite
/** By how much the clock is ahead, in ms. */
let later = 0
beforeAll(async () => {
  site = await heraldSite({
    now: () => Date.now() + later,
    config: '[tools]\nfilesystem = true\nfilesystem_write = "allow"\ndelegation = true',
    answer({ body }: WireRequest) {
      const messages = body["messages"] as readonly unknown[]
      const last = JSON.stringify(messages.at(-1))
      if (last.includes("tool_result")) return "So be it."
      const [, path] = /write (\w+)/.exec(last) ?? []
      if (/hand on/.test(last)) return [call("spawn_agent", { task: `write ${path}` })]
      return path === undefined ? "Hello." : [call("write_file", { path, content: "Hello" })]
    },
  })
})
afterAll(() => site.close())

const options = (chat: string) => `/api/sessions/web:${chat}/options`
const patch = (chat: string, body: unknown, who?: "ada") => site.ask("PATCH", options(chat), body, who)
const isWritten = (name: string) => existsSync(join(site.folder, "data", "work", "web", name))

/** Sends a message and waits for its answer: what the model was asked for it, the first time. */
async function say(chat: string, message: string): Promise<WireRequest["body"]> {
  const before = site.model.requests.length
  expect((await site.ask("POST", "/api/chat", { message, namespace: `web:${chat}` }))[0]).toBe(200)
  return site.model.requests[before]?.body ?? {}
}
const toolsOf = (body: WireRequest["body"]) =>
  ((body["tools"] ?? []) as readonly { readonly name: string }[]).map(({ name }) => name)

test("the model of one chat thinks as it is told there, from the first message on, and over a restart", async () => {
  expect(await site.ask("GET", options("think"))).toMatchObject([
    200,
    { effort: null, efforts: ["off", "low", "medium", "high"], mode: "ask" },
  ])
  expect(await patch("think", { effort: "high" })).toMatchObject([200, { effort: "high" }])
  expect(await say("think", "Hello")).toMatchObject({ output_config: { effort: "high" } })
  expect(await say("other", "Hello")).not.toHaveProperty("output_config")
  expect(await patch("think", { effort: "off" })).toMatchObject([200, { effort: "off" }])
  await site.restart()
  expect(await say("think", "Hello")).toMatchObject({ thinking: { type: "disabled" } })
  const before = site.model.requests.length
  await say("think", "hand on write nothing")
  const asked = site.model.requests.slice(before).map(({ body }) => body["thinking"])
  expect(asked.length).toBeGreaterThan(2)
  expect(new Set(asked.map((each) => JSON.stringify(each)))).toEqual(new Set(['{"type":"disabled"}']))
  // Other devices are told by the chat itself.
  const [, chat] = await site.ask("GET", "/api/sessions/web:think")
  expect(chat).toMatchObject({ info: { metadata: { options: { effort: "off" } } } })
  expect(await patch("think", { effort: null })).toMatchObject([200, { effort: null }])
  expect(await say("think", "Hello")).not.toHaveProperty("thinking")
  // A model that has none is offered none.
  expect(await site.ask("GET", `${options("think")}?model=gpt-2`)).toMatchObject([200, { efforts: [] }])
})

test("tools that are off in a chat are not offered, not run and not handed on, there alone, until they are on again", async () => {
  expect(toolsOf(await say("off", "Hello"))).toContain("write_file")
  expect(await patch("off", { off: ["files"] })).toMatchObject([
    200,
    {
      tools: expect.arrayContaining([
        { id: "files", on: false },
        { id: "agents", on: true },
      ]),
    },
  ])
  const asked = toolsOf(await say("off", "write one"))
  expect(asked).toContain("current_time")
  expect(asked).not.toContain("write_file")
  expect(asked).not.toContain("read_file")
  await say("off", "hand on write two")
  await site.restart()
  await say("off", "write three")
  expect(["one", "two", "three"].filter(isWritten)).toEqual([])
  expect(JSON.stringify(await site.ask("GET", "/api/sessions/web:off"))).toContain(
    "switched off in this chat",
  )
  await say("on", "write four")
  expect(isWritten("four")).toBe(true)
  expect(await patch("off", { off: [] })).toMatchObject([200, {}])
  await say("off", "hand on write five")
  expect(isWritten("five")).toBe(true)
})

test("what was set for a chat that never began is forgotten after a day; what was set for one that did is not", async () => {
  await say("lasts", "Hello")
  await patch("lasts", { mode: "read_only" })
  await patch("begins", { mode: "read_only" })
  await site.restart()
  expect(await site.ask("GET", options("begins"))).toMatchObject([200, { mode: "read_only" }])
  later += 25 * 3_600_000
  await site.restart()
  expect(await site.ask("GET", options("begins"))).toMatchObject([200, { mode: "ask" }])
  expect(await site.ask("GET", options("lasts"))).toMatchObject([200, { mode: "read_only" }])
})

test("a chat that goes on from an answer begins as that one was set", async () => {
  await say("from", "Hello")
  await patch("from", { off: ["files"] })
  const [, chat] = await site.ask("GET", "/api/sessions/web:from")
  const { entries } = chat as { readonly entries: readonly { readonly seq: number; readonly type: string }[] }
  const seq = entries.find(({ type }) => type === "assistant")?.seq
  expect(await site.ask("POST", "/api/sessions/web:from/fork", { seq, to: "web:to" })).toMatchObject([
    201,
    {},
  ])
  expect(toolsOf(await say("to", "Hello"))).not.toContain("write_file")
})

test("a chat that only reads changes nothing, whatever is approved there", async () => {
  await say("look", "Hello")
  expect(await patch("look", { mode: "read_only" })).toMatchObject([200, { mode: "read_only" }])
  expect((await site.ask("PUT", "/api/sessions/web:look/approve-everything", { minutes: 5 }))[0]).toBe(200)
  const asked = toolsOf(await say("look", "write six"))
  expect(asked).toContain("read_file")
  expect(asked).not.toContain("write_file")
  expect(isWritten("six")).toBe(false)
  expect(await patch("look", { mode: "ask" })).toMatchObject([200, { mode: "ask" }])
  await say("look", "write seven")
  expect(isWritten("seven")).toBe(true)
})

test.each([
  { effort: "extreme" },
  { effort: 3 },
  { mode: "everything" },
  { off: "files" },
  { off: ["exec"] },
  { off: [1] },
  { tools: [] },
])("%o is refused and changes nothing", async (body) => {
  expect(await patch("bad", { effort: "low" })).toMatchObject([200, {}])
  expect(await patch("bad", { ...body })).toMatchObject([400, { code: "invalid_input" }])
  expect(await site.ask("GET", options("bad"))).toMatchObject([200, { effort: "low", mode: "ask" }])
})

test("it is for one's own chats alone, and never in the place of what holds for all of them", async () => {
  expect(await patch("x", { mode: "read_only" }, "ada")).toMatchObject([404, { code: "not_found" }])
  expect(await site.ask("PATCH", "/api/sessions/web/options", { mode: "read_only" })).toMatchObject([
    400,
    { code: "invalid_input" },
  ])
  expect(await site.ask("PATCH", "/api/sessions/ada:one/options", { effort: "low" }, "ada")).toMatchObject([
    200,
    { effort: "low" },
  ])
  expect(await site.ask("GET", "/api/sessions/ada:one/options")).toMatchObject([404, { code: "not_found" }])
})

import { say } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

const DAY_MS = 24 * 3_600_000

let site: HeraldSite
let now = Date.now()
beforeAll(async () => {
  site = await heraldSite({ answer: () => say("Hello."), now: () => now, shareLinks: true })
  for (const [who, chat] of [
    ["owner", "web:chat"],
    ["owner", "web:~temporary:chat"],
    ["ada", "ada:chat"],
  ] as const)
    await site.ask("POST", `/api/sessions/${encodeURIComponent(chat)}/messages`, { message: "Hi" }, who)
})
afterAll(() => site.close())

const COPY = { namespace: "web:chat", title: "A chat", html: "<h1>A copy</h1>", days: 7 }
const make = async (body: object = {}) => {
  const [status, answer] = await site.ask("POST", "/api/shares", { ...COPY, ...body })
  return { status, ...(answer as { id: string; path: string }) }
}
/** As somebody who has the link and no key. */
const read = (path: string) => fetch(`${site.herald.url}${path}`)
const shares = async (who?: "ada") => (await site.ask("GET", "/api/shares", undefined, who))[1]

test("whoever has the link reads the copy, under rules by which nothing runs, until it is taken back", async () => {
  const { path, id } = await make()
  const answer = await read(path)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toBe("<h1>A copy</h1>")
  expect(answer.headers.get("content-security-policy")).toMatch(
    /^sandbox; default-src 'none'; .*frame-ancestors 'none'$/,
  )
  expect(answer.headers.get("x-robots-tag")).toBe("noindex")
  expect(answer.headers.get("cache-control")).toBe("no-store")
  expect(await shares()).toMatchObject({ enabled: true, shares: [{ id, chat: "web:chat", title: "A chat" }] })
  // Nobody else has it, and what is listed is not the link.
  expect(await shares("ada")).toEqual({ enabled: true, shares: [] })
  expect(JSON.stringify(await shares())).not.toContain(path.split("/").at(-1))
  expect((await site.ask("DELETE", `/api/shares/${id}`, undefined, "ada"))[0]).toBe(404)
  expect((await site.ask("DELETE", `/api/shares/${id}`))[0]).toBe(200)
  expect((await read(path)).status).toBe(404)
})

test("a link ends with its time, and with its chat", async () => {
  const { path } = await make({ days: 1 })
  now += DAY_MS - 1
  expect((await read(path)).status).toBe(200)
  await site.ask("DELETE", "/api/sessions/web:chat")
  expect((await read(path)).status).toBe(404)
  await site.ask("POST", "/api/sessions/web:chat/restore", {})
  expect((await read(path)).status).toBe(200)
  now += 1
  expect((await read(path)).status).toBe(404)
  expect(await shares()).toEqual({ enabled: true, shares: [] })
})

test("of others' chats, temporary ones and none there are no links, and a guess finds nothing", async () => {
  for (const [body, status] of [
    [{ namespace: "ada:chat" }, 404],
    [{ namespace: "web:none" }, 404],
    [{ namespace: "web:~temporary:chat" }, 400],
    [{ html: "" }, 400],
    [{ days: 0 }, 400],
    [{ days: 91 }, 400],
    [{ title: 1 }, 400],
  ] as const)
    expect(await make(body), JSON.stringify(body)).toMatchObject({ status })
  const { path } = await make()
  const secret = path.split("/").at(-1) ?? ""
  for (const wrong of [`/api/shared/ada/${secret}`, "/api/shared/web/x", "/api/shared/%00/x"])
    expect((await read(wrong)).status, wrong).toBe(404)
})

test("unless the owner has switched them on there are none, and those that were made lead nowhere", async () => {
  const other = await heraldSite({ answer: () => say("Hello.") })
  await other.ask("POST", "/api/sessions/web:chat/messages", { message: "Hi" })
  expect(await other.ask("POST", "/api/shares", COPY)).toMatchObject([409, { code: "sharing_off" }])
  expect(await other.ask("GET", "/api/shares")).toEqual([200, { enabled: false, shares: [] }])
  await other.close()
})

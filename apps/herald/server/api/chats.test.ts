import { existsSync, readFileSync } from "node:fs"
import { lastText, say } from "@orra/testing"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

type Who = "owner" | "ada"
const ROOT = { owner: "web", ada: "ada" }

let site: HeraldSite
beforeAll(async () => {
  site = await heraldSite({ answer: (request) => say(`You said: ${lastText(request)}`) })
})
afterAll(() => site.close())

const ask = async (method: string, path: string, body?: unknown, who: Who = "owner") => {
  const [status, answer] = await site.ask(method, path, body, who)
  return { status, answer: answer as Record<string, unknown> }
}

interface Read {
  readonly entries: readonly { readonly seq: number; readonly type: string; readonly message?: unknown }[]
  readonly info: { readonly metadata: Record<string, unknown>; readonly openRun?: string }
}
const read = async (chat: string, who: Who = "owner") =>
  (await ask("GET", `/api/sessions/${ROOT[who]}:${chat}`, undefined, who)).answer as unknown as Read

/** Sends a message and waits for its answer. */
async function tell(chat: string, message: string, who: Who = "owner"): Promise<void> {
  await ask("POST", `/api/sessions/${ROOT[who]}:${chat}/messages`, { message }, who)
  await expect
    .poll(async () => {
      const { entries, info } = await read(chat, who)
      return info.openRun === undefined && JSON.stringify(entries).includes(`You said: ${message}`)
    })
    .toBe(true)
}

const texts = async (chat: string) =>
  (await read(chat)).entries.flatMap(({ message }) =>
    message ? [(message as { parts: { text: string }[] }).parts.map(({ text }) => text).join("")] : [],
  )

interface Found {
  readonly namespace: string
  readonly count: number
  readonly hit: { readonly role: string; readonly seq: number; readonly snippet: unknown }
}
const find = async (query: string, who: Who = "owner") =>
  (await ask("GET", `/api/search?q=${encodeURIComponent(query)}`, undefined, who)).answer[
    "chats"
  ] as readonly Found[]

describe("finding", () => {
  test("what was said in one's own chats, and never what was deleted or is somebody else's", async () => {
    await tell("kyoto", "Where is the best CAFÉ in Kyōto?")
    await tell("other", "Tell me about tea")
    await tell("secret", "My café is a secret", "ada")
    const found = await find("cafe kyoto")
    expect(found).toEqual([
      {
        namespace: "web:kyoto",
        title: "Where is the best CAFÉ in Kyōto?",
        count: 2,
        hit: {
          role: "assistant",
          seq: expect.any(Number),
          at: expect.any(Number),
          snippet: { before: "You said: Where is the best ", match: "CAFÉ", after: " in Kyōto?" },
        },
      },
    ])
    expect(await find("cafe", "ada")).toMatchObject([{ namespace: "ada:secret" }])
    expect(await find('"tea about"')).toEqual([])
    expect(await find("   ")).toEqual([])

    const inChat = await ask("GET", "/api/sessions/web:kyoto/search?q=kyoto")
    expect(inChat.answer["hits"]).toMatchObject([{ role: "assistant" }, { role: "user" }])
    expect(await ask("GET", "/api/sessions/ada:secret/search?q=cafe")).toMatchObject({ status: 404 })

    // What is said later is found, and what is deleted no longer.
    await tell("kyoto", "And a bakery?")
    expect(await find("bakery")).toMatchObject([{ namespace: "web:kyoto", count: 2 }])
    await ask("DELETE", "/api/sessions/web:kyoto")
    expect(await find("bakery")).toEqual([])
    await ask("POST", "/api/sessions/web:kyoto/restore", {})
    expect(await find("bakery")).toMatchObject([{ count: 2 }])
  })

  test("only what is on the branch that the chat shows", async () => {
    await tell("branches", "First, of apples")
    await tell("branches", "Then, of pears")
    const { entries } = await read("branches")
    const pears = entries.findLast(({ type }) => type === "user")?.seq
    expect(await find("pears")).toHaveLength(1)
    await ask("POST", "/api/sessions/web:branches/edit", { seq: pears, message: "Then, of plums" })
    await expect.poll(async () => (await find("plums"))[0]?.count).toBe(2)
    expect(await find("pears")).toEqual([])
    expect(await find("apples")).toHaveLength(1)
  })
})

test("D8: undo goes back to before the newest message, and what was said can be brought back", async () => {
  await tell("undo", "one")
  await tell("undo", "two")
  const before = await texts("undo")
  const { answer } = await ask("POST", "/api/sessions/web:undo/undo", {})
  expect(await texts("undo")).toEqual(["one", "You said: one"])
  // The very first message as well.
  await ask("POST", "/api/sessions/web:undo/undo", {})
  expect(await texts("undo")).toEqual([])
  expect(await ask("POST", "/api/sessions/web:undo/undo", {})).toMatchObject({
    status: 409,
    answer: { code: "nothing_to_undo" },
  })
  await ask("POST", "/api/sessions/web:undo/branch", { tip: answer["redo"] })
  expect(await texts("undo")).toEqual(before)
  expect(await ask("POST", "/api/sessions/ada:secret/undo", {})).toMatchObject({ status: 404 })
})

test("a fork is a chat of its own with what was said so far", async () => {
  await tell("source", "one")
  const end = (await read("source")).entries.findLast(({ type }) => type === "assistant")?.seq
  await tell("source", "two")
  const { status, answer } = await ask("POST", "/api/sessions/web:source/fork", { seq: end, to: "web:copy" })
  expect({ status, answer }).toEqual({ status: 201, answer: { namespace: "web:copy" } })
  await tell("copy", "three")
  expect(await texts("copy")).toEqual(["one", "You said: one", "three", "You said: three"])
  expect(await texts("source")).toEqual(["one", "You said: one", "two", "You said: two"])
  expect((await read("copy")).info.metadata).toMatchObject({ title: "one (2)", forkedFrom: "web:source" })
  const fork = (body: unknown) => ask("POST", "/api/sessions/web:source/fork", body)
  expect(await fork({ seq: end, to: "web:copy" })).toMatchObject({ status: 400 })
  expect(await fork({ seq: end, to: "ada:copy" })).toMatchObject({ status: 404 })
  expect(await fork({ seq: 9_999 })).toMatchObject({ status: 400 })
})

test("a chat says what it has cost and what of the window it takes, and can be summed up", async () => {
  await tell("usage", "How much is it?")
  const { answer } = await ask("GET", "/api/sessions/web:usage/usage")
  expect(answer).toMatchObject({ unpriced: 0, context: { used: expect.any(Number), available: 195_904 } })
  expect(answer["usd"]).toBeGreaterThan(0)
  expect(await ask("POST", "/api/sessions/web:usage/compact", {})).toMatchObject({
    status: 200,
    answer: { compacted: false },
  })
})

test("a temporary chat is answered, but is in no list, in no search and in no file", async () => {
  await tell("~temporary:t1", "A passing thought")
  expect(await texts("~temporary:t1")).toEqual(["A passing thought", "You said: A passing thought"])
  expect(await find("passing")).toEqual([])
  expect(JSON.stringify((await ask("GET", "/api/sessions")).answer)).not.toContain("t1")
  await tell("stored", "A lasting thought")
  const files = [site.database, `${site.database}-wal`].filter(existsSync).map((file) => readFileSync(file))
  expect(files.some((bytes) => bytes.includes("A lasting thought"))).toBe(true)
  expect(files.some((bytes) => bytes.includes("A passing thought"))).toBe(false)
  expect(await ask("GET", "/api/sessions/web:~temporary:t1", undefined, "ada")).toMatchObject({ status: 404 })
})

test("chats are pinned and put away", async () => {
  await tell("pinned", "Keep this")
  await tell("away", "Put this away")
  await ask("PATCH", "/api/sessions/web:pinned", { pinned: true })
  await ask("PATCH", "/api/sessions/web:away", { archived: true })
  const list = async (query: string) =>
    ((await ask("GET", `/api/sessions${query}`)).answer["sessions"] as { namespace: string }[]).map(
      ({ namespace }) => namespace,
    )
  expect(await list("?view=pinned")).toEqual(["web:pinned"])
  expect(await list("?view=archived")).toEqual(["web:away"])
  expect(await list("")).not.toContain("web:away")
  expect(await list("?q=put")).toEqual(["web:away"])
  await ask("PATCH", "/api/sessions/web:away", { archived: false })
  expect(await list("")).toContain("web:away")
  expect(await ask("PATCH", "/api/sessions/web:away", { pinned: "yes" })).toMatchObject({ status: 400 })
  expect(await ask("GET", "/api/sessions?view=deletedAt")).toMatchObject({ status: 400 })
})

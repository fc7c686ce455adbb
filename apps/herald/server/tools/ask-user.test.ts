import { call, say, type WireRequest } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

const QUESTION = { question: "Which day?", options: ["Saturday", "Sunday"] }

/** What a tool has told the model. */
const resultIn = ({ body }: WireRequest): string | undefined =>
  /"tool_result".*/.exec(JSON.stringify(body["messages"]))?.[0]

let site: HeraldSite
beforeAll(async () => {
  site = await heraldSite({
    answer: (request: WireRequest) =>
      resultIn(request) ? say(`Told: ${resultIn(request)}`) : call("ask_user", QUESTION),
  })
})
afterAll(() => site.close())

interface Chat {
  readonly info: {
    readonly openRun?: string
    readonly waiting?: unknown
    readonly metadata: Readonly<Record<string, unknown>>
  }
  readonly entries: readonly { readonly type: string; readonly callId?: string; readonly result?: object }[]
}
const read = async (chat: string): Promise<Chat> =>
  (await site.ask("GET", `/api/sessions/web:${chat}`))[1] as Chat

/** Asks something, and resolves to what the person is asked then. */
async function asked(chat: string): Promise<{ readonly run: string; readonly call: string }> {
  await site.ask("POST", `/api/sessions/web:${chat}/messages`, { message: "Book it" })
  await expect.poll(async () => (await read(chat)).info.waiting).toBeDefined()
  const { info, entries } = await read(chat)
  return {
    run: info.openRun ?? "",
    call: entries.find(({ type }) => type === "tool_intent")?.callId ?? "",
  }
}
const answer = (chat: string, body: object, who?: "ada") =>
  site.ask("POST", `/api/sessions/web:${chat}/answers`, body, who)
const ended = async (chat: string): Promise<string> => {
  await expect.poll(async () => (await read(chat)).info.openRun).toBeUndefined()
  return JSON.stringify((await read(chat)).entries.filter(({ type }) => type === "assistant").at(-1))
}

test("a question waits for the person's answer, which is the call's result, once", async () => {
  const open = await asked("day")
  for (const wrong of [[], "Sunday", [""], ["x".repeat(4_001)], Array(14).fill("x"), [1], undefined])
    expect(await answer("day", { ...open, answer: wrong }), JSON.stringify(wrong)).toMatchObject([400, {}])
  for (const other of [{ run: "another" }, { call: "another" }])
    expect(await answer("day", { ...open, ...other, answer: ["Sunday"] })).toMatchObject([404, {}])
  expect(await answer("day", { ...open, answer: ["Sunday"] }, "ada")).toMatchObject([404, {}])
  expect((await read("day")).info.waiting).toBeDefined()
  // The list of chats says so.
  await expect.poll(async () => (await read("day")).info.metadata["asks"]).toBe(true)

  expect(await answer("day", { ...open, answer: ["Sunday", ' or "Monday" '] })).toMatchObject([200, {}])
  expect(await ended("day")).toContain("The person's answer")
  expect((await read("day")).entries.find(({ type }) => type === "tool_result")).toMatchObject({
    result: { status: "ok", structured: { answer: ["Sunday", 'or "Monday"'] } },
  })
  expect(await answer("day", { ...open, answer: ["Saturday"] })).toMatchObject([404, {}])
})

test("whoever does not want to answer says so, and the run goes on", async () => {
  const open = await asked("skip")
  await answer("skip", { ...open, answer: null })
  expect(await ended("skip")).toContain("does not want to answer")
})

test("a run that was stopped asks no longer", async () => {
  const open = await asked("stop")
  await site.ask("POST", "/api/sessions/web:stop/stop", {})
  await expect.poll(async () => (await read("stop")).info.openRun).toBeUndefined()
  expect(await answer("stop", { ...open, answer: ["Sunday"] })).toMatchObject([404, {}])
})

test("where nobody looks at cards nobody is asked", async () => {
  const job = { name: "weekly", when: "tomorrow at 9", payload: { type: "agent_turn", prompt: "Book it" } }
  const [, { id }] = (await site.ask("POST", "/api/schedules", job)) as [number, { id: string }]
  await site.ask("POST", `/api/schedules/${id}/run`, {})
  const runs = async () =>
    ((await site.ask("GET", `/api/schedules/${id}/runs`))[1] as { runs: readonly unknown[] }).runs
  await expect
    .poll(runs)
    .toMatchObject([{ outcome: "completed", text: expect.stringContaining("Nobody can be asked") }])
})

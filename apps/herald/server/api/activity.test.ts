import { DatabaseSync } from "node:sqlite"
import { Namespace } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { call, say, type WireRequest } from "@orra/testing"
import { afterAll, beforeAll, expect, test, vi } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

const PATIENCE = { timeout: 60_000 }
const NOTE = { content: "The canary sings at noon." }

const answeredIn = ({ body }: WireRequest): boolean =>
  JSON.stringify(body["messages"]).includes('"tool_result"')

/** "note" remembers something, which has to be allowed; "time" looks at the clock; everything else is answered. */
const answer = (request: WireRequest) => {
  const messages = JSON.stringify(request.body["messages"])
  if (answeredIn(request)) return say("Done.")
  if (messages.includes("note")) return call("remember", NOTE)
  if (messages.includes("time")) return call("current_time", {})
  return say("Hello.")
}

interface Item {
  readonly id: string
  readonly at: number
  readonly seq: number
  readonly namespace: string
  readonly chat?: string
  readonly title?: string
  readonly person?: string
  readonly kind: string
  readonly run?: string
  readonly tool?: string
  readonly verdict?: string
  readonly status?: string
  readonly reason?: string
  readonly by?: string
}
interface Page {
  readonly audit: boolean
  readonly people: readonly { readonly name: string; readonly namespace: string }[]
  readonly items: readonly Item[]
  readonly cursor?: string
}
interface Traced {
  readonly steps: readonly { readonly tool?: string; readonly below?: object }[]
}
type Who = "owner" | "ada"

let site: HeraldSite
const activity = async (query = "", who: Who = "owner"): Promise<Page> => {
  const [status, page] = await site.ask("GET", `/api/activity?${query}`, undefined, who)
  expect(status).toBe(200)
  return page as Page
}
const everything = async (query = "", who: Who = "owner"): Promise<readonly Item[]> => {
  const found: Item[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await activity(`${query}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, who)
    found.push(...page.items)
    cursor = page.cursor
    if (cursor === undefined) return found
  }
}
const chatOf = (name: string, who: Who) =>
  `/api/sessions/${who === "owner" ? "web" : "ada"}:${encodeURIComponent(name)}`
const info = async (name: string, who: Who) =>
  (
    (await site.ask("GET", chatOf(name, who), undefined, who))[1] as {
      info?: { openRun?: string; waiting?: object }
    }
  ).info
const send = async (name: string, message: string, who: Who = "owner"): Promise<void> => {
  const namespace = `${who === "owner" ? "web" : "ada"}:${name}`
  expect((await site.ask("POST", "/api/chat", { message, namespace }, who))[0]).toBe(200)
}

beforeAll(async () => {
  site = await heraldSite({
    answer,
    config: '[audit]\nenabled = true\n[[policy]]\ndecision = "ask"\ntools = ["remember"]\n',
  })
  await send("clock", "time")
  await send("hello", "hello", "ada")
  await site.ask("POST", `${chatOf("note", "owner")}/messages`, { message: "note" })
  await vi.waitUntil(async () => (await info("note", "owner"))?.waiting, PATIENCE)
  const [, { approvals }] = (await site.ask("GET", "/api/approvals")) as [
    number,
    { approvals: readonly { approvalId: string }[] },
  ]
  const decision = { decision: "approve" }
  await site.ask("POST", `${chatOf("note", "owner")}/approvals/${approvals[0]?.approvalId}`, decision)
  await vi.waitUntil(async () => !(await info("note", "owner"))?.openRun, PATIENCE)
})
afterAll(() => site.close())

test("what happened is told with its verdict and its end, the newest first, and nothing of what was said", async () => {
  const items = await everything("chat=web:note")
  expect(items.map(({ kind, verdict = "", status = "" }) => `${kind} ${verdict} ${status}`.trim())).toEqual([
    "model  complete",
    "tool allow ok",
    "approval allow",
    "approval ask",
    "model  complete",
    "run  completed",
  ])
  expect(items[1]).toMatchObject({ tool: "remember", by: "owner", namespace: "web:note", chat: "web:note" })
  expect(items[3]?.reason).toContain("policy 1")
  expect(items[2]).toMatchObject({ tool: "remember", by: "owner" })
  expect(items[0]).toMatchObject({ model: expect.any(String), output_tokens: expect.any(Number) })
  expect(JSON.stringify(items)).not.toContain("canary")
})

test("somebody sees what is below their own namespace, the owner everybody's, one person's where that is asked", async () => {
  const adas = await activity("", "ada")
  expect(adas.people).toEqual([{ name: "Ada", namespace: "ada" }])
  // In her own namespace stands what was set for her.
  expect(new Set(adas.items.map(({ namespace }) => namespace))).toEqual(new Set(["ada:hello", "ada"]))
  for (const asked of ["person=web", "chat=web:note", "person=herald", "chat=", "person=nobody"]) {
    const [status] = await site.ask("GET", `/api/activity?${asked}`, undefined, "ada")
    expect(status, asked).toBe(asked === "chat=" ? 200 : 404)
  }
  const run = (await everything("chat=web:clock"))[0]?.run
  expect((await site.ask("GET", `${chatOf("clock", "owner")}/runs/${run}/trace`, undefined, "ada"))[0]).toBe(
    404,
  )
  expect((await site.ask("POST", "/api/activity/verify", {}, "ada"))[0]).toBe(403)

  const all = await everything()
  expect(new Set(all.map(({ person }) => person))).toEqual(new Set(["owner", "Ada", "Discord"]))
  const ofAda = await everything("person=ada")
  expect(ofAda.map(({ id }) => id)).toEqual(adas.items.map(({ id }) => id))
  // Somebody else's chat is not the owner's to open.
  expect(ofAda.every(({ chat, title }) => chat === undefined && title === undefined)).toBe(true)
  expect(adas.items[0]?.chat).toBe("ada:hello")
})

test("it is filtered by kind, tool, verdict and time, and a filter that is none is refused", async () => {
  const all = await everything()
  const kinds = async (query: string) => new Set((await everything(query)).map(({ kind }) => kind))
  expect(await kinds("kind=model")).toEqual(new Set(["model"]))
  expect(await kinds("tool=remember")).toEqual(new Set(["tool", "approval"]))
  expect((await everything("verdict=ask")).map(({ tool }) => tool)).toEqual(["remember"])
  expect(await everything("tool=exec")).toEqual([])
  const middle = all[Math.floor(all.length / 2)]?.at ?? 0
  const [before, after] = [await everything(`until=${middle}`), await everything(`since=${middle}`)]
  expect([...after, ...before].map(({ id }) => id)).toEqual(all.map(({ id }) => id))
  for (const wrong of ["kind=all", "verdict=maybe", "since=today", "cursor=x"])
    expect((await site.ask("GET", `/api/activity?${wrong}`))[0], wrong).toBe(400)
})

test("pages follow each other without gap or repetition, over many chats", async () => {
  for (let index = 0; index < 12; index++) await send(`more${index}`, index % 2 ? "time" : "hello", "ada")
  expect((await activity()).items).toHaveLength(50)
  for (const [who, query] of [
    ["owner", ""],
    ["ada", ""],
    ["owner", "kind=model"],
  ] as const) {
    const items = await everything(query, who)
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
    expect(items.map(({ at }) => at)).toEqual(items.map(({ at }) => at).toSorted((a, b) => b - a))
  }
  const found = (await everything("", "ada")).filter(({ kind }) => kind !== "change")
  // 13 runs; each has a model call, and each that looks at the clock two and a tool call.
  expect(found).toHaveLength(13 * 2 + 6 * 2)
})

test("what a chat has copied from another is told once, and what happens in it then as well", async () => {
  const count = (await everything()).length
  const [{ seq } = {}] = await everything("chat=web:clock&kind=run")
  const [status] = await site.ask("POST", `${chatOf("clock", "owner")}/fork`, { seq, to: "web:copy" })
  expect(status).toBe(201)
  expect(await everything()).toHaveLength(count)
  await send("copy", "hello")
  expect((await everything("chat=web:copy")).map(({ kind }) => kind)).toEqual(["model", "run"])
})

test("a run is traced: each step with its times, what it took and who decided, and nothing of what was said", async () => {
  const [{ run } = {}] = await everything("chat=web:note&kind=run")
  const [status, trace] = await site.ask("GET", `${chatOf("note", "owner")}/runs/${run}/trace`)
  expect(status).toBe(200)
  const step = { started_at: expect.any(Number), ended_at: expect.any(Number) }
  expect(trace).toMatchObject({
    namespace: "web:note",
    chat: "web:note",
    run,
    ...step,
    outcome: "completed",
    cost: expect.any(Number),
    more: false,
    steps: [
      { type: "model", ...step, status: "complete", output_tokens: expect.any(Number) },
      { type: "approval", ...step, tool: "remember", status: "approve", by: "owner" },
      { type: "tool", ...step, tool: "remember", verdict: "allow", status: "ok", by: "owner" },
      { type: "model", ...step },
    ],
  })
  const { started_at, ended_at, steps } = trace as {
    readonly started_at: number
    readonly ended_at: number
    readonly steps: readonly { readonly started_at: number; readonly ended_at: number }[]
  }
  for (const each of steps) {
    expect(each.started_at).toBeGreaterThanOrEqual(started_at)
    expect(each.ended_at).toBeGreaterThanOrEqual(each.started_at)
    expect(each.ended_at).toBeLessThanOrEqual(ended_at)
  }
  expect(JSON.stringify(trace)).not.toContain("canary")
  expect((await site.ask("GET", `${chatOf("note", "owner")}/runs/other/trace`))[0]).toBe(404)
  // The owner sees what others' runs took as well, and what anybody has to decide.
  const [{ run: adas } = {}] = await everything("chat=ada:hello&kind=run")
  expect((await site.ask("GET", `${chatOf("hello", "ada")}/runs/${adas}/trace`))[0]).toBe(200)
})

test("logins and what is set in the page are among it", async () => {
  const login = (key: string) =>
    fetch(`${site.herald.url}/api/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key }),
    })
  const { headers } = await login("adas-key-0123456789")
  const cookie = headers.getSetCookie()[0]?.split(";")[0] ?? ""
  await fetch(`${site.herald.url}/api/logout`, {
    method: "POST",
    headers: { cookie, origin: site.herald.url, "content-type": "application/json" },
    body: "{}",
  })
  expect((await everything("kind=login", "ada")).map(({ status, by }) => [status, by])).toEqual([
    ["logout", "Ada"],
    ["login", "Ada"],
  ])
  await site.ask("PUT", "/api/settings/values", { "tools.web_fetch": false })
  await vi.waitUntil(async () => (await everything("person=herald")).length > 0, PATIENCE)
  expect(await everything("person=herald")).toMatchObject([
    { kind: "change", status: "settings_changed", names: ["tools.web_fetch"], person: "Herald" },
  ])
})

test("it is exported as lines of JSON, one's own", async () => {
  const lines = async (query: string, who: Who): Promise<readonly Item[]> => {
    const response = await site.fetch(`/api/activity/export?${query}`, { who })
    expect(response.headers.get("content-type")).toBe("application/x-ndjson")
    const text = await response.text()
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Item)
  }
  expect(await lines("", "ada")).toEqual(await everything("", "ada"))
  expect(await lines("kind=tool", "owner")).toEqual(await everything("kind=tool"))
  expect((await site.fetch("/api/activity/export?person=web", { who: "ada" })).status).toBe(404)
})

test("of a chat that was deleted there is what the audit says of it", async () => {
  await send("gone", "time", "ada")
  const store = await sqliteStore({ path: site.database, audit: true })
  await store.delete(Namespace.parse("ada:gone"))
  await store.close()
  const items = await everything("chat=ada:gone", "ada")
  expect(items.map(({ kind, tool, verdict, status, chat }) => [kind, tool ?? status, verdict, chat])).toEqual(
    [
      ["change", "session_deleted", undefined, undefined],
      ["tool", "current_time", "allow", undefined],
      ["run", undefined, undefined, undefined],
    ],
  )
  expect((await everything("person=ada")).slice(0, 3).map(({ namespace }) => namespace)).toEqual(
    Array(3).fill("ada:gone"),
  )
  expect((await everything("kind=tool", "ada"))[0]?.namespace).toBe("ada:gone")
})

test("the chain is verified, and what was changed in it is found", async () => {
  expect(await site.ask("POST", "/api/activity/verify", {})).toMatchObject([
    200,
    { links: expect.any(Number) },
  ])
  const database = new DatabaseSync(site.database)
  database.exec("UPDATE audit SET body = replace(body, 'allow', 'denied') WHERE ns = 'web:note'")
  database.close()
  const [status, answer] = await site.ask("POST", "/api/activity/verify", {})
  expect(status).toBe(422)
  expect(answer).toMatchObject({ code: "audit_broken", error: expect.stringMatching(/web:note.*changed/) })
})

test("without an audit it is told from the chats, with tasks handed on and jobs; a temporary chat's is only traced", async () => {
  const plain = await heraldSite({
    config: '[[agents]]\nname = "Atlas"\ntools = ["*"]\n[[agents]]\nname = "Coder"\ntools = ["*"]\n',
    answer: (request) =>
      JSON.stringify(request.body["messages"]).includes("Ask Coder") && !answeredIn(request)
        ? call("delegate_to_agent", { agent: "Coder", task: "time" })
        : answer(request),
  })
  try {
    await plain.ask("POST", "/api/chat", { message: "time", namespace: "web:clock" })
    const [, page] = await plain.ask("GET", "/api/activity")
    const { audit, items } = page as Page
    expect(audit).toBe(false)
    expect(items.map(({ kind }) => kind)).toEqual(["model", "tool", "model", "run"])
    const trace = async (chat: string, run: string | undefined): Promise<Traced> =>
      (await plain.ask("GET", `/api/sessions/${encodeURIComponent(chat)}/runs/${run}/trace`))[1] as Traced
    const found = async (query: string): Promise<Item | undefined> =>
      ((await plain.ask("GET", `/api/activity?${query}`))[1] as Page).items[0]
    expect((await trace("web:clock", items[0]?.run)).steps).toHaveLength(3)

    await plain.ask("POST", "/api/chat", { message: "Ask Coder", namespace: "web:tree" })
    const handed = await found("kind=delegation")
    expect(handed).toMatchObject({ agent: "Coder", status: "completed", chat: "web:tree" })
    const { steps } = await trace("web:tree", (await found("chat=web:tree&kind=run"))?.run)
    const { namespace, run } = handed ?? {}
    expect(steps[1]).toMatchObject({ tool: "delegate_to_agent", below: { namespace, run, agent: "Coder" } })
    expect((await trace(namespace ?? "", run)).steps.map(({ tool }) => tool)).toEqual([
      undefined,
      "current_time",
      undefined,
    ])

    const job = { name: "daily", when: "tomorrow at 9", payload: { type: "agent_turn", prompt: "time" } }
    const [, { id }] = (await plain.ask("POST", "/api/schedules", job)) as [number, { id: string }]
    await plain.ask("POST", `/api/schedules/${id}/run`, {})
    await expect.poll(() => found("kind=schedule"), PATIENCE).toMatchObject({ status: "completed" })

    const temporary = "web:~temporary:one"
    await plain.ask("POST", "/api/chat", { message: "time", namespace: temporary })
    expect(await found(`chat=${temporary}`)).toBeUndefined()
    const [, history] = await plain.ask("GET", `/api/sessions/${temporary}`)
    const { entries } = history as { readonly entries: readonly { readonly runId?: string }[] }
    expect((await trace(temporary, entries.at(-1)?.runId)).steps).toHaveLength(3)
  } finally {
    await plain.close()
  }
})

import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { sqliteStore } from "@orra/store-sql"
import { call, say, type WireAnswer, type WireRequest } from "@orra/testing"
import { afterEach, describe, expect, test, vi } from "vitest"
import { Agents } from "../agents/agents.ts"
import { loadConfig } from "../config/load.ts"
import { type HeraldSite, heraldSite } from "../fixture.ts"

const systemOf = ({ body }: WireRequest): string => JSON.stringify(body["system"])
/** Says who it was told that it is. */
const whoever = (request: WireRequest): WireAnswer =>
  say(`I am ${/You are ([\w ]+),/.exec(systemOf(request))?.[1]}.`)

const FILE =
  '[[agents]]\nname = "Atlas"\n[[agents]]\nname = "Coder"\nmodel = "claude-haiku-4-5"\ntools = ["web_*"]\n'

let site: HeraldSite
afterEach(() => site.close())

type Shown = {
  readonly default: string
  readonly agents: readonly Record<string, unknown>[]
  readonly hidden?: readonly unknown[]
}

const list = async (who?: "ada"): Promise<Shown> =>
  (await site.ask("GET", "/api/agents", undefined, who))[1] as Shown
const shown = async (name: string) => (await list()).agents.find((each) => each["name"] === name)
const create = (body: object) => site.ask("POST", "/api/agents", body)
const chat = async (message: string, more: object = {}): Promise<string> => {
  const [, answer] = await site.ask("POST", "/api/chat", { message, ...more })
  const { message: text, error } = answer as { readonly message?: string; readonly error?: string }
  return text ?? error ?? ""
}
const lastSystem = (): string => systemOf(site.model.requests.at(-1) as WireRequest)
const inChat = { namespace: "web:chat" }

test("agents are listed for everybody, and made by the owner only", async () => {
  const files = '[tools]\nfilesystem = true\nfilesystem_write = "ask"\n'
  site = await heraldSite({ config: FILE + files, answer: whoever })
  expect(await create({ name: "Nova", personality: "dry" })).toMatchObject([200, { default: "Atlas" }])
  expect(await list()).toMatchObject({
    default: "Atlas",
    file: expect.stringContaining("assistant.toml"),
    tools: expect.arrayContaining(["current_time", "web_fetch", "delegate_to_agent"]),
    agents: [
      { name: "Atlas", origin: "file", id: null, tools: ["*"] },
      { name: "Coder", origin: "file", model: "claude-haiku-4-5", can: ["current_time", "web_fetch"] },
      { name: "Nova", origin: "page", personality: "dry" },
    ],
  })
  expect((await list()).agents.map(({ asks }) => asks)).toEqual([
    ["edit_file", "write_file"],
    [],
    ["edit_file", "write_file"],
  ])
  // What somebody else sees of them is whom to ask, and for what.
  const seen = await list("ada")
  expect(Object.keys(seen)).toEqual(["default", "agents"])
  // Nobody can be asked there: what would be asked about is not to be had.
  expect(seen.agents[0]).toMatchObject({ can: expect.not.arrayContaining(["write_file"]), asks: [] })
  for (const each of seen.agents)
    expect(Object.keys(each)).toEqual(["name", "personality", "model", "can", "asks"])

  const nova = await shown("Nova")
  for (const [method, path] of [
    ["POST", "/api/agents"],
    ["PUT", "/api/agents/default"],
    ["PUT", `/api/agents/${nova?.["id"]}`],
    ["DELETE", `/api/agents/${nova?.["id"]}`],
  ] as const)
    expect((await site.ask(method, path, { name: "Nova" }, "ada"))[0], `${method} ${path}`).toBe(403)
})

test("an agent that cannot be is refused, and said why", async () => {
  site = await heraldSite({ config: FILE })
  for (const [body, message] of [
    [{}, "is not an agent's name"],
    [{ name: "  " }, "is not an agent's name"],
    [{ name: "a@b" }, "is not an agent's name"],
    [{ name: "x".repeat(65) }, "at most 64"],
    [{ name: "At\u200blas" }, "invisible"],
    [{ name: "ATLAS" }, 'There is an agent "Atlas" already'],
    [{ name: "Nova", persona: "x" }, '"persona" is no field'],
    [{ name: "Nova", model: 5 }, "model must be text"],
    [{ name: "Nova", tools: "all" }, "tools is a list"],
    [{ name: "Nova", tools: ["rm -rf /"] }, "no name of a tool"],
  ] as const)
    expect(await create(body), JSON.stringify(body)).toMatchObject([
      400,
      { code: "invalid_input", error: expect.stringContaining(message) },
    ])
  expect((await list()).agents).toHaveLength(2)
})

describe("weaknesses of the original", () => {
  test("F2: the name that was chosen reaches the model, and a change of name loses nothing else", async () => {
    site = await heraldSite({ answer: whoever })
    expect(await chat("Who are you?")).toBe("I am Atlas.")
    await create({ name: "Nova", personality: "dry", model: "claude-haiku-4-5" })
    await site.ask("PUT", "/api/agents/default", { name: "nova" })
    expect(await chat("Who are you?")).toBe("I am Nova.")
    expect(lastSystem()).toContain("Your personality: dry.")

    const nova = await shown("Nova")
    const { id, version, personality, model, tools } = nova as Record<string, unknown>
    const renamed = { name: "Stella", personality, model, tools, version }
    expect(await site.ask("PUT", `/api/agents/${id}`, renamed)).toMatchObject([200, { default: "Stella" }])
    expect(await chat("Who are you?")).toBe("I am Stella.")
    expect(await shown("Stella")).toMatchObject({
      personality: "dry",
      model: "claude-haiku-4-5",
      tools: ["*"],
    })
    // Somebody who looked at it before cannot write over it.
    expect(await site.ask("PUT", `/api/agents/${id}`, renamed)).toMatchObject([
      409,
      { code: "version_conflict" },
    ])
  })

  test("F4: an agent's model is the one that answers", async () => {
    site = await heraldSite({ config: FILE, answer: whoever })
    await chat("@Coder hi")
    expect(site.model.requests.at(-1)?.body["model"]).toBe("claude-haiku-4-5")
    await chat("hi")
    expect(site.model.requests.at(-1)?.body["model"]).not.toBe("claude-haiku-4-5")
    await chat("@Coder hi", { model: "claude-opus-4-6" })
    expect(site.model.requests.at(-1)?.body["model"]).toBe("claude-opus-4-6")
  })

  test("F5: a new agent answers at once, and so does one that was changed", async () => {
    site = await heraldSite({ answer: whoever })
    await chat("Hi", inChat)
    await create({ name: "Nova" })
    expect(await chat("@nova, who are you?", inChat)).toBe("I am Nova.")
    const { id, version } = (await shown("Nova")) as Record<string, unknown>
    await site.ask("PUT", `/api/agents/${id}`, {
      name: "Nova",
      system_prompt: "You are a pirate, arr.",
      version,
    })
    expect(await chat("@nova, who are you?", inChat)).toBe("I am a pirate.")
    // Nobody is answered silently by somebody else.
    expect(await chat("Hi", { ...inChat, agent: "Nobody" })).toContain('There is no agent "Nobody"')
  })

  test("F8: day and time are those of the person, not of the machine", async () => {
    const clock = (request: WireRequest): WireAnswer =>
      JSON.stringify(request.body["messages"]).includes("tool_result")
        ? say("Late.")
        : call("current_time", {})
    site = await heraldSite({ answer: clock })
    for (const [zone, offset] of [
      ["Pacific/Kiritimati", "UTC+14:00"],
      ["Pacific/Pago_Pago", "UTC-11:00"],
    ] as const) {
      expect(await site.ask("PUT", "/api/me/zone", { zone })).toEqual([200, { zone }])
      expect(await chat("What time is it?")).toBe("Late.")
      const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "long" }).format(new Date())
      expect(lastSystem()).toContain(`Today is ${day}`)
      expect(lastSystem()).toContain(`The person's time zone is ${zone}.`)
      expect(JSON.stringify(site.model.requests.at(-1)?.body["messages"])).toContain(`in ${zone} (${offset})`)
    }
    expect(await site.ask("PUT", "/api/me/zone", { zone: "Mars" })).toMatchObject([400, {}])
    // Somebody else is somewhere else.
    await site.ask("POST", "/api/chat", { message: "Hi" }, "ada")
    expect(lastSystem()).not.toContain("Pago_Pago")
  })

  test("F10: the tools of MCP servers are every agent's, and none is spoken of that is not there", async () => {
    const everything = createRequire(import.meta.url).resolve(
      "@modelcontextprotocol/server-everything/dist/index.js",
    )
    const server = `[[mcp.servers]]\nname = "all"\ncommand = ${JSON.stringify(process.execPath)}\nargs = [${JSON.stringify(everything)}, "stdio"]\nallow = ["echo"]\n`
    site = await heraldSite({ config: `${FILE}[[agents]]\nname = "Nova"\n${server}`, answer: whoever })
    // The server is waited for, but a machine that does much else may need longer to start it.
    const all = { can: expect.arrayContaining(["all__echo", "web_fetch"]) }
    await vi.waitFor(async () => expect(await shown("Atlas")).toMatchObject(all), { timeout: 60_000 })
    expect((await shown("Nova"))?.["can"]).toEqual((await shown("Atlas"))?.["can"])
    expect((await shown("Coder"))?.["can"]).not.toContain("all__echo")
    for (const name of ["Atlas", "Coder", "Nova"]) {
      await chat(`@${name} hi`)
      const { tools } = (site.model.requests.at(-1) as WireRequest).body as {
        readonly tools: readonly { readonly name: string }[]
      }
      const said = /Your tools: ([^.]+)\./.exec(lastSystem())?.[1]?.split(", ") ?? []
      expect(said.toSorted()).toEqual(tools.map((each) => each.name).toSorted())
    }
  })

  test("F14: nobody on the page is told of a Discord server", async () => {
    site = await heraldSite({ config: FILE, answer: whoever })
    await chat("Hi")
    expect(lastSystem()).toContain("on a web page")
    expect(lastSystem()).not.toContain("Discord")
  })

  test("F19: where the default was deleted another one answers, also in its chats", async () => {
    site = await heraldSite({ answer: whoever })
    await create({ name: "Nova" })
    await site.ask("PUT", "/api/agents/default", { name: "Nova" })
    await chat("Hi", inChat)
    await site.ask("PUT", "/api/sessions/web:chat/agent", { name: "Nova" })
    const { id } = (await shown("Nova")) as Record<string, unknown>
    expect(await site.ask("DELETE", `/api/agents/${id}`)).toMatchObject([200, { default: "Atlas" }])
    expect(await chat("Who are you?", inChat)).toBe("I am Atlas.")
    expect(await site.ask("GET", "/api/sessions/web:chat")).toMatchObject([200, { info: { messages: 4 } }])
    expect(await site.ask("DELETE", `/api/agents/${id}`)).toMatchObject([404, { code: "not_found" }])
    // Made again it is what it was.
    await create({ name: "Nova" })
    expect(await chat("Who are you?", inChat)).toBe("I am Nova.")
  })
})

test("a chat remembers its agent, also under another name; a mention is for one message", async () => {
  site = await heraldSite({ config: FILE, answer: whoever })
  await create({ name: "Nova" })
  await chat("Hi", inChat)
  const choose = (name: string | null, session = "web:chat", who?: "ada") =>
    site.ask("PUT", `/api/sessions/${session}/agent`, { name }, who)
  expect(await choose("nova")).toEqual([200, { agent: "Nova" }])
  expect(await chat("Hi", inChat)).toBe("I am Nova.")
  expect(await chat("@atlas hi", inChat)).toBe("I am Atlas.")
  // All of them know what was said before, by whomever.
  expect(JSON.stringify(site.model.requests.at(-1)?.body["messages"])).toContain("I am Nova.")
  expect(await chat("Tell @Atlas that I am late", inChat)).toBe("I am Nova.")
  const { id, version } = (await shown("Nova")) as Record<string, unknown>
  await site.ask("PUT", `/api/agents/${id}`, { name: "Nova Stella", version })
  expect(await chat("Hi", inChat)).toBe("I am Nova Stella.")
  expect(await choose(null)).toEqual([200, { agent: null }])
  expect(await chat("Hi", inChat)).toBe("I am Atlas.")

  expect(await choose("Nobody")).toMatchObject([400, { code: "invalid_input" }])
  expect(await choose("Atlas", "web:none")).toMatchObject([404, {}])
  expect(await choose("Atlas", "web:chat", "ada")).toMatchObject([404, {}])
})

test("what agents hand to one another is a tree with its rights and its costs, for its owner only", async () => {
  const answer = (request: WireRequest): WireAnswer => {
    const said = JSON.stringify(request.body["messages"])
    if (said.includes("tool_result")) return say("Done.")
    if (systemOf(request).includes("Another agent gives you this task")) return say("It is blue.")
    return call("delegate_to_agent", { agent: "Coder", task: "What colour is it?" })
  }
  site = await heraldSite({ config: FILE, answer })
  expect(await chat("Ask Coder", inChat)).toBe("Done.")
  const [, history] = await site.ask("GET", "/api/sessions/web:chat")
  const entries = (history as { readonly entries: readonly Record<string, unknown>[] }).entries
  const runId = entries.find(({ type }) => type === "run_started")?.["runId"]
  const callId = entries.find(({ type }) => type === "tool_intent")?.["callId"]
  const tree = (who?: "ada") =>
    site.ask("GET", `/api/sessions/web:chat/delegations?run=${runId}`, undefined, who)
  expect(await tree()).toEqual([
    200,
    {
      more: false,
      branches: [
        {
          namespace: expect.stringContaining("web:chat:~agents:"),
          parent: "web:chat",
          call_id: callId,
          agent: "Coder",
          helper: false,
          status: "completed",
          started_at: expect.any(Number),
          ended_at: expect.any(Number),
          input_tokens: expect.any(Number),
          output_tokens: expect.any(Number),
          cost: expect.any(Number),
          can: ["current_time", "web_fetch"],
        },
      ],
    },
  ])
  expect(await tree("ada")).toMatchObject([404, {}])

  // The chat has cost what its branches have as well.
  const [, usage] = await site.ask("GET", "/api/sessions/web:chat/usage")
  const [, own] = await tree()
  const { usd } = usage as { readonly usd: number }
  const { branches } = own as { readonly branches: readonly { readonly cost: number }[] }
  const answers = entries.flatMap(({ type, cost }) => (type === "assistant" ? Number(cost) : []))
  expect(usd).toBeCloseTo(
    answers.reduce((sum, cost) => sum + cost, branches[0]?.cost ?? 0),
    9,
  )

  // Whoever has the task may do no more than whoever gave it.
  await create({ name: "Clerk", tools: ["delegate_to_agent"] })
  expect(await chat("@Clerk, ask Coder", { namespace: "web:other" })).toBe("Done.")
  const [, other] = await site.ask("GET", "/api/sessions/web:other")
  const { runId: second } = (
    other as { readonly entries: readonly { readonly runId?: string }[] }
  ).entries.find(({ runId: run }) => run !== undefined) as { readonly runId: string }
  expect(await site.ask("GET", `/api/sessions/web:other/delegations?run=${second}`)).toMatchObject([
    200,
    { branches: [{ agent: "Coder", can: ["current_time"] }] },
  ])
  const [, sessions] = await site.ask("GET", "/api/sessions")
  expect(sessions).toMatchObject({ sessions: [{ namespace: "web:other" }, { namespace: "web:chat" }] })
})

test("a branch that waits for somebody goes on when they decide, and is stopped alone", async () => {
  const answer = (request: WireRequest): WireAnswer => {
    const said = JSON.stringify(request.body["messages"])
    const isTask = systemOf(request).includes("Another agent gives you this task")
    if (said.includes("tool_result")) return say(isTask ? "Looked." : "Done.")
    if (isTask) return call("current_time", {})
    return ["one", "two"].map((task) => call("delegate_to_agent", { agent: "Coder", task }))
  }
  const ask = '[[policy]]\ndecision = "ask"\ntools = ["current_time"]\nagents = ["Coder"]\n'
  site = await heraldSite({ config: FILE + ask, answer })
  const path = (session: string, rest = "") => `/api/sessions/${encodeURIComponent(session)}${rest}`
  const read = async () => {
    const [, history] = await site.ask("GET", path("web:chat"))
    return history as {
      readonly info: { readonly openRun?: string; readonly waiting?: object }
      readonly entries: readonly { readonly type: string; readonly runId?: string }[]
    }
  }
  await site.ask("POST", path("web:chat", "/messages"), { message: "Ask Coder twice" })
  await expect.poll(async () => (await read()).info.waiting, { timeout: 60_000 }).toBeDefined()
  const { openRun } = (await read()).info
  const branches = async () => {
    const [, tree] = await site.ask("GET", path("web:chat", `/delegations?run=${openRun}`))
    return (tree as { readonly branches: readonly { readonly namespace: string; readonly status: string }[] })
      .branches
  }
  expect(await shown("Coder")).toMatchObject({ can: ["current_time", "web_fetch"] })
  const [first, second] = await branches()
  expect([first?.status, second?.status]).toEqual(["waiting", "waiting"])
  const [, inbox] = await site.ask("GET", "/api/approvals")
  const { approvals } = inbox as {
    readonly approvals: readonly { readonly namespace: string; readonly approvalId: string }[]
  }
  const waiting = approvals.find(({ namespace }) => namespace === first?.namespace)
  await site.ask("POST", path(first?.namespace ?? "", `/approvals/${waiting?.approvalId}`), {
    decision: "approve",
  })
  await site.ask("POST", path(second?.namespace ?? "", "/stop"), {})
  const ended = async () => (await read()).entries.some(({ type }) => type === "run_finished")
  await expect.poll(ended, { timeout: 60_000 }).toBe(true)
  const statuses = (await branches()).map(({ namespace, status }) => [namespace, status])
  expect(Object.fromEntries(statuses)).toEqual({
    [first?.namespace ?? ""]: "completed",
    [second?.namespace ?? ""]: expect.stringMatching(/^(?:stopped|interrupted)$/),
  })
})

test("the file is read again: its agents change, and one of them takes the place of one of the page", async () => {
  site = await heraldSite({ config: FILE, answer: whoever })
  await create({ name: "Nova" })
  await chat("@Nova hi", inChat)
  const file = join(site.folder, "assistant.toml")
  const before = readFileSync(file, "utf8")
  writeFileSync(
    file,
    `${before.replace('"Atlas"', '"Alma"')}[[agents]]\nname = "NOVA"\npersonality = "loud"\n`,
  )
  await site.herald.reload()
  const { agents, hidden, default: standard } = await list()
  expect(agents.map(({ name, origin }) => `${name} ${origin}`)).toEqual([
    "Alma file",
    "Coder file",
    "NOVA file",
  ])
  expect([standard, hidden]).toMatchObject(["Alma", [{ name: "Nova", origin: "page" }]])
  expect(await chat("@nova hi", inChat)).toBe("I am NOVA.")
  writeFileSync(file, before)
  await site.herald.reload()
  expect((await list()).agents.map(({ name }) => name)).toEqual(["Atlas", "Coder", "Nova"])
})

test("agents of the page are there after a restart, and so is who answers by default", async () => {
  site = await heraldSite({ answer: whoever })
  await create({ name: "Nova", tools: ["web_*"] })
  await site.ask("PUT", "/api/agents/default", { name: "Nova" })
  const kept = await list()
  await site.herald.close(0)
  const store = await sqliteStore({ path: site.database })
  const agents = await Agents.open(store.records("agents"), loadConfig({ cwd: site.folder, env: {} }))
  expect(agents.default).toMatchObject({ name: "Nova", tools: ["web_*"], id: kept.agents[0]?.["id"] })
  expect(agents.list()).toHaveLength(2)
  await store.close()
})

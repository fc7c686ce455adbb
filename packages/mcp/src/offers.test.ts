import type { Client } from "@modelcontextprotocol/client"
import { acceptedContent, inputRequired } from "@modelcontextprotocol/server"
import { type Hooks, Namespace, PolicyRegistry } from "@orra/core"
import { call } from "@orra/testing"
import { expect, test } from "vitest"
import { clientTool, type HttpHandler, type ServedPrompt, type ServedResource } from "./server.ts"
import { failureOf, serve } from "./server-fixture.ts"

const eras = ["auto", "legacy"] as const
const ann = Namespace.of("tenant", "ann")

const cities = ["Oslo", "Osaka", "Rome"]
const prompts: readonly ServedPrompt[] = [
  {
    name: "plan",
    title: "Plan a trip",
    arguments: [
      {
        name: "city",
        required: true,
        complete: (value, { country }) =>
          cities.filter((city) => city.startsWith(value) && (country !== "Japan" || city === "Osaka")),
      },
      { name: "days" },
    ],
    get: ({ city, days = "two" }, { caller }) => `Plan ${days} days in ${city} for ${caller.principal}.`,
  },
]
const odd: ServedPrompt = { name: "odd", arguments: [{ name: "toString", required: true }], get: () => "" }
const resources: readonly ServedResource[] = [
  { uri: "house://rules", name: "rules", mimeType: "text/plain", read: () => "Be kind." },
  {
    uri: "house://rooms/{room}",
    name: "room",
    complete: { room: () => Array.from({ length: 120 }, (_, n) => `${n}`) },
    read: ({ room }, { caller }, uri) => ({ contents: [{ uri, text: `${caller.principal} in ${room}` }] }),
  },
]

test.each(eras)("prompts are listed, filled in and completed (%s)", async (era) => {
  const { connect } = await serve([], { prompts: [...prompts, odd] })
  const client = await connect("ann", undefined, era)
  expect((await client.listPrompts()).prompts).toMatchObject([
    { name: "plan", title: "Plan a trip", arguments: [{ name: "city", required: true }, { name: "days" }] },
    { name: "odd" },
  ])
  const got = await client.getPrompt({ name: "plan", arguments: { city: "Oslo" } })
  expect(got.messages).toEqual([
    { role: "user", content: { type: "text", text: "Plan two days in Oslo for ann." } },
  ])
  expect(await failureOf(client.getPrompt({ name: "plan" }))).toContain('needs "city"')
  expect(await failureOf(client.getPrompt({ name: "odd" }))).toContain('needs "toString"')
  expect(await failureOf(client.getPrompt({ name: "constructor" }))).toContain("There is no prompt")
  const complete = async (name: string, value: string, others = {}) =>
    (
      await client.complete({
        ref: { type: "ref/prompt", name: "plan" },
        argument: { name, value },
        context: { arguments: others },
      })
    ).completion.values
  expect(await complete("city", "Os")).toEqual(["Oslo", "Osaka"])
  expect(await complete("city", "Os", { country: "Japan" })).toEqual(["Osaka"])
  for (const name of ["days", "constructor", ""]) expect(await complete(name, "")).toEqual([])
})

test.each(eras)("resources are read beside sessions, by address and template (%s)", async (era) => {
  const { connect } = await serve(["Hi."], { resources })
  const client = await connect("ann", undefined, era)
  await client.callTool({ name: "ask", arguments: { message: "Hi.", session: "chat" } })
  const listed = (await client.listResources()).resources.map(({ uri }) => uri)
  expect(listed).toEqual(["house://rules", "orra://sessions/tenant%3Aann%3Achat"])
  const { resourceTemplates } = await client.listResourceTemplates()
  expect(resourceTemplates.map(({ name }) => name)).toEqual(["room", "session"])
  const read = async (uri: string) => (await client.readResource({ uri })).contents
  expect(await read("house://rules")).toEqual([
    { uri: "house://rules", mimeType: "text/plain", text: "Be kind." },
  ])
  expect(await read("house://rooms/a%20b")).toMatchObject([{ text: "ann in a b" }])
  for (const uri of [
    "house://rooms/a/b",
    "house://rooms/%E0%A4%A",
    "house://rule",
    `house://rooms/${"a".repeat(9_000)}`,
  ])
    expect(await failureOf(read(uri))).toContain("not found")
  const complete = async (uri: string, name: string, value: string) =>
    (await client.complete({ ref: { type: "ref/resource", uri }, argument: { name, value } })).completion
  expect(await complete("house://rooms/{room}", "room", "")).toMatchObject({ total: 120, hasMore: true })
  const session = "orra://sessions/{session}{?before}"
  expect((await complete(session, "session", "cha")).values).toEqual(["tenant:ann:chat"])
  const bob = await connect("bob", undefined, era)
  const of = {
    ref: { type: "ref/resource", uri: session },
    argument: { name: "session", value: "" },
  } as const
  expect((await bob.complete(of)).completion.values).toEqual([])
})

const speak = clientTool<{ text: string }>({
  name: "speak",
  description: "Speaks.",
  input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  risk: "read",
  async execute({ text }, { context }) {
    await context.mcpReq.log("warning", `about to say ${text}`)
    return {
      content: [
        { type: "audio", mimeType: "audio/wav", data: "AAAA" },
        { type: "text", text },
      ],
    }
  },
})

test.each(eras)(
  "a tool for clients answers with all that the protocol has, through the one door (%s)",
  async (era) => {
    const policies = new PolicyRegistry({ default: "allow" })
    policies.set(Namespace.of("tenant", "bob"), { deny: ["speak"] })
    const { connect, runtime } = await serve([call("speak", { text: "x" }), "Said."], {
      policies,
      tools: [speak],
    })
    const client = await connect("ann", undefined, era)
    const speaking = { name: "speak", arguments: { text: "hello" } }
    expect((await client.callTool(speaking)).content).toEqual([
      { type: "audio", mimeType: "audio/wav", data: "AAAA" },
      { type: "text", text: "hello" },
    ])
    const results = await runtime.store.read(ann.child("mcp-tools-1"), { types: ["tool_result"] })
    expect(JSON.stringify(results)).toContain("hello")
    expect(await client.callTool({ name: "speak", arguments: {} })).toMatchObject({ isError: true })
    const denied = await (await connect("bob", undefined, era)).callTool(speaking)
    expect(denied).toMatchObject({ isError: true, content: [{ type: "text" }] })
    // An agent has no ears.
    await client.callTool({ name: "ask", arguments: { message: "Speak.", session: "chat" } })
    const inChat = await runtime.store.read(ann.child("chat"), { types: ["tool_result"] })
    expect(JSON.stringify(inChat)).toContain("Only clients of the Model Context Protocol")
  },
)

test("what a hook has put in the place of an answer is what the client gets", async () => {
  const censor: Hooks = {
    name: "censor",
    afterTool: (result) => ({ ...result, content: [{ type: "text", text: "[removed]" }] }),
  }
  const { connect } = await serve([], { tools: [speak], hooks: [censor] })
  const client = await connect("ann")
  const { content } = await client.callTool({ name: "speak", arguments: { text: "hello" } })
  expect(content).toEqual([{ type: "text", text: "[removed]" }])
})

test.each(eras)(
  "the log of a call comes where it is wanted, from the level that is wanted (%s)",
  async (era) => {
    const { connect } = await serve([], { tools: [speak] })
    const client = await connect("ann", undefined, era)
    const lines: unknown[] = []
    client.setNotificationHandler("notifications/message", ({ params }) => void lines.push(params.data))
    const level = (wanted: "error" | "info") =>
      era === "auto" ? { _meta: { "io.modelcontextprotocol/logLevel": wanted } } : {}
    const at = async (wanted: "error" | "info") => {
      if (era === "legacy") await client.setLoggingLevel(wanted)
      await client.callTool({ name: "speak", arguments: { text: wanted }, ...level(wanted) })
    }
    await at("error")
    await at("info")
    await expect.poll(() => lines).toEqual(["about to say info"])
  },
)

const confirm = clientTool<{ what: string }>({
  name: "confirm",
  description: "Asks.",
  input: { type: "object", properties: { what: { type: "string" } }, required: ["what"] },
  risk: "read",
  execute({ what }, { context, state, caller }) {
    const given = acceptedContent(context.mcpReq.inputResponses, "sure")
    if (given && state === `for ${caller.principal}`)
      return { content: [{ type: "text", text: `${what}: ${String(given["approve"])}` }] }
    return inputRequired({
      inputRequests: {
        sure: inputRequired.elicit({
          message: `Sure of ${what}?`,
          requestedSchema: {
            type: "object",
            properties: { approve: { type: "boolean" } },
            required: ["approve"],
          },
        }),
      },
      requestState: `for ${caller.principal}`,
    })
  },
})

test.each(eras)(
  "a tool for clients asks the person there, and knows its own state again (%s)",
  async (era) => {
    const { connect } = await serve([], { tools: [confirm] })
    const client = await connect("ann", "accept", era)
    const { content } = await client.callTool({ name: "confirm", arguments: { what: "tea" } })
    expect(content).toEqual([{ type: "text", text: "tea: true" }])
  },
)

test("what a tool left with a client is of no use to another tool", async () => {
  const other = clientTool({ ...twin(), name: "other" })
  const { connect, sent, url } = await serve([], { tools: [confirm, other] })
  const client = await connect("ann", "accept")
  await client.callTool({ name: "confirm", arguments: { what: "tea" } })
  const second = sent.find(({ body }) => String(body).includes('"requestState"'))
  const body = String(second?.body).replace('"name":"confirm"', '"name":"other"')
  const headers = new Headers(second?.headers)
  headers.set("mcp-name", "other")
  const said = await (await fetch(url, { ...second, headers, body, signal: null })).text()
  expect(said).toContain("of another call")
})

const twin = () => ({
  description: "Asks too.",
  input: { type: "object" as const },
  risk: "read" as const,
  execute: () => ({ content: [{ type: "text" as const, text: "never" }] }),
})

const updates = (client: Client): string[] => {
  const uris: string[] = []
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => void uris.push(params.uri))
  return uris
}

/** Waits until the client hears what is not an answer: one of 2025 begins to listen some time after it has connected. */
async function hears(client: Client, { toolsChanged }: HttpHandler): Promise<void> {
  let told = 0
  client.setNotificationHandler("notifications/tools/list_changed", () => void told++)
  const tell = (): number => {
    toolsChanged()
    return told
  }
  await expect.poll(tell).toBeGreaterThan(0)
}

const RULES = "house://rules"
const chatOf = (who: string): string => `orra://sessions/tenant%3A${who}%3Achat`

test.each(eras)(
  "whoever watches hears of their sessions and of what is offered, and of nothing else (%s)",
  async (era) => {
    const { connect, handler, runtime } = await serve([], { resources })
    const clients = { ann: await connect("ann", undefined, era), bob: await connect("bob", undefined, era) }
    const heard = { ann: updates(clients.ann), bob: updates(clients.bob) }
    const all = [RULES, chatOf("ann"), chatOf("bob"), "house://rooms/1", "about:blank"]
    for (const [who, client] of Object.entries(clients)) {
      if (era === "auto") {
        const { honoredFilter } = await client.listen({ resourceSubscriptions: all })
        expect(honoredFilter).toEqual({ resourceSubscriptions: [RULES, chatOf(who)] })
      } else {
        await hears(client, handler)
        for (const uri of all) await client.subscribeResource({ uri }).catch(() => {})
      }
    }
    await runtime.run(ann.child("chat"), "Hi.")
    await runtime.run(ann.child("other"), "Hi.")
    await expect.poll(() => heard.ann).toContain(chatOf("ann"))
    handler.resourceUpdated(RULES)
    handler.resourceUpdated("house://rooms/1")
    await expect.poll(() => heard.bob).toEqual([RULES])
    await expect.poll(() => new Set(heard.ann)).toEqual(new Set([chatOf("ann"), RULES]))
  },
)

test("what is not watched any more is not told of", async () => {
  const { connect, handler } = await serve([], { resources })
  const client = await connect("ann", undefined, "legacy")
  const heard = updates(client)
  await hears(client, handler)
  await client.subscribeResource({ uri: RULES })
  await client.subscribeResource({ uri: chatOf("ann") })
  await client.unsubscribeResource({ uri: RULES })
  handler.resourceUpdated(RULES)
  await client.callTool({ name: "ask", arguments: { message: "Hi.", session: "chat" } })
  await expect.poll(() => heard).toContain(chatOf("ann"))
  expect(heard).not.toContain(RULES)
  expect(await failureOf(client.subscribeResource({ uri: chatOf("bob") }))).toContain("not found")
})

test.each(eras)("a client that follows the tools is told when they change (%s)", async (era) => {
  const { connect, handler, runtime } = await serve()
  const client = await connect("ann", undefined, era)
  if (era === "auto") await client.listen({ toolsListChanged: true })
  runtime.tools.remove("wipe")
  await hears(client, handler)
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["ask"])
})

test("a connection of another, or one that has ended, is not there", async () => {
  const { connect, url, sent } = await serve()
  const client = await connect("ann", undefined, "legacy")
  await client.ping()
  const ping = sent.findLast(({ body }) => String(body).includes('"ping"'))
  const again = async (who: string): Promise<number> => {
    const headers = new Headers(ping?.headers)
    headers.set("authorization", `Bearer ${who}`)
    return (await fetch(url, { ...ping, headers, signal: null })).status
  }
  expect([await again("ann"), await again("bob"), await again("eve")]).toEqual([200, 404, 401])
  const transport = client.transport as { terminateSession?: () => Promise<void> }
  await transport.terminateSession?.()
  expect(await again("ann")).toBe(404)
})

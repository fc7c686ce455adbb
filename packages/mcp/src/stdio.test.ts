import { PassThrough } from "node:stream"
import { Client, type ElicitResult } from "@modelcontextprotocol/client"
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio"
import { Approvals, MemoryStore, PolicyRegistry, Runtime } from "@orra/core"
import { call, scriptedProvider } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { mcpStdio, type StdioOptions, type Told } from "./server.ts"
import { person, wipe, wiped } from "./server-fixture.ts"

const ann = person("ann", { mayApprove: true })

/** A server and its client, with a pair of streams between them. */
async function connected(
  era: "auto" | "legacy",
  action: ElicitResult["action"],
  options: Partial<StdioOptions> = {},
): Promise<{ client: Client; server: Told; toServer: PassThrough; runtime: Runtime }> {
  wiped.length = 0
  const policies = new PolicyRegistry({ default: "allow" })
  policies.set(ann.namespace, { ask: ["wipe"] })
  const runtime = new Runtime({
    provider: scriptedProvider([call("wipe", { disk: "a" }), "Done."], { otherwise: () => "Hello." }),
    store: new MemoryStore(),
    tools: [wipe],
    policies,
    approvals: new Approvals(),
  })
  const [toServer, toClient] = [new PassThrough(), new PassThrough()]
  const server = mcpStdio({
    runtime,
    name: "house",
    agents: [{ name: "ask", description: "Asks." }],
    caller: ann,
    streams: { input: toServer, output: toClient },
    ...options,
  })
  const client = new Client(
    { name: "test", version: "0" },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: era } },
  )
  client.setRequestHandler("elicitation/create", ({ params }) => {
    expect(params.message).toContain("wipe")
    return { action, ...(action === "accept" && { content: { approve: true } }) }
  })
  // Reads and writes lines, whoever is at the other end.
  await client.connect(new StdioServerTransport(toClient, toServer))
  onTestFinished(async () => {
    await client.close()
    await server.close()
  })
  return { client, server, toServer, runtime }
}

test.each([
  ["auto", "accept", ["tenant:ann:chat a"], "Done."],
  ["legacy", "accept", ["tenant:ann:chat a"], "Done."],
  ["auto", "decline", [], "Done."],
  ["legacy", "decline", [], "Done."],
  ["legacy", "cancel", [], "waits for a decision elsewhere"],
] as const)(
  "what policy asks about is asked of the person at the client (%s, %s)",
  async (era, action, expected, said) => {
    const { client } = await connected(era, action)
    const asked = { name: "ask", arguments: { message: "Wipe it.", session: "chat" } }
    expect(JSON.stringify((await client.callTool(asked)).content)).toContain(said)
    expect(wiped).toEqual(expected)
  },
)

test.each(["auto", "legacy"] as const)(
  "a client is told of tools and of what it watches (%s)",
  async (era) => {
    const { client, server, runtime } = await connected(era, "decline", { tools: "all" })
    let told = 0
    client.setNotificationHandler("notifications/tools/list_changed", () => void told++)
    if (era === "auto") await client.listen({ toolsListChanged: true })
    server.toolsChanged()
    await expect.poll(() => told).toBe(1)
    // The model's first answer is a call that waits for a person.
    await runtime.run(ann.namespace.child("other"), "Wipe it.")
    const uri = "orra://sessions/tenant%3Aann%3Achat"
    const heard: string[] = []
    client.setNotificationHandler(
      "notifications/resources/updated",
      ({ params }) => void heard.push(params.uri),
    )
    const others = "orra://sessions/tenant%3Abob%3Achat"
    const listening =
      era === "auto"
        ? await client.listen({ resourceSubscriptions: [uri, others] })
        : await client.subscribeResource({ uri })
    await runtime.run(ann.namespace.child("chat"), "Hi.")
    await expect.poll(() => heard).toContain(uri)
    expect(new Set(heard)).toEqual(new Set([uri]))
    // Whoever no longer listens is told nothing more.
    if ("close" in listening) await listening.close()
    else await client.unsubscribeResource({ uri })
    await client.listTools()
    const before = heard.length
    await runtime.run(ann.namespace.child("chat"), "Hi again.")
    await client.listTools()
    expect(heard).toHaveLength(before)
  },
)

test("a client of 2026 listens twice to the same, and to no more than a hundred", async () => {
  const { client, runtime } = await connected("auto", "decline")
  const heard: string[] = []
  client.setNotificationHandler(
    "notifications/resources/updated",
    ({ params }) => void heard.push(params.uri),
  )
  const uri = (name: string): string => `orra://sessions/tenant%3Aann%3A${name}`
  const many = Array.from({ length: 99 }, (_, index) => uri(`many${index}`))
  const [first] = [
    await client.listen({ resourceSubscriptions: [uri("chat")] }),
    await client.listen({ resourceSubscriptions: [...many, uri("chat")] }),
    await client.listen({ resourceSubscriptions: [uri("more")] }),
  ]
  await first.close()
  await client.listTools()
  await runtime.run(ann.namespace.child("more"), "Hi.")
  await runtime.run(ann.namespace.child("chat"), "Hi.")
  await expect.poll(() => heard).toContain(uri("chat"))
  expect(heard).not.toContain(uri("more"))
})

test("lines that are no messages are passed over", async () => {
  const { client, toServer } = await connected("legacy", "decline")
  for (const line of [
    "",
    "{",
    "[]",
    "null",
    "\u0000",
    '{"jsonrpc":"2.0","id":{},"method":7}',
    "x".repeat(100_000),
  ])
    toServer.write(`${line}\n`)
  expect((await client.listTools()).tools).toHaveLength(1)
})

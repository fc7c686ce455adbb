import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Client, type ElicitResult, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import {
  Approvals,
  type Hooks,
  MemoryStore,
  Namespace,
  type PolicyRegistry,
  Runtime,
  type Tool,
  tool,
} from "@orra/core"
import { type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { onTestFinished } from "vitest"
import { type Caller, type HttpHandler, type HttpOptions, mcpHttp } from "./server.ts"

export const person = (name: string, more: Partial<Caller> = {}): Caller => ({
  namespace: Namespace.of("tenant", name),
  principal: name,
  ...more,
})
const callers: Readonly<Record<string, Caller>> = {
  ann: person("ann", { mayApprove: true }),
  bob: person("bob"),
}

export const wiped: unknown[] = []
export const wipe = tool<{ disk: string }>({
  name: "wipe",
  description: "Wipes a disk.",
  input: { type: "object", properties: { disk: { type: "string" } }, required: ["disk"] },
  risk: "exec",
  execute: ({ disk }, { progress, namespace }) => {
    progress(`wiping ${disk}`)
    wiped.push(`${namespace.key} ${disk}`)
    return "wiped"
  },
})

export interface World {
  readonly runtime: Runtime
  readonly url: URL
  readonly handler: HttpHandler
  /** What its client sent, in order. */
  readonly sent: RequestInit[]
  connect(who: string, answer?: ElicitResult["action"], era?: "auto" | "legacy"): Promise<Client>
}

/** A server that knows Ann and Bob by their token. */
export async function serve(
  answers: ScriptedAnswer[] = [],
  {
    policies,
    hooks,
    tools = [wipe],
    ...more
  }: { policies?: PolicyRegistry; hooks?: readonly Hooks[]; tools?: Tool[] } & Partial<
    Omit<HttpOptions, "tools">
  > = {},
): Promise<World> {
  wiped.length = 0
  const sent: RequestInit[] = []
  const runtime = new Runtime({
    provider: scriptedProvider(answers, { otherwise: () => "Hello." }),
    store: new MemoryStore(),
    tools,
    approvals: new Approvals(),
    ...(policies && { policies }),
    ...(hooks && { hooks }),
  })
  const handler = mcpHttp({
    runtime,
    name: "test",
    agents: [{ name: "ask", description: "Asks." }],
    tools: "all",
    authenticate: ({ headers }) => callers[headers.get("authorization")?.replace("Bearer ", "") ?? ""],
    ...more,
  })
  const server = createServer((request, response) => void handler.node(request, response)).listen(
    0,
    "127.0.0.1",
  )
  await once(server, "listening")
  onTestFinished(async () => {
    await handler.close()
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
  return {
    runtime,
    url,
    handler,
    sent,
    async connect(who, action, era = "auto") {
      const client = new Client(
        { name: "test", version: "0" },
        { capabilities: action ? { elicitation: { form: {} } } : {}, versionNegotiation: { mode: era } },
      )
      if (action)
        client.setRequestHandler("elicitation/create", () => ({
          action,
          ...(action === "accept" && { content: { approve: true } }),
        }))
      const transport = new StreamableHTTPClientTransport(url, {
        requestInit: { headers: { authorization: `Bearer ${who}` } },
        fetch: (to, init = {}) => {
          sent.push(init)
          return fetch(to, init)
        },
      })
      await client.connect(transport)
      onTestFinished(() => client.close())
      return client
    },
  }
}

export const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing",
    (error: Error) => error.message,
  )

import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  callTool,
  type JsonObject,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type Tool,
  tool,
} from "@orra/core"
import { mcpHttp } from "@orra/mcp/server"
import { scriptedProvider, textOf } from "@orra/testing"
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { parseConfig, principals } from "../config/load.ts"
import { buildTools } from "./tools.ts"

let dataDir = ""
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), "herald-mcp-"))
})
afterAll(() => rmSync(dataDir, { recursive: true }))

const require = createRequire(import.meta.url)
const everything = require.resolve("@modelcontextprotocol/server-everything/dist/index.js")
const EVERYTHING = `[[mcp.servers]]
name = "all"
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(everything)}, "stdio"]
`

/** Herald's tools as they are configured, and calls of them by somebody's model. */
async function herald(toml: string, store = new MemoryStore()) {
  const { config } = parseConfig(toml, "a.toml", {})
  const lines: string[] = []
  const toolbox = await buildTools({ config, dataDir, file: undefined }, "UTC", store, {
    waitMs: 60_000,
    told: (line) => void lines.push(line),
  })
  onTestFinished(() => toolbox.close())
  const policies = new PolicyRegistry()
  for (const namespace of principals(config)) policies.set(namespace, toolbox.policy)
  const runtime = new Runtime({ provider: scriptedProvider([]), tools: toolbox.registry, policies })
  const called = async (name: string, input: JsonObject = {}, person = "web"): Promise<string> => {
    const session = Namespace.of(person, "chat")
    const result = await callTool(runtime, session, name, input)
    const log = await runtime.store.read(session, { types: ["tool_result"] })
    const kept = log.findLast((entry) => entry.type === "tool_result")
    return `${result.status}${kept?.untrusted ? " untrusted" : ""}: ${textOf(result)}`
  }
  const names = () => toolbox.registry.list().map(({ definition }) => definition.name)
  return { called, names, remarks: toolbox.remarks, lines, runtime }
}

test("a program's tools are named after it; those on the list may be called, and what they say is a stranger's", async () => {
  const { called, names, remarks, runtime } = await herald(
    `${EVERYTHING}allow = ["echo", "get-s*"]\nenv = { GIVEN = "it" }\n`,
  )
  expect(names()).toEqual(expect.arrayContaining(["all__echo", "all__get-env", "current_time", "web_fetch"]))
  expect(remarks).toEqual([expect.stringMatching(/^mcp all: \d+ tools$/)])
  expect(await called("all__echo", { message: "hi" })).toBe("ok untrusted: Echo: hi")
  expect(await called("all__get-sum", { a: 1, b: 2 })).toContain("3")
  expect(await called("all__get-env")).toMatch(/^denied: "all__get-env" needs a person's approval/)
  expect(await called("all__list_resources")).toMatch(/^ok untrusted/)
  expect(await called("all__echo", { message: "hi" }, "somebody")).toMatch(/^denied/)
  const log = await runtime.store.read(Namespace.of("web", "chat"), { types: ["tool_intent"] })
  expect(log).toMatchObject(["allow", "allow", "ask", "allow"].map((decision) => ({ decision })))
})

test("of a program there are the tools that are wanted, and it knows nothing of Herald but what it is given", async () => {
  process.env["HERALD_TEST_SECRET"] = "of the house"
  onTestFinished(() => void delete process.env["HERALD_TEST_SECRET"])
  const { called, names } = await herald(
    `${EVERYTHING}tools = ["get-env"]\nallow = ["*"]\nenv = { GIVEN = "it" }\n`,
  )
  expect(names().filter((name) => name.startsWith("all__get-"))).toEqual(["all__get-env"])
  const env = await called("all__get-env")
  expect(env).toContain("GIVEN")
  expect(env).not.toContain("of the house")
})

const house = (name: string, risk: Tool["risk"], description = name): Tool =>
  tool({ name, description, input: { type: "object" }, risk, execute: () => `${name} done` })

/** A server on the network, which knows who sends this header. */
async function serve(
  tools: readonly Tool[],
  port = 0,
): Promise<{ server: Server; url: string; port: number }> {
  const namespace = Namespace.of("herald")
  const { node, close } = mcpHttp({
    runtime: new Runtime({
      provider: scriptedProvider([]),
      tools,
      policies: new PolicyRegistry({ default: "allow" }),
    }),
    name: "house",
    tools: "all",
    authenticate: ({ headers }) =>
      headers.get("authorization") === "Bearer of-the-house" ? { namespace } : undefined,
  })
  const server = createServer((request, response) => void node(request, response)).listen(port, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(async () => {
    await close()
    server.closeAllConnections()
    server.close()
  })
  const { port: taken } = server.address() as AddressInfo
  return { server, url: `http://127.0.0.1:${taken}/mcp`, port: taken }
}

const at = (url: string, more = ""): string =>
  `[[mcp.servers]]\nname = "house"\nurl = "${url}"\nheaders = { Authorization = "Bearer of-the-house" }\n${more}`

test("of one on the network that is trusted, what only reads needs nobody who agrees", async () => {
  const { url } = await serve([house("look", "read"), house("clean", "exec")])
  const { called } = await herald(at(url, "trusted = true\n"))
  expect(await called("house__look")).toBe("ok untrusted: look done")
  expect(await called("house__clean")).toMatch(/^denied: "house__clean" needs a person's approval/)
  const strict = await herald(at(url))
  expect(await strict.called("house__look")).toMatch(/^denied: "house__look" needs a person's approval/)
})

test("a tool that calls itself as the one that reads resources gains nothing by it", async () => {
  const { url } = await serve([house("read_resource", "read")])
  const { called } = await herald(at(url))
  expect(await called("house__read_resource", { uri: "a" })).not.toContain("read_resource done")
})

test("one that is not there keeps nothing from working, is told of, and joins when it is there", async () => {
  const { server, url, port } = await serve([])
  server.close()
  const { called, names, remarks, lines } = await herald(at(url, 'allow = ["look"]\n'))
  expect(remarks).toEqual([expect.stringMatching(/^mcp house: The server "house" is not available: /)])
  expect(names().filter((name) => name.startsWith("house__"))).toEqual([])
  expect(await called("current_time")).toMatch(/^ok/)
  await serve([house("look", "read")], port)
  await expect
    .poll(() => lines, { timeout: 60_000 })
    .toEqual([expect.stringMatching(/^mcp house: \d tools$/)])
  expect(await called("house__look")).toBe("ok untrusted: look done")
})

test("a wrong header is told of, and not what it was", async () => {
  const { url } = await serve([])
  const wrong = at(url).replace("Bearer of-the-house", "Bearer t0k3n-of-the-house")
  const { remarks } = await herald(wrong)
  expect(remarks.join()).toContain("is not available")
  expect(remarks.join()).not.toContain("t0k3n")
})

test("a tool that is not what it was is refused, until changes are accepted", async () => {
  const store = new MemoryStore()
  const allow = 'allow = ["look"]\n'
  const first = await serve([house("look", "read")])
  expect(await (await herald(at(first.url, allow), store)).called("house__look")).toMatch(/^ok/)
  const second = await serve([house("look", "read", "Looks, and tells others.")])
  const { called, remarks } = await herald(at(second.url, allow), store)
  expect(remarks.join()).toContain("asked about until accept_changes is set: house__look")
  expect(await called("house__look")).toMatch(/^denied: "house__look" needs a person's approval/)
  const accepting = await herald(at(second.url, `${allow}accept_changes = true\n`), store)
  expect(await accepting.called("house__look")).toMatch(/^ok/)
  expect(await (await herald(at(second.url, allow), store)).called("house__look")).toMatch(/^ok/)
})

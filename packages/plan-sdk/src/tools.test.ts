import { createRequire } from "node:module"
import process from "node:process"
import { type Tool, tool } from "@orra/core"
import { mcpServers } from "@orra/mcp/client"
import { expect, onTestFinished, test } from "vitest"
import { engine, type TestEngine } from "./fixture.ts"
import { type ServedTools, type ServeToolsOptions, serveTools } from "./tools.ts"

const require = createRequire(import.meta.url)
const everything = require.resolve("@modelcontextprotocol/server-everything/dist/index.js")

async function bench(
  given: Parameters<typeof serveTools>[0],
  more: Partial<ServeToolsOptions> = {},
): Promise<{ shop: TestEngine; served: ServedTools; errors: unknown[] }> {
  const shop = await engine()
  const { orraUrl, orraKey, connection, onError } = shop.options("any")
  const options = {
    orraUrl,
    orraKey,
    folder: shop.folder,
    ...(connection && { connection }),
    ...(onError && { onError }),
  }
  const served = await serveTools(given, { ...options, ...more })
  onTestFinished(() => served.shutdown({ timeoutMs: 0 }))
  return { shop, served, errors: shop.errors }
}

/** The id of a service, by its name. */
async function idOf(shop: TestEngine, name: string): Promise<string> {
  const services = await shop.ask<readonly { id: string; name: string }[]>("GET", "/services")
  return services.find((each) => each.name === name)?.id ?? `no ${name}`
}

const counted = (calls: string[], risk: "read" | "write" = "write"): Tool =>
  tool<{ text: string }>({
    name: "add_note",
    description: "Adds a note.",
    input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    risk,
    execute: ({ text }) => `Note ${calls.push(text)}`,
  })

test("the tools of an MCP server are services", async () => {
  const servers = await mcpServers({
    every: { command: process.execPath, args: [everything, "stdio"], tools: ["echo"] },
  })
  onTestFinished(() => servers.close())
  const { shop } = await bench(servers)
  const id = await idOf(shop, "every.echo")
  expect(await shop.ended(await shop.begin(id, { message: "hello" }))).toMatchObject({
    status: "completed",
    results: [{ text: expect.stringContaining("hello") }],
  })
})

test("tools go through policy, which refuses for good what it does not allow", async () => {
  const calls: string[] = []
  const { shop } = await bench([counted(calls)], { policy: { ask: ["risk:write"], allow: ["*"] } })
  const ended = await shop.ended(await shop.begin(await idOf(shop, "add-note"), { text: "milk" }))
  expect(ended).toMatchObject({ status: "failed" })
  expect(JSON.stringify(ended)).toContain("needs a person's approval")
  expect(calls).toEqual([])
})

test("a tool without arguments is one too; one that the engine does not take is told and left out", async () => {
  const clock = tool({
    name: "clock",
    description: "The time.",
    input: { type: "object" },
    risk: "read",
    execute: () => "noon",
  })
  const nothing = tool({
    name: "odd",
    description: "Takes a list of nobody knows what.",
    input: { type: "object", properties: { list: { type: "array" } } },
    risk: "read",
    execute: () => "?",
  })
  const { shop, served, errors } = await bench([clock, nothing])
  expect(served.services).toHaveLength(1)
  expect(errors).toEqual([
    expect.objectContaining({ message: expect.stringContaining("odd cannot be a service") }),
  ])
  shop.plan = [{ id: "task1", service: await idOf(shop, "clock"), input: {} }]
  expect(await shop.ended(await shop.begin(undefined, {}))).toMatchObject({ results: [{ text: "noon" }] })
})

test("what was cut off is called again only when that does no harm", async () => {
  for (const risk of ["write", "read"] as const) {
    const shop = await engine()
    const { orraUrl, orraKey } = shop.options("any")
    const options = { orraUrl, orraKey, folder: shop.folder, onError: () => {} }
    const begun = Promise.withResolvers<void>()
    const slow: Tool = {
      ...counted([], risk),
      execute: () => {
        begun.resolve()
        return new Promise<never>(() => {})
      },
    }
    const first = await serveTools([slow], options)
    const id = await shop.begin(await idOf(shop, "add-note"), { text: "milk" })
    await begun.promise
    void first.services[0]?.shutdown({ timeoutMs: 0 })
    const calls: string[] = []
    const second = await serveTools([counted(calls, risk)], options)
    onTestFinished(() => second.shutdown({ timeoutMs: 0 }))
    const ended = await shop.ended(id)
    expect(ended).toMatchObject({ status: risk === "write" ? "failed" : "completed" })
    expect(calls).toEqual(risk === "write" ? [] : ["milk"])
  }
})

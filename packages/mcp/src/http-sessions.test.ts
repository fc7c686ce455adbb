import { McpServer } from "@modelcontextprotocol/server"
import { Namespace } from "@orra/core"
import { expect, test } from "vitest"
import { HttpSessions } from "./http-sessions.ts"

const caller = { namespace: Namespace.of("ann") }
const headers = { accept: "application/json, text/event-stream", "content-type": "application/json" }
const message = (method: string, params = {}) => ({ jsonrpc: "2.0", id: 1, method, params })

async function begin(sessions: HttpSessions): Promise<string> {
  const body = message("initialize", {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "0" },
  })
  const request = new Request("http://localhost/mcp", { method: "POST", headers, body: JSON.stringify(body) })
  const response = await sessions.begin(request, body, caller, new McpServer({ name: "test", version: "0" }))
  await response.body?.cancel()
  return response.headers.get("mcp-session-id") ?? ""
}

async function call(sessions: HttpSessions, id: string, method = "POST"): Promise<Response> {
  const body = method === "POST" ? { body: JSON.stringify(message("ping")) } : {}
  const request = new Request("http://localhost/mcp", {
    method,
    headers: { ...headers, "mcp-session-id": id },
    ...body,
  })
  return await sessions.serve(request, id, caller)
}

const statusOf = async (sessions: HttpSessions, id: string): Promise<number> => {
  const { status, body } = await call(sessions, id)
  await body?.cancel()
  return status
}

test("a connection that is idle for an hour goes when another begins, unless it listens", async () => {
  let now = 0
  const sessions = new HttpSessions(() => now)
  const [idle, listening] = [await begin(sessions), await begin(sessions)]
  const stream = await call(sessions, listening, "GET")
  now += 3_600_001
  expect(await statusOf(sessions, await begin(sessions))).toBe(200)
  expect([await statusOf(sessions, idle), await statusOf(sessions, listening)]).toEqual([404, 200])
  await stream.body?.cancel()
  now += 3_600_001
  await begin(sessions)
  expect(await statusOf(sessions, listening)).toBe(404)
  await sessions.close()
})

const long = test.runIf(process.env["ORRA_TEST_FULL"])

long("of more than a thousand connections the one that was not heard of for longest goes", async () => {
  const sessions = new HttpSessions(() => 0)
  const ids: string[] = []
  for (let n = 0; n < 1_000; n++) ids.push(await begin(sessions))
  const [first = "", second = "", third = ""] = ids
  expect(await statusOf(sessions, first)).toBe(200)
  await begin(sessions)
  const left = [
    await statusOf(sessions, second),
    await statusOf(sessions, third),
    await statusOf(sessions, first),
  ]
  expect(left).toEqual([404, 200, 200])
  await sessions.close()
  expect(await statusOf(sessions, third)).toBe(404)
})

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { call, fakeModelServer, say } from "@orra/testing"
import { expect, onTestFinished, test, vi } from "vitest"
import { heraldProcess } from "./herald-process.ts"

const KEY = "sk-ant-test-key-1234"
const OWNER = "owner-key-0123456789"
const SECRET = "s3cret-of-the-house"

/** A server that tells its process id, and complains of its secret. */
const SERVER = `
console.error("started with " + process.env.TOKEN)
process.on("SIGTERM", () => {})
const say = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }))
let rest = ""
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\\n")
  rest = lines.pop()
  for (const { id, method } of lines.map((line) => JSON.parse(line))) {
    const capabilities = { tools: {} }
    if (method === "initialize") say({ id, result: { protocolVersion: "2025-06-18", capabilities, serverInfo: { name: "s", version: "1" } } })
    else if (method === "tools/list") say({ id, result: { tools: [{ name: "pid", inputSchema: { type: "object" } }] } })
    else if (method === "tools/call") say({ id, result: { content: [{ type: "text", text: "pid " + process.pid }] } })
    else if (id !== undefined) say({ id, error: { code: -32601, message: "No." } })
  }
})
setInterval(() => {}, 1000)
`

test("a chat uses a server's tool; its secret is nowhere, and nothing is left running", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herald-mcp-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const model = await fakeModelServer([[call("house__pid", {})], [say("Used.")]], { apiKey: KEY })
  onTestFinished(() => model.close())
  writeFileSync(join(folder, "server.cjs"), SERVER)
  writeFileSync(
    join(folder, "assistant.toml"),
    `[gateway]
api_key = "${OWNER}"
[[mcp.servers]]
name = "house"
command = ${JSON.stringify(process.execPath)}
args = ["server.cjs"]
env = { TOKEN = "\${TOKEN}" }
allow = ["pid"]
`,
  )
  const herald = await heraldProcess({
    cwd: folder,
    args: ["--port", "0"],
    env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url, TOKEN: SECRET },
  })
  onTestFinished(() => void herald.stop("SIGKILL"))
  await vi.waitFor(() => expect(herald.stderr()).toContain("mcp house: 1 tool"), { timeout: 60_000 })
  const answer = await fetch(`${herald.url}/api/chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${OWNER}`, "content-type": "application/json" },
    body: JSON.stringify({ message: "Use it." }),
  })
  expect(await answer.json()).toMatchObject({ message: "Used." })
  const [, pid = ""] = /pid (\d+)/.exec(JSON.stringify(model.requests.at(-1)?.body)) ?? []
  expect(isRunning(Number(pid))).toBe(true)
  expect(await herald.stop()).toBe(0)
  expect(isRunning(Number(pid))).toBe(false)
  const kept = readdirSync(join(folder, "data"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
  for (const text of [...kept, herald.stdout(), herald.stderr()]) expect(text).not.toContain(SECRET)
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

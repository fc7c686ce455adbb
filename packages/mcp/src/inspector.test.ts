// The command line of the protocol's Inspector, which people look at servers with.

import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, onTestFinished, test } from "vitest"

const require = createRequire(import.meta.url)
const manifest = require.resolve("@modelcontextprotocol/inspector/package.json")
const inspector = join(dirname(manifest), "clients/launcher/build/index.js")
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const child = [process.execPath, "--conditions=@orra/source"] as const

/** What it prints. Throws, with all it said, when it ends with an error. */
async function inspect(target: readonly string[], ...args: readonly string[]): Promise<unknown> {
  const home = mkdtempSync(join(tmpdir(), "mcp-inspector-"))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const { stdout } = await promisify(execFile)(process.execPath, [inspector, "--cli", ...target, ...args], {
    env: { ...process.env, HOME: home },
  })
  return JSON.parse(stdout)
}

test("the Inspector calls a tool over standard input and output", { timeout: 60_000 }, async () => {
  const call = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=2", "b=3"]
  expect(await inspect([...child, script("./stdio-server.child.ts")], ...call)).toEqual({
    content: [{ type: "text", text: "5" }],
  })
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "the Inspector lists, calls, reads and fills in over HTTP",
  { timeout: 120_000 },
  async () => {
    const server = spawn(child[0], [child[1], script("./conformance-server.child.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    onTestFinished(() => void server.kill("SIGKILL"))
    const [port] = (await once(server.stdout, "data")) as [Buffer]
    const target = [`http://127.0.0.1:${port.toString("utf8").trim()}/mcp`, "--transport", "http"]
    const asked = async (...args: readonly string[]) => await inspect(target, "--method", ...args)

    expect(await asked("tools/list")).toMatchObject({
      tools: expect.arrayContaining([expect.objectContaining({ name: "test_simple_text" })]),
    })
    expect(await asked("tools/call", "--tool-name", "test_simple_text")).toMatchObject({
      content: [{ type: "text" }],
    })
    expect(await asked("resources/list")).toMatchObject({
      resources: expect.arrayContaining([expect.objectContaining({ uri: "test://static-text" })]),
    })
    expect(await asked("resources/templates/list")).toMatchObject({
      resourceTemplates: expect.arrayContaining([
        expect.objectContaining({ uriTemplate: "test://template/{id}/data" }),
      ]),
    })
    expect(await asked("resources/read", "--uri", "test://template/7/data")).toMatchObject({
      contents: [{ uri: "test://template/7/data", text: expect.stringContaining("7") }],
    })
    expect(await asked("prompts/list")).toMatchObject({
      prompts: expect.arrayContaining([expect.objectContaining({ name: "test_simple_prompt" })]),
    })
    const filled = ["--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=one", "arg2=two"]
    expect(await asked("prompts/get", ...filled)).toMatchObject({
      messages: [{ content: { text: expect.stringMatching(/one.*two/s) } }],
    })
  },
)

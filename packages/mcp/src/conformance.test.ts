// The protocol's own conformance suite. What it finds wrong is not excused: there is no list of expected failures.

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
const manifest = require.resolve("@modelcontextprotocol/conformance/package.json")
const suite = join(dirname(manifest), "dist/index.js")
const client = fileURLToPath(new URL("./conformance-client.child.ts", import.meta.url))
const command = `${process.execPath} --conditions=@orra/source ${client}`

/** What the suite says at its end. Throws, with all it said, when something required was not as required. */
async function run(...args: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-conformance-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const all = [suite, ...args, "--output-dir", folder, "--timeout", "120000"]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, all, { maxBuffer: 50_000_000 })
  return stdout + stderr
}

test("the client does what revision 2026-07-28 wants: auth/scope-step-up", { timeout: 60_000 }, async () => {
  const of = ["--spec-version", "2026-07-28", "--scenario", "auth/scope-step-up"]
  expect(await run("client", "--command", command, ...of)).toContain("OVERALL: PASSED")
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "the client does all that the revisions of 2026 and 2025 require",
  { timeout: 600_000 },
  async () => {
    for (const [revision, scenarios] of [
      ["2026-07-28", 32],
      ["2025-11-25", 18],
    ] as const) {
      const { stdout } = await promisify(execFile)(process.execPath, [
        suite,
        "list",
        "--requirements",
        revision,
      ])
      const [, listed = ""] = /^Client scenarios.*\n((?: {2}- .*\n)+)/m.exec(stdout) ?? []
      const required = listed.match(/[^\s-]\S*/g) ?? []
      expect(required).toHaveLength(scenarios)
      // One by one: all at a time, as the suite would, a machine with two processors keeps them waiting for too long.
      for (const scenario of required) {
        const of = ["--spec-version", revision, "--scenario", scenario]
        expect(await run("client", "--command", command, ...of)).toContain("OVERALL: PASSED")
      }
    }
  },
)

/** The server under test, for as long as the test goes on. */
async function serverUrl(): Promise<string> {
  const script = fileURLToPath(new URL("./conformance-server.child.ts", import.meta.url))
  const server = spawn(process.execPath, ["--conditions=@orra/source", script], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  onTestFinished(() => void server.kill("SIGKILL"))
  const [port] = (await once(server.stdout, "data")) as [Buffer]
  return `http://127.0.0.1:${port.toString("utf8").trim()}/mcp`
}

test("the server does what revision 2026-07-28 wants: tools-call-with-progress", async () => {
  const of = ["--spec-version", "2026-07-28", "--scenario", "tools-call-with-progress"]
  expect(await run("server", "--url", await serverUrl(), ...of)).toContain("Passed: 2/2")
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "the server does all that the revisions of 2026 and 2025 require",
  { timeout: 600_000 },
  async () => {
    const url = await serverUrl()
    for (const [revision, scenarios] of [
      ["2026-07-28", 37],
      ["2025-11-25", 30],
    ] as const) {
      // It ends with an error, which is thrown here, when one of them fails.
      const said = await run("server", "--url", url, "--requirements", revision)
      expect(said.match(/^✓ \S+: [1-9]/gm)?.length).toBeGreaterThanOrEqual(scenarios)
    }
  },
)

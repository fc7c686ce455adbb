// The protocol's own conformance suite. What it finds wrong is not excused: there is no list of expected failures.

import { execFile } from "node:child_process"
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

test.each([
  ["2026-07-28", "http-custom-headers"],
  ["2026-07-28", "auth/scope-step-up"],
  ["2025-11-25", "elicitation-sep1034-client-defaults"],
])("the client does what revision %s wants: %s", { timeout: 60_000 }, async (revision, scenario) => {
  const said = await run("client", "--command", command, "--spec-version", revision, "--scenario", scenario)
  expect(said).toContain("OVERALL: PASSED")
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "the client does all that the revisions of 2026 and 2025 require",
  { timeout: 600_000 },
  async () => {
    for (const [revision, scenarios] of [
      ["2026-07-28", 32],
      ["2025-11-25", 18],
    ] as const) {
      const said = await run("client", "--command", command, "--requirements", revision)
      expect(said.match(/^✓ /gm)?.length).toBeGreaterThanOrEqual(scenarios)
    }
  },
)

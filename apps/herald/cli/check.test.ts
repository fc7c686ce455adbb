import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { loadConfig } from "../server/config/load.ts"
import { check } from "./check.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "herald-check-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function checked(toml: string): Promise<string> {
  writeFileSync(join(folder, "assistant.toml"), toml)
  const env = { CLAUDE_CREDENTIALS_FILE: join(folder, "none"), HERALD_KEYCHAIN: "off" }
  return await check(loadConfig({ cwd: folder, env }), { env, version: "1.2.3" })
}

test("exec is shown with what it may do, how it is confined, and rules that allow nothing", async () => {
  const text = await checked(
    '[tools]\nexec = true\nexec_isolation = "off"\nexec_allowed_commands = ["ls", "sh"]\n',
  )
  expect(text).toMatch(/^tools on .*\bexec\b/m)
  expect(text).toMatch(/^note +exec: not isolated: isolation is off;/m)
  expect(text).toMatch(/^note +exec: `sh \*` allows nothing by itself, since it is a shell/m)
  expect(text).toContain('exec_allowed_commands = ["ls","sh"]  # line 4')
  expect(text).toContain("exec_shell = false")
  // It looked, and that was all.
  expect(readdirSync(folder)).toEqual(["assistant.toml"])
})

test("what Herald would not listen with is refused here already", async () => {
  const open = '[gateway]\nhost = "0.0.0.0"\n'
  await expect(checked(open)).rejects.toMatchObject({ code: "gateway_unauthenticated" })
  const withKey = `${open}api_key = "owner-key-0123456789"\n`
  await expect(checked(withKey)).rejects.toMatchObject({ code: "gateway_insecure" })
  expect(await checked(`${withKey}trusted_proxies = ["10.0.0.1"]\n`)).toContain('host = "0.0.0.0"')
})

test("rules of the owner's own are shown, and what they name that is not there", async () => {
  const text = await checked(
    '[tools]\nexec = true\nexec_isolation = "off"\n[[policy]]\ntools = ["web_*", "exce"]\nagents = ["Atlas", "Nova"]\nreason = "not here"\n[[policy]]\ndecision = "allow"\ntools = ["exec"]\n',
  )
  expect(text).toMatch(/^\[\[policy\]\]$/m)
  expect(text).toContain('tools = ["web_*","exce"]  # line 5')
  expect(text.match(/^note +policy.*$/gm)).toEqual([
    'note           policy 1: not here: no tool that is on is called "exce"',
    'note           policy 1: not here: the configuration has no assistant "Nova"',
    "note           policy 2: it allows no command: those are named in tools.exec_allowed_commands, which reads them",
  ])
})

test("without exec nothing is said of it", async () => {
  expect(await checked("")).not.toContain("exec:")
})

test("a list of commands that is none is an error that says so", async () => {
  await expect(checked('[tools]\nexec = true\nexec_allowed_commands = ["ls; rm"]\n')).rejects.toThrow(
    '"ls; rm" is not a rule',
  )
})

test("MCP servers are shown as they are: reachable, or why not, and without their secrets", async () => {
  const wire = JSON.stringify(join(import.meta.dirname, "../../../packages/mcp/src/wire.child.ts"))
  const text = await checked(`
[[mcp.servers]]
name = "wire"
command = ${JSON.stringify(process.execPath)}
args = [${wire}, "--token=s3cret-in-args"]
env = { TOKEN = "s3cret-in-env" }
[[mcp.servers]]
name = "away"
url = "http://127.0.0.1:9/mcp?key=s3cret-in-url"
headers = { Authorization = "Bearer s3cret-in-header" }
[[mcp.servers]]
name = "none"
command = "/nowhere/server"
`)
  expect(text).toMatch(/^tools on .*\bcurrent_time\b.*\bwire__echo\b/m)
  expect(text).toMatch(/^note +mcp wire: \d+ tools$/m)
  expect(text).toMatch(/^note +mcp away: The server "away" is not available: /m)
  expect(text).toMatch(/^note +mcp none: The server "none" is not available: .*ENOENT/m)
  expect(text).toContain("args = (set, not shown)")
  expect(text).not.toContain("s3cret")
  expect(readdirSync(folder)).toEqual(["assistant.toml"])
})

test("jobs of the file are shown with when they come next and where to", async () => {
  const job = (name: string, channel: string) =>
    `[[scheduler.jobs]]\nname = "${name}"\nschedule = "0 8 * * MON-FRI"\nchannel = "${channel}"\nmessage = "m"\n`
  const jobs = job("news", "300000000000000000") + job("plans", "own")
  const text = await checked(`[scheduler]\nenabled = true\n${jobs}`)
  expect(text).toMatch(
    /^job +news: Every weekday at 08:00, next \d{4}-\S+Z, to channel:300000000000000000\njob +plans: .*, to own$/m,
  )
  expect(text).toMatch(/^tools on .*\bcron\b/m)
  expect(await checked(jobs)).toMatch(/^job +news: .*off, as scheduler.enabled is false/m)
})

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

test("without exec nothing is said of it", async () => {
  expect(await checked("")).not.toContain("exec:")
})

test("a list of commands that is none is an error that says so", async () => {
  await expect(checked('[tools]\nexec = true\nexec_allowed_commands = ["ls; rm"]\n')).rejects.toThrow(
    '"ls; rm" is not a rule',
  )
})

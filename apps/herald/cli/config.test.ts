import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { loadConfig } from "../server/config/load.ts"
import { heraldSite } from "../server/fixture.ts"
import { check } from "./check.ts"
import { shownConfig } from "./config.ts"

test("every value is shown with where it is from, while Herald runs; no secret is", async () => {
  const { ask, folder, close } = await heraldSite({
    config: `[discord]\nenabled = false\n[tools]\nexec = true\n[github]\ntoken = "of-github-0123456789"\n`,
  })
  onTestFinished(close)
  await ask("PUT", "/api/settings/values", {
    "discord.token": "of-discord-0123456789",
    "tools.web_fetch": false,
  })
  const env = {
    HERALD_KEYCHAIN: "off",
    ANTHROPIC_API_KEY: "of-anthropic-0123456789",
    HERALD_DATA_DIR: join(folder, "data"),
  }
  const file = join(folder, "assistant.toml")
  const before = readFileSync(file, "utf8")
  const config = (section?: string) =>
    shownConfig(
      loadConfig({ cwd: folder, env, overrides: { port: 9 } }),
      { ...(section !== undefined && { section }) },
      env,
    )
  const all = await config()
  for (const line of [
    `data_dir = ${JSON.stringify(join(folder, "data"))}  # HERALD_DATA_DIR`,
    "  port = 9  # --port",
    `  exec = true  # ${file}, line ${before.split("\n").indexOf("exec = true") + 1}`,
    "  web_fetch = false  # the web page",
    "  browser = true  # default",
    "  token = (set, not shown)  # the web page",
    "# model          claude-opus-4-6 (claude), key: ANTHROPIC_API_KEY",
  ])
    expect(all.split("\n")).toContain(line)
  expect(all).not.toContain("0123456789")
  const discord = await config("discord")
  expect(discord).toContain("[discord]\n")
  expect(discord).not.toContain("[tools]")
  const checked = await check(loadConfig({ cwd: folder, env }), { env, version: "1.2.3" })
  expect(checked).toContain("  web_fetch = false  # the web page\n")
  expect(checked).not.toMatch(/^tools on .*web_fetch/m)
  await expect(config("nothing")).rejects.toThrow('There is no section "nothing": there are agent,')
  expect(readFileSync(file, "utf8")).toBe(before)
})

test("without data there is nothing to look into, and nothing is made", async () => {
  const cwd = import.meta.dirname
  const loaded = loadConfig({ cwd, env: {}, overrides: { dataDir: "/nowhere/of/this/test" } })
  expect(
    await shownConfig(loaded, {}, { HERALD_KEYCHAIN: "off", CLAUDE_CREDENTIALS_FILE: "/nowhere" }),
  ).toContain("# configuration  no file\n")
})

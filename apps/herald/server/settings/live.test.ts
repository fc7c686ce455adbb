import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, Namespace } from "@orra/core"
import { beforeEach, expect, onTestFinished, test } from "vitest"
import { loadConfig, SAVED, type Table } from "../config/load.ts"
import { secretsOf } from "../config/summary.ts"
import { openVault } from "../provider/vault.ts"
import { LiveConfig } from "./live.ts"
import { SavedSettings } from "./saved.ts"

let folder = ""
let store = new MemoryStore()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "herald-live-"))
  store = new MemoryStore()
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

const file = () => join(folder, "assistant.toml")
const write = (toml: string) => writeFileSync(file(), toml)
const PLACE = Namespace.of("herald", "settings")
const hidden: (string | undefined)[] = []

/** Herald's configuration as it is at a start, with what was saved before. */
async function start(toml?: string, env = {}): Promise<LiveConfig> {
  if (toml !== undefined) write(toml)
  const saved = await SavedSettings.open({
    records: store.records("settings"),
    vault: openVault(folder, undefined),
    hide: (secret) => void hidden.push(secret),
  })
  return new LiveConfig(loadConfig({ cwd: folder, env }), saved)
}

const save = (live: LiveConfig, more: Table) => live.save((table) => ({ ...table, ...more }))

test("what the page saved is in effect where the file says nothing, and after a restart", async () => {
  const toml = '[discord]\nfilter = "all"\n'
  const live = await start(toml)
  const { changed } = await save(live, {
    discord: { filter: "mentions", token: "bot-token-0123456789" },
    tools: { web_fetch: false },
  })
  expect(changed).toEqual(["tools.web_fetch", "discord.token"])
  for (const { loaded } of [live, await start()]) {
    expect(loaded.config.discord).toMatchObject({ filter: "all", token: "bot-token-0123456789" })
    expect(loaded.config.tools.web_fetch).toBe(false)
    expect(loaded.origins.get("discord.filter")).toBe("line 2")
    expect(loaded.origins.get("discord.token")).toBe(SAVED)
    expect(loaded.origins.has("tools.browser")).toBe(false)
  }
  expect(readFileSync(file(), "utf8")).toBe(toml)
  expect(hidden).toContain("bot-token-0123456789")
  const kept = await store.records("settings").list(PLACE)
  expect(JSON.stringify(kept)).not.toContain("bot-token-0123456789")
})

test("S12: what the page saves is text as it is: no variable is filled in, no key comes into it", async () => {
  const live = await start("", { SECRET: "of the house" })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file.
  const odd = '$${SECRET} ${SECRET}"\n[mcp]\n'
  await save(live, { tools: { web_search_url: odd } })
  expect(live.loaded.config.tools.web_search_url).toBe(odd)
})

test("servers of the file and the page stand side by side, and the file's name is the file's", async () => {
  const live = await start('[[mcp.servers]]\nname = "files"\ncommand = "of-the-file"\n')
  await save(live, {
    mcp: {
      servers: [
        { name: "files", command: "of-the-page" },
        { name: "docs", url: "https://docs.example/key-0123456789", headers: { a: "header-0123456789" } },
      ],
    },
  })
  for (const { loaded } of [live, await start()]) {
    const { servers } = loaded.config.mcp
    expect(servers.map(({ name }) => name)).toEqual(["files", "docs"])
    expect(servers[0]?.command).toBe("of-the-file")
    expect(servers[1]).toMatchObject({ headers: { a: "header-0123456789" } })
    expect(loaded.origins.get("mcp.servers[0].name")).toBe("line 2")
    expect(loaded.origins.get("mcp.servers[1].name")).toBe(SAVED)
  }
  const kept = JSON.stringify(await store.records("settings").list(PLACE))
  expect(kept).not.toMatch(/0123456789/)
})

test("the file is read again and taken whole: what can change changes, the rest is named", async () => {
  const live = await start("[tools]\nweb_fetch = true\n")
  const seen: unknown[] = []
  live.onChange((next, before) => () => seen.push([before.config.tools.exec, next.config.tools.exec]))
  write("[gateway]\nport = 9\n[tools]\nexec = true\n")
  expect(await live.reload()).toEqual({ changed: ["tools.exec"], waiting: ["gateway.port"] })
  expect(seen).toEqual([[false, true]])
  expect(live.loaded.config.gateway.port).toBe(8080)
  write("")
  expect(await live.reload()).toEqual({ changed: ["tools.exec"], waiting: [] })
})

test("rules of the policy are used as soon as they are read again", async () => {
  const live = await start('[[policy]]\ntools = ["exec"]\n')
  write('[[policy]]\ntools = ["exec"]\ndecision = "ask"\n[[policy]]\ntools = ["write_file"]\n')
  const { changed, waiting } = await live.reload()
  expect([changed.length > 0, waiting]).toEqual([true, []])
  expect(live.loaded.config.policy).toMatchObject([
    { decision: "ask", tools: ["exec"] },
    { decision: "deny", tools: ["write_file"] },
  ])
})

test.each([
  ["wrong", () => write('[tools]\nexec = true\nfilesystem = "yes"\n'), /assistant.toml:3: tools.filesystem/],
  ["not TOML", () => write("[tools\n"), /assistant.toml:1/],
  ["gone", () => rmSync(file()), /There is no file/],
])("config removed while running, or spoilt: a file that is %s changes nothing", async (_, spoil, why) => {
  const live = await start("[tools]\nexec = false\n")
  const seen: unknown[] = []
  live.onChange(() => () => seen.push("changed"))
  const before = live.loaded
  spoil()
  await expect(live.reload()).rejects.toThrow(why)
  expect(live.loaded).toBe(before)
  expect(seen).toEqual([])
  // What the page saves goes on from what was read last.
  await save(live, { tools: { browser: false } })
  expect(live.loaded.config.tools).toMatchObject({ exec: false, browser: false })
})

test("whoever cannot be as it says refuses it for all, and nothing is kept", async () => {
  const live = await start("")
  const seen: unknown[] = []
  live.onChange(() => () => seen.push("first"))
  const end = live.onChange(({ config }) => {
    if (config.tools.exec) throw new Error("not here")
    return undefined
  })
  await expect(save(live, { tools: { exec: true } })).rejects.toThrow("not here")
  await expect(save(live, { tools: { exec: "yes" } })).rejects.toThrow("must be true or false")
  expect(seen).toEqual([])
  expect((await start()).loaded.config.tools.exec).toBe(false)
  end()
  await save(live, { tools: { exec: true } })
  expect(seen).toEqual(["first"])
})

test("saved settings that do not go with the file any more are left out, and that is said", async () => {
  await save(await start(""), {
    discord: { filter: "dm", allowed_users: ["123456789012345678"] },
    tools: { exec: true },
  })
  const live = await start("[discord]\nallowed_users = []\n")
  expect(live.loaded.config.discord.filter).toBe("mentions")
  expect(live.loaded.config.tools.exec).toBe(true)
  expect(live.notices).toEqual([
    expect.stringContaining("What the page saved for discord is not used: discord.filter"),
  ])
})

test("a secret whose key file is gone is not there, and that is said", async () => {
  await save(await start(""), { discord: { token: "bot-token-0123456789", filter: "all" } })
  rmSync(join(folder, "vault.key"))
  const live = await start("")
  expect(live.loaded.config.discord).toMatchObject({ token: undefined, filter: "all" })
  expect(live.notices).toEqual([expect.stringContaining("token: The saved secret cannot be read")])
})

test("every secret of a configuration is known, whatever section it is in", async () => {
  const { loaded } = await start(`[gateway]
api_key = "of-the-owner"
[[gateway.keys]]
name = "Ada"
key = "of-ada"
namespace = "ada"
[metrics]
token = "of-metrics"
[[mcp.servers]]
name = "files"
command = "x"
env = { A = "of-env" }
`)
  expect(secretsOf(loaded.config)).toEqual(["of-the-owner", "of-ada", "of-env", "of-metrics"])
})

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax under test.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { OrraError } from "@orra/core"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ConfigError, loadConfig, parseConfig } from "./load.ts"

const problems = (toml: string, env = {}): string => {
  try {
    parseConfig(toml, "a.toml", env)
    return ""
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}
const parse = (toml: string, env = {}) => parseConfig(toml, "a.toml", env)
const notices = (toml: string, env = {}) =>
  parse(toml, env).notices.map(({ line, message }) => `${line}: ${message}`)

test("an empty file gives every default", () => {
  const { config, notices } = parse("")
  expect(config).toMatchObject({
    data_dir: "./data",
    agent: { name: "Atlas", personality: "friendly, helpful, and concise", system_prompt: undefined },
    agents: [],
    provider: { provider_type: "claude", api_key: undefined, max_tokens: 4096, temperature: undefined },
    gateway: {
      host: "127.0.0.1",
      port: 8080,
      api_key: undefined,
      keys: [],
      allowed_hosts: [],
      insecure: false,
    },
    tools: { web_fetch: true, exec: false, claude_code_allowed_tools: ["Read", "Edit", "Bash"] },
    sessions: { store: "file" },
    context: { max_tokens: 200_000, reserved_for_output: 4096 },
    logging: { level: "info" },
    discord: { filter: "mentions", namespace_prefix: "discord" },
    cron: { enabled: true, path: "cron_jobs.json" },
    federation: { enabled: false, mdns_enabled: true, peers: [] },
  })
  expect(notices).toEqual([])
})

test("every key the original Herald knows is read with its type", () => {
  const { config } = parse(ORIGINAL)
  expect(config).toMatchSnapshot()
})

describe("what is wrong is said with its line", () => {
  const golden: readonly (readonly [what: string, toml: string, message: string])[] = [
    [
      "an unknown key",
      "[gateway]\nhost = '::1'\nprot = 80",
      'a.toml:3: unknown key "prot" in [gateway]: did you mean "port"?',
    ],
    [
      "an unknown section",
      "\n[discrod]\ntoken = 'x'",
      'a.toml:2: unknown section [discrod]: did you mean "discord"?',
    ],
    ["a key of another section", "port = 80", 'a.toml:1: unknown key "port": it belongs in [gateway]'],
    [
      "a key like no other",
      "[logging]\nzzzzzz = 80",
      'a.toml:2: unknown key "zzzzzz" in [logging]: known here are level',
    ],
    [
      "text for a number",
      '[gateway]\nport = "80"',
      'a.toml:2: gateway.port must be a whole number from 0 to 65535, not "80"',
    ],
    [
      "a fraction",
      "[gateway]\nport = 80.5",
      "a.toml:2: gateway.port must be a whole number from 0 to 65535, not 80.5",
    ],
    [
      "a number too large",
      "[gateway]\nport = 70000",
      "a.toml:2: gateway.port must be a whole number from 0 to 65535, not 70000",
    ],
    ["a number for text", "data_dir = 3", "a.toml:1: data_dir must be text in quotes, not 3"],
    ["a list for a boolean", "[tools]\nexec = []", "a.toml:2: tools.exec must be true or false, not a list"],
    [
      "a table for a list",
      "[tools.exec_allowed_commands]",
      "a.toml:1: tools.exec_allowed_commands must be a list of texts, not a table",
    ],
    [
      "a number in a list of texts",
      "[gateway]\nallowed_hosts = [\n'a',\n2]",
      "a.toml:4: gateway.allowed_hosts[1] must be text in quotes, not 2",
    ],
    ["a value for a section", "gateway = 1", "a.toml:1: gateway must be a section, written [gateway], not 1"],
    [
      "a section for a list",
      "[gateway.keys]\nname='x'",
      "a.toml:1: gateway.keys must be a list of tables, written [[gateway.keys]], not a table",
    ],
    ["a date", "data_dir = 2026-01-01", "a.toml:1: data_dir must be text in quotes, not a date"],
    [
      "a choice that is none",
      "[provider]\nprovider_type = 'claud'",
      'a.toml:2: provider.provider_type must be one of "claude", "openai", not "claud": did you mean "claude"?',
    ],
    [
      "a missing key",
      "[[scheduler.jobs]]\nname = 's'",
      "a.toml:1: scheduler.jobs[0].schedule is missing: when, as a cron expression",
    ],
    [
      "a job on a day there is not",
      "[[scheduler.jobs]]\nname = 'j'\nschedule = '0 8 31 2 *'\nchannel = 'own'\nmessage = 'm'",
      'a.toml:3: scheduler.jobs[0].schedule "0 8 31 2 *" never comes: no day matches it',
    ],
    [
      "a job in a zone there is not",
      "[[scheduler.jobs]]\nname = 'j'\nschedule = '@daily'\nchannel = 'own'\nmessage = 'm'\ntimezone = 'Mars'",
      'a.toml:6: scheduler.jobs[0].timezone: There is no time zone "Mars"',
    ],
    [
      "two jobs of one name",
      "[[scheduler.jobs]]\nname = 'j'\nschedule = '@daily'\nchannel = 'own'\nmessage = 'm'\n".repeat(2),
      'a.toml:7: scheduler.jobs[1].name "j" is used twice: give each job a name of its own',
    ],
    [
      "an MCP server that is nowhere",
      "[[mcp.servers]]\nname = 's'\ncommand = ''",
      "a.toml:1: mcp.servers[0] needs a command or a url: what is the server?",
    ],
    [
      "an MCP server in two places",
      "[[mcp.servers]]\nname = 's'\ncommand = 'c'\nurl = 'http://localhost/mcp'",
      "a.toml:4: mcp.servers[0] has a command and a url: a server is a program, or one on the network",
    ],
    [
      "an MCP server at no address",
      "[[mcp.servers]]\nname = 's'\nurl = 'file:///etc/passwd'",
      "a.toml:3: mcp.servers[0].url must be an address that begins with http:// or https://",
    ],
    [
      "an MCP server without a proper name",
      "[[mcp.servers]]\nname = 'a__b'\ncommand = 'c'",
      'a.toml:2: mcp.servers[0].name "a__b" must be letters, digits and "-", at most 32',
    ],
    [
      "two MCP servers of one name",
      "[[mcp.servers]]\nname = 'a'\ncommand = 'c'\n[[mcp.servers]]\nname = 'a'\ncommand = 'd'",
      'a.toml:5: mcp.servers[1].name "a" is used twice: give each server a name of its own',
    ],
    ["a key never closed", "[agent]\nname = 'x", "a.toml:2:8: "],
    ["a key written twice", "[agent]\nname = 'x'\nname = 'y'", "a.toml:3:"],
    ["a variable without quotes", "[gateway]\nport = ${PORT}", 'write it in quotes: "${PORT}"'],
    ["a prototype", "[__proto__]\nx = 1", "a.toml:1"],
    [
      "a variable that is not set",
      "[provider]\nmodel = '${NOPE}'",
      "a.toml:2: provider.model uses ${NOPE}, which is not set in the environment: set it, or write ${NAME:-default}",
    ],
    [
      "a variable never closed",
      "[agent]\nname = '${X'",
      'a.toml:2: agent.name has "${" without "}"; for the two characters themselves write "$${"',
    ],
    [
      "a variable with no name",
      "[agent]\nname = '${a b}'",
      'a.toml:2: agent.name has "${a b}", which is not the name of a variable',
    ],
    [
      "no room for the answer",
      "[context]\nmax_tokens = 2000",
      "context.reserved_for_output (4096) must be less than context.max_tokens (2000)",
    ],
    [
      "a namespace that is none",
      `${key("ada", "k1", "a::b")}`,
      "a.toml:4: gateway.keys[0].namespace: A namespace segment may not be empty.",
    ],
    [
      "the owner's namespace",
      key("ada", "k1", "web:ada"),
      'a.toml:4: gateway.keys[0].namespace "web:ada" overlaps "web" of the owner: neither may be inside the other',
    ],
    [
      "overlapping namespaces",
      key("ada", "k1", "home:ada") + key("bob", "k2", "home"),
      'a.toml:8: gateway.keys[1].namespace "home" overlaps "home:ada" of "ada": neither may be inside the other',
    ],
    [
      "an agent that nobody could mention",
      "[[agents]]\nname = 'a@b'",
      'a.toml:2: agents[0].name: "a@b" is not an agent\'s name',
    ],
    [
      "two agents with one name",
      "[[agents]]\nname = 'Ada'\n[[agents]]\nname = 'ADA'",
      'a.toml:4: agents[1].name: Two agents have the same name ("Ada", "ADA")',
    ],
    [
      "the same key twice",
      key("ada", "same", "a") + key("bob", "same", "b"),
      "a.toml:7: gateway.keys[1].key is the same as gateway.keys[0].key",
    ],
    [
      "the same name twice",
      key("ada", "k1", "a") + key("ada", "k2", "b"),
      'a.toml:6: gateway.keys[1].name "ada" is used twice: give each person',
    ],
    [
      "a person without a key",
      key("ada", "${NOPE}", "a"),
      "a.toml:3: gateway.keys[0].key uses ${NOPE}, which is not set",
    ],
    [
      "nobody whom a push service could write to",
      "[push]\ncontact = 'me@example.org'",
      "a.toml:2: push.contact must be an address such as mailto:you@example.org",
    ],
  ]
  test.each(golden)("%s", (_, toml, message) => {
    expect(problems(toml)).toContain(message)
  })

  test("all of it at once, by line", () => {
    const found = problems(
      "[gateway]\nprot = 1\n[agent]\nname = 2\n[zzz]\n[provider]\napi_key = 3\n[context]\nmax_tokens=0",
    )
    expect(found.split("\n").map((line) => line.split(": ")[0])).toEqual([
      "a.toml:2",
      "a.toml:4",
      "a.toml:5",
      "a.toml:7",
      "a.toml:9",
    ])
  })

  test("a secret is not repeated", () => {
    expect(problems("[provider]\napi_key = ['sk-secret']\n[gateway]\napi_key = 123456789")).not.toMatch(
      /sk-secret|123456789/,
    )
  })
})

describe("the environment", () => {
  test("fills texts, with defaults, and only once", () => {
    const env = { NAME: "Ada ${OTHER}", EMPTY: "" }
    const name = (value: string) => parse(`[agent]\nname = '${value}'`, env).config.agent.name
    expect(name("${NAME}")).toBe("Ada ${OTHER}")
    expect(name("<${NAME}>${NAME}")).toBe("<Ada ${OTHER}>Ada ${OTHER}")
    expect(name("${NOPE:-Bob}")).toBe("Bob")
    expect(name("${EMPTY:-Bob}")).toBe("Bob")
    expect(name("${NOPE:-}")).toBe("")
    expect(name("costs $5 and $${NAME}")).toBe("costs $5 and ${NAME}")
  })

  test("cannot add to the file", () => {
    const evil = 'x"\n[tools]\nexec = true\n'
    const { config } = parse('[agent]\npersonality = "${EVIL}"', { EVIL: evil })
    expect(config.agent.personality).toBe(evil)
    expect(config.tools.exec).toBe(false)
  })

  test("gives numbers and booleans too, but text in the file stays text", () => {
    const { config } = parse("[gateway]\nport = '${PORT}'\n[tools]\nweb_fetch = '${FETCH}'", {
      PORT: "9000",
      FETCH: "false",
    })
    expect([config.gateway.port, config.tools.web_fetch]).toEqual([9000, false])
    expect(problems("[gateway]\nport = '${PORT}'", { PORT: "many" })).toContain('not "many"')
  })

  test("S23: leaves a secret unset, and says so", () => {
    const toml = "[gateway]\napi_key = '${NOPE}'\n[provider]\napi_key = '${EMPTY}'"
    const { config } = parse(toml, { EMPTY: "" })
    expect([config.gateway.api_key, config.provider.api_key]).toEqual([undefined, undefined])
    expect(notices(toml, { EMPTY: "" })).toEqual([
      "2: gateway.api_key counts as not set: ${NOPE} is not in the environment",
    ])
  })
})

describe("what has no effect is reported", () => {
  test.each([
    [
      "[[scheduler.jobs]]\nname = 'j'\nschedule = '0 8 * * *'\nchannel = 'general'\nmessage = 'm'",
      '4: scheduler.jobs[0].channel "general" is no id of a channel in Discord and no chat: what comes of it is told in a chat of its own',
    ],
    ["[gateway]\nenabled = false", "2: gateway.enabled is configured but always on in this version"],
    ["[agent]\nname='A'\n[[agents]]\nname='B'", '1: [agent] is not used: "B" of [[agents]] takes its place'],
  ])("%j", (toml, notice) => {
    expect(notices(toml)).toEqual([notice])
  })

  test("but not that there are several agents", () => {
    expect(notices("[[agents]]\nname='A'\n[[agents]]\nname='B'\ntools=['web_*']")).toEqual([])
  })

  test("but not what is switched off anyway", () => {
    expect(
      notices(
        "[memory]\nenabled = false\n[tools]\nexec = false\nexec_allowed_commands = []\n[cron]\nenabled=false",
      ),
    ).toEqual([])
  })
})

describe("the file", () => {
  let folder = ""
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "herald-config-"))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const load = (options: Partial<Parameters<typeof loadConfig>[0]> = {}) =>
    loadConfig({ cwd: folder, env: {}, ...options })

  test("need not be there", () => {
    expect(load()).toMatchObject({ file: undefined, dataDir: join(folder, "data") })
  })

  test("must be there when it is named", () => {
    expect(() => load({ file: "my.toml" })).toThrow(`There is no file ${join(folder, "my.toml")}`)
  })

  test("R21: is never written", () => {
    const toml = "[agent]\nname = 'Ada' # mine\n"
    writeFileSync(join(folder, "assistant.toml"), toml)
    load()
    expect(readFileSync(join(folder, "assistant.toml"), "utf8")).toBe(toml)
    expect(readdirSync(folder)).toEqual(["assistant.toml"])
  })

  test("must be UTF-8", () => {
    writeFileSync(join(folder, "assistant.toml"), Buffer.from([0x61, 0xff, 0xfe]))
    expect(() => load()).toThrow(OrraError)
    expect(() => load()).toThrow("is not UTF-8")
  })

  test("may begin with a byte order mark and end its lines as Windows does", () => {
    writeFileSync(
      join(folder, "assistant.toml"),
      "\ufeff[agent]\r\nname = 'Ada'\r\n[gateway]\r\nport = 1\r\n",
    )
    const { config, origins } = load()
    expect([config.agent.name, origins.get("gateway.port")]).toEqual(["Ada", "line 4"])
  })

  test("gives way to the environment, and that to the command line", () => {
    writeFileSync(join(folder, "assistant.toml"), "data_dir = 'file'\n[gateway]\nhost = '::1'\nport = 1")
    expect(load().dataDir).toBe(join(folder, "file"))
    const env = { HERALD_DATA_DIR: "env" }
    expect(load({ env }).dataDir).toBe(join(folder, "env"))
    const { config, origins } = load({ env, overrides: { dataDir: "flag", port: 2 } })
    expect([config.data_dir, config.gateway.port, config.gateway.host]).toEqual([
      join(folder, "flag"),
      2,
      "::1",
    ])
    expect([...origins]).toEqual([
      ["data_dir", "--data-dir"],
      ["gateway.host", "line 3"],
      ["gateway.port", "--port"],
    ])
  })
})

function key(name: string, secret: string, namespace: string): string {
  return `[[gateway.keys]]\nname = "${name}"\nkey = "${secret}"\nnamespace = "${namespace}"\n`
}

/** All of section 3 of the original's description. */
const ORIGINAL = `
data_dir = "/var/herald"
[agent]
name = "Ada"
personality = "dry"
system_prompt = "You are Ada."
[[agents]]
name = "One"
personality = "kind"
system_prompt = "You are One."
model = "m1"
[[agents]]
name = "Two"
[discord]
token = "dt"
filter = "dm"
namespace_prefix = "d"
allowed_users = ["200000000000000001", "200000000000000002"]
[provider]
api_key = "pk"
model = "m"
cheap_model = "c"
max_tokens = 100
temperature = 0.5
provider_type = "openai"
api_url = "https://models.example/v1/chat/completions"
[tools]
web_fetch = false
web_search = true
web_search_api_key = "bk"
exec = true
exec_allowed_commands = ["ls"]
exec_timeout_secs = 5
filesystem = true
filesystem_base_dir = "/srv"
filesystem_max_read_size = 1
filesystem_max_write_size = 2
filesystem_protected_paths = [".env"]
discord = false
documents = true
browser = false
image_gen = true
image_gen_api_key = "ik"
delegation = true
claude_code = true
claude_code_allowed_tools = ["Read"]
claude_code_max_turns = 3
claude_code_timeout_secs = 4
claude_code_skip_permissions = true
claude_code_working_directory = "/tmp"
[sessions]
store = "memory"
path = "s"
[context]
max_tokens = 1000
reserved_for_output = 10
[logging]
level = "debug"
[memory]
enabled = false
[scheduler]
enabled = true
[[scheduler.jobs]]
name = "j"
schedule = "0 8 * * *"
channel = "c"
message = "m"
[gateway]
enabled = true
host = "0.0.0.0"
port = 9090
api_key = "gk"
[metrics]
enabled = true
log_metrics = true
[[mcp.servers]]
name = "files"
command = "npx"
args = ["-y", "server"]
env = { TOKEN = "t" }
[cron]
enabled = false
path = "c.json"
[federation]
enabled = true
instance_name = "home"
shared_secret = "a secret of all of them"
port = 9091
mdns_enabled = false
exposed_agents = ["One"]
[[federation.peers]]
name = "work"
url = "http://10.0.0.2:8081"
shared_secret = "a secret of these two alone"
`

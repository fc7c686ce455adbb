import { MemoryStore, Namespace, type PolicyLayer, PolicyRegistry, Team, tool } from "@orra/core"
import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { parseConfig } from "../config/load.ts"
import { explainCall } from "./explain.ts"
import { callers, heraldLayers } from "./layers.ts"

const HOUSE = `
[gateway]
keys = [
  { name = "ada", key = "adas-key-0123", namespace = "family:ada", approve = true },
  { name = "bot", key = "bots-key-0123", namespace = "bots:one" },
]
[discord]
approvers = ["100000000000000001"]
`

/** What the sections of the tools say in these tests. */
const TOOLS: PolicyLayer = {
  deny: ["wipe"],
  ask: ["write_file", { tool: "exec", name: "exec: no rule names it", check: () => true }],
  allow: ["read_file", "write_file", "web_fetch"],
  default: "deny",
}

const web = Namespace.of("web", "chat")
const ada = Namespace.parse("family:ada:chat")
const bot = Namespace.parse("bots:one:chat")
const discord = Namespace.parse("discord:guild:42:100000000000000007")
const job = Namespace.parse("web:chat:~cron:job:1")

/** What is decided about a call, with these rules. */
function house(rules: string) {
  const { config } = parseConfig(`${HOUSE}${rules}`, "a.toml", {})
  return (
    namespace: Namespace,
    name: string,
    args: Record<string, string | number> = {},
    { tainted = false, agents = ["Atlas"] as readonly string[] | "unknown" } = {},
  ) => {
    const policies = new PolicyRegistry()
    const agentsOf = () => (agents === "unknown" ? undefined : agents)
    for (const each of heraldLayers(config, TOOLS, agentsOf)) policies.set(each.namespace, each.layer)
    const risk = name === "exec" ? "exec" : name === "web_fetch" ? "network" : "write"
    return policies.explain(namespace, { tool: name, risk, arguments: args, tainted }).decision
  }
}

const allow = (more: string) => house(`[[policy]]\ndecision = "allow"\ntools = ["*"]\n${more}`)
const deny = (more: string) => house(`[[policy]]\n${more}`)

describe("D7, D12: a rule that allows", () => {
  test("takes back what is asked about by name, with the arguments it names", () => {
    const decide = house(
      `[[policy]]\ndecision = "allow"\ntools = ["write_*"]\narguments = { path = "notes/*" }`,
    )
    expect(decide(web, "write_file", { path: "notes/a" })).toBe("allow")
    expect(decide(web, "write_file", { path: "b" })).toBe("ask")
    expect(decide(web, "write_file")).toBe("ask")
    expect(decide(ada, "write_file", { path: "notes/a" })).toBe("allow")
    // Where nobody can be asked it is the only yes there is.
    expect(decide(bot, "write_file", { path: "notes/a" })).toBe("allow")
    expect(decide(bot, "write_file", { path: "b" })).toBe("deny")
  })

  test("takes back no denial, no question about what a call holds, and no rule of the owner's own", () => {
    const decide = allow(`[[policy]]\ndecision = "ask"\ntools = ["web_fetch"]`)
    expect(decide(web, "wipe")).toBe("deny")
    expect(decide(web, "exec", { command: "ls" })).toBe("ask")
    expect(decide(bot, "exec", { command: "ls" })).toBe("deny")
    expect(decide(web, "web_fetch")).toBe("ask")
    expect(decide(web, "write_file")).toBe("allow")
    expect(decide(Namespace.of("nobody"), "write_file")).toBe("deny")
  })

  test("for a channel, a person or an agent is for nobody else, and for no job that is not named", () => {
    expect(allow(`channels = ["web"]`)(web, "write_file")).toBe("allow")
    expect(allow(`channels = ["web"]`)(ada, "write_file")).toBe("ask")
    expect(allow(`channels = ["web"]`)(job, "write_file")).toBe("ask")
    expect(allow(`channels = ["schedule"]`)(job, "write_file")).toBe("allow")
    expect(allow(`channels = ["schedule"]`)(web, "write_file")).toBe("ask")
    expect(allow(`people = ["ada"]`)(ada, "write_file")).toBe("allow")
    expect(allow(`people = ["ada"]`)(web, "write_file")).toBe("ask")
    expect(allow(`people = ["100000000000000007"]`)(discord, "write_file")).toBe("allow")
    expect(allow(`people = ["100000000000000008"]`)(discord, "write_file")).toBe("ask")
    const atlas = allow(`agents = ["atlas"]`)
    expect(atlas(web, "write_file")).toBe("allow")
    expect(atlas(web, "write_file", {}, { agents: ["Atlas", "Nova"] })).toBe("ask")
    expect(atlas(web, "write_file", {}, { agents: "unknown" })).toBe("ask")
  })
})

describe("D7, D12: a rule that denies or asks", () => {
  test("holds for the channel, the person and the agent it names, and in doubt", () => {
    expect(deny(`channels = ["discord"]`)(discord, "read_file")).toBe("deny")
    expect(deny(`channels = ["discord"]`)(web, "read_file")).toBe("allow")
    expect(deny(`channels = ["web"]`)(job, "read_file")).toBe("deny")
    expect(deny(`channels = ["schedule"]`)(job, "read_file")).toBe("deny")
    expect(deny(`channels = ["schedule"]`)(web, "read_file")).toBe("allow")
    expect(deny(`people = ["owner"]`)(web, "read_file")).toBe("deny")
    expect(deny(`people = ["owner"]`)(ada, "read_file")).toBe("allow")
    const nova = deny(`agents = ["Nova"]`)
    expect(nova(web, "read_file")).toBe("allow")
    expect(nova(web, "read_file", {}, { agents: ["Helper", "NOVA"] })).toBe("deny")
    expect(nova(web, "read_file", {}, { agents: "unknown" })).toBe("deny")
  })

  test("looks at arguments, risk and taint", () => {
    const secret = deny(`tools = ["read_*"]\narguments = { "/path" = "*secret*" }`)
    expect(secret(web, "read_file", { path: "my SECRET" })).toBe("deny")
    expect(secret(web, "read_file", { path: "list" })).toBe("allow")
    const large = deny(`decision = "ask"\narguments = { size = { min = 100 } }`)
    expect(large(web, "read_file", { size: 100 })).toBe("ask")
    expect(large(web, "read_file", { size: 99 })).toBe("allow")
    const strangers = deny(`decision = "ask"\nrisk = ["network"]\ntainted = true`)
    expect(strangers(web, "web_fetch", {}, { tainted: true })).toBe("ask")
    expect(strangers(web, "web_fetch")).toBe("allow")
    expect(strangers(web, "read_file", {}, { tainted: true })).toBe("allow")
  })

  test("is refused by those whom nobody can be asked for", () => {
    expect(deny(`decision = "ask"\ntools = ["read_file"]`)(bot, "read_file")).toBe("deny")
  })
})

test("S4: no namespace is approved for its name", () => {
  const decide = house("")
  for (const key of [
    "discord",
    "discord:x",
    "discord:a:b",
    "discord:guild:1:2:3",
    "discordx",
    "web2",
    "family",
  ])
    expect(decide(Namespace.parse(key), "write_file"), key).toBe(
      key.startsWith("discord:") || key === "discord" ? "ask" : "deny",
    )
})

test("the agent that calls is known to the rules, and what it hands on stays its own", async () => {
  const { config } = parseConfig(
    `[[agents]]\nname = "Atlas"\n[[agents]]\nname = "Nova"\n[[policy]]\ntools = ["read_file"]\nagents = ["Nova"]\nreason = "Nova reads nothing"`,
    "a.toml",
    {},
  )
  const { agentsOf, hooks } = callers()
  const policies = new PolicyRegistry()
  for (const { namespace, layer } of heraldLayers(config, TOOLS, agentsOf)) policies.set(namespace, layer)
  let reads = 0
  const read = tool({
    name: "read_file",
    description: "",
    input: { type: "object" },
    risk: "read",
    execute: () => String(++reads),
  })
  const provider = scriptedProvider([call("read_file", {}), "Read.", call("read_file", {}), "Not read."])
  const store = new MemoryStore()
  const team = new Team({
    agents: [{ name: "Atlas" }, { name: "Nova" }],
    provider,
    store,
    tools: [read],
    policies,
    hooks: [hooks],
  })
  await team.run(web, "Read.")
  expect(reads).toBe(1)
  await team.run(Namespace.of("web", "other"), "Read.", { agent: "Nova" })
  expect(reads).toBe(1)
  expect(JSON.stringify(await store.read(Namespace.of("web", "other"), {}))).toContain("Nova reads nothing")
  await team.runtime.close()
})

test("explain names what is decided, and what every rule says by itself", async () => {
  const { config } = parseConfig(
    `[[policy]]\nchannels = ["discord"]\nreason = "not there"\n[[policy]]\ndecision = "allow"\ntools = ["write_file"]\n[[policy]]\ndecision = "ask"\ntools = ["read_file"]`,
    "a.toml",
    {},
  )
  const question = {
    tool: "write_file",
    risk: "write",
    arguments: {},
    tainted: false,
    agent: "Atlas",
  } as const
  expect(await explainCall(config, TOOLS, { ...question, namespace: web })).toMatchObject({
    verdict: { decision: "allow", layer: "web", rule: 'allow "policy 2"' },
    place: { channel: "web" },
    layers: [
      { says: "ask", rule: 'ask "write_file"' },
      { name: "policy 1: not there", says: "for others" },
      { name: "policy 2", says: "allow" },
      { name: "policy 3", says: "nothing" },
    ],
  })
  const { verdict } = await explainCall(config, TOOLS, { ...question, namespace: discord })
  expect(verdict).toMatchObject({ decision: "deny", rule: 'deny "policy 1: not there"' })
})

test.each([
  [`decision = "maybe"`, 'policy[0].decision must be one of "deny", "ask", "allow"'],
  [`decision = "allow"`, "policy[0] allows tools and does not say which"],
  [`tools = ["rm -rf"]`, 'policy[0] is not a rule: "rm -rf" is not a rule'],
  [`risk = ["execute"]`, '"execute" is not a risk'],
  [
    `channels = ["discrod"]`,
    'policy[0].channels "discrod" is no channel: there are web, discord, api, schedule, peer: did you mean "discord"?',
  ],
  [`people = ["Ada Lovelace"]`, 'policy[0].people "Ada Lovelace" is nobody here'],
  [`arguments = { path = { like = "x" } }`, 'The matcher for "/path" is none'],
  [`arguments = "x"`, "policy[0].arguments must be a table of arguments"],
  [`tool = ["exec"]`, 'unknown key "tool" in [policy]: did you mean "tools"?'],
])("%s is refused with its line", (rule, message) => {
  expect(() => parseConfig(`[[policy]]\n${rule}`, "a.toml", {})).toThrow(message)
})

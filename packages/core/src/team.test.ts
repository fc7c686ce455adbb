import { call, MemoryChannel, say, scriptedProvider, wait } from "@orra/testing"
import { describe, expect, test } from "vitest"
import type { Hooks } from "./hooks.ts"
import { MemoryStore } from "./memory-store.ts"
import { Namespace } from "./namespace.ts"
import { PolicyRegistry } from "./policy.ts"
import { PromptBuilder } from "./prompt.ts"
import type { ModelRequest } from "./provider.ts"
import { Router } from "./router.ts"
import { Team, type TeamOptions } from "./team.ts"
import { tool } from "./tool.ts"

const ns = Namespace.of("acme", "bob")
const named = (name: string, description = "") =>
  tool({ name, description, input: { type: "object" }, risk: "read", execute: () => `${name} done` })

/** Each agent answers with its own name, which it knows from its prompt. */
const whoever = ({ system = "" }: ModelRequest): string => `I am ${/You are (\w+)/.exec(system)?.[1]}.`

const teamOf = (options: Partial<TeamOptions> = {}): Team =>
  new Team({
    provider: scriptedProvider([], { otherwise: whoever }),
    agents: [{ name: "Atlas" }, { name: "CodeBot" }],
    deltaIntervalMs: 0,
    ...options,
  })

const answered = async (team: Team): Promise<readonly (string | undefined)[]> =>
  (await team.runtime.store.read(ns, { types: ["run_started"] })).map((entry) =>
    entry.type === "run_started" ? entry.agent : undefined,
  )

describe("a team", () => {
  test("answers by its first agent, and the log says who it was", async () => {
    const team = teamOf()
    expect((await team.run(ns, "Hi")).text).toBe("I am Atlas.")
    expect(await answered(team)).toEqual(["Atlas"])
  })

  test("routes a message by the mention in it, whatever its case, and leaves the text as it is", async () => {
    const provider = scriptedProvider([], { otherwise: whoever })
    const team = teamOf({ provider })
    expect((await team.run(ns, "Could you look, @codeBOT?")).text).toBe("I am CodeBot.")
    expect((await team.run(ns, [{ type: "text", text: "@codebot" }])).text).toBe("I am CodeBot.")
    expect((await team.run(ns, "Write to bob@codebot.example")).text).toBe("I am Atlas.")
    expect(provider.requests[0]?.messages).toMatchObject([
      { parts: [{ type: "text", text: "Could you look, @codeBOT?" }] },
    ])
    expect(await answered(team)).toEqual(["CodeBot", "CodeBot", "Atlas"])
  })

  test("routes by what the sender asks for before a mention, and by the session's agent before the default", async () => {
    const team = teamOf()
    expect((await team.run(ns, "@Atlas", { agent: "CODEBOT" })).text).toBe("I am CodeBot.")
    await team.runtime.update(ns, { agent: "codebot" })
    expect((await team.run(ns, "Hi")).text).toBe("I am CodeBot.")
    await team.runtime.update(ns, { agent: "nobody any more" })
    expect((await team.run(ns, "Hi")).text).toBe("I am Atlas.")
    await expect(team.run(ns, "Hi", { agent: "Nova" })).rejects.toMatchObject({ code: "agent_not_found" })
  })

  test("shares one session: each sees what the others said, and they take turns", async () => {
    const hold = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(hold.promise), say("One.")], "Two."])
    const team = teamOf({ provider })
    await team.submit(ns, "First")
    const second = await team.submit(ns, "@CodeBot, and you?")
    expect(second.status).toBe("queued")
    hold.resolve()
    for await (const _ of team.follow(second));
    expect(provider.requests[1]?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"])
    expect(await answered(team)).toEqual(["Atlas", "CodeBot"])
  })

  test("gives each agent its own model, prompt, tools, hooks and provider", async () => {
    const provider = scriptedProvider([], { otherwise: whoever })
    const other = scriptedProvider([], { otherwise: "From elsewhere." })
    const seen: string[] = []
    const hook = (name: string): Hooks => ({ runStart: ({ agent }) => void seen.push(`${name} ${agent}`) })
    const team = teamOf({
      provider,
      tools: [named("weather", "Tell the weather"), named("shell", "Run commands")],
      hooks: [hook("all")],
      delegation: false,
      prompt: new PromptBuilder({ place: "a test" }),
      agents: [
        { name: "Atlas", tools: ["weather"], model: "small", maxTokens: 100, temperature: 0 },
        {
          name: "CodeBot",
          ownTools: [named("git")],
          hooks: [hook("own")],
          provider: other,
          systemPrompt: "Code.",
        },
      ],
    })
    await team.run(ns, "Hi")
    await team.run(ns, "@CodeBot")
    const [atlas] = provider.requests
    expect(atlas).toMatchObject({ model: "small", maxTokens: 100, temperature: 0 })
    expect(atlas?.system).toContain("people in a test")
    expect(atlas?.system).toContain("- Tell the weather")
    expect(atlas?.system).not.toContain("- Run commands")
    expect(atlas?.tools.map(({ name }) => name)).toEqual(["weather"])
    expect(other.requests[0]).toMatchObject({ system: "Code." })
    expect(other.requests[0]?.model).toBeUndefined()
    expect(other.requests[0]?.tools.map(({ name }) => name)).toEqual(["git", "shell", "weather"])
    expect(seen).toEqual(["all Atlas", "all CodeBot", "own CodeBot"])
  })

  test("gets other agents in one step, and says what each may use where", async () => {
    const policies = PolicyRegistry.allowAll()
    policies.set(Namespace.of("acme"), { deny: ["shell"], ask: ["git"] })
    const tools = [named("shell"), named("git"), named("weather")]
    const team = teamOf({ policies, tools, delegation: false })
    const names = (agent?: string, metadata = {}, at = ns) =>
      team
        .toolsOf({ agent, namespace: at, metadata, envelope: undefined })
        .map(({ definition }) => definition.name)
    team.set([
      { name: "Nova", policy: { allow: ["git", "w*"], default: "deny" } },
      { name: "Atlas", tools: ["shell"] },
    ])
    expect(names()).toEqual(["git", "weather"])
    expect(names("ATLAS")).toEqual([])
    expect(names(undefined, { agent: "atlas" }, Namespace.of("other"))).toEqual(["shell"])
    expect(names("CodeBot")).toEqual([])
    expect((await team.run(ns, "Hi")).text).toBe("I am Nova.")

    expect(() => team.set([{ name: "A" }, { name: "a" }])).toThrow("same name")
    expect(() => team.set([])).toThrow("no agent")
    expect(team.agents.map(({ name }) => name)).toEqual(["Nova", "Atlas"])
  })

  test("takes a prompt of the application's own, which is told where the agent is", async () => {
    const provider = scriptedProvider([], { otherwise: whoever })
    const team = teamOf({
      provider,
      prompt: {
        build: async ({ name }, { namespace, metadata, tools }) =>
          `You are ${name} in ${namespace.key}, ${metadata["title"]}, with ${tools.length} tools.`,
      },
      delegation: false,
    })
    await team.run(ns, "Hi")
    await team.runtime.update(ns, { title: "Greetings" })
    await team.run(ns, "@CodeBot")
    expect(provider.requests.map(({ system }) => system)).toEqual([
      "You are Atlas in acme:bob, undefined, with 0 tools.",
      "You are CodeBot in acme:bob, Greetings, with 0 tools.",
    ])
  })

  test("tells an agent in its prompt only of what it may do there", async () => {
    const provider = scriptedProvider([], { otherwise: whoever })
    const policies = PolicyRegistry.allowAll()
    policies.set(Namespace.of("acme"), { deny: ["shell"] })
    const team = teamOf({ provider, policies, tools: [named("shell", "Run commands")] })
    await team.run(ns, "Hi")
    expect(provider.requests[0]?.system).not.toContain("Run commands")
    await team.run(Namespace.of("other"), "Hi")
    expect(provider.requests[1]?.system).toContain("Run commands")
  })

  test("lets an agent's policy narrow the team's and never widen it", async () => {
    const provider = scriptedProvider([[call("shell"), call("weather")], "Done."])
    const policies = PolicyRegistry.denyList(["shell"])
    const team = teamOf({
      provider,
      policies,
      tools: [named("shell"), named("weather")],
      agents: [{ name: "Atlas", policy: { allow: ["shell"], deny: ["weather"] } }],
    })
    await team.run(ns, "Go")
    const results = await team.runtime.store.read(ns, { types: ["tool_result"] })
    expect(results.map((entry) => entry.type === "tool_result" && entry.result.status)).toEqual([
      "denied",
      "denied",
    ])
  })

  test("sees a tool that is added to the team's later, and one that is taken away", async () => {
    const provider = scriptedProvider([], { otherwise: whoever })
    const team = teamOf({ provider, delegation: false })
    await team.run(ns, "Hi")
    team.runtime.tools.add(named("weather"))
    await team.run(ns, "Hi")
    team.runtime.tools.remove("weather")
    await team.run(ns, "Hi")
    expect(provider.requests.map(({ tools }) => tools.length)).toEqual([0, 1, 0])
  })
})

describe("agents that change while the team works", () => {
  test("can be added, replaced under another name, and removed", async () => {
    const team = teamOf()
    team.add({ name: "Nova" })
    expect(team.agents.map(({ name }) => name)).toEqual(["Atlas", "CodeBot", "Nova"])
    expect((await team.agent("nova")?.run(ns, "Hi"))?.text).toBe("I am Nova.")
    team.replace("ATLAS", { name: "Zoe" })
    expect((await team.run(ns, "Hi")).text).toBe("I am Zoe.")
    expect(team.agent("Atlas")).toBeUndefined()
    expect(team.remove("zoe")).toBe(true)
    expect(team.remove("zoe")).toBe(false)
    expect((await team.run(ns, "Hi")).text).toBe("I am CodeBot.")
  })

  test("are refused when they could not be told apart, or none would be left, and nothing changes", () => {
    const team = teamOf()
    expect(() => team.add({ name: "CODEBOT" })).toThrow("same name")
    expect(() => team.replace("Atlas", { name: "codebot" })).toThrow("same name")
    expect(() => team.add({ name: "N", policy: { deny: ["not a rule!"] } })).toThrow("rule")
    expect(() => team.replace("Nova", { name: "X" })).toThrow('"Nova"')
    team.remove("CodeBot")
    expect(() => team.remove("Atlas")).toThrow("no agent")
    expect(team.agents.map(({ name }) => name)).toEqual(["Atlas"])
    expect(() => teamOf({ agents: [] })).toThrow("no agent")
  })

  test("leave an error, not somebody else's answer, for the message that waited for them", async () => {
    const hold = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(hold.promise), say("One.")]])
    const team = teamOf({ provider })
    await team.submit(ns, "First")
    const second = await team.submit(ns, "@CodeBot")
    team.remove("CodeBot")
    hold.resolve()
    let end: unknown
    for await (const event of team.follow(second)) if (event.type === "run_finished") end = event
    expect(end).toMatchObject({ outcome: "failed", error: { code: "agent_not_found" } })
    expect(provider.requests).toHaveLength(1)
  })
})

test("a router finds the agents of a team, and the team finds the mention", async () => {
  const channel = new MemoryChannel()
  const router = new Router([channel], { agents: teamOf(), rules: [{ type: "metadata", key: "agent" }] })
  const run = router.run()
  const texts = async (): Promise<string | undefined> => {
    const count = channel.sent.length
    await channel.until(() => channel.sent.length > count)
    return channel.sent.at(-1)?.text
  }
  channel.push(ns, "Hi", { metadata: { agent: "CODEBOT" } })
  expect(await texts()).toBe("I am CodeBot.")
  channel.push(ns, "@codebot!")
  expect(await texts()).toBe("I am CodeBot.")
  channel.push(ns, "Hi")
  expect(await texts()).toBe("I am Atlas.")
  await router.stop()
  await run
})

test("deleting and stopping reach what was delegated", async () => {
  const store = new MemoryStore()
  const team = teamOf({
    store,
    provider: scriptedProvider([
      call("delegate_to_agent", { agent: "codebot", task: "Count" }),
      "Three.",
      "Done.",
    ]),
  })
  await team.run(ns, "Go")
  expect((await store.list(ns)).items).toHaveLength(2)
  expect(await team.delete(ns)).toBe(true)
  expect((await store.list(ns)).items).toHaveLength(0)
  expect(await team.delete(ns)).toBe(false)
})

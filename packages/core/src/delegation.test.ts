import { call, hang, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Budgets } from "./budget.ts"
import { isDelegated } from "./delegated.ts"
import { MemoryStore } from "./memory-store.ts"
import { messageText } from "./message.ts"
import { Namespace } from "./namespace.ts"
import { type Decision, type PolicyLayer, PolicyRegistry } from "./policy.ts"
import type { ModelRequest } from "./provider.ts"
import type { RunEvent } from "./run.ts"
import type { Entry, EntryType } from "./session.ts"
import { Team, type TeamOptions } from "./team.ts"
import { type ToolContext, tool } from "./tool.ts"

const ns = Namespace.of("acme", "bob")
const executed: ToolContext[] = []
const named = (name: string, untrusted = false) =>
  tool({
    name,
    description: name,
    input: { type: "object" },
    risk: "read",
    untrusted,
    execute: (_, context) => {
      executed.push(context)
      return `${name} done`
    },
  })

const ask = (agent: string, task = "Do it", more: Record<string, string> = {}) =>
  call("delegate_to_agent", { agent, task, ...more })

/** A model that plays all agents: each does what its script says, one answer after the other, then says so. */
function players(scripts: Readonly<Record<string, readonly ScriptedAnswer[]>>): {
  readonly provider: ReturnType<typeof scriptedProvider>
  readonly asked: (who: string) => readonly ModelRequest[]
} {
  const requests = new Map<string, ModelRequest[]>()
  const provider = scriptedProvider([], {
    otherwise: (request) => {
      const who = /You are (a helper|\w+)/.exec(request.system ?? "")?.[1] ?? ""
      const own = [...(requests.get(who) ?? []), request]
      requests.set(who, own)
      return scripts[who]?.[own.length - 1] ?? `${who} is done.`
    },
  })
  return { provider, asked: (who) => requests.get(who) ?? [] }
}

const teamOf = (provider: TeamOptions["provider"], options: Partial<TeamOptions> = {}): Team =>
  new Team({
    provider,
    agents: ["A", "B", "C", "D", "E"].map((name) => ({ name })),
    deltaIntervalMs: 0,
    ...options,
  })

async function read<T extends EntryType>(
  team: Team,
  session: Namespace,
  type: T,
): Promise<readonly Entry<T>[]> {
  return (await team.runtime.store.read(session, {
    types: [type],
  })) as readonly Entry[] as readonly Entry<T>[]
}

/** The sessions below one, outermost first. */
const children = async (team: Team, session = ns): Promise<readonly Namespace[]> =>
  (await team.runtime.list(session)).items
    .map((info) => info.namespace)
    .filter((each) => !each.equals(session))
    .sort((a, b) => a.depth - b.depth || (a.key < b.key ? -1 : 1))

const only = async (team: Team, session = ns): Promise<Namespace> => {
  const all = await children(team, session)
  if (!all[0] || all.length > 1) throw new Error(`${all.length} sessions below`)
  return all[0]
}

const results = async (team: Team, session = ns) =>
  (await read(team, session, "tool_result")).map(({ result }) => ({
    status: result.status,
    text: messageText({ role: "tool", parts: [result] }),
  }))

describe("a task that is handed on", () => {
  test("is done in a session below its caller's, by the agent asked for, who hears nothing else", async () => {
    const { provider, asked } = players({
      A: [ask("b", "Count the files", { context: "a.txt b.txt" }), "Two."],
    })
    const team = teamOf(provider)
    expect((await team.run(ns, "My secret is 42. How many?", { principal: "bob" })).text).toBe("Two.")
    const session = await only(team)
    expect(ns.contains(session) && isDelegated(session)).toBe(true)
    expect(isDelegated(ns)).toBe(false)
    expect(asked("B")[0]?.messages).toEqual([
      {
        role: "user",
        origin: { kind: "agent", name: "A" },
        parts: [{ type: "text", text: "Count the files\n\nContext:\na.txt b.txt" }],
      },
    ])
    const [parent] = await read(team, ns, "run_started")
    const [child] = await read(team, session, "run_started")
    const [intent] = await read(team, ns, "tool_intent")
    expect(child).toMatchObject({
      agent: "B",
      principal: "bob",
      envelope: {
        agents: ["A"],
        depth: 1,
        parent: { namespace: ns.key, runId: parent?.runId, callId: intent?.callId },
      },
    })
    const [result] = await read(team, ns, "tool_result")
    expect(result?.result).toMatchObject({
      status: "ok",
      content: [{ type: "text", text: "B is done." }],
      structured: {
        agent: "B",
        session: session.key,
        runId: child?.runId,
        outcome: "completed",
        usage: { outputTokens: 5 },
      },
    })
    expect(result).not.toHaveProperty("untrusted")
  })

  test("shows those who watch the caller what is going on", async () => {
    const { provider } = players({ A: [ask("B")], B: [ask("C")], C: [call("look")] })
    const team = teamOf(provider, { tools: [named("look")] })
    const events: RunEvent[] = []
    for await (const event of team.stream(ns, "Go")) events.push(event)
    expect(events.flatMap((event) => (event.type === "progress" ? [event.text] : []))).toEqual([
      "B: delegate_to_agent",
      "B: C: look",
    ])
  })

  test("can be given to a helper that has some of the caller's tools", async () => {
    const { provider, asked } = players({
      A: [
        [
          call("spawn_agent", { task: "Look", tools: ["look"] }),
          call("spawn_agent", { task: "Look", tools: ["fly"] }),
          call("spawn_agent", { task: "Look", tools: ["*"] }),
        ],
      ],
      "a helper": [[call("look"), call("write")]],
    })
    const team = teamOf(provider, { tools: [named("look"), named("write")] })
    await team.run(ns, "Go")
    expect((await results(team)).map(({ status }) => status).sort()).toEqual(["error", "error", "ok"])
    const session = await only(team)
    expect(asked("a helper")[0]?.tools.map(({ name }) => name)).toEqual(["look"])
    expect((await results(team, session)).map(({ status }) => status).sort()).toEqual(["denied", "ok"])
    expect(await read(team, session, "run_started")).toMatchObject([
      { agent: "A", envelope: { helper: true } },
    ])
  })

  test("that fails, or does not finish, is an error that says so", async () => {
    const { provider } = players({
      A: [[ask("B"), ask("C")]],
      B: [{ type: "fail", error: "quota" }],
      C: [call("look"), call("look"), call("look")],
    })
    const team = teamOf(provider, { tools: [named("look")], delegation: { maxTurns: 2 } })
    await team.run(ns, "Go")
    const said = await results(team)
    expect(said.map(({ status }) => status)).toEqual(["error", "error"])
    expect(said.map(({ text }) => text).sort()).toMatchObject([
      expect.stringContaining("B failed"),
      expect.stringContaining("C did not finish"),
    ])
  })

  test("stops when its caller is stopped", async () => {
    const { provider } = players({ A: [ask("B")], B: [[hang()]] })
    const team = teamOf(provider)
    const run = team.run(ns, "Go")
    await provider.request(2)
    await team.stop(ns)
    expect((await run).outcome).toBe("stopped")
    const session = await only(team)
    for await (const event of team.runtime.subscribe(session, { after: 0 }))
      if (event.type === "run_finished") break
    expect(await read(team, session, "run_finished")).toMatchObject([{ outcome: "stopped" }])
  })

  test("has a time of its own, and ends with it", async () => {
    const { provider } = players({ A: [ask("B")], B: [[hang()]] })
    const team = teamOf(provider, { delegation: { timeoutMs: 20 } })
    await team.run(ns, "Go")
    expect(await read(team, await only(team), "run_finished")).toMatchObject([
      { outcome: "stopped", error: { code: "deadline_exceeded" } },
    ])
    expect((await results(team))[0]).toMatchObject({ status: "error", text: expect.stringContaining("time") })
  })

  test("never has more time than its caller has left", async () => {
    const later = async (): Promise<ScriptedAnswer> => {
      const now = Date.now()
      while (Date.now() === now) await new Promise((resolve) => setTimeout(resolve))
      return ask("C")
    }
    const { provider } = players({ A: [ask("B")], B: [later] })
    const team = teamOf(provider, { delegation: { timeoutMs: 60_000 } })
    const before = Date.now()
    await team.run(ns, "Go")
    const deadlines = []
    for (const session of await children(team))
      deadlines.push((await read(team, session, "run_started"))[0]?.envelope?.deadline)
    expect(deadlines[0]).toBeGreaterThanOrEqual(before + 60_000)
    expect(deadlines[0]).toBeLessThanOrEqual(Date.now() + 60_000)
    expect(deadlines[1]).toBe(deadlines[0])
  })

  test("does nothing any more when the run that asked for it is over", async () => {
    const { provider, asked } = players({})
    const team = teamOf(provider)
    const parent = { namespace: ns.key, runId: "gone", callId: "c" }
    const result = await team.run(ns.child("x"), "Go", {
      agent: "B",
      envelope: { agents: ["A"], depth: 1, parent },
    })
    expect(result).toMatchObject({
      outcome: "stopped",
      error: { message: "The run that asked for this is over." },
    })
    expect(asked("B")).toEqual([])
  })
})

describe("how far tasks are handed on", () => {
  test("ends after so many times, and the refusal says who is at work", async () => {
    const { provider } = players({ A: [ask("B")], B: [ask("C")], C: [ask("D")], D: [ask("E")] })
    const team = teamOf(provider)
    await team.run(ns, "Go")
    const sessions = await children(team)
    expect(sessions).toHaveLength(3)
    const last = sessions.at(-1) ?? ns
    const [said] = await results(team, last)
    expect(said?.status).toBe("error")
    expect(said?.text).toContain("at most 3 times")
    expect(said?.text).toContain("A -> B -> C -> D")
    expect((await read(team, last, "run_started"))[0]?.envelope).toMatchObject({
      agents: ["A", "B", "C"],
      depth: 3,
    })
  })

  test("never goes in a circle, whatever the case of the name", async () => {
    const { provider } = players({ A: [ask("B"), ask("a")], B: [ask("C")], C: [ask("a")] })
    const team = teamOf(provider)
    await team.run(ns, "Go")
    const sessions = await children(team)
    expect(sessions).toHaveLength(2)
    const said = [...(await results(team)), ...(await results(team, sessions[1]))].filter(
      ({ status }) => status === "error",
    )
    expect(said).toHaveLength(2)
    expect(said[0]?.text).toContain("A -> A")
    expect(said[1]?.text).toContain("A -> B -> C -> A")
  })

  test("is so many tasks for one run, however they are asked for", async () => {
    const { provider } = players({ A: [[ask("B"), ask("C"), ask("D")], ask("E"), "Done."] })
    const team = teamOf(provider, { delegation: { maxFanOut: 2 } })
    await team.run(ns, "Go")
    expect(await children(team)).toHaveLength(2)
    const refused = (await results(team)).filter(({ status }) => status === "error")
    expect(refused.map(({ text }) => text)).toEqual([
      expect.stringContaining("at most 2 tasks"),
      expect.stringContaining("at most 2 tasks"),
    ])
  })

  test("is counted by the tasks that a run has handed on itself, however many come of these", async () => {
    const both = [ask("D"), ask("E")]
    const { provider } = players({
      A: [ask("B"), ask("C"), ask("D")],
      B: [both],
      C: [both],
      D: [ask("E"), "Done.", ask("E"), "Done."],
    })
    const team = teamOf(provider, { delegation: { maxFanOut: 2 } })
    await team.run(ns, "Go")
    expect((await results(team)).map(({ status }) => status)).toEqual(["ok", "ok", "error"])
    expect(await children(team)).toHaveLength(8)
  })

  test("is bounded by whole numbers", () => {
    const { provider } = players({})
    for (const delegation of [
      { maxDepth: 11 },
      { maxFanOut: Number.NaN },
      { timeoutMs: 0 },
      { timeoutMs: 2 ** 31 },
    ])
      expect(() => teamOf(provider, { delegation })).toThrow("whole number")
  })

  test("is nothing without the tools: one agent alone can only have helpers, and none when it is switched off", async () => {
    const { provider, asked } = players({})
    await teamOf(provider, { agents: [{ name: "A" }] }).run(ns, "Go")
    await teamOf(provider, { delegation: false }).run(ns, "Go")
    await teamOf(provider, { agents: [{ name: "A", tools: [] }, { name: "B" }] }).run(ns, "Go")
    expect(asked("A").map(({ tools }) => tools.map(({ name }) => name))).toEqual([["spawn_agent"], [], []])
  })
})

describe("the rights of whoever is asked", () => {
  const decisions = async (team: Team, session: Namespace) =>
    (await read(team, session, "tool_intent"))
      .filter(({ name }) => name !== "delegate_to_agent")
      .map(({ name, decision, reason }) => ({ name, decision, reason }))

  test("a call that is denied to the caller is denied here too, with the same record", async () => {
    const { provider } = players({ A: [call("shell"), ask("B")], B: [call("shell")] })
    const policies = PolicyRegistry.allowAll()
    policies.set(Namespace.of("acme"), { deny: ["shell"] })
    const team = teamOf(provider, { policies, tools: [named("shell")] })
    executed.length = 0
    await team.run(ns, "Go")
    const [direct] = await decisions(team, ns)
    const [delegated] = await decisions(team, await only(team))
    expect(direct).toEqual({ name: "shell", decision: "deny", reason: 'acme: deny "shell"' })
    expect(delegated).toEqual(direct)
    expect((await results(team, await only(team)))[0]).toEqual((await results(team))[0])
    expect(executed).toEqual([])
  })

  test("what its caller's own policy denies is denied, although it may do it for a person", async () => {
    const { provider } = players({ A: [ask("B")], B: [call("shell"), "x", call("shell")] })
    const team = teamOf(provider, {
      tools: [named("shell")],
      agents: [{ name: "A", policy: { deny: ["shell"] } }, { name: "B" }],
    })
    executed.length = 0
    await team.run(ns, "Go")
    expect(await decisions(team, await only(team))).toMatchObject([{ decision: "deny" }])
    expect(executed).toHaveLength(0)
    await team.run(Namespace.of("acme", "eve"), "@B go")
    expect(executed).toHaveLength(1)
  })

  test("do not grow when the caller's policy is widened meanwhile, and end when the caller is removed", async () => {
    for (const change of ["replace", "remove"] as const) {
      const { provider } = players({
        A: [ask("B")],
        B: [
          () => {
            if (change === "replace") team.replace("A", { name: "A" })
            else team.remove("A")
            return ask("C")
          },
        ],
        C: [[call("shell"), call("look")]],
      })
      const team: Team = teamOf(provider, {
        tools: [named("shell"), named("look")],
        agents: [{ name: "A", policy: { deny: ["shell"] } }, { name: "B" }, { name: "C" }],
      })
      await team.run(ns, "Go")
      const made = await decisions(team, (await children(team)).at(-1) ?? ns)
      expect(made.map(({ decision }) => decision)).toEqual(["deny", change === "replace" ? "allow" : "deny"])
    }
  })

  test("are never more than the caller's, whatever the layers say", { timeout: 600_000 }, async () => {
    const rank: Record<Decision, number> = { deny: 0, ask: 1, allow: 2 }
    const names = ["t1", "t2", "t3"]
    const rules = fc.subarray(["t1", "t2", "t3", "t*", "*", "risk:read"], { maxLength: 2 })
    const decision = fc.constantFrom<Decision>("deny", "ask", "allow")
    const layer: fc.Arbitrary<PolicyLayer> = fc.record(
      { deny: rules, ask: rules, allow: rules, default: decision, ceiling: decision },
      { requiredKeys: [] },
    )
    const calls = names.map((name) => call(name))
    // Mostly what all share says nothing: or neither of the two would differ in what they may do.
    const common = fc.oneof(
      { weight: 4, arbitrary: fc.constant<PolicyLayer>({}) },
      { weight: 1, arbitrary: layer },
    )
    const own = fc.oneof(layer, fc.constantFrom<PolicyLayer>({ deny: ["t1"] }, { ask: ["t2", "t3"] }, {}))
    const otherwise = fc.constantFrom<Decision>("allow", "allow", "ask", "deny")
    let narrowed = 0
    await fc.assert(
      fc.asyncProperty(common, common, own, own, otherwise, async (base, place, ofA, ofB, byDefault) => {
        const { provider } = players({ A: [calls, ask("B")], B: [calls, "Done.", calls] })
        const policies = new PolicyRegistry({ base, default: byDefault })
        policies.set(Namespace.of("acme"), { ...place, allow: [...(place.allow ?? []), "delegate_to_agent"] })
        const team = teamOf(provider, {
          policies,
          tools: names.map((name) => named(name)),
          agents: [
            { name: "A", policy: ofA },
            { name: "B", policy: ofB },
          ],
        })
        await team.run(ns, "Go")
        const [session] = await children(team)
        if (!session) return
        const byA = await decisions(team, ns)
        const delegated = await decisions(team, session)
        await team.run(Namespace.of("acme", "eve"), "@B go")
        const byB = await decisions(team, Namespace.of("acme", "eve"))
        expect(delegated).toHaveLength(names.length)
        for (const [index, { decision: made }] of delegated.entries()) {
          const most = Math.min(rank[byA[index]?.decision ?? "deny"], rank[byB[index]?.decision ?? "deny"])
          expect(rank[made]).toBe(most)
          if (most < rank[byB[index]?.decision ?? "deny"]) narrowed++
        }
      }),
      { numRuns: 150 },
    )
    expect(narrowed).toBeGreaterThan(0)
  })
})

describe("what is spent on a task", () => {
  test("is spent by everybody above it, and by the run that asked for it", async () => {
    const { provider } = players({ A: [ask("B")], B: [ask("C")] })
    const store = new MemoryStore()
    const budgets = new Budgets({ store })
    const acme = Namespace.of("acme")
    budgets.set(acme, { per: "ever", modelCalls: 100 })
    const team = teamOf(provider, { store, budgets })
    await team.run(ns, "Go")
    expect(await budgets.state(acme)).toMatchObject([{ unit: "modelCalls", spent: 5, reserved: 0 }])
  })

  test("cannot pass what is left for its caller", async () => {
    const { provider, asked } = players({ A: [ask("B")], B: [call("look"), call("look"), call("look")] })
    const store = new MemoryStore()
    const budgets = new Budgets({ store })
    budgets.set(ns, { per: "run", modelCalls: 3 })
    const team = teamOf(provider, { store, budgets, tools: [named("look")] })
    await expect(team.run(ns, "Go")).rejects.toMatchObject({ code: "budget_exceeded" })
    expect([asked("A").length, asked("B").length]).toEqual([1, 2])
    expect((await results(team))[0]?.text).toContain("B ")
  })
})

describe("what strangers wrote", () => {
  test("marks the answer of whoever read it, so that the caller's policy knows", async () => {
    const { provider } = players({ A: [ask("B"), call("mail")], B: [call("fetch")] })
    const policies = new PolicyRegistry({
      default: "allow",
      base: { deny: [{ tool: "mail", tainted: true }] },
    })
    const team = teamOf(provider, { policies, tools: [named("fetch", true), named("mail")] })
    await team.run(ns, "Go")
    expect(await read(team, ns, "tool_result")).toMatchObject([
      { untrusted: true },
      { result: { status: "denied" } },
    ])
  })

  test("is known to whoever is asked by somebody who read it", async () => {
    const { provider } = players({ A: [call("fetch"), ask("B")], B: [call("mail")] })
    const policies = new PolicyRegistry({
      default: "allow",
      base: { deny: [{ tool: "mail", tainted: true }] },
    })
    const team = teamOf(provider, { policies, tools: [named("fetch", true), named("mail")] })
    await team.run(ns, "Go")
    expect((await results(team, await only(team)))[0]?.status).toBe("denied")
  })
})

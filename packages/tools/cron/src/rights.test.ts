import { Approvals, Budgets, callTool, PolicyRegistry, Team, type TeamAgent, tool } from "@orra/core"
import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { ada, bob, HOUR, household, world } from "./fixture.ts"
import type { NewJob } from "./job.ts"
import { Scheduler } from "./scheduler.ts"
import { cronTool } from "./tool.ts"

const job: NewJob = {
  name: "notes",
  schedule: { type: "every", interval_ms: HOUR },
  payload: { type: "agent_turn", prompt: "Take a note." },
}

const noting = () =>
  scriptedProvider([], { otherwise: ({ messages }) => (messages.length === 1 ? call("note") : "Done.") })

/** Atlas may take notes, Reader may not. Both make jobs. */
function readers() {
  const provider = scriptedProvider([])
  const used: string[] = []
  const note = tool({
    name: "note",
    description: "Takes a note.",
    input: { type: "object" },
    risk: "write",
    execute: (_, { namespace }) => void used.push(namespace.key),
  })
  const agents: readonly TeamAgent[] = [{ name: "Atlas" }, { name: "Reader", policy: { deny: ["note"] } }]
  const team = new Team({
    provider,
    agents,
    policies: new PolicyRegistry({ default: "allow" }),
    tools: [note],
  })
  const scheduler = new Scheduler(team.runtime, { prefix: household, onError: () => {} })
  team.runtime.tools.add(cronTool(scheduler))
  return { provider, used, team, scheduler }
}

describe("a job's rights", () => {
  test("are its creator's: it works as them, below their namespace", async () => {
    const { scheduler, used, pass } = world({ provider: noting() })
    const { id } = await scheduler.create(ada, job, { principal: "ada" })
    await pass(HOUR)
    expect(used).toEqual([expect.stringContaining(`ada in ${ada.key}:~cron:${id}:`)])
  })

  test("S20: are frozen: what the creator may do later the job may not", async () => {
    const late = tool({
      name: "late",
      description: "Comes later.",
      input: { type: "object" },
      risk: "exec",
      execute: () => "Done.",
    })
    const provider = scriptedProvider([call("note"), "Done.", call("late"), "Done."])
    const { scheduler, runtime, policies, used, pass } = world({ provider })
    policies.set(household, { deny: ["note"] })
    await scheduler.create(ada, job, { principal: "ada" })
    policies.remove(household)
    runtime.tools.add(late)
    await pass(2 * HOUR, HOUR)
    expect(used).toEqual([])
    expect(provider.requests.map(({ tools }) => tools)).toEqual([[], [], [], []])
    expect((await callTool(runtime, ada, "late", {})).status).toBe("ok")
  })

  test("are frozen with the rules on arguments", async () => {
    const fetched: string[] = []
    const fetchTool = tool<{ readonly url: string }>({
      name: "fetch",
      description: "Fetches.",
      input: { type: "object", properties: { url: { type: "string" } } },
      risk: "network",
      execute: ({ url }) => void fetched.push(url),
    })
    const provider = scriptedProvider([
      call("fetch", { url: "internal" }),
      call("fetch", { url: "public" }),
      "Done.",
    ])
    const { scheduler, policies, pass } = world({ provider, tools: [fetchTool] })
    policies.set(household, { deny: [{ tool: "fetch", arguments: { "/url": { prefix: "int" } } }] })
    await scheduler.create(ada, job)
    policies.remove(household)
    await pass(HOUR)
    expect(fetched).toEqual(["public"])
  })

  test("are never more than the creator's today", async () => {
    const { scheduler, policies, used, pass } = world({ provider: noting() })
    await scheduler.create(ada, job, { principal: "ada" })
    await pass(HOUR)
    expect(used).toHaveLength(1)
    policies.set(ada, { deny: ["note"] })
    await pass(HOUR)
    expect(used).toHaveLength(1)
    policies.remove(ada)
    await pass(HOUR)
    expect(used).toHaveLength(2)
  })

  test("refuse what is denied in the words, and with the record, of every other way to the tool", async () => {
    const { scheduler, policies, used, pass, store } = world({ provider: noting() })
    const { id } = await scheduler.create(ada, job, { principal: "ada" })
    policies.set(household, { deny: [{ tool: "note", name: "no notes" }], allow: ["*"] })
    await pass(HOUR)
    expect(used).toEqual([])
    const { items } = await store.list(ada.child("~cron", id))
    const log = await store.read(items[0]?.namespace ?? ada, { types: ["tool_intent", "tool_result"] })
    expect(log).toMatchObject([
      { name: "note", decision: "deny", reason: 'household: deny "no notes"' },
      { result: { status: "denied", content: [{ text: '"note" is not allowed here (deny "no notes").' }] } },
    ])
  })

  test("of whoever changes another one's job are those that both have", async () => {
    const { scheduler, policies, used, pass } = world({ provider: noting() })
    policies.set(household, { deny: ["note"] })
    const { id } = await scheduler.create(ada, job, { principal: "ada" })
    policies.remove(household)
    await scheduler.update(ada, id, { name: "mine" }, { principal: "eve" })
    await pass(HOUR)
    expect(used).toEqual([])
    expect(await scheduler.get(ada, id)).toMatchObject({ principal: "eve" })
    await scheduler.update(ada, id, { name: "still mine" }, { principal: "eve" })
    await pass(HOUR)
    expect(used).toEqual([expect.stringContaining("eve in")])
  })

  test("a job whose rights are lost may nothing", async () => {
    const { scheduler, store, used, pass } = world({ provider: noting() })
    const { id } = await scheduler.create(ada, job)
    await store.records("cron-grants").delete(ada, id)
    await pass(HOUR)
    expect(used).toEqual([])
    expect((await scheduler.runs(ada, id)).items).toMatchObject([{ outcome: "completed" }])
  })

  test("a job of a job, or of an agent that was asked by another one, has no more than that one", async () => {
    const { provider, used, team, scheduler } = readers()
    const make = { action: "create", name: "sneaky", schedule: job.schedule, payload: job.payload }
    // Reader is asked by Atlas, and makes a job, which Atlas would do with all its rights.
    provider.push(
      call("delegate_to_agent", { agent: "Reader", task: "Read." }),
      call("cron", make),
      "Made.",
      "Asked.",
    )
    await team.run(ada, "Go.", { agent: "Atlas" })
    const [made] = (await scheduler.list(ada)).items
    provider.push(call("note"), call("cron", { ...make, name: "deeper" }), "Done.")
    await scheduler.runNow(ada, made?.id ?? "")
    await scheduler.idle()
    const all = (await scheduler.list(ada)).items
    expect(all.map(({ name }) => name).sort()).toEqual(["deeper", "sneaky"])
    provider.push(call("note"), "Done.")
    await scheduler.runNow(ada, all.find(({ name }) => name === "deeper")?.id ?? "")
    await scheduler.idle()
    expect(used).toEqual([])
    // By itself Atlas may.
    provider.push(call("note"), "Done.")
    await team.run(bob, "Note.", { agent: "Atlas" })
    expect(used).toEqual([bob.key])
  })

  test("of an agent that changes another one's job are its own", async () => {
    const { provider, used, team, scheduler } = readers()
    const { id } = await scheduler.create(ada, { ...job, agent: "Atlas" })
    provider.push(call("note"), "Done.")
    await scheduler.runNow(ada, id)
    await scheduler.idle()
    expect(used).toHaveLength(1)
    provider.push(call("cron", { action: "update", id, payload: job.payload }), "Changed.")
    await team.run(ada, "Change it.", { agent: "Reader" })
    provider.push(call("note"), "Done.")
    await scheduler.runNow(ada, id)
    await scheduler.idle()
    expect(used).toHaveLength(1)
  })

  test("are over when the creator is gone: the job is paused, and told so", async () => {
    const here = new Set(["ada"])
    const { scheduler, told, used, pass } = world({
      provider: noting(),
      isActive: ({ principal }) => here.has(principal ?? ""),
    })
    const { id } = await scheduler.create(ada, job, { principal: "ada" })
    await pass(HOUR)
    here.clear()
    await pass(3 * HOUR, HOUR)
    expect(used).toHaveLength(1)
    expect(await scheduler.get(ada, id)).toMatchObject({
      status: "paused",
      pausedBecause: { code: "creator_gone" },
    })
    expect((await scheduler.runs(ada, id)).items).toMatchObject([
      { outcome: "refused" },
      { outcome: "completed" },
    ])
    expect(told.map(({ type }) => type)).toEqual(["finished", "paused"])
  })
})

test("what a job costs is charged to the budgets above it, and a spent one stops it", async () => {
  const fake = world()
  const budgets = new Budgets({ store: fake.store })
  await budgets.set(ada, [{ per: "month", modelCalls: 2 }])
  const provider = noting()
  const { scheduler, pass } = world({ clock: fake.clock, store: fake.store, provider, runtime: { budgets } })
  const { id } = await scheduler.create(ada, job)
  await pass(4 * HOUR, HOUR)
  expect(await scheduler.get(ada, id)).toMatchObject({ status: "paused" })
  expect(provider.requests.length).toBeLessThan(4)
})

test("a call that policy asks about waits for a person; the firing ends when they have decided", async () => {
  const approvals = new Approvals()
  const { scheduler, policies, used, runtime, pass } = world({ provider: noting(), runtime: { approvals } })
  policies.set(household, { ask: ["note"] })
  const { id } = await scheduler.create(ada, job, { principal: "ada" })
  await pass(HOUR)
  expect(await scheduler.get(ada, id)).toMatchObject({ running: 1 })
  const [waiting] = await approvals.list(household)
  if (!waiting) throw new Error("Nothing waits.")
  await approvals.decide(waiting.namespace, waiting.approvalId, { decision: "approve", by: "ada" })
  await expect.poll(() => runtime.isRunning(waiting.namespace)).toBe(false)
  await pass(2 * 60_000, 10_000)
  expect(used).toHaveLength(1)
  expect((await scheduler.runs(ada, id)).items).toMatchObject([{ outcome: "completed" }])
})

test("what waits for a person is stopped when its creator is gone", async () => {
  const approvals = new Approvals()
  let isHere = true
  const { scheduler, policies, used, pass } = world({
    provider: noting(),
    runtime: { approvals },
    isActive: () => isHere,
  })
  policies.set(household, { ask: ["note"] })
  const { id } = await scheduler.create(ada, job, { principal: "ada" })
  await pass(HOUR)
  const [waiting] = await approvals.list(household)
  isHere = false
  await pass(2 * 60_000, 10_000)
  expect(await approvals.list(household)).toEqual([])
  const decision = approvals.decide(ada, waiting?.approvalId ?? "", { decision: "approve", by: "bob" })
  await expect(decision).rejects.toBeDefined()
  expect(used).toEqual([])
  expect(await scheduler.get(ada, id)).toMatchObject({ running: 0, pausedBecause: { code: "creator_gone" } })
})

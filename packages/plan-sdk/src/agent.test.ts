import { Approvals, MemoryStore, Namespace, PolicyRegistry, Runtime, Team, tool } from "@orra/core"
import { call, hang, mortal, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { type ServeAgentOptions, serveAgent } from "./agent.ts"
import { engine, type TestEngine } from "./fixture.ts"
import type { PlanService } from "./index.ts"

const DESK = Namespace.of("plans", "desk")
const weather = (log: string[]) =>
  tool<{ city: string }>({
    name: "weather",
    description: "The weather in a city.",
    input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    risk: "read",
    execute: ({ city }) => `Sunny in ${city}, said for the ${log.push(city)}. time`,
  })

async function serve(
  shop: TestEngine,
  agents: Runtime | Team,
  more: Partial<ServeAgentOptions> = {},
): Promise<PlanService> {
  const service = await serveAgent(agents, {
    ...shop.options("desk"),
    description: "Answers.",
    namespace: DESK,
    ...more,
  })
  onTestFinished(() => service.shutdown({ timeoutMs: 0 }))
  return service
}

/** Has the service answer. */
const begin = (shop: TestEngine, { info }: PlanService, data = { message: "Is it sunny in Oslo?" }) =>
  shop.begin(String(info.id), data)

const runtimeOf = (answers: readonly ScriptedAnswer[], more: object = {}) =>
  new Runtime({ provider: scriptedProvider(answers), ...more })

test("an agent takes a message and gives its answer, and says that it is at work", async () => {
  const shop = await engine()
  const log: string[] = []
  const runtime = runtimeOf([call("weather", { city: "Oslo" }), "It is."], { tools: [weather(log)] })
  const service = await serve(shop, runtime, { updateMs: 5 })
  const ended = await shop.ended(await begin(shop, service))
  expect(ended).toMatchObject({ status: "completed", results: [{ answer: "It is." }] })
  expect(JSON.stringify(ended.tasks[0]?.interimResults)).toContain('{"status":"working","tool":"weather"}')
  expect(log).toEqual(["Oslo"])
})

test("with schemas it gets JSON and is asked for JSON, again when it gives none", async () => {
  const shop = await engine()
  const provider = scriptedProvider(["I think 3.", '```json\n{"letters": "three"}\n```', '{"letters": 3}'])
  const service = await serve(shop, new Runtime({ provider }), {
    schema: { input: z.object({ word: z.string() }), output: z.object({ letters: z.int() }) },
  })
  const data = { word: "ice" } as const
  expect(await shop.ended(await shop.begin(String(service.info.id), data))).toMatchObject({
    results: [{ letters: 3 }],
  })
  expect(provider.requests).toHaveLength(3)
  const asked = JSON.stringify(provider.requests[2]?.messages)
  expect(asked).toContain("That is not JSON.")
  expect(asked).toContain("letters: Invalid input")
  expect(asked).toContain('{\\"word\\":\\"ice\\"}')
  expect(asked).toContain('\\"letters\\":{\\"type\\":\\"integer\\"')
})

test("of a team the agent that is named answers", async () => {
  const shop = await engine()
  const team = new Team({
    provider: scriptedProvider([], {
      otherwise: ({ system }) => (system?.includes("Iris") ? "Iris" : "Atlas"),
    }),
    agents: [{ name: "Atlas" }, { name: "Iris" }],
  })
  const service = await serve(shop, team, { agent: "Iris" })
  expect(await shop.ended(await begin(shop, service))).toMatchObject({ results: [{ answer: "Iris" }] })
})

test("a run that failed is tried again when the engine asks again", async () => {
  const shop = await engine()
  const provider = scriptedProvider([{ type: "fail", error: "invalid_request" }, "It is."])
  const service = await serve(shop, new Runtime({ provider }))
  expect(await shop.ended(await begin(shop, service))).toMatchObject({ results: [{ answer: "It is." }] })
})

test("a process that comes after one that was killed goes on with its run", async () => {
  const shop = await engine()
  const log: string[] = []
  const store = new MemoryStore()
  const life = mortal()
  const before = scriptedProvider([call("weather", { city: "Oslo" }), hang()])
  const tools = [weather(log)]
  const first = new Runtime({
    provider: before,
    store: life.store(store),
    tools,
    leaseTtlMs: 100,
    onError: () => {},
  })
  const service = await serve(shop, first)
  const id = await begin(shop, service)
  await expect.poll(() => before.requests.length).toBe(2)
  life.die()
  await service.shutdown({ timeoutMs: 0 })
  life.bury()
  const after = scriptedProvider(["It is."])
  const next = await serve(shop, new Runtime({ provider: after, store, tools }), { updateMs: 20 })
  expect(await shop.ended(id)).toMatchObject({ results: [{ answer: "It is." }] })
  expect(next.info.id).toBe(service.info.id)
  expect(log).toEqual(["Oslo"])
  expect(after.requests[0]?.messages.filter(({ role }) => role === "user")).toHaveLength(1)
})

test("while a person has to agree the task waits", async () => {
  const shop = await engine()
  const log: string[] = []
  const approvals = new Approvals()
  const runtime = runtimeOf([call("weather", { city: "Oslo" }), "It is."], {
    tools: [weather(log)],
    approvals,
    policies: new PolicyRegistry({ base: { ask: ["weather"] } }),
  })
  const service = await serve(shop, runtime)
  const id = await begin(shop, service)
  await expect.poll(() => approvals.list(DESK)).toHaveLength(1)
  const [asked] = await approvals.list(DESK)
  if (asked) await approvals.decide(asked.namespace, asked.approvalId, { decision: "approve", by: "ann" })
  expect(await shop.ended(id)).toMatchObject({ results: [{ answer: "It is." }] })
  expect(log).toEqual(["Oslo"])
})

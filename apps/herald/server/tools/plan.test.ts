import { callTool, MemoryStore, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { createPlanEngine } from "@orra/plan-engine"
import { initService } from "@orra/plan-sdk"
import { scriptedProvider } from "@orra/testing"
import { afterEach, expect, test } from "vitest"
import { parseConfig } from "../config/load.ts"
import { buildTools } from "./tools.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const text = { type: "object", properties: { text: { type: "string" } }, required: ["text"] }

/** A plan engine with one service, whose model always plans the one thing this can do. */
async function engine(): Promise<{ readonly url: string; readonly key: string; readonly done: string[] }> {
  let id = ""
  const planned = () =>
    JSON.stringify({
      tasks: [
        { id: "task0", input: {} },
        { id: "task1", service: id, input: { text: "$task0.text" } },
      ],
    })
  const provider = scriptedProvider([], { otherwise: planned })
  const made = createPlanEngine({ store: new MemoryStore(), provider })
  ends.push(() => made.close())
  const url = await made.listen({ port: 0 })
  const answer = await fetch(`${url}/register/project`, { method: "POST", body: '{"name":"house"}' })
  const { apiKey: key } = (await answer.json()) as { apiKey: string }
  const service = initService({
    name: "shouter",
    orraUrl: url,
    orraKey: key,
    persistenceOpts: { method: "custom", customSave: () => {}, customLoad: () => undefined },
    store: { get: async () => undefined, put: async () => {}, prune: async () => {} },
  })
  ends.push(() => service.shutdown())
  await service.register({ description: "Shouts.", schema: { input: text, output: text } })
  id = String(service.info.id)
  const done: string[] = []
  service.start(({ input }) => {
    done.push(String(input["text"]))
    return { text: String(input["text"]).toUpperCase() }
  })
  return { url, key, done }
}

async function plan(toml: string) {
  const { config } = parseConfig(toml, "a.toml", {})
  const loaded = { config, dataDir: "/nowhere", file: undefined }
  const { tools, policy } = await buildTools(loaded, "UTC", new MemoryStore())
  const policies = new PolicyRegistry()
  policies.set(Namespace.of("ada"), policy)
  const runtime = new Runtime({ provider: scriptedProvider([]), tools, policies })
  const call = { action: "Shout it.", data: { text: "hello" } }
  const { status, content } = await callTool(runtime, Namespace.of("ada", "chat"), "plan", call)
  return `${status}: ${content.map((part) => (part.type === "text" ? part.text : "")).join("")}`
}

test("a plan is carried out by the engine that is named, when a person or the configuration allows it", async () => {
  const { url, key, done } = await engine()
  const toml = `[plan_engine]\nurl = "${url}"\napi_key = "${key}"\n`
  expect(await plan(toml)).toMatch(/^denied: "plan" needs a person's approval/)
  expect(done).toEqual([])
  expect(await plan(`${toml}plans = "allow"\n`)).toMatch(
    /^ok: The plan was carried out\.[\s\S]*"text":"HELLO"/,
  )
  expect(done).toEqual(["hello"])
})

test("an engine without a key, or at an address that is none, is refused with what to set", async () => {
  await expect(plan('[plan_engine]\nurl = "http://127.0.0.1:8005"\n')).rejects.toThrow(
    "set plan_engine.api_key",
  )
  await expect(plan('[plan_engine]\nurl = "127.0.0.1:8005"\napi_key = "k"\n')).rejects.toThrow(
    "begins with http",
  )
  expect(await plan("")).toMatch(/there is no tool "plan"/)
})

import { call, hang, say, scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import type { Envelope } from "./envelope.ts"
import type { HookContext } from "./hooks.ts"
import { Namespace } from "./namespace.ts"
import { PolicyRegistry } from "./policy.ts"
import { Runtime } from "./runtime.ts"
import { type ToolContext, tool } from "./tool.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const envelope: Envelope = {
  agents: ["writer", "researcher"],
  depth: 2,
  parent: { namespace: "tenant:acme:main", runId: "r1", callId: "c1" },
}

const nothing = { type: "object" } as const

test("who asks, and for whom, is recorded with the run and told to hooks and tools", async () => {
  const seen: Pick<HookContext, "principal" | "envelope">[] = []
  const told: ToolContext[] = []
  const look = tool({
    name: "look",
    description: "Looks.",
    input: nothing,
    risk: "read",
    execute: (_, context) => {
      told.push(context)
      return "seen"
    },
  })
  const runtime = new Runtime({
    provider: scriptedProvider([call("look"), "done"]),
    tools: [look],
    hooks: [{ runStart: (context) => void seen.push(context) }],
  })
  await runtime.run(ns, "Look", { principal: "bob", envelope })
  const [started] = await runtime.store.read(ns, { types: ["run_started"] })
  expect(started).toMatchObject({ principal: "bob", envelope })
  expect(seen).toMatchObject([{ principal: "bob", envelope }])
  expect(told).toMatchObject([{ principal: "bob", envelope }])
})

test("a message that waited runs for its own sender, not for the one before", async () => {
  const provider = scriptedProvider([[say("first"), hang()], "second"])
  const runtime = new Runtime({ provider, deltaIntervalMs: 0 })
  await runtime.submit(ns, "One", { principal: "ann", envelope })
  await provider.request(1)
  const waiting = runtime.run(ns, "Two", { principal: "bob" })
  for await (const event of runtime.subscribe(ns, { after: 0 })) if (event.type === "input") break
  await runtime.stop(ns)
  await waiting
  const started = await runtime.store.read(ns, { types: ["run_started"] })
  expect(started).toMatchObject([{ principal: "ann", envelope }, { principal: "bob" }])
  expect(started[1]).not.toHaveProperty("envelope")
})

test("a run with an envelope is shown, and may call, what its rights allow", async () => {
  let called = 0
  const write = tool({
    name: "write",
    description: "Writes.",
    input: nothing,
    risk: "write",
    execute: () => {
      called++
      return "written"
    },
  })
  const provider = scriptedProvider([call("write"), "done", call("write"), "done"])
  const policies = PolicyRegistry.allowAll()
  const runtime = new Runtime({
    provider,
    tools: [write],
    rights: ({ agents }) => policies.within([{ deny: ["risk:write"] }], `agent ${agents.at(-1)}`),
    policies,
  })
  await runtime.run(ns, "Write", { envelope })
  expect(called).toBe(0)
  expect(provider.requests[0]?.tools).toEqual([])
  const [intent] = await runtime.store.read(ns, { types: ["tool_intent"] })
  expect(intent).toMatchObject({ decision: "deny", reason: 'agent researcher: deny "risk:write"' })
  await runtime.run(ns, "Write")
  expect(called).toBe(1)
})

test("a run is stopped at its deadline and says so", async () => {
  const provider = scriptedProvider([[say("I am "), hang()]])
  const runtime = new Runtime({ provider, deltaIntervalMs: 0 })
  const result = await runtime.run(ns, "Go", {
    envelope: { agents: ["slow"], depth: 1, deadline: Date.now() + 20 },
  })
  expect(result).toMatchObject({ outcome: "stopped", error: { code: "deadline_exceeded" } })
})

test("a run whose deadline has passed asks nobody", async () => {
  const provider = scriptedProvider([])
  const runtime = new Runtime({ provider })
  const result = await runtime.run(ns, "Go", { envelope: { agents: ["late"], depth: 1, deadline: 1 } })
  expect(result).toMatchObject({ outcome: "stopped", error: { code: "deadline_exceeded" } })
  expect(provider.requests).toEqual([])
})

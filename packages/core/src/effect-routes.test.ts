import { call, mortal, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  Approvals,
  callTool,
  type Decision,
  type Entry,
  type Hooks,
  MemoryStore,
  Namespace,
  PENDING,
  PolicyRegistry,
  type Provider,
  Runtime,
  type RuntimeOptions,
  type SessionStore,
  Team,
  type Tool,
  type ToolContext,
  tool,
} from "./index.ts"

const tenant = Namespace.of("tenant", "acme")
const ns = tenant.child("chat")
const REASON = 'tenant:acme: deny "no disk a"'
const FORBIDDEN = { disk: "a" }

/** What may not be wiped, and what was. */
function disks() {
  const wiped: unknown[] = []
  const wipe = tool<{ disk: string }>({
    name: "wipe",
    description: "Wipes a disk.",
    input: { type: "object", properties: { disk: { type: "string" } } },
    risk: "exec",
    execute: ({ disk }) => {
      wiped.push(disk)
      return "wiped"
    },
  })
  const policies = new PolicyRegistry({ default: "allow" })
  const forbid = () =>
    policies.set(tenant, {
      deny: [{ tool: "wipe", arguments: { "/disk": { equals: "a" } }, name: "no disk a" }],
      allow: ["*"],
    })
  return { wiped, wipe, policies, forbid }
}

type Route = (world: ReturnType<typeof disks>, store: SessionStore) => Promise<Namespace>

const options = (world: ReturnType<typeof disks>, store: SessionStore, answers: ScriptedAnswer[]) =>
  ({
    provider: scriptedProvider(answers),
    store,
    owner: "only",
    tools: [world.wipe],
    policies: world.policies,
    deltaIntervalMs: 0,
  }) satisfies RuntimeOptions

const ended = async (runtime: Runtime): Promise<void> => {
  for await (const event of runtime.subscribe(ns, { after: 0 })) if (event.type === "run_finished") return
}

/** Every way to the tool. */
const routes: Readonly<Record<string, Route>> = {
  "the model": async (world, store) => {
    world.forbid()
    await new Runtime(options(world, store, [call("wipe", FORBIDDEN), "No."])).run(ns, "Wipe it.")
    return ns
  },
  "an approval given before it was forbidden": async (world, store) => {
    const approvals = new Approvals()
    world.policies.set(tenant, { ask: ["wipe"], allow: ["*"] })
    const answers = [call("wipe", FORBIDDEN), "No."]
    const runtime = new Runtime({ ...options(world, store, answers), approvals })
    await runtime.run(ns, "Wipe it.")
    world.forbid()
    const [pending] = await approvals.list(ns)
    await approvals.decide(ns, pending?.approvalId ?? "", { decision: "approve", by: "ann" })
    await ended(runtime)
    return ns
  },
  "everything approved": async (world, store) => {
    world.forbid()
    const approvals = new Approvals()
    const answers = [call("wipe", FORBIDDEN), "No."]
    const runtime = new Runtime({ ...options(world, store, answers), approvals })
    await approvals.approveEverything(tenant, { forMs: 60_000, by: "ann" })
    await runtime.run(ns, "Wipe it.")
    return ns
  },
  "a run that a dead process left": async (world, store) => {
    const life = mortal()
    const dying = new Runtime({
      ...options(world, life.store(store), [call("wipe", FORBIDDEN)]),
      hooks: [{ afterModel: () => new Promise<undefined>(() => {}) }],
    })
    for await (const event of dying.stream(ns, "Wipe it.")) if (event.type === "assistant") break
    life.bury()
    world.forbid()
    const runtime = new Runtime(options(world, store, ["No."]))
    await runtime.recover(tenant, { resume: true })
    await ended(runtime)
    return ns
  },
  "a hook that changes the arguments": async (world, store) => {
    world.forbid()
    const hooks: Hooks[] = [{ beforeTool: () => ({ arguments: FORBIDDEN }) }]
    const answers = [call("wipe", { disk: "b" }), "No."]
    await new Runtime({ ...options(world, store, answers), hooks }).run(ns, "Wipe b.")
    return ns
  },
  "a hook that approves": async (world, store) => {
    world.forbid()
    const hooks: Hooks[] = [{ approval: () => ({ decision: "approve" }) }]
    const answers = [call("wipe", FORBIDDEN), "No."]
    await new Runtime({ ...options(world, store, answers), hooks }).run(ns, "Wipe it.")
    return ns
  },
  "a delegated task": async (world, store) => {
    world.forbid()
    let asked = 0
    const provider = scriptedProvider([], {
      otherwise: ({ system }) => {
        if (!system?.includes("You are B")) {
          return asked++ === 0 ? call("delegate_to_agent", { agent: "B", task: "Wipe it." }) : "No."
        }
        return asked++ === 1 ? call("wipe", FORBIDDEN) : "No."
      },
    })
    const team = new Team({
      ...options(world, store, []),
      provider,
      agents: [{ name: "A" }, { name: "B" }],
    })
    await team.run(ns, "Wipe it.")
    const { items } = await store.list(ns)
    return items.find(({ namespace }) => !namespace.equals(ns))?.namespace ?? ns
  },
  "a helper that was spawned": async (world, store) => {
    world.forbid()
    const provider = scriptedProvider([
      call("spawn_agent", { prompt: "You wipe disks.", task: "Wipe it." }),
      call("wipe", FORBIDDEN),
      "No.",
      "No.",
    ])
    const team = new Team({ ...options(world, store, []), provider, agents: [{ name: "A" }] })
    await team.run(ns, "Wipe it.")
    const { items } = await store.list(ns)
    return items.find(({ namespace }) => !namespace.equals(ns))?.namespace ?? ns
  },
  "a direct call": async (world, store) => {
    world.forbid()
    const runtime = new Runtime(options(world, store, []))
    const result = await callTool(runtime, ns, "wipe", FORBIDDEN, { principal: "bob" })
    expect(result.status).toBe("denied")
    return ns
  },
}

test.each(Object.keys(routes))(
  "what is denied is denied by way of %s, with the same record",
  async (name) => {
    const store = new MemoryStore()
    const world = disks()
    const where = (await routes[name]?.(world, store)) ?? ns
    expect(world.wiped).toEqual([])
    const log = await store.read(where, { types: ["tool_intent", "tool_result"] })
    const intent = log.findLast((entry) => entry.type === "tool_intent")
    expect(intent).toMatchObject({ name: "wipe", arguments: FORBIDDEN, decision: "deny", reason: REASON })
    const results = log.filter((entry) => entry.type === "tool_result")
    expect(results.map(({ result }) => [result.status, result.content])).toEqual([
      ["denied", [{ type: "text", text: '"wipe" is not allowed here (deny "no disk a").' }]],
    ])
  },
)

test("a direct call is executed and recorded like any other, and the model does not see it", async () => {
  const world = disks()
  const store = new MemoryStore()
  const runtime = new Runtime(options(world, store, ["Hello."]))
  const result = await callTool(runtime, ns, "wipe", { disk: "b" }, { principal: "bob" })
  expect(result).toMatchObject({ status: "ok" })
  expect(world.wiped).toEqual(["b"])
  expect((await store.read(ns)).map(({ type }) => type)).toEqual([
    "run_started",
    "tool_intent",
    "tool_result",
    "run_finished",
  ])
  expect((await store.read(ns))[0]).toMatchObject({ direct: true, principal: "bob" })
  await runtime.run(ns, "Hi.")
  const provider = runtime.provider as ReturnType<typeof scriptedProvider>
  expect(provider.requests[0]?.messages.map(({ role }) => role)).toEqual(["user"])
})

test("a direct call waits for nobody: what policy asks about is denied, unless it was approved before", async () => {
  const world = disks()
  world.policies.set(tenant, { ask: ["wipe"] })
  const approvals = new Approvals()
  const runtime = new Runtime({ ...options(world, new MemoryStore(), []), approvals })
  expect(await callTool(runtime, ns, "wipe", { disk: "b" })).toMatchObject({ status: "denied" })
  expect((await runtime.info(ns))?.openRun).toBeUndefined()
  await approvals.approveEverything(ns, { forMs: 60_000, by: "ann" })
  expect(await callTool(runtime, ns, "wipe", { disk: "b" })).toMatchObject({ status: "ok" })
  expect(world.wiped).toEqual(["b"])
})

test("a direct call that a dead process left is closed, and no model is asked to go on with it", async () => {
  const store = new MemoryStore()
  const life = mortal()
  const world = disks()
  const hold: Tool = { ...world.wipe, execute: () => new Promise(() => {}) }
  const dying = new Runtime({ ...options(world, life.store(store), []), tools: [hold] })
  void callTool(dying, ns, "wipe", { disk: "b" }).catch(() => {})
  for await (const event of dying.subscribe(ns, { after: 0 })) if (event.type === "tool_intent") break
  life.bury()
  const runtime = new Runtime(options(world, store, []))
  await runtime.recover(tenant, { resume: true })
  const log = await store.read(ns, { types: ["tool_result", "run_finished"] })
  expect(log).toMatchObject([{ result: { status: "unknown" } }, { type: "run_finished" }])
})

test("other arguments under a key that was used are refused, also where the tool is repeatable", async () => {
  const store = new MemoryStore()
  const life = mortal()
  const world = disks()
  const repeatable: Tool = { ...world.wipe, idempotent: true }
  const hold: Tool = { ...repeatable, execute: () => new Promise(() => {}) }
  const answers = [call("wipe", { disk: "b" })]
  const dying = new Runtime({ ...options(world, life.store(store), answers), tools: [hold] })
  for await (const event of dying.stream(ns, "Wipe b.")) if (event.type === "tool_intent") break
  life.bury()
  const runtime = new Runtime({
    ...options(world, store, ["Well."]),
    tools: [repeatable],
    hooks: [{ beforeTool: () => ({ arguments: { disk: "c" } }) }],
  })
  await runtime.recover(tenant, { resume: true })
  await ended(runtime)
  expect(world.wiped).toEqual([])
  const [result] = await store.read(ns, { types: ["tool_result"] })
  expect(result).toMatchObject({ result: { status: "denied" } })
})

describe("over whole random runs", () => {
  const decisions = fc.constantFrom<Decision>("deny", "ask", "allow")
  const kinds = fc.constantFrom("plain", "later", "rejected")
  const step = fc.array(fc.record({ decision: decisions, kind: kinds, yes: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })

  test("property: as many executions as decisions to allow, each under its own key, and one result a call", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 4 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, parallel) => {
          const executions: string[] = []
          const answered = new Set<string>()
          const yes = new Map<string, boolean>()
          const tools: Tool[] = []
          const rules: Record<Decision, string[]> = { deny: [], ask: [], allow: [] }
          const rejected = new Set<string>()
          for (const [at, calls] of steps.entries()) {
            for (const [index, { decision, kind, yes: approve }] of calls.entries()) {
              const name = `t${at}_${index}`
              rules[decision].push(name)
              yes.set(name, approve)
              if (kind === "rejected") rejected.add(name)
              const execute = (_: unknown, { idempotencyKey }: ToolContext) => {
                executions.push(idempotencyKey)
                if (kind !== "later" || answered.has(idempotencyKey)) return "done"
                answered.add(idempotencyKey)
                return PENDING
              }
              const input = { type: "object" } as const
              tools.push(tool({ name, description: "", input, risk: "write", idempotent: true, execute }))
            }
          }
          const policies = new PolicyRegistry({ default: "deny" })
          policies.set(tenant, rules)
          const approvals = new Approvals()
          const store = new MemoryStore()
          const provider: Provider = scriptedProvider([
            ...steps.map((calls, at) =>
              calls.map((_, index) => call(`t${at}_${index}`, {}, `${at}_${index}`)),
            ),
            "Done.",
          ])
          const hooks: Hooks[] = [
            { beforeTool: ({ name }) => (rejected.has(name) ? { reject: "no" } : undefined) },
          ]
          const common = { provider, store, policies, tools, hooks, parallelTools: parallel, maxTurns: 20 }
          const runtime = new Runtime({ ...common, approvals, deltaIntervalMs: 0 })
          let { outcome } = await runtime.run(ns, "Go.")
          while (outcome === "waiting") {
            const [pending] = await approvals.list(ns)
            if (pending) {
              const decision = yes.get(pending.tool) ? "approve" : "deny"
              await approvals.decide(ns, pending.approvalId, { decision, by: "ann" })
            } else {
              await runtime.wake(ns)
            }
            await expect.poll(() => runtime.isRunning(ns), { interval: 1 }).toBe(false)
            if ((await store.info(ns))?.openRun === undefined) outcome = "completed"
          }
          const intents = (await store.read(ns, { types: ["tool_intent"] })) as Entry<"tool_intent">[]
          const allowed = intents.filter(({ decision }) => decision === "allow")
          expect(executions.sort()).toEqual(allowed.map(({ idempotencyKey }) => idempotencyKey).sort())
          const results = (await store.read(ns, { types: ["tool_result"] })) as Entry<"tool_result">[]
          expect(results.map(({ callId }) => callId).sort()).toEqual(
            steps.flatMap((calls, at) => calls.map((_, index) => `${at}_${index}`)).sort(),
          )
          const may = new Map(intents.map(({ callId, decision }) => [callId, decision]))
          for (const { callId, result } of results) {
            expect(result.status).toBe(may.get(callId) === "allow" ? "ok" : "denied")
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

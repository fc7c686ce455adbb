import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  Approvals,
  Budgets,
  type Entry,
  type Hooks,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type RuntimeOptions,
  tool,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

/** Every point at which a hook is called in a run with one tool call. */
const POINTS = ["runStart", "beforeModel", "afterModel", "beforeTool", "afterTool", "runEnd"] as const
/** Where a hook that fails prevents the run, where only the call, and where nothing. */
const PREVENTS: Readonly<Record<(typeof POINTS)[number], "run" | "call" | "nothing">> = {
  runStart: "run",
  beforeModel: "run",
  afterModel: "run",
  beforeTool: "call",
  afterTool: "nothing",
  runEnd: "nothing",
}

const proxy = new Proxy(
  {},
  {
    get: () => {
      throw new Error("do not look at me")
    },
  },
)
const cycle: Record<string, unknown> = {}
cycle["self"] = cycle

const failures: Readonly<Record<string, () => unknown>> = {
  "throws an Error": () => throwing(new Error("no")),
  "throws undefined": () => throwing(undefined),
  "throws a proxy that throws": () => throwing(proxy),
  "rejects with a text": () => Promise.reject("no"),
  "does not end in its time": () => new Promise(() => {}),
  "answers a number": () => 42,
  "answers a text": () => "yes",
  "answers an object of no kind": () => ({ what: 1 }),
  "answers a list": () => [],
}

function throwing(value: unknown): never {
  throw value
}

const setup = (hook: Hooks, more: Partial<RuntimeOptions> = {}) => {
  const ran: string[] = []
  const reported: unknown[] = []
  const runtime = new Runtime({
    provider: scriptedProvider([[call("work")], "one", "two", "three"], { otherwise: "more" }),
    store: new MemoryStore(),
    hooks: [hook],
    onError: (error) => reported.push(error),
    deltaIntervalMs: 0,
    ...more,
    tools: [
      tool({
        name: "work",
        description: "",
        input: { type: "object" },
        risk: "write",
        execute: (_, { callId }) => {
          ran.push(callId)
          return "done"
        },
      }),
    ],
  })
  return { runtime, ran, reported }
}

describe.each(POINTS)("a hook at %s that", (point) => {
  test.each(Object.entries(failures))("%s", async (what, fails) => {
    // What is answered where nothing is asked for is not an answer.
    const isSpeech = what.startsWith("answers")
    let isBroken = true
    const hook: Hooks = { name: "broken", timeoutMs: 20, [point]: () => (isBroken ? fails() : undefined) }
    const { runtime, ran, reported } = setup(hook)
    const end = await runtime.run(ns, "1").then(
      ({ outcome }) => outcome,
      (error: { code: string }) => error.code,
    )
    if (PREVENTS[point] === "run") expect(end).toBe("hook_failed")
    else expect(end).toBe("completed")
    if (PREVENTS[point] !== "nothing") expect(ran).toEqual([])
    else expect(ran).toHaveLength(1)
    if (PREVENTS[point] !== "run" && !(isSpeech && point === "runEnd"))
      expect(reported.length).toBeGreaterThan(0)
    // Whatever it was, the session goes on, and each call has its result.
    isBroken = false
    expect((await runtime.run(ns, "2")).outcome).toBe("completed")
    const entries = await runtime.store.read(ns)
    const results = entries.filter((entry): entry is Entry<"tool_result"> => entry.type === "tool_result")
    const calls = entries.filter((entry) => entry.type === "tool_intent")
    expect(results).toHaveLength(new Set(calls.map((entry) => "callId" in entry && entry.callId)).size)
  })
})

/** Points where a call waits for approval, or that only look: what fails there denies, or changes nothing. */
describe.each(["approval", "streamChunk", "budget", "runWait"] as const)("a hook at %s that", (point) => {
  test.each(Object.entries(failures))("%s", async (what, fails) => {
    const store = new MemoryStore()
    const budgets = new Budgets({ store })
    budgets.set(ns, { per: "day", modelCalls: 3 })
    const policies = PolicyRegistry.allowAll()
    policies.set(ns, { ask: ["work"] })
    const approvals = new Approvals()
    const hook: Hooks = { name: "broken", timeoutMs: 20, [point]: fails }
    const { runtime, ran, reported } = setup(hook, { store, budgets, policies, approvals })
    const { outcome } = await runtime.run(ns, "1")
    expect(outcome).toBe(point === "approval" ? "completed" : "waiting")
    for (const { approvalId } of await approvals.list(ns))
      await approvals.decide(ns, approvalId, { decision: "approve", by: "ann" })
    await expect.poll(async () => (await runtime.info(ns))?.openRun).toBeUndefined()
    expect(ran).toHaveLength(point === "approval" ? 0 : 1)
    expect((await runtime.run(ns, "2")).outcome).toBe("completed")
    if (!what.startsWith("answers")) await expect.poll(() => reported.length).toBeGreaterThan(0)
  })
})

describe.each(POINTS)("a hook at %s that waits for another run of its own session", (point) => {
  test("is left when its time is up, and both messages have their end", async () => {
    let calls = 0
    const { runtime, reported } = setup({
      name: "loops",
      timeoutMs: 20,
      [point]: async () => {
        if (calls++ === 0) await runtime.run(ns, "from the hook").catch(() => {})
      },
    })
    await runtime.run(ns, "1").catch(() => {})
    await expect.poll(async () => (await runtime.info(ns))?.openRun ?? runtime.isRunning(ns)).toBe(false)
    const ends = await runtime.store.read(ns, { types: ["run_finished"] })
    expect(ends.map((end) => end.type === "run_finished" && [end.outcome, end.error?.code])).toEqual([
      PREVENTS[point] === "run" ? ["failed", "hook_failed"] : ["completed", undefined],
      ["completed", undefined],
    ])
    if (PREVENTS[point] !== "run") expect(String(reported)).toContain("no answer within 20 ms")
  })
})

test("a hook that starts another run of the same session waits in its queue and stops nothing", async () => {
  const { runtime } = setup({
    name: "loops",
    runEnd: async () => {
      if ((await runtime.info(ns))?.metadata["again"]) return
      await runtime.update(ns, { again: true })
      await runtime.submit(ns, "from the hook")
    },
  })
  await runtime.run(ns, "1")
  await expect.poll(() => runtime.isRunning(ns)).toBe(false)
  const said = await runtime.store.read(ns, { types: ["user", "run_finished"] })
  expect(said.map(({ type }) => type)).toEqual(["user", "run_finished", "user", "run_finished"])
})

test("arguments from a hook that are no JSON refuse the call", async () => {
  for (const given of [cycle, { a: 1n }, proxy]) {
    const { runtime, ran } = setup({ beforeTool: () => ({ arguments: given as never }) })
    expect((await runtime.run(ns, "1")).outcome).toBe("completed")
    expect(ran).toEqual([])
    const entries = await runtime.store.read(ns)
    expect(JSON.parse(JSON.stringify(entries))).toEqual(entries)
  }
})

import { call, end, fail, hang, retry, say, scriptedProvider, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  type BudgetOptions,
  Budgets,
  DEFAULT_PRICES,
  type Entry,
  type Hooks,
  type Limit,
  MemoryStore,
  Namespace,
  type PriceTable,
  Runtime,
  type RuntimeOptions,
  StoreError,
  tool,
} from "./index.ts"

const ns = Namespace.of("acme", "bob", "chat")
const tenant = Namespace.of("acme")
const user = Namespace.of("acme", "bob")

/** 0.10 USD for 1,000 tokens of output: what the tests' calls may write, and do. Input is free. */
const PRICES: PriceTable = {
  date: "2026-01-01",
  models: { "scripted-1": { input: 0, output: 100 }, cheap: { input: 0, output: 10 } },
}
const USAGE = { inputTokens: 10, outputTokens: 1_000, cacheReadTokens: 0, cacheWriteTokens: 0 }
const TEN_CENTS = end({ usage: USAGE })

function setup(
  limits: readonly (readonly [Namespace, Limit | readonly Limit[]])[],
  options: Partial<RuntimeOptions> & { readonly budget?: Partial<BudgetOptions> } = {},
) {
  const { budget, ...rest } = options
  const store = rest.store ?? new MemoryStore()
  const budgets = new Budgets({ store, prices: PRICES, ...budget })
  for (const [namespace, limit] of limits) budgets.set(namespace, limit)
  const provider = scriptedProvider([], { otherwise: [say("Well."), TEN_CENTS] })
  const executed: string[] = []
  const look = (name: string) =>
    tool({
      name,
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => {
        executed.push(name)
        return "seen"
      },
    })
  const errors: unknown[] = []
  const runtime = new Runtime({
    provider,
    store,
    budgets,
    tools: [look("look"), look("listen")],
    maxTokens: 1_000,
    onError: (error) => errors.push(error),
    ...rest,
  })
  const entries = async <T extends Entry["type"]>(type: T, namespace = ns) =>
    (await store.read(namespace, { types: [type] })) as readonly Entry<T>[]
  const spent = async (namespace: Namespace, unit = "usd") =>
    (await budgets.state(namespace)).findLast(
      (state) => state.unit === unit && state.namespace.equals(namespace),
    )
  return { store, budgets, provider, runtime, executed, errors, entries, spent }
}

const exceeded = expect.objectContaining({ code: "budget_exceeded" })

describe("a limit in USD", () => {
  test("50 runs at once on 1.00 USD at 0.10 each: ten calls are made, and no more", async () => {
    const { runtime, provider, spent } = setup([[tenant, { per: "day", usd: 1 }]])
    const runs = Array.from({ length: 50 }, (_, index) =>
      runtime.run(Namespace.of("acme", `user${index % 7}`, `${index}`), "Hello"),
    )
    const ends = await Promise.allSettled(runs)
    expect(provider.requests).toHaveLength(10)
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(10)
    for (const end of ends) if (end.status === "rejected") expect(end.reason).toEqual(exceeded)
    expect(await spent(tenant)).toMatchObject({ limit: 1, spent: 1, reserved: 0, left: 0 })
  })

  test("stops the run with a valid transcript, and says which limit, whose and when it renews", async () => {
    const now = () => Date.UTC(2026, 6, 31, 23, 30)
    const { runtime, entries, provider } = setup([[user, { per: "month", usd: 0.15 }]], { budget: { now } })
    provider.push([say("One."), call("look"), TEN_CENTS])
    await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({
      code: "budget_exceeded",
      message:
        "The budget of acme:bob has no room for this: at most 0.15 USD a month. It renews at 2026-08-01T00:00:00.000Z.",
    })
    expect(await entries("run_finished")).toMatchObject([
      { outcome: "failed", cost: 0.1, error: { code: "budget_exceeded", retryable: false } },
    ])
    expect(await entries("tool_result")).toMatchObject([{ result: { status: "ok" } }])
    const again = setup([], { store: runtime.store })
    expect((await again.runtime.run(ns, "And now?")).text).toBe("Well.")
  })

  test("what is reserved is the most that the call can cost, and what it cost takes its place", async () => {
    const { runtime, provider, budgets } = setup([[tenant, { per: "ever", usd: 1 }]])
    const gate = Promise.withResolvers<void>()
    provider.push([{ type: "wait", until: gate.promise }, end({ usage: { ...USAGE, outputTokens: 10 } })])
    const run = runtime.run(ns, "Hello")
    await provider.request(1)
    expect(await budgets.state(ns)).toMatchObject([{ unit: "usd", spent: 0, reserved: 0.1, left: 0.9 }])
    gate.resolve()
    expect(await run).toMatchObject({ cost: 0.001 })
    expect(await budgets.state(ns)).toMatchObject([{ unit: "usd", spent: 0.001, reserved: 0, left: 0.999 }])
  })

  test("says when it is only held by calls that are under way", async () => {
    const { runtime, provider } = setup([[tenant, { per: "ever", usd: 0.1 }]])
    provider.push([hang()])
    const first = runtime.run(ns, "Hello").catch(() => {})
    await provider.request(1)
    await expect(runtime.run(user.child("other"), "Hello")).rejects.toThrow(/under way hold a part of it/)
    runtime.stop(ns)
    await first
  })

  test("input counts at the dearest rate it can have, with the margin of the estimate", async () => {
    const prices = { date: "2026-01-01", models: { "scripted-1": { input: 1, output: 0, cacheWrite: 2 } } }
    const tokenizer = { count: () => 0, countMessage: () => 300 }
    const { runtime, provider, budgets } = setup([[tenant, { per: "ever", usd: 1, tokens: 10_000 }]], {
      budget: { prices, tokenizer },
      tools: [],
    })
    provider.push([hang()])
    const run = runtime.run(ns, "Hello")
    await provider.request(1)
    expect(await budgets.state(ns)).toMatchObject([
      { unit: "usd", reserved: (400 * 2) / 1e6 },
      { unit: "tokens", reserved: 400 + 1_000 },
    ])
    runtime.stop(ns)
    await run
    expect(await budgets.state(ns)).toMatchObject([
      { unit: "usd", spent: 300 / 1e6, reserved: 0 },
      { unit: "tokens", spent: 300, reserved: 0 },
    ])
  })

  test("a model whose price is not known counts as the dearest, and that is said", async () => {
    const { runtime, entries, spent } = setup([[tenant, { per: "ever", usd: 10 }]], {
      budget: { prices: DEFAULT_PRICES },
    })
    const { cost } = await runtime.run(ns, "Hello")
    expect(cost).toBeCloseTo((10 * 30 + 1_000 * 180) / 1e6, 9)
    expect(await entries("budget")).toMatchObject([{ action: "unpriced", model: "scripted-1" }])
    expect(await spent(tenant)).toMatchObject({ unpriced: true, spent: cost })
  })

  test("goes on with a cheaper model where there is room for that, which the log says, then stops", async () => {
    const { runtime, provider, entries, spent } = setup([
      [tenant, { per: "ever", usd: 0.12, atLimit: { model: "cheap" } }],
    ])
    expect((await runtime.run(ns, "Hello")).cost).toBe(0.1)
    expect((await runtime.run(ns, "Hello")).cost).toBe(0.01)
    expect((await runtime.run(ns, "Hello")).cost).toBe(0.01)
    await expect(runtime.run(ns, "Hello")).rejects.toEqual(exceeded)
    expect(provider.requests.map(({ model }) => model)).toEqual([undefined, "cheap", "cheap"])
    expect(await entries("budget")).toMatchObject([
      { action: "model", model: "cheap", reason: expect.stringContaining("at most 0.12 USD in all") },
      { action: "model", model: "cheap" },
    ])
    expect(await spent(tenant)).toMatchObject({ spent: 0.12, left: 0 })
  })

  test("two limits whose cheaper models are each other's end, instead of going round", async () => {
    const { runtime, provider } = setup([
      [tenant, { per: "ever", usd: 0.001, atLimit: { model: "scripted-1" } }],
      [user, { per: "ever", usd: 0.001, atLimit: { model: "cheap" } }],
    ])
    await expect(runtime.run(ns, "Hello")).rejects.toEqual(exceeded)
    expect(provider.requests).toHaveLength(0)
  })

  test("needs prices", () => {
    const budgets = new Budgets({ store: new MemoryStore() })
    expect(() => budgets.set(ns, { per: "day", usd: 1 })).toThrow(/needs `prices`/)
  })
})

describe("accounts", () => {
  test("everybody above is charged the same: the children's sums are the parent's, to the nano-dollar", async () => {
    const { runtime, provider, budgets } = setup([
      [tenant, { per: "ever", usd: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY }],
    ])
    const users = ["a", "b", "c"].map((name) => tenant.child(name))
    for (const one of users)
      budgets.set(one, { per: "ever", usd: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY })
    for (let index = 1; index <= 20; index++)
      provider.push([say("x"), end({ usage: { ...USAGE, outputTokens: index * 7 } })])
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        runtime.run((users[index % 3] ?? tenant).child(`${index}`), "Hi"),
      ),
    )
    const sums = async (place: Namespace) =>
      (await budgets.state(place))
        .filter(({ namespace }) => namespace.equals(place))
        .map(({ spent }) => spent)
    const [usd = 0, tokens] = await sums(tenant)
    const parts = await Promise.all(users.map(sums))
    expect(parts.reduce((sum, [part = 0]) => sum + Math.round(part * 1e9), 0)).toBe(Math.round(usd * 1e9))
    expect(parts.reduce((sum, [, part = 0]) => sum + part, 0)).toBe(tokens)
    expect(usd).toBeCloseTo(210 * 7 * 1e-4, 9)
  })

  test("one tenant's spending is nothing to another's", async () => {
    const { runtime, budgets } = setup([
      [tenant, { per: "day", usd: 0.1 }],
      [Namespace.of("acme2"), { per: "day", usd: 0.1 }],
    ])
    await runtime.run(ns, "Hello")
    await expect(runtime.run(ns, "Hello")).rejects.toEqual(exceeded)
    await runtime.run(Namespace.of("acme2", "bob", "chat"), "Hello")
    await runtime.run(Namespace.of("acme3", "bob", "chat"), "Hello")
    expect(await budgets.state(Namespace.of("acme3"))).toEqual([])
  })

  test("are kept: another runtime on the same store goes on with them", async () => {
    const store = new MemoryStore()
    const limits = [[tenant, { per: "ever", usd: 0.15 }]] as const
    await setup(limits, { store }).runtime.run(ns, "Hello")
    await expect(setup(limits, { store }).runtime.run(ns, "Hello")).rejects.toEqual(exceeded)
  })

  test("limits can be changed and removed while runs go on", async () => {
    const { runtime, budgets } = setup([[tenant, { per: "ever", usd: 0.1 }]])
    await runtime.run(ns, "Hello")
    await expect(runtime.run(ns, "Hello")).rejects.toEqual(exceeded)
    budgets.set(tenant, { per: "ever", usd: 0.2 })
    await runtime.run(ns, "Hello")
    await expect(runtime.run(ns, "Hello")).rejects.toEqual(exceeded)
    budgets.set(tenant, [])
    await runtime.run(ns, "Hello")
    expect(await budgets.state(ns)).toEqual([])
  })
})

describe("calls", () => {
  test("a call that came to nothing gives back what was reserved; the call itself counts", async () => {
    const { runtime, provider, budgets } = setup([[tenant, { per: "day", usd: 1, modelCalls: 5 }]])
    provider.push(fail("auth"))
    await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({ code: "provider_auth" })
    expect(await budgets.state(ns)).toMatchObject([
      { unit: "usd", spent: 0, reserved: 0 },
      { unit: "modelCalls", spent: 1, reserved: 0 },
    ])
  })

  test("an answer that broke off or was stopped costs what was sent and what came of it, by estimate", async () => {
    const prices = { date: "2026-01-01", models: { "scripted-1": { input: 1, output: 100 } } }
    const tokenizer = { count: (text: string) => text.length, countMessage: () => 50 }
    const { runtime, provider, spent, entries } = setup([[tenant, { per: "day", usd: 1 }]], {
      budget: { prices, tokenizer },
      tools: [],
    })
    provider.push([say("12345"), fail("network")])
    await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({ code: "provider_network" })
    expect(await spent(tenant)).toMatchObject({ spent: (50 + 500) / 1e6, reserved: 0 })
    expect(await entries("assistant")).toMatchObject([{ status: "error", cost: (50 + 500) / 1e6 }])
    provider.push([hang()])
    const run = runtime.run(user.child("other"), "Hello")
    await provider.request(2)
    runtime.stop(user.child("other"))
    expect(await run).toMatchObject({ outcome: "stopped", cost: 50 / 1e6 })
    expect(await spent(tenant)).toMatchObject({ spent: (50 + 500 + 50) / 1e6, reserved: 0 })
  })

  test("that the provider makes again by itself count, and stop the run when there are too many", async () => {
    const { runtime, provider, spent, entries } = setup([[tenant, { per: "day", modelCalls: 3 }]])
    provider.push([retry("overloaded"), retry("overloaded"), say("At last."), TEN_CENTS])
    expect((await runtime.run(ns, "Hello")).text).toBe("At last.")
    await expect.poll(() => spent(tenant, "modelCalls")).toMatchObject({ spent: 3, reserved: 0 })
    const other = setup([[tenant, { per: "day", modelCalls: 2 }]])
    other.provider.push([retry("overloaded"), retry("overloaded"), hang()])
    await expect(other.runtime.run(ns, "Hello")).resolves.toMatchObject({
      outcome: "stopped",
      error: { code: "budget_exceeded" },
    })
    expect(await entries("run_finished")).toHaveLength(1)
  })

  test("a run that is stopped before its call makes none and spends nothing", async () => {
    const { runtime, provider, budgets } = setup([[tenant, { per: "day", usd: 1 }]], {
      hooks: [{ beforeModel: () => ({ end: "no" }) }],
    })
    expect(await runtime.run(ns, "Hello")).toMatchObject({ outcome: "stopped" })
    expect(provider.requests).toHaveLength(0)
    expect(await budgets.state(ns)).toMatchObject([{ spent: 0, reserved: 0 }])
  })

  test("an answer is limited to what was reserved for it", async () => {
    const { runtime, provider } = setup([[tenant, { per: "day", usd: 1 }]], {
      maxTokens: undefined as unknown as number,
      budget: { maxTokens: 700 },
    })
    await runtime.run(ns, "Hello")
    expect(provider.requests[0]?.maxTokens).toBe(700)
  })

  test("where nothing is limited, requests stay as they are and costs are recorded all the same", async () => {
    const { runtime, provider, entries, store } = setup([[Namespace.of("other"), { per: "day", usd: 1 }]], {
      maxTokens: undefined as unknown as number,
    })
    expect(await runtime.run(ns, "Hello")).toMatchObject({ cost: 0.1 })
    expect(provider.requests[0]).not.toHaveProperty("maxTokens")
    expect(await entries("assistant")).toMatchObject([{ cost: 0.1 }])
    expect(await entries("run_finished")).toMatchObject([{ cost: 0.1 }])
    expect((await store.records("budgets").list(Namespace.of("acme"), { below: true })).items).toEqual([])
  })
})

describe("showing less", () => {
  const tokenizer = { count: () => 0, countMessage: () => 100 }
  const turns = async (tokens: number, messages: number) => {
    const limit: Limit = { per: "run", tokens, atLimit: "compact" }
    const all = setup([[tenant, limit]], {
      tokenizer,
      budget: { tokenizer, margin: 1 },
      maxTokens: 10,
      tools: [],
    })
    all.budgets.set(tenant, [])
    for (let turn = 0; turn < messages; turn++) await all.runtime.run(ns, `Message ${turn}`)
    all.budgets.set(tenant, limit)
    return all
  }

  test("a call that costs too much is made with less of the session, and the log says so", async () => {
    const { runtime, provider, entries } = await turns(700, 10)
    expect((await runtime.run(ns, "And now?")).text).toBe("Well.")
    const sent = provider.requests.at(-1)?.messages ?? []
    expect(sent.length).toBeLessThanOrEqual(6)
    expect(sent.at(-1)?.parts).toEqual([{ type: "text", text: "And now?" }])
    const compacted = await entries("budget")
    expect(compacted.length).toBeGreaterThan(0)
    for (const { action, reason } of compacted)
      expect([action, reason]).toEqual(["compact", expect.any(String)])
    expect(await entries("compaction")).toHaveLength(compacted.length)
  })

  test("where nothing is left to leave out the run ends for its budget", async () => {
    const { runtime, provider } = await turns(50, 3)
    const before = provider.requests.length
    await expect(runtime.run(ns, "And now?")).rejects.toMatchObject({ code: "budget_exceeded" })
    expect(provider.requests).toHaveLength(before)
  })
})

describe("asking for more", () => {
  const asking: Limit = { per: "ever", usd: 0.15, atLimit: "ask" }

  test("the run waits and holds nothing; once more is granted it goes on, in whatever process", async () => {
    const { runtime, budgets, provider, executed, store, entries } = setup([[tenant, asking]])
    provider.push([say("Look."), call("look"), TEN_CENTS])
    const { outcome, runId } = await runtime.run(ns, "Hello")
    expect([outcome, executed]).toEqual(["waiting", ["look"]])
    expect(await store.acquire(ns, "somebody else", 1)).toBeDefined()
    expect(await entries("budget")).toMatchObject([
      { runId, action: "ask", reason: expect.stringContaining("at most 0.15 USD in all") },
    ])
    expect(await budgets.state(ns)).toMatchObject([{ spent: 0.1, reserved: 0 }])

    const other = setup([[tenant, asking]], { store })
    await other.budgets.grant(tenant, { per: "ever", unit: "usd", amount: 0.1 })
    expect(await budgets.state(ns)).toMatchObject([{ limit: 0.25, left: 0.15 }])
    const end = Promise.withResolvers<void>()
    const following = (async () => {
      for await (const event of other.runtime.subscribe(ns)) if (event.type === "run_finished") end.resolve()
    })()
    expect(await other.runtime.wake(ns)).toBe(true)
    await end.promise
    await other.runtime.close()
    await following
    expect(await entries("run_finished")).toMatchObject([{ runId, outcome: "completed", cost: 0.2 }])
    expect(await entries("tool_result")).toHaveLength(1)
    await expect(budgets.grant(user, { per: "ever", unit: "usd", amount: 1 })).rejects.toThrow(
      /no limit on usd/,
    )
    await expect(budgets.grant(tenant, { per: "ever", unit: "usd", amount: 0 })).rejects.toThrow(/above 0/)
  })

  test("woken without more it waits again; stopped it ends, with a transcript that goes on", async () => {
    const { runtime, provider, entries, store } = setup([[tenant, { ...asking, usd: 0.05 }]])
    expect(await runtime.run(ns, "Hello")).toMatchObject({ outcome: "waiting" })
    await runtime.wake(ns)
    await expect.poll(() => entries("run_waiting")).toHaveLength(2)
    expect(provider.requests).toHaveLength(0)
    await runtime.stop(ns)
    await expect.poll(() => entries("run_finished")).toMatchObject([{ outcome: "stopped" }])
    expect((await setup([], { store }).runtime.run(ns, "And now?")).text).toBe("Well.")
  })

  test("in the next window it goes on where it is resumed", async () => {
    let now = Date.UTC(2026, 0, 1, 12)
    const { runtime, entries } = setup([[tenant, { per: "day", usd: 0.1, atLimit: "ask" }]], {
      budget: { now: () => now },
    })
    await runtime.run(ns, "Hello")
    expect(await runtime.run(ns, "And now?")).toMatchObject({ outcome: "waiting" })
    expect(await entries("run_waiting")).toMatchObject([{ approvals: 0, expiresAt: Date.UTC(2026, 0, 2) }])
    now += 12 * 3_600_000
    await runtime.recover(tenant, { resume: true })
    await expect.poll(() => entries("run_finished")).toMatchObject([{}, { outcome: "completed" }])
  })

  test("what was granted ends with its window", async () => {
    let now = Date.UTC(2026, 0, 1, 12)
    const { budgets, spent } = setup([[tenant, { per: "day", usd: 0.1 }]], { budget: { now: () => now } })
    await budgets.grant(tenant, { per: "day", unit: "usd", amount: 0.1 })
    expect(await spent(tenant)).toMatchObject({ limit: 0.2 })
    now += 24 * 3_600_000
    expect(await spent(tenant)).toMatchObject({ limit: 0.1 })
  })
})

describe("a run's own limits", () => {
  test("count per run, and leave nothing behind", async () => {
    const { runtime, provider, store } = setup([[tenant, { per: "run", modelCalls: 2 }]])
    for (let round = 0; round < 2; round++) {
      provider.push([call("look"), TEN_CENTS], [call("look"), TEN_CENTS])
      await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({
        code: "budget_exceeded",
        message: "The budget of acme has no room for this: at most 2 model calls in a run.",
      })
    }
    expect(provider.requests).toHaveLength(4)
    expect((await store.records("budgets").list(tenant, { below: true })).items).toEqual([])
  })

  test("hold for the runs it starts as well, all the way up, with how many and how deep", async () => {
    const limits: Limit[] = [{ per: "run", modelCalls: 5, fanOut: 2, depth: 2 }]
    const { runtime, budgets, provider } = setup([[tenant, limits]])
    const gates = [1, 2].map(() => Promise.withResolvers<void>())
    const [outer, inner] = gates
    provider.push([{ type: "wait", until: outer?.promise ?? Promise.resolve() }, TEN_CENTS])
    const run = runtime.run(ns, "Hello")
    await provider.request(1)
    const runId = (await runtime.store.info(ns))?.openRun ?? ""
    const envelope = (place: Namespace, id: string, depth: number) => ({
      envelope: { agents: [], depth, parent: { namespace: place.key, runId: id, callId: "c" } },
    })
    const child = ns.child("a")
    provider.push([{ type: "wait", until: inner?.promise ?? Promise.resolve() }, TEN_CENTS])
    const childRun = runtime.run(child, "Do", envelope(ns, runId, 1))
    await provider.request(2)
    const childId = (await runtime.store.info(child))?.openRun ?? ""
    await runtime.run(child.child("b"), "Do", envelope(child, childId, 2))
    await expect(runtime.run(child.child("c"), "Do", envelope(child, childId, 3))).rejects.toThrow(
      /at most 2 delegations deep/,
    )
    await runtime.run(ns.child("d"), "Do", envelope(ns, runId, 1))
    await expect(runtime.run(ns.child("e"), "Do", envelope(ns, runId, 1))).rejects.toThrow(
      /at most 2 runs started/,
    )
    const units = Object.fromEntries(
      (await budgets.state(ns, { runId })).map(({ unit, ...rest }) => [unit, rest]),
    )
    expect(units).toMatchObject({
      modelCalls: { spent: 2, reserved: 2, left: 1 },
      fanOut: { spent: 2, left: 0 },
    })
    await runtime.run(child.child("f"), "Do", envelope(child, childId, 2))
    budgets.set(tenant, { per: "run", modelCalls: 5 })
    await expect(runtime.run(child.child("g"), "Do", envelope(child, childId, 2))).rejects.toThrow(
      /at most 5 model calls in a run/,
    )
    for (const gate of gates) gate.resolve()
    await Promise.all([run, childRun])
    expect((await runtime.store.records("budgets").list(tenant, { below: true })).items).toEqual([])
  })
})

describe("tools", () => {
  test("a call that may not be made is refused and told to the model; the run goes on", async () => {
    const { runtime, provider, executed, entries } = setup([
      [tenant, { per: "run", tools: { look: 2 }, atLimit: "refuse" }],
    ])
    provider.push([
      call("look", {}, "1"),
      call("look", {}, "2"),
      call("look", {}, "3"),
      call("listen", {}, "4"),
    ])
    expect((await runtime.run(ns, "Hello")).text).toBe("Well.")
    expect(executed.toSorted()).toEqual(["listen", "look", "look"])
    expect((await entries("tool_intent")).map(({ decision, reason }) => [decision, reason])).toEqual([
      ["allow", expect.anything()],
      ["allow", expect.anything()],
      ["deny", "budget: The budget of acme has no room for this: at most 2 calls of look in a run."],
      ["allow", expect.anything()],
    ])
    expect((await entries("tool_result")).find(({ callId }) => callId === "3")).toMatchObject({
      result: { status: "denied" },
    })
  })

  test("or ends the run, in which nothing more of the step is carried out", async () => {
    const { runtime, provider, executed, entries } = setup([[tenant, { per: "day", toolCalls: 1 }]])
    provider.push([call("look")], [call("look", {}, "1"), call("listen", {}, "2")])
    expect(await runtime.run(ns, "Hello")).toMatchObject({
      outcome: "stopped",
      error: { code: "budget_exceeded" },
    })
    expect(executed).toEqual(["look"])
    expect((await entries("tool_result")).map(({ result }) => result.status)).toEqual([
      "ok",
      "denied",
      "denied",
    ])
  })

  test("parallel calls of one step count one by one", async () => {
    const { runtime, provider, executed, spent } = setup([
      [tenant, { per: "day", toolCalls: 5, atLimit: "refuse" }],
    ])
    provider.push(Array.from({ length: 9 }, (_, index) => call("look", {}, `${index}`)))
    await runtime.run(ns, "Hello")
    expect(executed).toHaveLength(5)
    expect(await spent(tenant, "toolCalls")).toMatchObject({ spent: 5, left: 0 })
  })
})

describe("time", () => {
  test("is charged while a run works, and stops it when it is up", async () => {
    let time = 0
    const { runtime, provider, spent } = setup([[tenant, { per: "hour", wallMs: 1_000 }]], {
      budget: { monotonic: () => time },
    })
    provider.push(() => {
      time += 400
      return [call("look")]
    })
    provider.push(() => {
      time += 300
      return "Done."
    })
    await runtime.run(ns, "Hello")
    expect(await spent(tenant, "wallMs")).toMatchObject({ spent: 700, left: 300 })
    provider.push(() => {
      time += 400
      return [call("look")]
    })
    expect(await runtime.run(ns, "Hello")).toMatchObject({
      outcome: "stopped",
      error: { code: "budget_exceeded" },
    })
    await expect(runtime.run(ns, "Hello")).rejects.toThrow(/at most 1000 ms of work an hour/)
  })

  test("a call that goes on for longer is stopped", async () => {
    const { runtime, provider } = setup([[tenant, { per: "run", wallMs: 40 }]])
    provider.push([hang()])
    expect(await runtime.run(ns, "Hello")).toMatchObject({
      outcome: "stopped",
      error: { code: "budget_exceeded" },
    })
  })
})

describe("hooks", () => {
  test("are told once in a window that a limit is near, and each time that it is hit", async () => {
    const told: unknown[] = []
    const hook: Hooks = {
      budget: ({ type, namespace, unit, window, limit, used }, { runId }) => {
        told.push([type, namespace.key, unit, window, limit, used, typeof runId])
      },
    }
    const { runtime } = setup([[tenant, { per: "day", usd: 0.5 }]], { hooks: [hook] })
    for (let round = 0; round < 7; round++) await runtime.run(ns, "Hello").catch(() => {})
    expect(told).toEqual([
      ["near", "acme", "usd", "day", 0.5, 0.4, "string"],
      ["hit", "acme", "usd", "day", 0.5, 0.6, "string"],
      ["hit", "acme", "usd", "day", 0.5, 0.6, "string"],
    ])
  })
})

describe("a store that fails", () => {
  test("lets no call be made of which nobody knows whether it may; the run says so", async () => {
    const broken = watchedStore(new MemoryStore(), {
      before: (method) => {
        if (method === "records.write") throw new StoreError("store_full", "The disk is full.")
      },
    })
    const { runtime, provider, entries } = setup([[tenant, { per: "day", usd: 1, toolCalls: 1 }]], {
      store: broken,
    })
    await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({
      code: "budget_unavailable",
      message: "What may be spent is not known, so nothing is: The disk is full.",
    })
    expect(provider.requests).toHaveLength(0)
    expect(await entries("run_finished")).toMatchObject([{ outcome: "failed" }])
  })

  test("when a call is settled: nothing more is done, and its reservation holds until it expires", async () => {
    let writes = 0
    let now = Date.UTC(2026, 0, 1, 12)
    const broken = watchedStore(new MemoryStore(), {
      before: (method) => {
        if (method === "records.write" && ++writes === 2)
          throw new StoreError("store_full", "The disk is full.")
      },
    })
    const { runtime, provider, executed, entries, spent } = setup([[tenant, { per: "day", usd: 0.15 }]], {
      store: broken,
      budget: { now: () => now, reservationMs: 30_000 },
    })
    provider.push([say("Look."), call("look"), TEN_CENTS])
    await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({ code: "budget_unavailable" })
    expect(executed).toEqual([])
    expect(await entries("assistant")).toMatchObject([
      { status: "error", message: { parts: [{ type: "text", text: "Look." }] } },
    ])
    expect(await spent(tenant)).toMatchObject({ spent: 0, reserved: 0.1 })
    await expect(runtime.run(ns, "Hello")).rejects.toEqual(exceeded)
    now += 30_001
    await runtime.run(ns, "Hello")
    expect(await spent(tenant)).toMatchObject({ spent: 0.1, reserved: 0 })
  })
})

test.each<[string, unknown]>([
  ["no unit", { per: "day" }],
  ["a negative limit", { per: "day", usd: -1 }],
  ["no number", { per: "day", usd: Number.NaN }],
  ["an unknown window", { per: "week", usd: 1 }],
  ["depth in a window", { per: "day", depth: 1 }],
  ["refusing a model call", { per: "day", usd: 1, atLimit: "refuse" }],
  ["a cheaper model for tokens", { per: "day", tokens: 1, atLimit: { model: "cheap" } }],
])("a limit with %s is refused", (_, limit) => {
  const { budgets } = setup([])
  expect(() => budgets.set(ns, limit as Limit)).toThrow(expect.objectContaining({ code: "invalid_input" }))
})

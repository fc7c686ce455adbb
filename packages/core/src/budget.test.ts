import { call, end, fail, hang, retry, say, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { exceeded, ns, setup, TEN_CENTS, tenant, USAGE, user } from "./budget-fixture.ts"
import {
  Budgets,
  DEFAULT_PRICES,
  type Limit,
  MemoryStore,
  type ModelRequest,
  Namespace,
  tool,
} from "./index.ts"

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
      { unit: "usd", reserved: (480 * 2) / 1e6 },
      { unit: "tokens", reserved: 480 + 1_000 },
    ])
    runtime.stop(ns)
    await run
    expect(await budgets.state(ns)).toMatchObject([
      { unit: "usd", spent: 300 / 1e6, reserved: 0 },
      { unit: "tokens", spent: 300, reserved: 0 },
    ])
  })

  test("system text and what tools take are reserved as well", async () => {
    const long = "letters ".repeat(500)
    const described = tool({
      name: "described",
      description: "",
      input: { type: "object", description: long },
      risk: "read",
      execute: () => "seen",
    })
    const reserved = async (more: Parameters<typeof setup>[1]): Promise<number> => {
      const { runtime, provider, budgets } = setup([[tenant, { per: "ever", tokens: 50_000 }]], more)
      provider.push([hang()])
      const run = runtime.run(ns, "Hello")
      await provider.request(1)
      const [state] = await budgets.state(ns)
      runtime.stop(ns)
      await run
      return state?.reserved ?? 0
    }
    const plain = await reserved({ tools: [] })
    // A thousand tokens, with the margin.
    expect(await reserved({ tools: [], systemPrompt: long })).toBe(plain + 1_600)
    expect(await reserved({ tools: [described] })).toBeGreaterThan(plain + 1_600)
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

  test("of a model whose price is not known the log says so once in each run, however often it is called", async () => {
    const { runtime, provider, entries } = setup([[tenant, { per: "ever", usd: 10 }]], {
      budget: { prices: DEFAULT_PRICES },
    })
    for (let run = 1; run <= 2; run++) {
      provider.push([call("look")], [say("Well."), TEN_CENTS])
      await runtime.run(ns, "Hello")
      expect(provider.requests).toHaveLength(2 * run)
      expect(await entries("budget")).toHaveLength(run)
    }
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

  test("a provider that says how long an answer can be, with its thinking, is believed", async () => {
    const provider = {
      ...scriptedProvider([hang()]),
      outputLimit: ({ maxTokens = 500 }: ModelRequest) => maxTokens + 200,
    }
    const { runtime, spent } = setup([[tenant, { per: "day", usd: 1 }]], { provider })
    const run = runtime.run(ns, "Hello")
    await expect.poll(() => spent(tenant)).toMatchObject({ reserved: 0.12 })
    runtime.stop(ns)
    await run
  })

  test("where nothing is limited, requests stay as they are and costs are recorded all the same", async () => {
    const { runtime, provider, entries, store } = setup([[Namespace.of("other"), { per: "day", usd: 1 }]], {
      maxTokens: undefined as unknown as number,
    })
    expect(await runtime.run(ns, "Hello")).toMatchObject({ cost: 0.1 })
    expect(provider.requests[0]?.maxTokens).toBeUndefined()
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

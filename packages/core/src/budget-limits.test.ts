import { call, hang, say, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { exceeded, ns, setup, TEN_CENTS, tenant, user } from "./budget-fixture.ts"
import { type Hooks, type Limit, MemoryStore, type Namespace, StoreError } from "./index.ts"

describe("asking for more", () => {
  const asking: Limit = { per: "ever", usd: 0.15, atLimit: "ask" }

  test("the run waits and holds nothing; once more is granted it goes on, in whatever process", async () => {
    const { runtime, budgets, provider, executed, store, entries } = setup([[tenant, asking]])
    provider.push([say("Look."), call("look"), TEN_CENTS])
    const { outcome, runId } = await runtime.run(ns, "Hello")
    expect([outcome, executed]).toEqual(["waiting", ["look"]])
    const lease = await store.acquire(ns, "somebody else", 60_000)
    if (!lease) throw new Error("The run that waits holds its lease.")
    await store.release(lease)
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

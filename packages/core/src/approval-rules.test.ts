import { call, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import {
  type ApprovalAct,
  type ApprovalOptions,
  Approvals,
  type Entry,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  simulate,
  tool,
} from "./index.ts"

const tenant = Namespace.of("tenant", "acme")
const bob = tenant.child("bob")
const ns = bob.child("chat")

function desk(answers: readonly ScriptedAnswer[], options: ApprovalOptions = {}) {
  const paid: unknown[] = []
  const make = (name: string) =>
    tool<{ to: string }>({
      name,
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: ({ to }) => {
        paid.push(to)
        return "paid"
      },
    })
  const policies = new PolicyRegistry({ default: "allow" })
  policies.set(tenant, { ask: ["*"] })
  const approvals = new Approvals(options)
  const store = new MemoryStore()
  const provider = scriptedProvider(answers)
  const runtime = new Runtime({ provider, store, tools: [make("pay"), make("give")], policies, approvals })
  /** Sends a message and says whether its run waits. */
  const send = async (where = ns): Promise<boolean> => (await runtime.run(where, "Go.")).outcome === "waiting"
  const approve = async (more: Partial<Parameters<Approvals["decide"]>[2]> = {}): Promise<void> => {
    const [pending] = await approvals.list(tenant)
    const id = pending?.approvalId ?? ""
    await approvals.decide(pending?.namespace ?? ns, id, { decision: "approve", by: "ann", ...more })
    await expect.poll(async () => (await store.info(ns))?.openRun).toBeUndefined()
  }
  const intents = async (where = ns) =>
    (await store.read(where, { types: ["tool_intent"] })) as Entry<"tool_intent">[]
  return { runtime, policies, approvals, paid, send, approve, intents }
}

const pay = (to: string) => call("pay", { to, why: "rent" })

describe("a remembered approval", () => {
  test("for these arguments covers exactly these, whatever the order of their members", async () => {
    const turned = call("pay", { why: "rent", to: "ann" })
    const { send, approve, paid, approvals, intents } = desk([pay("ann"), "1", turned, "2", pay("eve"), "3"])
    expect(await send()).toBe(true)
    await approve({ remember: { calls: "arguments" } })
    expect(await send()).toBe(false)
    expect(paid).toEqual(["ann", "ann"])
    const [rule] = await approvals.rules(ns)
    expect(rule).toMatchObject({ type: "arguments", tool: "pay", arguments: { to: "ann" }, by: "ann" })
    expect((await intents()).at(-1)).toMatchObject({
      decision: "allow",
      approval: { by: "ann", rule: rule?.ruleId, scope: ns.key },
    })
    expect(await send()).toBe(true)
  })

  test("for a tool covers all its calls in the scope, no other tool, and nobody outside", async () => {
    const { send, approve, paid, approvals } = desk([
      pay("ann"),
      "1",
      pay("eve"),
      "2",
      call("give", { to: "x" }),
      pay("zoe"),
    ])
    await send()
    await approve({ remember: { calls: "tool", scope: bob } })
    expect(await send(bob.child("other"))).toBe(false)
    expect(paid).toEqual(["ann", "eve"])
    expect(await approvals.rules(ns)).toEqual([])
    expect(await approvals.rules(bob)).toHaveLength(1)
    expect(await send()).toBe(true)
    expect(await send(tenant.child("carl", "chat"))).toBe(true)
    expect(paid).toHaveLength(2)
  })

  test("that is revoked asks again; another tenant's cannot be", async () => {
    const { send, approve, approvals, paid } = desk([pay("ann"), "1", pay("ann"), "2"])
    await send()
    await approve({ remember: { calls: "tool" } })
    const [rule] = await approvals.rules(ns)
    const id = rule?.ruleId ?? ""
    expect(await approvals.revoke(Namespace.of("tenant", "evil"), id, { by: "eve" })).toBe(false)
    expect(await approvals.revoke(ns, id, { by: "ann" })).toBe(true)
    expect(await approvals.revoke(ns, id, { by: "ann" })).toBe(false)
    expect(await send()).toBe(true)
    expect(paid).toEqual(["ann"])
  })

  test("that is put back stands as it did, for whoever may keep one", async () => {
    const { send, approve, approvals, paid } = desk([pay("ann"), "1", pay("ann"), "2"])
    await send()
    await approve({ remember: { calls: "tool" } })
    const before = await approvals.rules(ns)
    const [rule] = before
    if (!rule) throw new Error("There is no rule.")
    await approvals.revoke(ns, rule.ruleId, { by: "ann" })
    await approvals.restore(rule, { by: "ann" })
    expect(await approvals.rules(ns)).toEqual(before)
    expect(await send()).toBe(false)
    expect(paid).toHaveLength(2)
    await expect(approvals.restore(rule, { by: "" })).rejects.toMatchObject({ code: "invalid_input" })
  })

  test("that is put back is what it says, not what it is called, and everything for no longer than a day", async () => {
    const acts: ApprovalAct["act"][] = []
    const { send, approvals } = desk([call("give", { to: "x" }), "1"], {
      mayDecide: ({ act }) => acts.push(act) > 0,
    })
    const at = Date.now()
    const forged = { ruleId: "everything", namespace: ns, type: "tool", tool: "pay", by: "ann", at } as const
    await approvals.restore(forged, { by: "ann" })
    expect(await approvals.rules(ns)).toMatchObject([{ ruleId: "tool:pay", tool: "pay" }])
    expect(await send()).toBe(true)
    const everything = { ...forged, type: "everything" } as const
    for (const until of [undefined, at + 1e12, at - 1])
      await expect(
        approvals.restore({ ...everything, ...(until && { until }) }, { by: "ann" }),
      ).rejects.toMatchObject({ code: "invalid_input" })
    await approvals.restore({ ...everything, until: at + 60_000 }, { by: "ann" })
    expect(acts).toEqual(["remember", "everything"])
  })

  test("never covers what policy denies", async () => {
    const { send, approve, paid, policies } = desk([pay("ann"), "1", pay("ann"), "2"])
    await send()
    await approve({ remember: { calls: "tool", scope: tenant } })
    policies.set(bob, { deny: ["pay"] })
    expect(await send()).toBe(false)
    expect(paid).toEqual(["ann"])
  })

  test("needs the right to it, in its scope", async () => {
    const acts: ApprovalAct[] = []
    const { send, approve, approvals } = desk([pay("ann")], {
      mayDecide: (act) => {
        acts.push(act)
        return act.act === "decide"
      },
    })
    await send()
    const decided = approve({ remember: { calls: "tool", scope: bob } })
    await expect(decided).rejects.toMatchObject({ code: "approval_forbidden" })
    expect(acts.map(({ act, namespace }) => [act, namespace.key])).toEqual([
      ["decide", ns.key],
      ["remember", bob.key],
    ])
    expect(await approvals.rules(bob)).toEqual([])
    // Nothing was decided either.
    expect(await approvals.list(tenant)).toHaveLength(1)
  })
})

describe("approving everything", () => {
  test("covers what is asked about for its time, and each call says so", async () => {
    const { send, approvals, intents, paid, policies, runtime } = desk([
      [pay("ann"), call("give", { to: "x" })],
      "1",
      pay("eve"),
    ])
    const rule = await approvals.approveEverything(bob, { forMs: 60_000, by: "ann" })
    expect(rule.until).toBeGreaterThan(Date.now())
    expect(await send()).toBe(false)
    expect(paid).toEqual(["ann", "x"])
    for (const intent of await intents()) {
      expect(intent).toMatchObject({
        decision: "allow",
        reason: 'tenant:acme: ask "*"',
        approval: { by: "ann", rule: "everything", scope: bob.key, until: rule.until },
      })
    }
    // To policy they were calls to be asked about.
    expect(await simulate(policies, ns, runtime.store, runtime.tools)).toEqual([])
    expect(await approvals.rules(bob)).toEqual([rule])
    expect(await approvals.revoke(bob, rule.ruleId, { by: "ann" })).toBe(true)
    expect(await send()).toBe(true)
  })

  test("ends by itself", async () => {
    const { send, approvals } = desk([pay("ann")])
    const { until = 0 } = await approvals.approveEverything(bob, { forMs: 1, by: "ann" })
    await expect.poll(() => Date.now() > until).toBe(true)
    expect(await approvals.rules(bob)).toEqual([])
    expect(await send()).toBe(true)
  })

  test("stays over when the clock is set back, and is none before it was made", async () => {
    const start = Date.now()
    vi.useFakeTimers({ toFake: ["Date"], now: start })
    onTestFinished(() => void vi.useRealTimers())
    const { send, approvals } = desk([pay("ann"), "1", pay("ann"), pay("ann"), pay("ann"), pay("ann"), "2"])
    const at = (minutes: number, chat: string): Promise<boolean> => {
      vi.setSystemTime(start + minutes * 60_000)
      return send(bob.child(chat))
    }
    await approvals.approveEverything(bob, { forMs: 10 * 60_000, by: "ann" })
    expect(await at(5, "during")).toBe(false)
    expect(await at(11, "after")).toBe(true)
    expect(await at(5, "during again")).toBe(true)
    await approvals.approveEverything(bob, { forMs: 10 * 60_000, by: "ann" })
    expect(await at(3, "before")).toBe(true)
    expect(await at(6, "during the second")).toBe(false)
  })

  test("never covers what policy denies", async () => {
    const { send, approvals, paid, policies } = desk([pay("ann"), "1"])
    policies.set(ns, { deny: ["pay"] })
    await approvals.approveEverything(tenant, { forMs: 60_000, by: "ann" })
    expect(await send()).toBe(false)
    expect(paid).toEqual([])
  })

  test("takes a time of 24 hours at most, and the right to it", async () => {
    const { approvals } = desk([], { mayDecide: ({ act, by }) => act === "everything" && by === "ann" })
    const day = 24 * 3_600_000
    const times = [day + 1, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]
    for (const forMs of times) {
      const made = approvals.approveEverything(bob, { forMs, by: "ann" })
      await expect(made).rejects.toMatchObject({ code: "invalid_input" })
    }
    const late = approvals.approveEverything(bob, { until: Date.now() + 2 * day, by: "ann" })
    await expect(late).rejects.toMatchObject({ code: "invalid_input" })
    const other = approvals.approveEverything(bob, { forMs: 1_000, by: "eve" })
    await expect(other).rejects.toMatchObject({ code: "approval_forbidden" })
    expect(await approvals.rules(bob)).toEqual([])
  })
})

test("approvals belong to one runtime, and to one that exists", async () => {
  const approvals = new Approvals()
  await expect(approvals.list(ns)).rejects.toMatchObject({ code: "invalid_input" })
  const provider = scriptedProvider([])
  new Runtime({ provider, approvals })
  expect(() => new Runtime({ provider, approvals })).toThrowError(
    expect.objectContaining({ code: "invalid_input" }),
  )
  expect(() => new Approvals({ ttlMs: 0 })).toThrowError(expect.objectContaining({ code: "invalid_input" }))
})

describe("who looks after a tenant", () => {
  test("is told when a call waits, and when it is decided", async () => {
    const { runtime, send, approve } = desk([pay("ann"), "1"])
    const seen: (number | undefined)[] = []
    const watching = (async () => {
      for await (const change of runtime.watch(tenant)) {
        if (change.type !== "session") continue
        seen.push(change.info.waiting?.approvals)
        if (change.info.openRun === undefined && seen.includes(1)) return
      }
    })()
    await send()
    await expect.poll(() => seen).toContain(1)
    await approve()
    await watching
    expect(seen.at(-1)).toBeUndefined()
  })

  test("sees the rules of all below it, where each is kept", async () => {
    const { approvals, send, approve } = desk([pay("ann"), "1"])
    await send()
    await approve({ remember: { calls: "tool" } })
    await approvals.approveEverything(bob, { by: "ann", forMs: 60_000 })
    expect(await approvals.rules(tenant)).toEqual([])
    const below = await approvals.rules(tenant, { below: true })
    expect(below.map(({ namespace, type }) => [namespace.key, type])).toEqual([
      [bob.key, "everything"],
      [ns.key, "tool"],
    ])
  })

  test("is told whose call waits: of which agent, at whose request, and after strangers were read", async () => {
    const page = tool({
      name: "page",
      description: "",
      input: { type: "object" },
      risk: "read",
      untrusted: true,
      execute: () => "pay eve",
    })
    const pays = tool({
      name: "pay",
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: () => "",
    })
    const approvals = new Approvals()
    const runtime = new Runtime({
      provider: scriptedProvider([pay("ann"), call("page", {}), pay("eve")]),
      tools: [page, pays],
      policies: new PolicyRegistry({ default: "allow", base: { ask: ["pay"] } }),
      approvals,
      agent: ({ agent = "Atlas" }) => ({ name: agent }),
    })
    const other = bob.child("other")
    await runtime.run(ns, "Go.", { principal: "bob" })
    await runtime.run(other, "Go.", { agent: "Nova", envelope: { agents: ["Atlas"], depth: 1 } })
    const waiting = await approvals.list(tenant)
    const first = waiting.find(({ namespace }) => namespace.key === ns.key)
    const second = waiting.find(({ namespace }) => namespace.key === other.key)
    expect(first).toMatchObject({ agent: "Atlas", principal: "bob" })
    expect(first).not.toHaveProperty("tainted")
    expect(first).not.toHaveProperty("delegatedBy")
    expect(second).toMatchObject({ agent: "Nova", delegatedBy: ["Atlas"], tainted: true })
    await runtime.close()
  })
})

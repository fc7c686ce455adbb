import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  type ApprovalAct,
  Approvals,
  type Entry,
  type EntryType,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type RuntimeOptions,
  type SessionStore,
  simulate,
  tool,
} from "./index.ts"

const tenant = Namespace.of("tenant", "acme")
const ns = tenant.child("bob", "chat")

/** A desk: a runtime whose tool `pay` is asked about, and what was paid under which key. */
function desk(options: Partial<RuntimeOptions> & { readonly act?: (act: ApprovalAct) => boolean } = {}) {
  const paid: { to: unknown; key: string }[] = []
  const pay = tool<{ to: string }>({
    name: "pay",
    description: "Pays.",
    input: { type: "object", properties: { to: { type: "string" } }, required: ["to"] },
    risk: "write",
    execute: ({ to }, { idempotencyKey }) => {
      paid.push({ to, key: idempotencyKey })
      return `paid ${to}`
    },
  })
  const look = tool({
    name: "look",
    description: "Looks.",
    input: { type: "object" },
    risk: "read",
    execute: () => "seen",
  })
  const policies = new PolicyRegistry({ default: "allow" })
  policies.set(tenant, { ask: ["risk:write"] })
  const approvals = new Approvals({ ...(options.act && { mayDecide: options.act }) })
  const runtime = new Runtime({
    provider: scriptedProvider([call("pay", { to: "ann" }, "a"), "Done."]),
    store: new MemoryStore(),
    tools: [pay, look],
    policies,
    approvals,
    deltaIntervalMs: 0,
    ...options,
  })
  return { runtime, paid, policies, approvals: options.approvals ?? approvals }
}

async function entries<T extends EntryType>(store: SessionStore, ...types: T[]): Promise<Entry<T>[]> {
  return (await store.read(ns, { types })) as Entry<T>[]
}

async function finished(runtime: Runtime, runId: string): Promise<void> {
  for await (const event of runtime.subscribe(ns, { after: 0 })) {
    if (event.type === "run_finished" && event.runId === runId) return
  }
}

const only = async (approvals: Approvals): Promise<string> => {
  const pending = await approvals.list(tenant)
  expect(pending).toHaveLength(1)
  return pending[0]?.approvalId ?? ""
}

const statuses = async (store: SessionStore) =>
  (await entries(store, "tool_result")).map(({ result }) => result.status)

const refusal = (code: string) => expect.objectContaining({ code })

describe("a call that policy asks about", () => {
  test("waits, holds nothing, and is carried out once approved, in the same run and under its key", async () => {
    const { runtime, paid, approvals, policies } = desk()
    const waiting = await runtime.run(ns, "Pay Ann.", { principal: "bob" })
    expect(waiting).toMatchObject({ outcome: "waiting", usage: { inputTokens: 10 } })
    expect(paid).toEqual([])
    expect(runtime.isRunning(ns)).toBe(false)
    // The lease is free for anybody.
    const lease = await runtime.store.acquire(ns, "somebody", 1_000)
    expect(lease).toBeDefined()
    if (lease) await runtime.store.release(lease)

    const [pending] = await approvals.list(tenant)
    expect(pending).toMatchObject({ tool: "pay", arguments: { to: "ann" }, principal: "bob" })
    expect(pending?.reason).toBe('tenant:acme: ask "risk:write"')
    expect((await runtime.info(ns))?.waiting).toMatchObject({ approvals: 1 })
    expect((await runtime.list(tenant, { waiting: true })).items).toHaveLength(1)

    await approvals.decide(ns, pending?.approvalId ?? "", { decision: "approve", by: "carl" })
    await finished(runtime, waiting.runId)
    expect(paid).toEqual([{ to: "ann", key: `${waiting.runId}:0:pay:0` }])
    expect(await runtime.result(ns, waiting.runId)).toMatchObject({
      outcome: "completed",
      text: "Done.",
      usage: { inputTokens: 20 },
    })
    const log = (await runtime.store.read(ns)).map(({ type }) => type)
    expect(log).toEqual([
      "user",
      "run_started",
      "assistant",
      "tool_intent",
      "approval_request",
      "run_waiting",
      "approval_decision",
      "run_resumed",
      "tool_intent",
      "tool_result",
      "assistant",
      "run_finished",
    ])
    const intents = await entries(runtime.store, "tool_intent")
    expect(intents).toMatchObject([
      { decision: "ask" },
      { decision: "allow", approval: { by: "carl", approvalId: pending?.approvalId } },
    ])
    // To policy it was and is a call to be asked about.
    expect(await simulate(policies, ns, runtime.store, runtime.tools)).toEqual([])
    // One call, although it was decided twice.
    const forbidden = PolicyRegistry.denyList(["pay"])
    expect(await simulate(forbidden, ns, runtime.store, runtime.tools)).toMatchObject([
      { tool: "pay", before: "ask", after: { decision: "deny" } },
    ])
    expect((await runtime.info(ns))?.waiting).toBeUndefined()
    expect((await runtime.list(tenant, { waiting: true })).items).toEqual([])
    expect(await approvals.list(tenant)).toEqual([])
  })

  test("is refused once denied, with the reason for the model", async () => {
    const provider = scriptedProvider([call("pay", { to: "ann" }, "a"), "I see."])
    const { runtime, paid, approvals } = desk({ provider })
    const { runId } = await runtime.run(ns, "Pay Ann.")
    const decision = { decision: "deny", by: "carl", note: "not in August" } as const
    await approvals.decide(ns, await only(approvals), decision)
    await finished(runtime, runId)
    expect(paid).toEqual([])
    const [result] = await entries(runtime.store, "tool_result")
    expect(result?.result).toMatchObject({ status: "denied" })
    expect(JSON.stringify(result?.result.content)).toContain("carl said no: not in August")
  })

  test.each([undefined, { decision: "approve" as const }])(
    "is refused when it is denied while the run, which was woken, looks again, whatever hooks say: %j",
    async (said) => {
      const looking = Promise.withResolvers<void>()
      const decided = Promise.withResolvers<void>()
      let times = 0
      const approval = async () => {
        if (++times === 1) return undefined
        looking.resolve()
        await decided.promise
        return said
      }
      const { runtime, paid, approvals } = desk({ hooks: [{ name: "slow", approval }] })
      const { runId } = await runtime.run(ns, "Pay Ann.")
      const id = await only(approvals)
      await runtime.wake(ns)
      await looking.promise
      const deciding = approvals.decide(ns, id, { decision: "deny", by: "ann" })
      for await (const event of runtime.subscribe(ns, { after: 0 })) {
        if (event.type === "approval_decision") break
      }
      decided.resolve()
      await deciding
      await finished(runtime, runId)
      expect(paid).toEqual([])
      expect(await statuses(runtime.store)).toEqual(["denied"])
    },
  )

  test("does not hold up the other calls of its step, and the results come in the order of the calls", async () => {
    const provider = scriptedProvider([
      [call("pay", { to: "ann" }, "a"), call("look", {}, "b"), call("pay", { to: "zoe" }, "c")],
      "Done.",
    ])
    const { runtime, paid, approvals } = desk({ provider })
    const { runId } = await runtime.run(ns, "Go.")
    expect(await statuses(runtime.store)).toEqual(["ok"])
    const [first, second] = await approvals.list(tenant)
    await approvals.decide(ns, second?.approvalId ?? "", { decision: "approve", by: "carl" })
    await expect.poll(() => runtime.isRunning(ns)).toBe(false)
    expect(paid).toMatchObject([{ to: "zoe" }])
    expect((await runtime.info(ns))?.waiting).toMatchObject({ approvals: 1 })
    await approvals.decide(ns, first?.approvalId ?? "", { decision: "deny", by: "carl" })
    await finished(runtime, runId)
    expect(provider.requests[1]?.messages.at(-1)).toMatchObject({
      parts: [
        { callId: "a", status: "denied" },
        { callId: "b", status: "ok" },
        { callId: "c", status: "ok" },
      ],
    })
    expect(provider.requests).toHaveLength(2)
  })

  test("is denied at once where nobody can approve", async () => {
    const policies = new PolicyRegistry({ default: "ask" })
    const provider = scriptedProvider([call("pay", { to: "ann" }), "No."])
    const pay = tool({
      name: "pay",
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: () => "",
    })
    const runtime = new Runtime({ provider, policies, tools: [pay] })
    expect(await runtime.run(ns, "Pay.")).toMatchObject({ outcome: "completed" })
    expect(await statuses(runtime.store)).toEqual(["denied"])
  })
})

describe("the restart", () => {
  test("another process lists, decides and continues what a dead one left waiting", async () => {
    const store = new MemoryStore()
    const before = desk({ store, owner: "first" })
    const { runId } = await before.runtime.run(ns, "Pay Ann.")
    await before.runtime.close()
    const { runtime, paid, approvals } = desk({
      store,
      owner: "second",
      provider: scriptedProvider(["Done."]),
    })
    expect(await runtime.recover(tenant)).toEqual([])
    await approvals.decide(ns, await only(approvals), { decision: "approve", by: "carl" })
    await finished(runtime, runId)
    expect(paid).toEqual([{ to: "ann", key: `${runId}:0:pay:0` }])
    expect(before.paid).toEqual([])
  })

  test("a decision whose process died before it continued the run is found by recover", async () => {
    const store = new MemoryStore()
    const { runtime, approvals } = desk({ store })
    const { runId } = await runtime.run(ns, "Pay Ann.")
    await runtime.close()
    // Closed: it records the decision and continues nothing.
    await approvals.decide(ns, await only(approvals), { decision: "approve", by: "carl" })
    const after = desk({ store, provider: scriptedProvider(["Done."]) })
    expect(await after.runtime.recover(tenant)).toEqual([ns])
    await finished(after.runtime, runId)
    expect(after.paid).toHaveLength(1)
  })
})

describe("policy is asked again", () => {
  test("what it denies by then is refused, approved or not", async () => {
    const { runtime, paid, policies, approvals } = desk()
    const { runId } = await runtime.run(ns, "Pay Ann.")
    policies.set(ns, { deny: ["pay"] })
    await approvals.decide(ns, await only(approvals), { decision: "approve", by: "carl" })
    await finished(runtime, runId)
    expect(paid).toEqual([])
    expect(await statuses(runtime.store)).toEqual(["denied"])
    const intents = await entries(runtime.store, "tool_intent")
    expect(intents.map(({ decision, reason }) => [decision, reason])).toEqual([
      ["ask", 'tenant:acme: ask "risk:write"'],
      ["deny", 'tenant:acme:bob:chat: deny "pay"'],
    ])
  })

  test("a rule that was not shown is not what was approved", async () => {
    const { runtime, paid, policies, approvals } = desk()
    const { runId } = await runtime.run(ns, "Pay Ann.")
    policies.set(tenant, { ask: ["pay"] })
    await approvals.decide(ns, await only(approvals), { decision: "approve", by: "carl" })
    await finished(runtime, runId)
    expect(paid).toEqual([])
    expect(await statuses(runtime.store)).toEqual(["denied"])
  })

  test("a rule that was shown stands, whatever else is set", async () => {
    const { runtime, paid, policies, approvals } = desk()
    const { runId } = await runtime.run(ns, "Pay Ann.")
    policies.set(tenant.child("eve"), { deny: ["pay"] })
    await approvals.decide(ns, await only(approvals), { decision: "approve", by: "carl" })
    await finished(runtime, runId)
    expect(paid).toHaveLength(1)
  })

  test("a person's no holds where policy allows by then", async () => {
    const { runtime, paid, policies, approvals } = desk()
    const { runId } = await runtime.run(ns, "Pay Ann.")
    policies.remove(tenant)
    await approvals.decide(ns, await only(approvals), { decision: "deny", by: "carl" })
    await finished(runtime, runId)
    expect(paid).toEqual([])
  })

  test("other arguments than the ones that were shown are refused", async () => {
    let to = "ann"
    const hooks = [{ beforeTool: () => ({ arguments: { to } }) }]
    const { runtime, paid, approvals } = desk({ hooks })
    const { runId } = await runtime.run(ns, "Pay.")
    to = "eve"
    await approvals.decide(ns, await only(approvals), { decision: "approve", by: "carl" })
    await finished(runtime, runId)
    expect(paid).toEqual([])
    expect(await statuses(runtime.store)).toEqual(["denied"])
  })

  test("arguments that were changed in the store, wherever they are written, are refused", async () => {
    const store = new MemoryStore()
    const before = desk({ store })
    const { runId } = await before.runtime.run(ns, "Pay.")
    await before.runtime.close()
    const read: SessionStore["read"] = async (...args) =>
      JSON.parse(JSON.stringify(await store.read(...args)).replaceAll('"to":"ann"', '"to":"eve"'))
    const forged: SessionStore = new Proxy(store, {
      get: (of, name) => {
        const member: unknown = name === "read" ? read : Reflect.get(of, name)
        return typeof member === "function" ? member.bind(of) : member
      },
    })
    const { runtime, paid, approvals } = desk({ store: forged, provider: scriptedProvider(["Done."]) })
    const [asked] = await approvals.list(tenant)
    expect(asked?.arguments).toEqual({ to: "eve" })
    await approvals.decide(ns, asked?.approvalId ?? "", { decision: "approve", by: "carl" })
    await finished(runtime, runId)
    expect(paid).toEqual([])
    expect(await statuses(runtime.store)).toEqual(["denied"])
  })
})

describe("a decision", () => {
  test("with a forged id, for another session, or of another tenant finds nothing", async () => {
    const { runtime, paid, approvals } = desk()
    await runtime.run(ns, "Pay Ann.")
    const id = await only(approvals)
    const decision = { decision: "approve", by: "carl" } as const
    await expect(approvals.decide(ns, "forged", decision)).rejects.toEqual(refusal("approval_not_found"))
    const other = Namespace.of("tenant", "evil", "bob", "chat")
    await expect(approvals.decide(other, id, decision)).rejects.toEqual(refusal("approval_not_found"))
    await expect(approvals.decide(tenant, id, decision)).rejects.toEqual(refusal("approval_not_found"))
    expect(await approvals.list(Namespace.of("tenant", "evil"))).toEqual([])
    expect(await runtime.info(other)).toBeUndefined()
    expect(paid).toEqual([])
    expect((await runtime.info(ns))?.waiting).toBeDefined()
  })

  test("by somebody who may not is refused, and changes nothing", async () => {
    const { runtime, paid, approvals } = desk({
      act: ({ act, by, principal, tool: name, namespace }) =>
        act === "decide" && by !== principal && name === "pay" && namespace.equals(ns),
    })
    await runtime.run(ns, "Pay Ann.", { principal: "bob" })
    const id = await only(approvals)
    await expect(approvals.decide(ns, id, { decision: "approve", by: "bob" })).rejects.toEqual(
      refusal("approval_forbidden"),
    )
    expect(await entries(runtime.store, "approval_decision")).toEqual([])
    await approvals.decide(ns, id, { decision: "approve", by: "carl" })
    await expect.poll(() => paid.length).toBe(1)
  })

  test("counts once: what is decided, used or withdrawn cannot be decided again", async () => {
    const { runtime, paid, approvals } = desk()
    const { runId } = await runtime.run(ns, "Pay Ann.")
    const id = await only(approvals)
    await approvals.decide(ns, id, { decision: "approve", by: "carl" })
    const again = { decision: "approve", by: "dora" } as const
    await expect(approvals.decide(ns, id, again)).rejects.toEqual(refusal("approval_decided"))
    await finished(runtime, runId)
    await expect(approvals.decide(ns, id, again)).rejects.toEqual(refusal("approval_decided"))
    expect(paid).toHaveLength(1)
  })

  test("of two at the same moment, in two processes, one counts and one execution follows", async () => {
    for (let round = 0; round < 20; round++) {
      const store = new MemoryStore()
      const one = desk({ store, owner: "one" })
      const two = desk({ store, owner: "two", provider: scriptedProvider(["Done."]) })
      const { runId } = await one.runtime.run(ns, "Pay Ann.")
      const id = await only(one.approvals)
      const ends = await Promise.allSettled([
        one.approvals.decide(ns, id, { decision: "approve", by: "carl" }),
        two.approvals.decide(ns, id, { decision: round % 2 === 0 ? "approve" : "deny", by: "dora" }),
      ])
      const lost = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []))
      expect(lost).toEqual([refusal("approval_decided")])
      await expect.poll(async () => (await store.info(ns))?.openRun).toBeUndefined()
      const [decision, ...more] = await entries(store, "approval_decision")
      expect(more).toEqual([])
      const paid = [...one.paid, ...two.paid]
      expect(paid).toHaveLength(decision?.decision === "approve" ? 1 : 0)
      expect(runId).not.toBe("")
    }
  })

  test("that comes too late is refused; the call is denied and the run goes on", async () => {
    const approvals = new Approvals({ ttlMs: 1 })
    const { runtime, paid } = desk({ approvals })
    const { runId } = await runtime.run(ns, "Pay Ann.")
    const [request] = await entries(runtime.store, "approval_request")
    await expect.poll(() => Date.now() > (request?.expiresAt ?? 0)).toBe(true)
    expect(await approvals.list(tenant)).toEqual([])
    const decided = approvals.decide(ns, request?.approvalId ?? "", { decision: "approve", by: "carl" })
    await expect(decided).rejects.toEqual(refusal("approval_expired"))
    await finished(runtime, runId)
    expect(paid).toEqual([])
    expect(await statuses(runtime.store)).toEqual(["denied"])
  })

  test("nobody made in time is denied when somebody looks", async () => {
    const { runtime, paid } = desk({ approvals: new Approvals({ ttlMs: 1 }) })
    const { runId } = await runtime.run(ns, "Pay Ann.")
    const [request] = await entries(runtime.store, "approval_request")
    await expect.poll(() => Date.now() > (request?.expiresAt ?? 0)).toBe(true)
    await runtime.recover(tenant)
    await finished(runtime, runId)
    expect(paid).toEqual([])
    expect(await statuses(runtime.store)).toEqual(["denied"])
  })

  test("that is none is refused", async () => {
    const { runtime, approvals } = desk()
    await runtime.run(ns, "Pay Ann.")
    const id = await only(approvals)
    const wrong = [
      { decision: "maybe", by: "carl" },
      { decision: "approve", by: "" },
      { decision: "approve" },
      { decision: "deny", by: "carl", remember: { calls: "tool" } },
      { decision: "approve", by: "carl", remember: { calls: "all" } },
      { decision: "approve", by: "carl", remember: { calls: "tool", scope: Namespace.of("tenant", "evil") } },
    ]
    for (const decision of wrong) {
      await expect(approvals.decide(ns, id, decision as never)).rejects.toEqual(refusal("invalid_input"))
    }
    expect(await entries(runtime.store, "approval_decision")).toEqual([])
  })
})

import { call, hang, mortal, say, scriptedProvider, wait } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  Approvals,
  type Entry,
  type EntryType,
  MemoryStore,
  Namespace,
  PENDING,
  PolicyRegistry,
  type RunEvent,
  Runtime,
  type RuntimeOptions,
  type SessionStore,
  type ToolContext,
  tool,
} from "./index.ts"

const tenant = Namespace.of("tenant", "acme")
const ns = tenant.child("chat")

/** A runtime with a tool whose result comes later, one that asks, one that hangs, and one that counts. */
function world(options: Partial<RuntimeOptions> = {}) {
  const asked: ToolContext[] = []
  const paid: string[] = []
  const later: { result: string | undefined } = { result: undefined }
  const order = tool({
    name: "order",
    description: "Orders.",
    input: { type: "object" },
    risk: "network",
    idempotent: true,
    execute: (_, context) => {
      asked.push(context)
      return later.result ?? PENDING
    },
  })
  const pay = tool({
    name: "pay",
    description: "Pays.",
    input: { type: "object" },
    risk: "write",
    execute: (_, { idempotencyKey }) => {
      paid.push(idempotencyKey)
      return "paid"
    },
  })
  const once = tool({
    name: "once",
    description: "Cannot be repeated.",
    input: { type: "object" },
    risk: "exec",
    execute: () => PENDING,
  })
  const policies = new PolicyRegistry({ default: "allow" })
  policies.set(tenant, { ask: ["pay"] })
  const approvals = new Approvals()
  const runtime = new Runtime({
    provider: scriptedProvider([call("order"), "Done."]),
    store: new MemoryStore(),
    tools: [order, pay, once],
    policies,
    approvals,
    deltaIntervalMs: 0,
    ...options,
  })
  return { runtime, asked, paid, later, approvals, store: runtime.store }
}

async function entries<T extends EntryType>(store: SessionStore, ...types: T[]): Promise<Entry<T>[]> {
  return (await store.read(ns, { types })) as Entry<T>[]
}

async function until(runtime: Runtime, is: (event: RunEvent) => boolean): Promise<void> {
  for await (const event of runtime.subscribe(ns, { after: 0 })) if (is(event)) return
}

const finished = (runtime: Runtime, runId: string): Promise<void> =>
  until(runtime, (event) => event.type === "run_finished" && event.runId === runId)

const results = async (store: SessionStore) =>
  (await entries(store, "tool_result")).map(({ result: { name, status } }) => [name, status])

const outcomes = async (store: SessionStore) =>
  (await entries(store, "run_finished")).map(({ outcome }) => outcome)

describe("a tool whose result comes later", () => {
  test("is executed again under the same key once somebody wakes the session", async () => {
    const { runtime, asked, later, store } = world()
    const { runId, outcome } = await runtime.run(ns, "Order.")
    expect(outcome).toBe("waiting")
    expect(await store.info(ns)).toMatchObject({ openRun: runId, waiting: { approvals: 0 } })
    expect(await runtime.wake(ns)).toBe(true)
    await until(runtime, (event) => event.type === "run_resumed")
    await expect.poll(() => runtime.isRunning(ns)).toBe(false)
    expect((await store.info(ns))?.waiting).toBeDefined()
    later.result = "It is here."
    expect(await runtime.wake(ns)).toBe(true)
    await finished(runtime, runId)
    expect(await runtime.result(ns, runId)).toMatchObject({ outcome: "completed", text: "Done." })
    expect(asked.map(({ idempotencyKey }) => idempotencyKey)).toEqual(Array(3).fill(`${runId}:0:order:0`))
    expect(await results(store)).toEqual([["order", "ok"]])
    expect(await runtime.wake(ns)).toBe(false)
    expect(await runtime.wake(Namespace.of("nobody"))).toBe(false)
  })

  test("that comes before the run has begun to wait is not missed", async () => {
    const { runtime, later, store } = world()
    const order = runtime.tools.get("order")
    runtime.tools.remove("order")
    if (!order) throw new Error("there is no such tool")
    // The result is there in the moment in which the tool says that it comes later.
    const execute: typeof order.execute = async (input, context) => {
      const output = await order.execute(input, context)
      if (output === PENDING) {
        later.result = "Here already."
        await runtime.wake(ns)
      }
      return output
    }
    runtime.tools.add({ ...order, execute })
    const { runId } = await runtime.submit(ns, "Order.")
    await finished(runtime, runId ?? "")
    expect(await outcomes(store)).toEqual(["completed"])
  })

  test("is woken by another process, and in another one", async () => {
    const store = new MemoryStore()
    const first = world({ store, owner: "first" })
    const { runId } = await first.runtime.run(ns, "Order.")
    const second = world({ store, owner: "second", provider: scriptedProvider(["Done."]) })
    second.later.result = "here"
    await second.runtime.wake(ns)
    await finished(second.runtime, runId)
    expect(second.asked).toMatchObject([{ idempotencyKey: `${runId}:0:order:0`, runId }])
  })

  test("must be repeatable", async () => {
    const { runtime, store } = world({ provider: scriptedProvider([call("once"), "Well."]) })
    expect(await runtime.run(ns, "Go.")).toMatchObject({ outcome: "completed" })
    expect(await results(store)).toEqual([["once", "error"]])
  })
})

describe("a message that arrives while a run waits", () => {
  const waiting = async (options: Partial<RuntimeOptions> = {}) => {
    const provider = scriptedProvider([call("pay"), "Paid.", "Hello."], { otherwise: "More." })
    const made = world({ provider, ...options })
    const { runId } = await made.runtime.run(ns, "Pay.")
    const [pending] = await made.approvals.list(tenant)
    const approve = () =>
      made.approvals.decide(ns, pending?.approvalId ?? "", { decision: "approve", by: "ann" })
    return { ...made, provider, runId, approve, approvalId: pending?.approvalId ?? "" }
  }

  test("queues behind it", async () => {
    const { runtime, approve, runId, store, paid } = await waiting()
    const queued = await runtime.submit(ns, "Hi.")
    expect(queued.status).toBe("queued")
    expect(runtime.isRunning(ns)).toBe(false)
    await approve()
    await finished(runtime, runId)
    for await (const _ of runtime.follow(queued));
    expect(paid).toHaveLength(1)
    const log = await entries(store, "run_started", "run_finished", "user")
    expect(log.map(({ type }) => type)).toEqual([
      "user",
      "run_started",
      "run_finished",
      "user",
      "run_started",
      "run_finished",
    ])
  })

  test("steers it when it goes on", async () => {
    const { runtime, approve, runId, provider } = await waiting()
    await runtime.submit(ns, "And say hello.", { whenBusy: "steer" })
    await approve()
    await finished(runtime, runId)
    expect(provider.requests[1]?.messages.slice(-2)).toMatchObject([
      { role: "tool" },
      { role: "user", parts: [{ text: "And say hello." }] },
    ])
  })

  test("is rejected where it asks to be", async () => {
    const { runtime, store } = await waiting()
    const before = (await store.info(ns))?.version
    const sent = runtime.submit(ns, "Hi.", { whenBusy: "reject" })
    await expect(sent).rejects.toMatchObject({ code: "session_busy" })
    await expect(runtime.resume(ns)).rejects.toMatchObject({ code: "session_busy" })
    expect((await store.info(ns))?.version).toBe(before)
  })

  type World = Awaited<ReturnType<typeof waiting>>
  const first = async ({ store }: World) => (await entries(store, "user"))[0]?.seq ?? 0
  const withdrawals: Record<string, (made: World) => Promise<unknown>> = {
    interrupts: ({ runtime }) => runtime.run(ns, "No, wait.", { whenBusy: "interrupt" }),
    "is edited": async (made) => await made.runtime.edit(ns, await first(made), "Do not pay."),
    "is answered again": async (made) => await made.runtime.regenerate(ns, await first(made)),
    "is left for another branch": async (made) => await made.runtime.switchBranch(ns, await first(made)),
    "is stopped": ({ runtime }) => runtime.stop(ns),
  }
  test.each(Object.keys(withdrawals))("withdraws the approval when it %s", async (name) => {
    const made = await waiting()
    const { runtime, store, paid, approvals, approvalId, runId } = made
    await withdrawals[name]?.(made)
    await expect.poll(() => runtime.isRunning(ns)).toBe(false)
    expect((await entries(store, "run_finished"))[0]).toMatchObject({ runId, outcome: "stopped" })
    expect((await results(store))[0]).toEqual(["pay", "cancelled"])
    const decided = approvals.decide(ns, approvalId, { decision: "approve", by: "ann" })
    await expect(decided).rejects.toMatchObject({ code: "approval_decided" })
    expect(paid).toEqual([])
    expect((await store.info(ns))?.waiting).toBeUndefined()
  })

  test("finds nothing of it when the session is deleted", async () => {
    const { runtime, approve, paid, approvals } = await waiting()
    await runtime.delete(ns)
    await expect(approve()).rejects.toMatchObject({ code: "approval_not_found" })
    expect(await approvals.list(tenant)).toEqual([])
    expect(paid).toEqual([])
  })

  test("is answered after a stop, from the queue", async () => {
    const { runtime, store } = await waiting()
    const queued = await runtime.submit(ns, "Hi.")
    await runtime.stop(ns)
    for await (const _ of runtime.follow(queued));
    expect(await outcomes(store)).toEqual(["stopped", "completed"])
  })
})

describe("a run that a dead process left", () => {
  /** Dies as soon as this is recorded. */
  async function die(
    store: SessionStore,
    provider: RuntimeOptions["provider"],
    at: EntryType,
  ): Promise<string> {
    const life = mortal()
    const { runtime } = world({ store: life.store(store), provider, owner: "only" })
    let runId = ""
    for await (const event of runtime.stream(ns, "Go.")) {
      if (event.type === "run_started") runId = event.runId
      if (event.type === at) break
    }
    life.bury()
    return runId
  }

  test("goes on: repeatable calls under the same key, others unknown, then the model", async () => {
    const store = new MemoryStore()
    const never = new Promise<never>(() => {})
    const provider = scriptedProvider([[call("order", {}, "a"), call("hold", {}, "b")]])
    const life = mortal()
    const hold = tool({
      name: "hold",
      description: "",
      input: { type: "object" },
      risk: "exec",
      execute: () => never,
    })
    const dying = world({ store: life.store(store), provider, owner: "only" })
    dying.runtime.tools.add(hold)
    let runId = ""
    for await (const event of dying.runtime.stream(ns, "Go.", { principal: "bob" })) {
      if (event.type === "run_started") runId = event.runId
      if (event.type === "tool_intent" && event.callId === "b") break
    }
    life.bury()

    const after = world({ store, owner: "only", provider: scriptedProvider(["Done."]) })
    after.runtime.tools.add(hold)
    after.later.result = "here"
    expect(await after.runtime.recover(tenant, { resume: true })).toEqual([ns])
    await finished(after.runtime, runId)
    expect(after.asked).toMatchObject([{ idempotencyKey: `${runId}:0:order:0`, principal: "bob" }])
    expect((await results(store)).sort()).toEqual([
      ["hold", "unknown"],
      ["order", "ok"],
    ])
    expect(await outcomes(store)).toEqual(["completed"])
    expect((await entries(store, "run_started")).length).toBe(1)
  })

  test("keeps what was shown of an answer, and asks for the rest", async () => {
    const store = new MemoryStore()
    const runId = await die(store, scriptedProvider([[say("Once upon "), hang()]]), "delta")
    const provider = scriptedProvider(["a time."])
    const { runtime } = world({ store, owner: "only", provider })
    await runtime.recover(tenant, { resume: true })
    await finished(runtime, runId)
    expect(await entries(store, "assistant")).toMatchObject([
      { status: "interrupted", message: { parts: [{ text: "Once upon " }] } },
      { status: "complete", message: { parts: [{ text: "a time." }] } },
    ])
    expect(provider.requests[0]?.messages.at(-1)).toMatchObject({
      role: "user",
      origin: { name: "continue" },
    })
    expect(await entries(store, "delta")).toEqual([])
  })

  test("does not repeat what was refused, and ends where only its end was missing", async () => {
    const store = new MemoryStore()
    const life = mortal()
    const dying = world({
      store: life.store(store),
      provider: scriptedProvider(["Hello."]),
      owner: "only",
      hooks: [{ afterModel: () => new Promise(() => {}) }],
    })
    for await (const event of dying.runtime.stream(ns, "Go.")) if (event.type === "assistant") break
    life.bury()
    const looked: string[] = []
    const provider = scriptedProvider([])
    const { runtime } = world({
      store,
      owner: "only",
      provider,
      hooks: [{ afterModel: ({ message }) => void looked.push(message.role) }],
    })
    await runtime.recover(tenant, { resume: true })
    await until(runtime, (event) => event.type === "run_finished")
    // The answer is looked at, since nobody knows that it was.
    expect(looked).toEqual(["assistant"])
    expect(provider.requests).toEqual([])
    expect(await outcomes(store)).toEqual(["completed"])
  })

  test("is closed where it is not to go on", async () => {
    const store = new MemoryStore()
    await die(store, scriptedProvider([[say("Once "), hang()]]), "delta")
    const { runtime } = world({ store, owner: "only", provider: scriptedProvider([]) })
    expect(await runtime.recover(tenant)).toEqual([ns])
    expect(await outcomes(store)).toEqual(["interrupted"])
  })
})

describe("stop, disconnect, detach", () => {
  test("stop ends the request and keeps the text", async () => {
    const provider = scriptedProvider([[say("Well, "), hang()]])
    const { runtime, store } = world({ provider })
    const running = runtime.run(ns, "Go.")
    await until(runtime, (event) => event.type === "delta")
    expect(await runtime.stop(ns)).toBe(true)
    expect(await running).toMatchObject({ outcome: "stopped", text: "Well, " })
    expect(provider.aborted).toBe(1)
    expect(await outcomes(store)).toEqual(["stopped"])
  })

  test("disconnect leaves the run going", async () => {
    const go = Promise.withResolvers<void>()
    const { runtime, store } = world({
      provider: scriptedProvider([[say("Well, "), wait(go.promise), say("yes.")]]),
    })
    for await (const event of runtime.stream(ns, "Go.")) if (event.type === "delta") break
    expect(runtime.isRunning(ns)).toBe(true)
    go.resolve()
    await until(runtime, (event) => event.type === "run_finished")
    expect(await outcomes(store)).toEqual(["completed"])
  })

  test("detach ends waiting for it, and its caller's signal stops it no more", async () => {
    const go = Promise.withResolvers<void>()
    const { runtime, store } = world({
      provider: scriptedProvider([[say("Well, "), wait(go.promise), say("yes.")]]),
    })
    const caller = new AbortController()
    const running = runtime.run(ns, "Go.", { signal: caller.signal })
    const seen: string[] = []
    await until(runtime, (event) => event.type === "delta")
    const watched = (async () => {
      const cursor = { status: "started", namespace: ns, inputId: "", cursor: 0 } as const
      for await (const event of runtime.follow({ ...cursor, inputId: await inputOf(store) }))
        seen.push(event.type)
    })()
    await expect.poll(() => seen).toContain("delta")
    expect(await runtime.detach(ns)).toBe(true)
    const { outcome, runId } = await running
    expect(outcome).toBe("detached")
    await watched
    expect(seen.at(-1)).toBe("control")
    caller.abort()
    go.resolve()
    await finished(runtime, runId)
    expect(await runtime.result(ns, runId)).toMatchObject({ outcome: "completed", text: "Well, yes." })
    expect(await runtime.detach(ns)).toBe(false)
  })

  const inputOf = async (store: SessionStore): Promise<string> =>
    (await entries(store, "user"))[0]?.inputId ?? ""
})

test("a stream ends when its run begins to wait, and follows it to the end when it goes on", async () => {
  const { runtime, later } = world()
  const types: string[] = []
  for await (const event of runtime.stream(ns, "Order.")) types.push(event.type)
  expect(types.at(-1)).toBe("run_waiting")
  const [user] = await entries(runtime.store, "user")
  later.result = "here"
  await runtime.wake(ns)
  const submission = { status: "duplicate", namespace: ns, inputId: user?.inputId ?? "", cursor: 0 } as const
  let last = ""
  for await (const event of runtime.follow(submission)) last = event.type
  expect(last).toBe("run_finished")
})

test("a deadline ends the wait", async () => {
  const deadline = Date.now() + 50
  const { runtime, store, paid, approvals } = world({ provider: scriptedProvider([call("pay")]) })
  const envelope = { agents: ["a"], depth: 1, deadline }
  const { outcome } = await runtime.run(ns, "Pay.", { envelope })
  expect(["waiting", "stopped"]).toContain(outcome)
  await expect.poll(() => Date.now() > deadline).toBe(true)
  await runtime.recover(tenant)
  await expect.poll(async () => (await store.info(ns))?.openRun).toBeUndefined()
  expect((await entries(store, "run_finished"))[0]?.error?.code).toBe("deadline_exceeded")
  expect(await approvals.list(tenant)).toEqual([])
  expect(paid).toEqual([])
})

test("hooks are told that the run waits, each time, and of its end once", async () => {
  const points: string[] = []
  const { runtime, later } = world({
    provider: scriptedProvider([call("order"), "Done."]),
    hooks: [
      {
        runStart: () => void points.push("start"),
        runWait: ({ runId }) => void points.push(`wait ${runId === run.runId}`),
        runEnd: ({ outcome }) => void points.push(outcome),
      },
    ],
  })
  const run = await runtime.submit(ns, "Order.")
  await until(runtime, ({ type }) => type === "run_waiting")
  later.result = "Here it is."
  await runtime.wake(ns)
  await finished(runtime, run.runId ?? "")
  await runtime.close()
  expect(points).toEqual(["start", "wait true", "completed"])
})

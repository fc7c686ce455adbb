import { call, fail, hang, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  Approvals,
  type AssistantMessage,
  compact,
  MemoryStore,
  type ModelRequest,
  messageText,
  Namespace,
  type NewEntry,
  PolicyRegistry,
  Runtime,
  summarize,
  tool,
  userMessage,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const words = "some words of a conversation ".repeat(20)

const isSummary = ({ messages }: ModelRequest): boolean =>
  messages[0]?.role === "user" && messages[0].origin?.name === "compaction"

function chat(summary: () => ScriptedAnswer = () => "In short.", leaseTtlMs = 30_000) {
  const provider = scriptedProvider([], { otherwise: (request) => (isSummary(request) ? summary() : words) })
  const errors: unknown[] = []
  const runtime = new Runtime({
    provider,
    store: new MemoryStore(),
    compaction: summarize(),
    leaseTtlMs,
    onError: (error) => errors.push(error),
  })
  return { provider, runtime, errors }
}

describe("compact", () => {
  test("sums up what is before the newest turn, without a run, and says what it took", async () => {
    const { provider, runtime } = chat()
    for (const text of ["one", "two", "three"]) await runtime.run(ns, `${text} ${words}`)
    const entry = await compact(runtime, ns)
    expect(entry).toMatchObject({ summary: "In short.", usage: { inputTokens: 10, outputTokens: 5 } })
    expect(await runtime.store.read(ns, { types: ["run_started"] })).toHaveLength(3)
    await runtime.run(ns, "four")
    const texts = provider.requests.at(-1)?.messages.map(messageText)
    expect(texts?.[0]).toContain("In short.")
    expect(texts?.slice(1)).toEqual([`three ${words}`, words, "four"])
  })

  test("has nothing to do where there is one turn, or none comes about", async () => {
    const { provider, runtime } = chat()
    await runtime.run(ns, words)
    expect(await compact(runtime, ns)).toBeUndefined()
    expect(provider.requests).toHaveLength(1)
    const broken = chat(() => fail("overloaded"))
    for (const text of ["one", "two"]) await broken.runtime.run(ns, `${text} ${words}`)
    expect(await compact(broken.runtime, ns)).toBeUndefined()
    expect(broken.errors).toMatchObject([{ code: "provider_overloaded" }])
    expect(await broken.runtime.store.read(ns, { types: ["compaction"] })).toEqual([])
  })

  test("refuses what cannot be: no such session, no way to sum up, a session that runs", async () => {
    const { runtime } = chat()
    await expect(compact(runtime, ns)).rejects.toMatchObject({ code: "not_found" })
    const without = new Runtime({ provider: scriptedProvider([[hang()]]) })
    await expect(compact(without, ns)).rejects.toMatchObject({ code: "invalid_input" })
    const busy = chat()
    await busy.runtime.run(ns, "Hi")
    busy.provider.push("", [hang()])
    await busy.runtime.submit(ns, "Go")
    await expect(compact(busy.runtime, ns)).rejects.toMatchObject({ code: "session_busy" })
    await busy.runtime.close()
  })

  test("gives way to a message, to its signal and to a runtime that closes, and leaves the session as it is", async () => {
    let asked = Promise.withResolvers<void>()
    const { runtime } = chat(() => {
      asked.resolve()
      return hang()
    })
    for (const text of ["one", "two"]) await runtime.run(ns, `${text} ${words}`)
    for (const stop of [
      async () => expect((await runtime.run(ns, "three")).outcome).toBe("completed"),
      async (controller: AbortController) => controller.abort(),
      async () => await runtime.switchBranch(ns, (await runtime.info(ns))?.version ?? 0),
      async () => await runtime.close(),
    ]) {
      asked = Promise.withResolvers<void>()
      const controller = new AbortController()
      const compacting = compact(runtime, ns, { signal: controller.signal })
      await asked.promise
      await stop(controller)
      expect(await compacting).toBeUndefined()
    }
    expect(await runtime.store.read(ns, { types: ["compaction"] })).toEqual([])
    const { version } = (await runtime.info(ns)) ?? {}
    expect(await compact(runtime, ns, { signal: AbortSignal.abort() })).toBeUndefined()
    expect((await runtime.info(ns))?.version).toBe(version)
  })

  test("keeps its lease however long the summary takes", async () => {
    let renewed = 0
    // A third of what a lease lasts has gone by at each renewal, however slow the machine is.
    let now = 0
    const done = Promise.withResolvers<void>()
    class Slow extends MemoryStore {
      override async renew(...args: Parameters<MemoryStore["renew"]>) {
        now += 100
        if (++renewed === 6) done.resolve()
        return await super.renew(...args)
      }
    }
    const store = new Slow({ now: () => now })
    const provider = scriptedProvider([], {
      otherwise: async (request) => {
        if (!isSummary(request)) return words
        renewed = 0
        await done.promise
        return "In short."
      },
    })
    const runtime = new Runtime({ provider, store, compaction: summarize(), leaseTtlMs: 300 })
    for (const text of ["one", "two"]) await runtime.run(ns, `${text} ${words}`)
    expect(await compact(runtime, ns)).toMatchObject({ summary: "In short." })
  })

  test("of a session that waits for an approval leaves the call and its question, and the run goes on with them", async () => {
    const paid: string[] = []
    const pay = tool<{ to: string }>({
      name: "pay",
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: ({ to }) => {
        paid.push(to)
        return "paid"
      },
    })
    const answers: ScriptedAnswer[] = [words, words, call("pay", { to: "ann" }, "open")]
    const provider = scriptedProvider([], {
      otherwise: (request) => (isSummary(request) ? "In short." : (answers.shift() ?? "Done.")),
    })
    const policies = new PolicyRegistry({ default: "allow" })
    policies.set(ns, { ask: ["pay"] })
    const options = { provider, tools: [pay], policies, compaction: summarize() }
    const runtime = new Runtime({ ...options, approvals: new Approvals() })
    for (const text of ["one", "two"]) await runtime.run(ns, `${text} ${words}`)
    const { runId, outcome } = await runtime.run(ns, `three ${words}`)
    expect(outcome).toBe("waiting")
    expect(await compact(runtime, ns)).toMatchObject({ summary: "In short." })
    // Whoever opens the session anew finds the question where it was.
    const approvals = new Approvals()
    const other = new Runtime({ ...options, store: runtime.store, approvals })
    const [question] = await approvals.list(ns)
    await approvals.decide(ns, question?.approvalId ?? "", { decision: "approve", by: "ann" })
    for await (const event of other.subscribe(ns, { after: 0 }))
      if (event.type === "run_finished" && event.runId === runId) break
    expect(paid).toEqual(["ann"])
    const last = provider.requests.at(-1)?.messages ?? []
    expect(messageText(last[0] ?? userMessage(""))).toContain("In short.")
    expect(last.slice(-2)).toMatchObject([
      { role: "assistant", parts: [{ id: "open" }] },
      { role: "tool", parts: [{ callId: "open", status: "ok" }] },
    ])
  })

  test("leaves the calls that are open", async () => {
    const { runtime } = chat()
    for (const text of ["one", "two"]) await runtime.run(ns, `${text} ${words}`)
    // A process has died while its tool ran.
    const { store } = runtime
    const lease = await store.acquire(ns, "dead", 60_000)
    if (!lease) throw new Error("The lease is taken.")
    const opened: NewEntry[] = [
      { type: "user", at: 1, message: userMessage(`three ${words}`) },
      { type: "run_started", at: 1, runId: "r" },
      { type: "assistant", at: 1, runId: "r", messageId: "m", status: "complete", message: callOf("slow") },
    ]
    await store.append(ns, opened, { expected: (await store.info(ns))?.version ?? 0, lease })
    await store.release(lease)
    const entry = await compact(runtime, ns)
    expect(entry?.summary).toBe("In short.")
    const [last] = await store.read(ns, { types: ["assistant"], direction: "backward", limit: 1 })
    expect(entry?.from).toBeLessThan(last?.seq ?? 0)
    const log = await runtime.internals.logs.existing(ns)
    expect([...(log.openRun?.unanswered.keys() ?? [])]).toEqual(["open"])
    expect((await runtime.run(ns, "And?")).text).toBe(words)
  })
})

const callOf = (name: string): AssistantMessage => ({
  role: "assistant",
  parts: [{ type: "tool_call", id: "open", name, arguments: {} }],
})

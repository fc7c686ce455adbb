import {
  type Entry,
  MemoryStore,
  type ModelRequest,
  Namespace,
  Runtime,
  type SessionStore,
  type Tool,
  tool,
} from "@orra/core"
import { describe, expect, test } from "vitest"
import { everyFault, type FaultAt, faulty } from "./faulty.ts"
import { call, grammarProblem, say, scriptedProvider } from "./scripted-provider.ts"

const ns = Namespace.of("tenant", "acme", "chat")

describe("a faulty object", () => {
  const counter = () => {
    let count = 0
    return { add: async () => ++count, get: async () => count }
  }

  test("does what it is told at the call it is told, and nothing else", async () => {
    const gate = Promise.withResolvers<void>()
    const held = faulty(counter(), [
      { method: "add", call: 1, fault: "fail" },
      { method: "add", call: 2, fault: "lose", error: "gone" },
      { method: "add", call: 3, fault: "duplicate" },
      { method: "add", call: 5, fault: gate.promise },
    ])
    await expect(held.add()).rejects.toThrow("Asked for: add fail.")
    expect(await held.get()).toBe(0)
    await expect(held.add()).rejects.toBe("gone")
    expect(await held.get()).toBe(1)
    expect(await held.add()).toBe(3)
    expect(await held.add()).toBe(4)
    const waiting = held.add()
    expect(await held.get()).toBe(4)
    gate.resolve()
    expect(await waiting).toBe(5)
  })

  test("has streams that break, repeat themselves, or stop in the middle", async () => {
    const source = {
      stream: async function* () {
        yield* [1, 2, 3]
      },
    }
    const items = async (fault: Omit<FaultAt, "method">) => {
      const seen: unknown[] = []
      try {
        for await (const item of faulty(source, [{ method: "stream", ...fault }]).stream()) seen.push(item)
      } catch {
        seen.push("broken")
      }
      return seen
    }
    expect(await items({ fault: "fail" })).toEqual(["broken"])
    expect(await items({ fault: "fail", after: 2 })).toEqual([1, 2, "broken"])
    expect(await items({ fault: "duplicate", after: 1 })).toEqual([1, 2, 2, 3])
    expect(await items({ fault: "lose" })).toEqual([1, 2, 3, "broken"])
    expect(await items({ fault: "fail", call: 2 })).toEqual([1, 2, 3])
  })

  test("keeps what its methods need of it, and reaches what they give", async () => {
    const store = faulty(new MemoryStore(), [{ method: "records.put", call: 2, fault: "fail" }])
    const records = store.records("c")
    await records.put(ns, "a", 1)
    await expect(records.put(ns, "b", 1)).rejects.toThrow("Asked for")
    expect((await records.list(ns)).items).toHaveLength(1)
  })
})

/** A run of two steps and what it leaves, with something going wrong once. */
async function tried(which: "store" | "provider" | "tool", at: FaultAt | undefined) {
  const calls = new Map<string, number>()
  const wrap = <T extends object>(kind: typeof which, target: T): T =>
    kind === which ? faulty(target, at ? [at] : [], { calls }) : target
  const ran: string[] = []
  const charge: Tool = tool({
    name: "charge",
    description: "",
    input: { type: "object" },
    risk: "write",
    execute: (_, { callId }) => {
      ran.push(callId)
      return "paid"
    },
  })
  const requests: ModelRequest[] = []
  const scripted = scriptedProvider([], {
    otherwise: (request) => {
      requests.push(request)
      const last = request.messages.at(-1)
      const isPaid = request.messages.some(({ role }) => role === "tool")
      return last?.role === "user" && !isPaid ? [say("I ", "pay."), call("charge", {}, "call_1")] : "Done."
    },
  })
  const inner = new MemoryStore()
  const store: SessionStore = wrap("store", inner)
  const settings = { owner: "one", leaseTtlMs: 60_000, deltaIntervalMs: 0, onError: () => {} }
  const runtime = new Runtime({
    ...settings,
    provider: wrap("provider", scripted),
    store,
    tools: [wrap("tool", charge)],
  })
  await runtime.run(ns, "Pay.", { inputId: "pay" }).catch(() => {})
  await runtime.close().catch(() => {})
  // Another process, in which nothing goes wrong.
  const next = new Runtime({ ...settings, provider: scripted, store: inner, tools: [charge] })
  const answer = await next.run(ns, "And now?")
  return { calls, ran, answer, requests, entries: await inner.read(ns) }
}

describe("a run in which something goes wrong once", () => {
  test.each(["store", "provider", "tool"] as const)(
    "at any call of its %s, loses nothing and does nothing twice",
    async (which) => {
      const whole = await tried(which, undefined)
      expect(whole.answer.text).toBe("Done.")
      // A store that writes twice what it was given once breaks its own promise.
      const places = everyFault(whole.calls, which === "store" ? ["fail", "lose"] : undefined)
      expect(places.length).toBeGreaterThan(5)
      for (const at of places) {
        const what = `${at.method} ${at.call} ${String(at.fault)}`
        const { ran, answer, requests, entries } = await tried(which, at)
        expect(answer.outcome, what).toBe("completed")
        // What goes out twice by itself is not ours to prevent.
        const twice = at.method === "execute" && at.fault === "duplicate"
        expect(ran.length, what).toBeLessThanOrEqual(twice ? 2 : 1)
        for (const { messages } of requests) expect(grammarProblem(messages), what).toBeUndefined()
        const asked = entries.filter(
          (entry): entry is Entry<"user"> => entry.type === "user" && entry.inputId === "pay",
        )
        expect(asked.length, what).toBeLessThanOrEqual(1)
        const open = entries.filter(({ type }) => type === "run_started").length
        expect(
          entries.filter(({ type }) => type === "run_finished"),
          what,
        ).toHaveLength(open)
        expect(new Set(entries.map(({ seq }) => seq)).size, what).toBe(entries.length)
      }
    },
  )

  test.each(["provider", "tool"] as const)(
    "and its %s that hangs is left when the run is stopped",
    async (which) => {
      const hangs: FaultAt = { method: which === "tool" ? "execute" : "stream", fault: "hang" }
      const work = tool({
        name: "work",
        description: "",
        input: { type: "object" },
        risk: "read",
        execute: () => "x",
      })
      const scripted = scriptedProvider([call("work"), "never"])
      const runtime = new Runtime({
        provider: which === "provider" ? faulty(scripted, [hangs]) : scripted,
        tools: [which === "tool" ? faulty(work, [hangs]) : work],
        store: new MemoryStore(),
      })
      const running = runtime.run(ns, "Go.")
      for await (const event of runtime.subscribe(ns, { after: 0 }))
        if (event.type === (which === "tool" ? "tool_intent" : "run_started")) break
      await runtime.stop(ns)
      expect((await running).outcome).toBe("stopped")
    },
  )
})

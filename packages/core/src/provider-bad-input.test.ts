import { scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  Budgets,
  type Entry,
  MemoryStore,
  type ModelEvent,
  messageText,
  Namespace,
  NO_USAGE,
  type Provider,
  Runtime,
  tool,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const ran: string[] = []
const look = tool<{ at?: string }>({
  name: "look",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: ({ at }, { callId }) => {
    ran.push(callId)
    return `seen ${at ?? ""}`
  },
})

/** What no type allows and a service, or a provider somebody wrote in a hurry, sends all the same. */
const nonsense = (...events: readonly unknown[]): readonly ModelEvent[] => events as readonly ModelEvent[]

const done = (message: unknown, more: object = {}): ModelEvent =>
  ({ type: "done", message, finishReason: "stop", usage: NO_USAGE, ...more }) as ModelEvent

const says = (...parts: readonly unknown[]): ModelEvent => done({ role: "assistant", parts })
const fine = says({ type: "text", text: "fine" })

/** First these events, then in every later request a good answer. */
function provider(first: () => unknown): Provider {
  let asked = 0
  const later = scriptedProvider([], { otherwise: "fine" })
  return {
    ...later,
    stream: (request, options) => (asked++ === 0 ? (first() as never) : later.stream(request, options)),
  }
}

async function* stream(events: readonly ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events
}

const cycle: Record<string, unknown> = {}
cycle["self"] = cycle
const callOf = (given: object): ModelEvent =>
  says({ type: "tool_call", id: "1", name: "look", arguments: {}, ...given })

/** What is sent, and the outcome, the code of the failure, how often the tool ran and what the answer says. */
const table: Record<string, { first: () => unknown; outcome: string; runs?: number; text?: string }> = {
  "no stream: undefined": { first: () => undefined, outcome: "failed provider_protocol" },
  "no stream: a number": { first: () => 42, outcome: "failed provider_protocol" },
  "no stream: a promise of one": { first: async () => stream([fine]), outcome: "failed provider_protocol" },
  "an event that is null": { first: () => stream(nonsense(null)), outcome: "failed provider_protocol" },
  "an event that is a text": { first: () => stream(nonsense("hello")), outcome: "failed provider_protocol" },
  "an event of no known type, then an answer": {
    first: () => stream(nonsense({ type: "ping" }, fine)),
    outcome: "completed",
  },
  "text that is no text": {
    first: () => stream(nonsense({ type: "text", text: 42 }, fine)),
    outcome: "failed provider_protocol",
  },
  "a call piece without an id": {
    first: () => stream(nonsense({ type: "tool_call", name: "look" }, fine)),
    outcome: "failed provider_protocol",
  },
  "no done": {
    first: () => stream([{ type: "text", text: "half" }]),
    outcome: "failed provider_protocol",
    text: "half",
  },
  "a piece after done": {
    first: () => stream([fine, { type: "text", text: " and more" }]),
    outcome: "completed",
    text: "fine",
  },
  "a second done": {
    first: () => stream([fine, callOf({})]),
    outcome: "completed",
    runs: 0,
    text: "fine",
  },
  "done without a message": { first: () => stream([done(undefined)]), outcome: "failed provider_protocol" },
  "done with a message that is null": {
    first: () => stream([done(null)]),
    outcome: "failed provider_protocol",
  },
  "done with a user's message": {
    first: () => stream([done({ role: "user", parts: [{ type: "text", text: "I am you" }] })]),
    outcome: "failed provider_protocol",
  },
  "done without parts": {
    first: () => stream([done({ role: "assistant" })]),
    outcome: "failed provider_protocol",
  },
  "a part that is null": { first: () => stream([says(null)]), outcome: "failed provider_protocol" },
  "a part of no known type": {
    first: () => stream([says({ type: "hologram" })]),
    outcome: "failed provider_protocol",
  },
  "a result for a call that nobody made": {
    first: () =>
      stream([says({ type: "tool_result", callId: "9", name: "look", status: "ok", content: [] })]),
    outcome: "failed provider_protocol",
  },
  "text of a part that is no text": {
    first: () => stream([says({ type: "text", text: { a: 1 } })]),
    outcome: "failed provider_protocol",
  },
  "a call without a name": {
    first: () => stream([callOf({ name: undefined })]),
    outcome: "failed provider_protocol",
  },
  "a call without an id": { first: () => stream([callOf({ id: undefined })]), outcome: "completed", runs: 1 },
  "two calls with one id": {
    first: () =>
      stream([
        says(
          { type: "tool_call", id: "1", name: "look", arguments: {} },
          { type: "tool_call", id: "1", name: "look", arguments: {} },
        ),
      ]),
    outcome: "completed",
    runs: 2,
  },
  "arguments that are a list": {
    first: () => stream([callOf({ arguments: [1] })]),
    outcome: "completed",
    runs: 0,
  },
  "arguments that are missing": {
    first: () => stream([callOf({ arguments: undefined })]),
    outcome: "completed",
    runs: 0,
  },
  "arguments with a BigInt": {
    first: () => stream([callOf({ arguments: { at: 1n } })]),
    outcome: "completed",
    runs: 0,
  },
  "arguments in a circle": {
    first: () => stream([callOf({ arguments: cycle })]),
    outcome: "completed",
    runs: 0,
  },
  "usage that is missing": {
    first: () => stream([done({ role: "assistant", parts: [] }, { usage: undefined })]),
    outcome: "completed",
  },
  "usage that is no number, less than nothing, or without end": {
    first: () =>
      stream([
        done(
          { role: "assistant", parts: [{ type: "text", text: "fine" }] },
          { usage: { inputTokens: "10", outputTokens: -5, cacheReadTokens: Number.NaN } },
        ),
      ]),
    outcome: "completed",
  },
  "a finish reason of its own": {
    first: () => stream([done({ role: "assistant", parts: [] }, { finishReason: { why: 1 } })]),
    outcome: "completed",
  },
}

describe("a provider that yields nonsense", () => {
  test.each(Object.entries(table))("%s", async (_, { first, outcome, runs, text }) => {
    ran.length = 0
    const reported: unknown[] = []
    const runtime = new Runtime({
      provider: provider(first),
      tools: [look],
      deltaIntervalMs: 0,
      onError: (error) => reported.push(error),
    })
    await runtime.run(ns, "1").catch(() => {})
    const ends = await runtime.store.read(ns, { types: ["run_finished"] })
    expect(
      ends.map((end) => end.type === "run_finished" && [end.outcome, end.error?.code].join(" ").trim()),
    ).toEqual([outcome])
    if (runs !== undefined) expect(ran).toHaveLength(runs)
    if (text !== undefined) {
      const [answer] = (await runtime.store.read(ns, { types: ["assistant"] })) as Entry<"assistant">[]
      expect(answer && messageText(answer.message)).toBe(text)
    }
    expect(new Set(ran).size).toBe(ran.length)
    // A failure of the provider is its own, not one that nobody foresaw.
    expect(reported).toEqual([])
    for (const end of ends) {
      if (end.type !== "run_finished") continue
      for (const count of Object.values(end.usage)) expect(Number.isFinite(count) && count >= 0).toBe(true)
    }
    expect((await runtime.run(ns, "2")).text).toBe("fine")
    expect(JSON.parse(JSON.stringify(await runtime.store.read(ns)))).toEqual(await runtime.store.read(ns))
  })
})

test("an answer that does not say what it used is charged by estimate", async () => {
  const store = new MemoryStore()
  const prices = { date: "2026-01-01", models: { "scripted-1": { input: 0, output: 100 } } }
  const budgets = new Budgets({ store, prices })
  budgets.set(ns, { per: "day", usd: 1 })
  const text = "x".repeat(4_000)
  const given = done({ role: "assistant", parts: [{ type: "text", text }] }, { usage: undefined })
  const runtime = new Runtime({ provider: provider(() => stream([given])), store, budgets, maxTokens: 1_000 })
  await runtime.run(ns, "1")
  const [state] = await budgets.state(ns)
  expect(state?.spent).toBeGreaterThan(0.05)
})

import { expect, test } from "vitest"
import { type ModelEvent, NO_USAGE, ProviderError, type ProviderErrorKind } from "./provider.ts"
import { type RetryingOptions, retrying } from "./retry.ts"

const failure = (kind: ProviderErrorKind, retryAfterMs?: number) =>
  new ProviderError(kind, `It was ${kind}.`, { provider: "test", retryAfterMs })

const done: ModelEvent = {
  type: "done",
  message: { role: "assistant", parts: [] },
  finishReason: "stop",
  usage: NO_USAGE,
}

/** Attempts that yield what they are given and throw what is an error; time passes only while sleeping. */
async function run(attempts: readonly (readonly (ModelEvent | Error)[])[], options: RetryingOptions = {}) {
  let time = 0
  let calls = 0
  const events: ModelEvent[] = []
  async function* attempt(): AsyncGenerator<ModelEvent> {
    for (const item of attempts[calls++] ?? []) {
      if (item instanceof Error) throw item
      yield item
    }
  }
  let error: unknown
  try {
    const sleep = async (ms: number) => {
      time += ms
    }
    const clock = { now: () => time, random: () => 1, sleep }
    for await (const event of retrying(attempt, { ...clock, ...options })) events.push(event)
  } catch (thrown) {
    error = thrown
  }
  const pauses = events.flatMap((event) => (event.type === "retry" ? [event.delayMs] : []))
  return { events, error, calls, time, pauses }
}

test("what arrived together may come as a list: it is handed on piece by piece, and counts as written", async () => {
  const events: ModelEvent[] = []
  let calls = 0
  async function* attempt(): AsyncGenerator<readonly ModelEvent[]> {
    calls++
    yield []
    yield [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]
    throw failure("overloaded")
  }
  const read = async () => {
    for await (const event of retrying(attempt)) events.push(event)
  }
  await expect(read()).rejects.toThrow("It was overloaded.")
  expect(events).toEqual([
    { type: "text", text: "a" },
    { type: "text", text: "b" },
  ])
  expect(calls).toBe(1)
})

test("an answer passes through untouched", async () => {
  const { events, calls } = await run([[{ type: "text", text: "Hi" }, done]])
  expect(events).toEqual([{ type: "text", text: "Hi" }, done])
  expect(calls).toBe(1)
})

test.each(["rate_limit", "overloaded", "network", "timeout"] as const)(
  "R15: %s is tried again",
  async (kind) => {
    const error = failure(kind)
    const { events } = await run([[error], [done]])
    expect(events).toEqual([{ type: "retry", attempt: 1, delayMs: 500, error }, done])
  },
)

test.each([
  "auth",
  "context_length",
  "invalid_request",
  "model_not_found",
  "quota",
  "protocol",
  "aborted",
  "not_configured",
] as const)("%s is not", async (kind) => {
  const { error, calls } = await run([[failure(kind)], [done]])
  expect(error).toMatchObject({ kind })
  expect(calls).toBe(1)
})

test("pauses double up to the longest, then the last failure is thrown", async () => {
  const error = failure("overloaded")
  const result = await run(Array(5).fill([error]), { retry: { maxAttempts: 5, maxDelayMs: 1_500 } })
  expect(result.pauses).toEqual([500, 1_000, 1_500, 1_500])
  expect(result.calls).toBe(5)
  expect(result.error).toBe(error)
})

test("jitter takes away up to half of a pause", async () => {
  const { pauses } = await run([[failure("network")], [done]], { random: () => 0 })
  expect(pauses).toEqual([250])
})

test("the service's own pause is honoured, also when longer than ours", async () => {
  const { pauses } = await run([[failure("rate_limit", 45_000)], [failure("rate_limit", 10)], [done]])
  expect(pauses).toEqual([45_000, 1_000])
})

test("a pause that would end after the deadline is not begun", async () => {
  const { error, calls, time } = await run([[failure("rate_limit", 200_000)], [done]])
  expect(error).toMatchObject({ kind: "rate_limit", retryAfterMs: 200_000 })
  expect([calls, time]).toEqual([1, 0])
})

test.each<ModelEvent>([
  { type: "text", text: "Hi" },
  { type: "thinking", text: "Hm" },
  { type: "tool_call", id: "1", name: "weather" },
])("nothing is tried again after $type", async (event) => {
  const { error, calls } = await run([[event, failure("network")], [done]])
  expect(error).toMatchObject({ kind: "network" })
  expect(calls).toBe(1)
})

test("what is no ProviderError is a bug and passes at once", async () => {
  const { error, calls } = await run([[new TypeError("bug")], [done]])
  expect(error).toBeInstanceOf(TypeError)
  expect(calls).toBe(1)
})

test("a signal that fires during the pause ends it", async () => {
  const abort = new AbortController()
  const events = retrying(
    async function* () {
      yield* []
      throw failure("overloaded", 100_000)
    },
    { signal: abort.signal },
  )
  expect((await events.next()).value).toMatchObject({ type: "retry", delayMs: 100_000 })
  const next = events.next()
  abort.abort()
  await expect(next).rejects.toMatchObject({ kind: "aborted", provider: "test" })
})

test("who asks several times at once gets each event once, in order", async () => {
  async function* attempt(): AsyncGenerator<readonly ModelEvent[]> {
    yield [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]
    yield []
    yield [{ type: "text", text: "c" }, done]
  }
  const events = retrying(attempt)
  const results = await Promise.all(Array.from({ length: 6 }, () => events.next()))
  const texts = results.map(({ value }) => (value?.type === "text" ? value.text : value?.type))
  expect(texts).toEqual(["a", "b", "c", "done", undefined, undefined])
})

test("who leaves within a list ends the attempt, and is given nothing more", async () => {
  let ended = false
  async function* attempt(): AsyncGenerator<readonly ModelEvent[]> {
    try {
      yield [{ type: "text", text: "a" }, done]
    } finally {
      ended = true
    }
  }
  const events = retrying(attempt)
  for await (const event of events) {
    expect(event).toEqual({ type: "text", text: "a" })
    break
  }
  expect(ended).toBe(true)
  expect(await events.next()).toEqual({ done: true, value: undefined })
})

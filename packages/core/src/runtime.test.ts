import { call, fail, hang, say, scriptedProvider, think, wait } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { readHistory } from "./history.ts"
import {
  type Entry,
  isEntry,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  type RunEvent,
  Runtime,
  tool,
} from "./index.ts"
import type { RuntimeOptions } from "./runtime-options.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const weather = tool<{ city: string }>({
  name: "weather",
  description: "The weather in a city.",
  input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  risk: "read",
  execute: ({ city }) => `Sunny in ${city}`,
})

const runtimeWith = (options: Partial<RuntimeOptions> & Pick<RuntimeOptions, "provider">): Runtime =>
  new Runtime({ deltaIntervalMs: 0, ...options })

async function entriesOf(runtime: Runtime, namespace = ns): Promise<readonly Entry[]> {
  return await runtime.store.read(namespace)
}

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

describe("a run", () => {
  test("answers, and the log tells the whole story in order", async () => {
    const provider = scriptedProvider(["Hello, Bob."])
    const runtime = runtimeWith({ provider })
    const result = await runtime.run(ns, "Hi")
    expect(result).toMatchObject({ outcome: "completed", text: "Hello, Bob." })
    const types = (await entriesOf(runtime)).map((entry) => entry.type)
    expect(types).toEqual(["user", "run_started", "assistant", "run_finished"])
  })

  test("the user's message is durable before the model is asked", async () => {
    let seen: readonly string[] = []
    const store = new MemoryStore()
    const provider = scriptedProvider([
      async () => {
        seen = (await store.read(ns)).map((entry) => entry.type)
        return "ok"
      },
    ])
    await runtimeWith({ provider, store }).run(ns, "Hi")
    expect(seen).toEqual(["user", "run_started"])
  })

  test("carries out tool calls and gives the model their results in the order of the calls", async () => {
    const provider = scriptedProvider([
      [call("weather", { city: "Oslo" }, "a"), call("weather", { city: "Rome" }, "b")],
      "Sunny in both.",
    ])
    const runtime = runtimeWith({ provider, tools: [weather] })
    expect((await runtime.run(ns, "Weather?")).text).toBe("Sunny in both.")
    const last = provider.requests.at(-1)?.messages.at(-1)
    expect(last).toMatchObject({
      role: "tool",
      parts: [
        { callId: "a", status: "ok", content: [{ text: "Sunny in Oslo" }] },
        { callId: "b", status: "ok", content: [{ text: "Sunny in Rome" }] },
      ],
    })
    const entries = await entriesOf(runtime)
    const intent = entries.findIndex((entry) => entry.type === "tool_intent")
    const result = entries.findIndex((entry) => entry.type === "tool_result")
    expect(intent).toBeGreaterThan(0)
    expect(result).toBeGreaterThan(intent)
  })

  test("a call that policy denies is answered as denied, recorded, and never carried out", async () => {
    let ran = 0
    const danger = tool({
      name: "danger",
      description: "",
      input: { type: "object" },
      risk: "exec",
      execute: () => {
        ran++
        return "done"
      },
    })
    const policies = new PolicyRegistry({ default: "allow" })
    policies.set(Namespace.of("tenant", "acme"), { deny: ["risk:exec"] })
    const provider = scriptedProvider([call("danger"), "I may not."])
    const runtime = runtimeWith({ provider, tools: [danger, weather], policies })
    await runtime.run(ns, "Do it")
    expect(ran).toBe(0)
    expect(provider.requests[0]?.tools.map((entry) => entry.name)).toEqual(["weather"])
    const entries = await entriesOf(runtime)
    expect(entries.find((entry) => entry.type === "tool_intent")).toMatchObject({ decision: "deny" })
    expect(entries.find((entry) => entry.type === "tool_result")).toMatchObject({
      result: { status: "denied" },
    })
  })

  test("unknown tools, arguments that do not fit or are not JSON, and tools that throw are told to the model", async () => {
    const broken = tool({
      name: "broken",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => {
        throw new Error("the disk is on fire")
      },
    })
    const provider = scriptedProvider([
      [call("nothing"), call("weather", { town: 1 }), call("weather", "{oops"), call("broken")],
      "Sorry.",
    ])
    const runtime = runtimeWith({ provider, tools: [weather, broken] })
    await runtime.run(ns, "Go")
    const results = (await entriesOf(runtime)).filter((entry) => entry.type === "tool_result")
    const texts = results.map(
      ({ result }) => `${result.status}: ${result.content.map((c) => ("text" in c ? c.text : ""))}`,
    )
    expect(texts.toSorted()).toEqual([
      'denied: Refused: there is no tool "nothing".',
      "error: The arguments were not a JSON object. Call the tool again with valid JSON.",
      "error: city is missing.",
      "error: the disk is on fire",
    ])
  })

  test("ends after the turns it was given, with the session ready to go on", async () => {
    const provider = scriptedProvider([
      call("weather", { city: "A" }),
      call("weather", { city: "B" }),
      "Done.",
    ])
    const runtime = runtimeWith({ provider, tools: [weather], maxTurns: 2 })
    expect(await runtime.run(ns, "Loop")).toMatchObject({ outcome: "max_turns" })
    const { runId = "" } = await runtime.resume(ns)
    expect(await runtime.result(ns, runId)).toMatchObject({ outcome: "completed", text: "Done." })
  })

  test("a provider's failure is in the log, thrown by run, and the session stays usable", async () => {
    const provider = scriptedProvider([fail("rate_limit", "Slow down."), "Fine now."])
    const runtime = runtimeWith({ provider })
    await expect(runtime.run(ns, "Hi")).rejects.toMatchObject({ code: "provider_rate_limit" })
    const end = (await entriesOf(runtime)).at(-1)
    expect(end).toMatchObject({ type: "run_finished", outcome: "failed", error: { retryable: true } })
    expect((await runtime.run(ns, "Again")).text).toBe("Fine now.")
  })

  test("a stream that breaks off keeps what was shown", async () => {
    const provider = scriptedProvider([[say("Once upon "), fail("network")]])
    const runtime = runtimeWith({ provider })
    await expect(runtime.run(ns, "Story")).rejects.toMatchObject({ code: "provider_network" })
    expect((await entriesOf(runtime)).find((entry) => entry.type === "assistant")).toMatchObject({
      status: "error",
      message: { parts: [{ type: "text", text: "Once upon " }] },
    })
  })
})

describe("streaming", () => {
  test("every piece shown is an entry, and the deltas go when the message is complete", async () => {
    const provider = scriptedProvider([[think("hm"), say("a", "b", "c")]])
    const runtime = runtimeWith({ provider })
    const events = await collect(runtime.stream(ns, "Hi"))
    expect(events.filter(isEntry).map((event) => event.seq)).toEqual(
      events
        .filter(isEntry)
        .map((event) => event.seq)
        .toSorted((a, b) => a - b),
    )
    expect(events.at(-1)?.type).toBe("run_finished")
    expect((await entriesOf(runtime)).some((entry) => entry.type === "delta")).toBe(false)
  })

  test("leaving the loop leaves the run going; reading on after the cursor misses nothing", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[say("one "), wait(gate.promise), say("two")]])
    const runtime = runtimeWith({ provider })
    let cursor = 0
    for await (const event of runtime.stream(ns, "Hi")) {
      if (isEntry(event)) cursor = event.seq
      if (event.type === "delta") break
    }
    gate.resolve()
    const rest: RunEvent[] = []
    for await (const event of runtime.subscribe(ns, { after: cursor })) {
      rest.push(event)
      if (event.type === "run_finished") break
    }
    expect(rest.find((event) => event.type === "assistant")).toMatchObject({
      message: { parts: [{ text: "one two" }] },
    })
  })

  test("stop ends the request to the provider and keeps the text, marked", async () => {
    const provider = scriptedProvider([[say("So far"), hang()]])
    const runtime = runtimeWith({ provider })
    const events: RunEvent[] = []
    for await (const event of runtime.stream(ns, "Hi")) {
      events.push(event)
      if (event.type === "delta") await runtime.stop(ns)
    }
    expect(events.find((event) => event.type === "assistant")).toMatchObject({ status: "stopped" })
    expect(events.at(-1)).toMatchObject({ type: "run_finished", outcome: "stopped" })
    await expect.poll(() => runtime.isRunning(ns)).toBe(false)
  })

  test("stop ends a tool that ignores its signal", async () => {
    const started = Promise.withResolvers<void>()
    const stuck = tool({
      name: "stuck",
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: () => {
        started.resolve()
        return new Promise<string>(() => {})
      },
    })
    const provider = scriptedProvider([call("stuck"), "never"])
    const runtime = runtimeWith({ provider, tools: [stuck] })
    const { runId = "" } = await runtime.submit(ns, "Hi")
    await started.promise
    await runtime.stop(ns)
    expect(await runtime.result(ns, runId)).toMatchObject({ outcome: "stopped" })
    expect((await entriesOf(runtime)).find((entry) => entry.type === "tool_result")).toMatchObject({
      result: { status: "unknown" },
    })
  })
})

describe("a message that arrives during a run", () => {
  test("waits its turn, in order", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(gate.promise), say("first")], "second", "third"])
    const runtime = runtimeWith({ provider })
    await runtime.submit(ns, "1")
    const two = runtime.run(ns, "2")
    const three = runtime.run(ns, "3")
    await new Promise((resolve) => setImmediate(resolve))
    gate.resolve()
    expect((await two).text).toBe("second")
    expect((await three).text).toBe("third")
    const texts = provider.requests.at(-1)?.messages.map((message) => message.parts[0])
    expect(texts).toMatchObject([
      { text: "1" },
      { text: "first" },
      { text: "2" },
      { text: "second" },
      { text: "3" },
    ])
  })

  test("steers: it is seen by the next model call of the run", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(gate.promise), call("weather", { city: "Oslo" })], "Both done."])
    const runtime = runtimeWith({ provider, tools: [weather] })
    await runtime.submit(ns, "Oslo?")
    const steered = await runtime.submit(ns, "And be brief.", { whenBusy: "steer" })
    expect(steered.status).toBe("queued")
    gate.resolve()
    await runtime.run(ns, "x", { inputId: steered.inputId })
    expect(provider.requests.at(-1)?.messages.at(-1)).toMatchObject({ parts: [{ text: "And be brief." }] })
  })

  test("interrupts: the run stops and it takes over", async () => {
    const provider = scriptedProvider([[say("long"), hang()], "short"])
    const runtime = runtimeWith({ provider })
    const first = await runtime.submit(ns, "1")
    await provider.request(1)
    const result = await runtime.run(ns, "2", { whenBusy: "interrupt" })
    expect(result.text).toBe("short")
    expect(await runtime.result(ns, first.runId ?? "")).toMatchObject({ outcome: "stopped" })
  })

  test("is rejected when asked so, and nothing is written", async () => {
    const provider = scriptedProvider([[hang()]])
    const runtime = runtimeWith({ provider })
    await runtime.submit(ns, "1")
    const before = (await entriesOf(runtime)).length
    await expect(runtime.submit(ns, "2", { whenBusy: "reject" })).rejects.toMatchObject({
      code: "session_busy",
    })
    expect((await entriesOf(runtime)).length).toBe(before)
    await runtime.close()
  })

  test("can be taken back while it waits", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(gate.promise), say("first")]])
    const runtime = runtimeWith({ provider })
    const { runId = "" } = await runtime.submit(ns, "1")
    const { inputId } = await runtime.submit(ns, "2")
    expect((await readHistory(runtime, ns))?.queued).toHaveLength(1)
    expect(await runtime.cancelInput(ns, inputId)).toBe(true)
    expect(await runtime.cancelInput(ns, inputId)).toBe(false)
    gate.resolve()
    await runtime.result(ns, runId)
    expect(provider.requests).toHaveLength(1)
  })

  test("with an id that was seen before is the same message", async () => {
    const provider = scriptedProvider(["one", "two"])
    const runtime = runtimeWith({ provider })
    await runtime.run(ns, "Hi", { inputId: "x" })
    expect(await runtime.submit(ns, "Hi", { inputId: "x" })).toMatchObject({ status: "duplicate" })
    expect((await runtime.run(ns, "Hi", { inputId: "x" })).text).toBe("one")
    expect(provider.requests).toHaveLength(1)
  })
})

describe("branches", () => {
  test("edit and regenerate leave the old way in the log; switching brings it back", async () => {
    const provider = scriptedProvider(["one", "two", "three", "four"])
    const runtime = runtimeWith({ provider })
    await runtime.run(ns, "A")
    await runtime.run(ns, "B")
    const first = await readHistory(runtime, ns)
    const b = first?.entries.findLast((entry) => entry.type === "user")?.seq ?? 0
    const edited = await runtime.edit(ns, b, "B2")
    await runtime.result(ns, edited.runId ?? "")
    expect(provider.requests.at(-1)?.messages.map((message) => message.parts[0])).toMatchObject([
      { text: "A" },
      { text: "one" },
      { text: "B2" },
    ])
    const again = await runtime.regenerate(ns, edited.cursor + 2)
    await runtime.result(ns, again.runId ?? "")
    const history = await readHistory(runtime, ns)
    expect(history?.forks.map((fork) => [fork.branches.length, fork.current])).toEqual([
      [2, 1],
      [2, 1],
    ])
    await runtime.switchBranch(ns, history?.forks[0]?.branches[0]?.tip ?? 0)
    const back = await readHistory(runtime, ns)
    expect(back?.entries.findLast((entry) => entry.type === "assistant")).toMatchObject({
      message: { parts: [{ text: "two" }] },
    })
    expect(back?.forks.map((fork) => [fork.branches.length, fork.current])).toEqual([[2, 0]])
  })

  test("windows follow the branch across forks", async () => {
    const provider = scriptedProvider(Array.from({ length: 20 }, (_, index) => `answer ${index}`))
    const runtime = runtimeWith({ provider })
    for (let turn = 0; turn < 6; turn++) await runtime.run(ns, `message ${turn}`)
    const users = (await entriesOf(runtime)).filter((entry) => entry.type === "user")
    const edited = await runtime.edit(ns, users[3]?.seq ?? 0, "other")
    await runtime.result(ns, edited.runId ?? "")
    const seen: number[] = []
    let before: number | undefined
    for (;;) {
      const page = await readHistory(runtime, ns, { limit: 3, ...(before !== undefined && { before }) })
      seen.unshift(...(page?.entries.map((entry) => entry.seq) ?? []))
      if (!page?.more) break
      before = page.entries[0]?.seq
    }
    const whole = (await readHistory(runtime, ns))?.entries.map((entry) => entry.seq)
    expect(seen).toEqual(whole)
  })
})

describe("after a crash", () => {
  test("what was shown is kept and marked, open calls say what is known, and the run can go on", async () => {
    const store = new MemoryStore()
    const pay = tool({
      name: "pay",
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: () => new Promise<string>(() => {}),
    })
    const dead = new Runtime({
      provider: scriptedProvider([[say("Paying."), call("pay"), call("weather", { city: "Oslo" })]]),
      store,
      tools: [pay, weather],
      owner: "herald",
      deltaIntervalMs: 0,
    })
    await dead.submit(ns, "Pay")
    for await (const event of dead.subscribe(ns, { after: 0 })) {
      if (event.type === "tool_result" && event.result.name === "weather") break
    }
    const provider = scriptedProvider(["It may or may not be paid."])
    const runtime = runtimeWith({ provider, store, tools: [pay, weather], owner: "herald" })
    expect((await runtime.recover(Namespace.of("tenant"))).map(String)).toEqual([ns.key])
    const entries = await entriesOf(runtime)
    expect(entries.at(-1)).toMatchObject({ type: "run_finished", outcome: "interrupted" })
    expect(
      entries.filter((entry) => entry.type === "tool_result").map((entry) => entry.result.status),
    ).toEqual(["ok", "unknown"])
    const { runId = "" } = await runtime.resume(ns)
    expect(await runtime.result(ns, runId)).toMatchObject({ outcome: "completed" })
    expect(provider.requests[0]?.messages.at(-1)).toMatchObject({
      role: "tool",
      parts: [{ status: "unknown" }, { status: "ok" }],
    })
  })

  test("text that had been shown comes back as an interrupted answer, and Continue goes on from it", async () => {
    const store = new MemoryStore()
    const dead = new Runtime({
      provider: scriptedProvider([[say("Once upon a time"), hang()]]),
      store,
      owner: "herald",
      deltaIntervalMs: 0,
    })
    for await (const event of dead.stream(ns, "Story")) if (event.type === "delta") break
    const provider = scriptedProvider([" there was a runtime."])
    const runtime = runtimeWith({ provider, store, owner: "herald" })
    await runtime.recover(Namespace.of("tenant"))
    const history = await readHistory(runtime, ns)
    expect(history?.entries.find((entry) => entry.type === "assistant")).toMatchObject({
      status: "interrupted",
      message: { parts: [{ text: "Once upon a time" }] },
    })
    expect(history?.entries.some((entry) => entry.type === "delta")).toBe(false)
    const { runId = "" } = await runtime.resume(ns)
    expect(await runtime.result(ns, runId)).toMatchObject({ outcome: "completed" })
  })
})

describe("context", () => {
  test("old turns leave the view before it overflows, never splitting a call from its result", async () => {
    const provider = scriptedProvider(
      Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0 ? call("weather", { city: "x".repeat(200) }) : "y".repeat(200),
      ),
    )
    const runtime = runtimeWith({
      provider,
      tools: [weather],
      context: { maxTokens: 1_500, reservedForOutput: 100 },
    })
    for (let turn = 0; turn < 20; turn++) await runtime.run(ns, `turn ${turn} ${"z".repeat(100)}`)
    for (const { messages } of provider.requests) {
      expect(messages[0]?.role).toBe("user")
      for (const [index, message] of messages.entries()) {
        if (message.role !== "tool") continue
        const before = messages[index - 1]
        const asked =
          before?.role === "assistant" ? before.parts.filter((part) => part.type === "tool_call") : []
        expect(message.parts.map((part) => part.callId)).toEqual(asked.map((part) => part.id))
      }
    }
    expect(provider.requests.at(-1)?.messages.length).toBeLessThan(40)
    expect(
      (await readHistory(runtime, ns, { limit: 1_000 }))?.entries.filter((entry) => entry.type === "user"),
    ).toHaveLength(20)
  })

  test("a message that can never fit is refused with what to do, and the next one works", async () => {
    const provider = scriptedProvider(["fine"])
    const runtime = runtimeWith({ provider, context: { maxTokens: 1_000, reservedForOutput: 100 } })
    await expect(runtime.run(ns, "x".repeat(10_000))).rejects.toMatchObject({ code: "context_too_long" })
    expect((await runtime.run(ns, "short")).text).toBe("fine")
    expect(provider.requests[0]?.messages).toHaveLength(1)
  })

  const long = "letters ".repeat(500)
  const described = tool({
    name: "described",
    description: "",
    input: { type: "object", description: long },
    risk: "read",
    execute: () => "done",
  })
  test.each<[string, Partial<RuntimeOptions>]>([
    ["the system text", { systemPrompt: long }],
    ["what a tool takes", { tools: [described] }],
    ["what is kept for the answer", { context: { maxTokens: 1_500, reservedForOutput: 1_000 } }],
  ])("the window has less room for messages by %s", async (_, more) => {
    const provider = scriptedProvider([], { otherwise: "fine" })
    const context = { maxTokens: 1_500, reservedForOutput: 100 }
    expect((await runtimeWith({ provider, context }).run(ns, long)).text).toBe("fine")
    const full = runtimeWith({ provider, context, ...more })
    await expect(full.run(ns, long)).rejects.toMatchObject({ code: "context_too_long" })
    expect(provider.requests).toHaveLength(1)
  })

  test("a fresh process sees the same view as the one that built it", async () => {
    const store = new MemoryStore()
    const answers = Array.from({ length: 12 }, (_, index) => `answer ${index} ${"y".repeat(300)}`)
    const context = { maxTokens: 1_000, reservedForOutput: 100 }
    const first = scriptedProvider(answers)
    const one = runtimeWith({ provider: first, store, context })
    for (let turn = 0; turn < 11; turn++) await one.run(ns, `turn ${turn}`)
    const second = scriptedProvider(["end"])
    const two = runtimeWith({ provider: second, store, context })
    await one.run(ns, "last")
    const before = first.requests.at(-1)?.messages ?? []
    await two.run(ns, "next")
    const after = second.requests[0]?.messages ?? []
    expect(after.slice(0, before.length)).toEqual(before)
  })
})

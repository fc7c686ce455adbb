import { call, fail, hang, say, scriptedProvider, think, wait } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { readHistory } from "./history.ts"
import {
  type AssistantMessage,
  type Entry,
  MemoryStore,
  type ModelEvent,
  type ModelRequest,
  Namespace,
  NO_USAGE,
  type Provider,
  Runtime,
  type RuntimeOptions,
  tool,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const look = tool({
  name: "look",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: () => "seen",
})

const runtimeWith = (options: Partial<RuntimeOptions> & Pick<RuntimeOptions, "provider">): Runtime =>
  new Runtime({ deltaIntervalMs: 0, tools: [look], onError: () => {}, ...options })

/** A provider that says exactly this, one script for each request; the last one again and again. */
function raw(...scripts: ((request: ModelRequest) => AsyncIterable<ModelEvent>)[]): Provider {
  let n = 0
  return {
    id: "raw",
    model: "raw-1",
    stream: (request) => {
      const script = scripts[Math.min(n++, scripts.length - 1)]
      if (!script) throw new Error("no script")
      return script(request)
    },
  }
}

const done = (
  parts: AssistantMessage["parts"],
  finishReason: "stop" | "tool_calls" = "stop",
): ModelEvent => ({ type: "done", message: { role: "assistant", parts }, finishReason, usage: NO_USAGE })

const fine = async function* (): AsyncGenerator<ModelEvent> {
  yield done([{ type: "text", text: "fine" }])
}

async function ends(runtime: Runtime): Promise<string[]> {
  const entries = (await runtime.store.read(ns, {
    types: ["run_finished"],
  })) as readonly Entry<"run_finished">[]
  return entries.map((entry) => `${entry.outcome}${entry.error ? ` ${entry.error.code}` : ""}`)
}

test("an error nobody foresaw is reported, and its text is neither stored nor shown", async () => {
  const provider: Provider = {
    id: "broken",
    model: "broken",
    stream: () => {
      throw new Error("cannot open /home/ada/secret.key")
    },
  }
  const reported: unknown[] = []
  const runtime = new Runtime({ provider, onError: (error) => reported.push(error) })
  await expect(runtime.run(ns, "Hi")).rejects.toMatchObject({ code: "internal" })
  expect(JSON.stringify(await runtime.store.read(ns))).not.toContain("secret.key")
  expect(String(reported)).toContain("secret.key")
})

describe("a provider that misbehaves", () => {
  const cases: Record<string, { stream: () => AsyncIterable<ModelEvent>; end: string }> = {
    "ends without done": {
      stream: async function* () {
        yield { type: "text", text: "half" }
      },
      end: "failed provider_protocol",
    },
    "says nothing at all": { stream: async function* () {}, end: "failed provider_protocol" },
    "throws what is no Error": {
      stream: async function* () {
        yield { type: "text", text: "half" }
        throw "a text"
      },
      end: "failed internal",
    },
    "throws undefined": {
      // biome-ignore lint/correctness/useYield: it fails before it says anything
      stream: async function* () {
        throw undefined
      },
      end: "failed internal",
    },
    "throws when it is asked": {
      stream: () => {
        throw new Error("not even a stream")
      },
      end: "failed internal",
    },
    "answers with an empty message": {
      stream: async function* () {
        yield done([])
      },
      end: "completed",
    },
  }
  for (const [what, { stream, end }] of Object.entries(cases)) {
    test(`${what}: the run ends clearly and the session answers the next message`, async () => {
      const runtime = runtimeWith({ provider: raw(stream, fine) })
      await runtime.run(ns, "1").catch(() => {})
      expect(await ends(runtime)).toEqual([end])
      expect((await runtime.run(ns, "2")).text).toBe("fine")
      expect((await runtime.store.read(ns)).some((entry) => entry.type === "delta")).toBe(false)
    })
  }

  test("events after done are not taken", async () => {
    const provider = raw(async function* () {
      yield done([{ type: "text", text: "the answer" }])
      yield { type: "text", text: "and more" }
      yield done([{ type: "text", text: "another" }])
    })
    const runtime = runtimeWith({ provider })
    expect((await runtime.run(ns, "1")).text).toBe("the answer")
    expect(await ends(runtime)).toEqual(["completed"])
  })

  test("calls are carried out whatever the finish reason says, each under an id of its own", async () => {
    const parts = ["", "x", "x"].map(
      (id) => ({ type: "tool_call", id, name: "look", arguments: {} }) as const,
    )
    const requests: ModelRequest[] = []
    const provider = raw(
      async function* (request) {
        requests.push(request)
        yield done(parts, "stop")
      },
      async function* (request) {
        requests.push(request)
        yield* fine()
      },
    )
    const runtime = runtimeWith({ provider })
    expect((await runtime.run(ns, "1")).text).toBe("fine")
    const [asked, answered] = requests[1]?.messages.slice(-2) ?? []
    const ids =
      asked?.role === "assistant" ? asked.parts.map((part) => part.type === "tool_call" && part.id) : []
    expect(new Set(ids).size).toBe(3)
    expect(ids).not.toContain("")
    expect(answered?.role === "tool" ? answered.parts.map((part) => part.callId) : []).toEqual(ids)
  })

  test("a stream that never ends and does not listen is stopped all the same", async () => {
    const streams: Record<string, () => AsyncIterable<ModelEvent>> = {
      silent: async function* () {
        yield { type: "text", text: "So far" }
        await new Promise(() => {})
      },
      endless: async function* () {
        for (;;) {
          yield { type: "text", text: "So far" }
          await new Promise((resolve) => setImmediate(resolve))
        }
      },
    }
    for (const [what, stream] of Object.entries(streams)) {
      const runtime = runtimeWith({ provider: raw(stream, fine), store: new MemoryStore() })
      for await (const event of runtime.stream(ns, "1")) if (event.type === "delta") await runtime.stop(ns)
      expect(await ends(runtime), what).toEqual(["stopped"])
      expect((await runtime.run(ns, "2")).text).toBe("fine")
    }
  })

  test("a call that broke off leaves no piece of itself behind", async () => {
    const provider = raw(async function* () {
      yield { type: "tool_call", id: "x", name: "look" }
      yield { type: "tool_call", id: "x", text: '{"a' }
      await new Promise((resolve) => setImmediate(resolve))
      throw new Error("cut")
    }, fine)
    const runtime = runtimeWith({ provider })
    await expect(runtime.run(ns, "1")).rejects.toMatchObject({ code: "internal" })
    expect((await readHistory(runtime, ns))?.entries.map((entry) => entry.type)).toEqual([
      "user",
      "run_started",
      "run_finished",
    ])
  })
})

describe("stop", () => {
  test("before the model is asked means it is not asked", async () => {
    const provider = scriptedProvider([], { otherwise: "never" })
    const runtime = runtimeWith({
      provider,
      systemPrompt: async () => {
        void runtime.stop(ns)
        return "Be kind."
      },
    })
    expect(await runtime.run(ns, "1")).toMatchObject({ outcome: "stopped" })
    expect(provider.requests).toHaveLength(0)
  })

  test("between two tool calls cancels those that have not begun", async () => {
    const stopping = tool({
      name: "stopping",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => {
        void runtime.stop(ns)
        return "done"
      },
    })
    const provider = scriptedProvider([[call("stopping"), call("look")]], { otherwise: "never" })
    const runtime = runtimeWith({ provider, tools: [look, stopping], parallelTools: 1 })
    expect(await runtime.run(ns, "1")).toMatchObject({ outcome: "stopped" })
    const entries = await runtime.store.read(ns, { types: ["tool_result"] })
    expect(entries.map((entry) => entry.type === "tool_result" && entry.result.status)).toEqual([
      "cancelled",
      "cancelled",
    ])
  })
})

describe("what the model wrote", () => {
  test("thinking without its signature is kept for people and not sent back", async () => {
    const provider = scriptedProvider([[think("hm"), say("So far"), hang()]], { otherwise: "ok" })
    const runtime = runtimeWith({ provider })
    for await (const event of runtime.stream(ns, "1")) {
      if (event.type === "delta" && event.pieces.some((piece) => piece.type === "text"))
        await runtime.stop(ns)
    }
    const [answer] = await runtime.store.read(ns, { types: ["assistant"] })
    expect(answer).toMatchObject({ message: { parts: [{ type: "thinking" }, { type: "text" }] } })
    await runtime.run(ns, "2")
    expect(provider.requests[1]?.messages[1]).toMatchObject({ parts: [{ type: "text", text: "So far" }] })
  })

  test("is asked for again with less when the model finds the request too long", async () => {
    const provider = scriptedProvider([], { otherwise: "x".repeat(400) })
    const runtime = runtimeWith({ provider })
    for (let turn = 0; turn < 10; turn++) await runtime.run(ns, `turn ${turn}`)
    const before = provider.requests.length
    provider.push(...Array.from({ length: before }, () => "unused"))
    const refusing: Provider = {
      ...provider,
      stream: (request, options) => {
        if (request.messages.length > 4)
          return scriptedProvider([fail("context_length")]).stream(request, options)
        return provider.stream(request, options)
      },
    }
    const small = runtimeWith({ provider: refusing, store: runtime.store })
    expect((await small.run(ns, "last")).outcome).toBe("completed")
    expect(provider.requests.at(-1)?.messages.length).toBeLessThanOrEqual(4)
  })
})

describe("messages", () => {
  test("of 10 MB are refused with what to do, and the session goes on", async () => {
    const provider = scriptedProvider(["fine"])
    const runtime = runtimeWith({ provider })
    await expect(runtime.run(ns, "x".repeat(10_000_000))).rejects.toMatchObject({ code: "context_too_long" })
    expect((await runtime.run(ns, "short")).text).toBe("fine")
  })

  test("with lone surrogates, from anyone, reach the model as text that has a UTF-8 form", async () => {
    const lone = "a\ud800b"
    const echo = tool({
      name: "echo",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => lone,
    })
    const provider = scriptedProvider([[say(lone), call("echo", { text: lone })], "ok"])
    const runtime = runtimeWith({ provider, tools: [echo] })
    await runtime.run(ns, lone)
    const sent = JSON.stringify(provider.requests.at(-1)?.messages)
    expect(sent).not.toContain("\\ud800")
    expect(sent).toContain("a\ufffdb")
  })
})

test("a session in which anything went wrong is never stuck: the next message is answered", async () => {
  const gate = Promise.withResolvers<void>()
  const provider = scriptedProvider(
    [
      fail("auth"),
      [call("look"), fail("network")],
      [say("half"), fail(new Error("x"))],
      [wait(gate.promise), say("ok")],
    ],
    { otherwise: "last" },
  )
  const runtime = runtimeWith({ provider })
  for (const text of ["1", "2", "3"]) await runtime.run(ns, text).catch(() => {})
  const answer = runtime.run(ns, "4")
  await provider.request(4)
  const rude = runtime.run(ns, "5", { whenBusy: "interrupt" })
  expect((await answer).outcome).toBe("stopped")
  expect((await rude).text).toBe("last")
  expect((await runtime.info(ns))?.openRun).toBeUndefined()
})

test("waited for, streamed or left to itself, the same run leaves the same log", async () => {
  const ways: Readonly<Record<string, (runtime: Runtime) => Promise<unknown>>> = {
    run: (runtime) => runtime.run(ns, "Go."),
    stream: async (runtime) => {
      for await (const _ of runtime.stream(ns, "Go."));
    },
    submit: async (runtime) => {
      const { runId = "" } = await runtime.submit(ns, "Go.")
      await runtime.result(ns, runId)
    },
  }
  const logs: unknown[] = []
  for (const way of Object.values(ways)) {
    const provider = scriptedProvider([[think("Hm."), say("I "), call("look", {}, "a")], "Seen."])
    const runtime = runtimeWith({ provider })
    await way(runtime)
    // Ids, numbers and times are of each run alone.
    const own = /^(at|seq|runId|messageId|inputId|idempotencyKey|durationMs|thinkingMs)$/
    logs.push(
      JSON.parse(
        JSON.stringify(await runtime.store.read(ns), (key, value) => (own.test(key) ? undefined : value)),
      ),
    )
  }
  expect(logs[0]).toHaveLength(7)
  expect(logs[1]).toEqual(logs[0])
  expect(logs[2]).toEqual(logs[0])
})

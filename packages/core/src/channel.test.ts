import {
  call,
  fail,
  hang,
  MemoryChannel,
  type ScriptedAnswer,
  say,
  scriptedProvider,
  wait,
} from "@orra/testing"
import { describe, expect, test } from "vitest"
import { Approvals } from "./approval.ts"
import { ChannelAdapter, type ChannelOptions, type InboundMessage } from "./channel.ts"
import { messageText } from "./message.ts"
import { Namespace } from "./namespace.ts"
import { PolicyRegistry } from "./policy.ts"
import type { ModelRequest } from "./provider.ts"
import { Runtime } from "./runtime.ts"
import { tool } from "./tool.ts"

const bob = Namespace.of("acme", "bob")
const eve = Namespace.of("acme", "eve")

const lastText = ({ messages }: ModelRequest): string => {
  const last = messages.at(-1)
  return last ? messageText(last) : ""
}
/** Who was told what. */
const told = (channel: MemoryChannel): string[] =>
  channel.sent.map(({ namespace, text }) => `${namespace.segments.at(-1)}: ${text}`)

const echo = (request: ModelRequest): string => `re ${lastText(request)}`

function served(
  otherwise: ScriptedAnswer,
  options: ChannelOptions = {},
): { pipe: MemoryChannel; adapter: ChannelAdapter; runtime: Runtime; run: Promise<void>; errors: unknown[] } {
  const pipe = new MemoryChannel()
  const errors: unknown[] = []
  const runtime = new Runtime({
    provider: scriptedProvider([], { otherwise }),
    onError: () => {},
    deltaIntervalMs: 0,
  })
  const adapter = new ChannelAdapter(pipe, runtime, { onError: (error) => errors.push(error), ...options })
  return { pipe, adapter, runtime, run: adapter.run(), errors }
}

describe("a channel", () => {
  test("is answered, with what it said about each message", async () => {
    const { pipe, adapter, run, errors } = served(echo)
    pipe.push(bob, "hello")
    pipe.push(eve, "hi")
    await pipe.until(() => pipe.sent.length === 2)
    expect(told(pipe).sort()).toEqual(["bob: re hello", "eve: re hi"])
    await adapter.stop()
    await run
    expect(adapter.running).toBe(false)
    expect(pipe.receivers).toBe(0)
    expect(errors).toEqual([])
  })

  test("says who asks, whom, and hears who answered", async () => {
    const { pipe, adapter, runtime } = served(echo)
    pipe.push(bob, "hello", { principal: "bob@acme", agent: "Nova", metadata: { thread: 7 } })
    await pipe.until(() => pipe.sent.length === 1)
    await adapter.stop()
    expect(pipe.answers).toMatchObject([
      { agent: "Nova", metadata: { thread: 7 }, result: { outcome: "completed" } },
    ])
    const [started] = await runtime.store.read(bob, { types: ["run_started"] })
    expect(started).toMatchObject({ principal: "bob@acme", agent: "Nova" })
  })

  test("one slow session holds up nobody else, and its own messages keep their order", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter } = served((request) =>
      lastText(request) === "slow"
        ? [wait(slow.promise), { type: "say", pieces: ["re slow"] }]
        : echo(request),
    )
    for (const text of ["slow", "b", "c", "d"]) pipe.push(bob, text)
    pipe.push(eve, "quick")
    await pipe.until(() => pipe.sent.length === 1)
    expect(told(pipe)).toEqual(["eve: re quick"])
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 5)
    expect(told(pipe).slice(1)).toEqual(["bob: re slow", "bob: re b", "bob: re c", "bob: re d"])
    await adapter.stop()
  })

  test("answers keep their order although the first takes long to send", async () => {
    const sending = Promise.withResolvers<void>()
    const { pipe, adapter, runtime } = served(echo)
    pipe.onSend = async ({ result }) => {
      if (result.text.includes("one")) await sending.promise
    }
    pipe.push(bob, "one")
    pipe.push(bob, "two")
    for await (const event of runtime.subscribe(bob, { after: 0 })) {
      if (event.type === "assistant" && messageText(event.message) === "re two") break
    }
    expect(told(pipe)).toEqual([])
    sending.resolve()
    await pipe.until(() => pipe.sent.length === 2)
    expect(told(pipe)).toEqual(["bob: re one", "bob: re two"])
    await adapter.stop()
  })

  test("an error is an answer", async () => {
    const { pipe, adapter } = served((request) =>
      lastText(request) === "x" ? fail("overloaded") : echo(request),
    )
    pipe.push(bob, "x")
    pipe.push(eve, "  ")
    await pipe.until(() => pipe.sent.length === 2)
    expect(told(pipe).sort()).toEqual(["bob: ! provider_overloaded", "eve: ! invalid_input"])
    await adapter.stop()
  })

  test("the text of an unforeseen error is for the log, not for the sender", async () => {
    const { pipe, adapter, runtime, errors } = served(echo)
    const secret = new Error("postgres://admin:hunter2@db")
    runtime.submit = async () => {
      throw secret
    }
    pipe.push(bob, "x")
    await pipe.until(() => pipe.sent.length === 1)
    expect(told(pipe)).toEqual(["bob: ! internal"])
    expect(errors).toEqual([secret])
    await adapter.stop()
  })

  test("a send that fails is reported, tried as an error, and the channel goes on", async () => {
    const { pipe, adapter, errors } = served(echo)
    pipe.onSend = async ({ result }) => {
      if (result.text.includes("one")) throw new Error("no route to host")
    }
    pipe.push(bob, "one")
    pipe.push(bob, "two")
    await pipe.until(() => pipe.sent.length === 2)
    expect(told(pipe)).toEqual(["bob: ! send_failed", "bob: re two"])
    expect(errors).toMatchObject([{ message: "no route to host" }])
    await adapter.stop()
  })

  test("a send that never ends is given up", async () => {
    const { pipe, adapter, errors } = served(echo, { sendTimeoutMs: 20 })
    pipe.onSend = ({ result }) => (result.text.includes("one") ? new Promise(() => {}) : Promise.resolve())
    pipe.push(bob, "one")
    pipe.push(bob, "two")
    await pipe.until(() => pipe.sent.length === 2)
    expect(told(pipe)).toEqual(["bob: ! send_failed", "bob: re two"])
    expect(errors).toMatchObject([{ code: "send_timeout" }])
    await adapter.stop()
  })

  test("typing is shown for as long as the answer is being written, and not after", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter, runtime } = served(
      (request) => (lastText(request) === "x" ? [wait(slow.promise), say("done")] : hang()),
      { typingIntervalMs: 1, shutdownTimeoutMs: 0 },
    )
    const typedFor = (text: string): number => pipe.typed.filter(({ message }) => message === text).length
    pipe.push(bob, "x")
    await pipe.until(() => typedFor("x") >= 4)
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 1)
    const after = typedFor("x")
    pipe.push(eve, "y")
    await pipe.until(() => typedFor("y") >= 10)
    expect(typedFor("x")).toBe(after)
    await adapter.stop()
    await runtime.close()
  })

  test("what is written is shown while it grows, a slow step at a time, and never after the answer", async () => {
    const [more, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { pipe, adapter } = served([
      say("one "),
      wait(more.promise),
      say("two"),
      wait(end.promise),
      say(" three"),
    ])
    const step = Promise.withResolvers<void>()
    pipe.onWriting = (text) => (text === "one two" ? step.promise : undefined)
    pipe.push(bob, "x")
    const shown = (): readonly string[] => pipe.written.map(({ text }) => text)
    await pipe.until(() => shown().includes("one "))
    more.resolve()
    step.resolve()
    await pipe.until(() => shown().includes("one two"))
    let sent = false
    pipe.onWriting = () => {
      expect(sent).toBe(false)
    }
    pipe.onSend = () => {
      sent = true
    }
    end.resolve()
    await pipe.until(() => pipe.sent.length === 1)
    expect(told(pipe)).toEqual(["bob: one two three"])
    expect("one two three".startsWith(shown().at(-1) ?? "-")).toBe(true)
    await adapter.stop()
  })

  test("of an answer after tools only its own text is shown", async () => {
    const { pipe, adapter } = served((request) =>
      lastText(request) === "x" ? [say("Let me look."), call("missing", {})] : [say("Found.")],
    )
    pipe.push(bob, "x")
    await pipe.until(() => pipe.sent.length === 1)
    expect(told(pipe)).toEqual(["bob: Found."])
    for (const { text } of pipe.written) expect(["Let me look.", "Found."]).toContain(text)
    await adapter.stop()
  })

  test("takes no more than it can work on", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter } = served([wait(slow.promise), { type: "say", pieces: ["done"] }], {
      maxConcurrent: 3,
    })
    for (let i = 0; i < 10; i++) pipe.push(bob.child(String(i)), "x")
    await pipe.until(() => pipe.typed.length === 3)
    expect(pipe.inbox).toHaveLength(7)
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 10)
    await adapter.stop()
  })

  test("a session that is flooded is told to wait, and the others are not", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter } = served([wait(slow.promise), { type: "say", pieces: ["done"] }], {
      maxPerSession: 2,
    })
    for (const text of ["a", "b", "c"]) pipe.push(bob, text)
    await pipe.until(() => pipe.sent.length === 1)
    expect(told(pipe)).toEqual(["bob: ! too_many_messages"])
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 3)
    await adapter.stop()
  })

  test("a message that arrives twice is answered once", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter, runtime } = served([wait(slow.promise), { type: "say", pieces: ["done"] }])
    pipe.push(bob, "x", { id: "m1" })
    pipe.push(bob, "x", { id: "m1" })
    pipe.push(eve, "y")
    await pipe.until(() => pipe.typed.some((message) => message.namespace === eve))
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 2)
    await adapter.stop()
    expect(told(pipe).sort()).toEqual(["bob: done", "eve: done"])
    expect((await runtime.info(bob))?.messages).toBe(2)
  })
})

describe("a session that waits for an approval", () => {
  const shell = tool({
    name: "shell",
    description: "",
    input: { type: "object" },
    risk: "exec",
    execute: () => "ran",
  })

  /** Bob's first message needs an approval; everything else is answered at once. */
  function asking(options: ChannelOptions = {}) {
    const approvals = new Approvals()
    const otherwise = (request: ModelRequest): ScriptedAnswer =>
      lastText(request) === "shell" ? call("shell") : lastText(request) === "slow" ? hang() : echo(request)
    const pipe = new MemoryChannel()
    const runtime = new Runtime({
      provider: scriptedProvider([], { otherwise }),
      tools: [shell],
      policies: new PolicyRegistry({ default: "ask" }),
      approvals,
      deltaIntervalMs: 0,
    })
    const adapter = new ChannelAdapter(pipe, runtime, { typingIntervalMs: 1, ...options })
    const run = adapter.run()
    const approve = async (): Promise<void> => {
      for (const { namespace, approvalId } of await approvals.list(bob))
        await approvals.decide(namespace, approvalId, { decision: "approve", by: "bob" })
    }
    return { pipe, adapter, runtime, run, approve }
  }

  test("takes nobody's place, nor do the messages behind it, and is answered when it is given", async () => {
    const { pipe, adapter, approve } = asking({ maxConcurrent: 1 })
    pipe.push(bob, "shell")
    await pipe.until(() => pipe.held.length === 1)
    pipe.push(bob, "and then?")
    pipe.push(eve, "hi")
    await pipe.until(() => pipe.sent.length === 1)
    expect(told(pipe)).toEqual(["eve: re hi"])
    await approve()
    await pipe.until(() => pipe.sent.length === 3)
    expect(told(pipe).slice(1)).toEqual(["bob: re ran", "bob: re and then?"])
    expect(pipe.held).toHaveLength(1)
    await adapter.stop()
  })

  test("shows nobody typing meanwhile", async () => {
    const { pipe, adapter, runtime } = asking({ shutdownTimeoutMs: 0 })
    const typedFor = (text: string): number => pipe.typed.filter(({ message }) => message === text).length
    pipe.push(bob, "shell")
    await pipe.until(() => pipe.held.length === 1)
    const before = typedFor("shell")
    pipe.push(eve, "slow")
    await pipe.until(() => typedFor("slow") >= 10)
    expect(typedFor("shell")).toBe(before)
    await adapter.stop()
    await runtime.close()
  })

  test("is not waited for at the end: its sender is told, and the run waits on", async () => {
    const { pipe, adapter, runtime, run } = asking({ shutdownTimeoutMs: 600_000 })
    pipe.push(bob, "shell")
    await pipe.until(() => pipe.held.length === 1)
    pipe.push(bob, "and then?")
    await adapter.stop()
    await run
    expect(told(pipe)[0]).toBe("bob: ! waiting")
    expect((await runtime.info(bob))?.waiting).toMatchObject({ approvals: 1 })
  })

  test("takes places again where too many wait", async () => {
    const { pipe, adapter, runtime } = asking({ maxConcurrent: 1, maxWaiting: 1 })
    pipe.push(bob.child("1"), "shell")
    pipe.push(bob.child("2"), "shell")
    await pipe.until(() => pipe.held.length === 2)
    pipe.push(eve, "hi")
    // As long as it takes to answer somebody.
    for (let i = 0; i < 3; i++) await runtime.run(Namespace.of("another"), "hi")
    expect(pipe.inbox).toHaveLength(1)
    await adapter.stop()
  })
})

describe("the end of a channel", () => {
  test("waits for the answer being written", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter, run } = served([wait(slow.promise), { type: "say", pieces: ["done"] }])
    pipe.push(bob, "x")
    await pipe.until(() => pipe.typed.length > 0)
    const stopped = adapter.stop()
    slow.resolve()
    await stopped
    await run
    expect(told(pipe)).toEqual(["bob: done"])
  })

  test("tells those who are left without an answer, and leaves the run to its runtime", async () => {
    const { pipe, adapter, runtime } = served([hang()], { shutdownTimeoutMs: 10 })
    pipe.push(bob, "x")
    await pipe.until(() => pipe.typed.length > 0)
    await adapter.stop()
    expect(told(pipe)).toEqual(["bob: ! closed"])
    expect(runtime.isRunning(bob)).toBe(true)
    await runtime.close()
  })

  test("comes although the channel never ends", async () => {
    const late = Promise.withResolvers<IteratorResult<InboundMessage>>()
    const pipe = new MemoryChannel()
    const runtime = new Runtime({ provider: scriptedProvider([]) })
    const adapter = new ChannelAdapter(
      Object.assign(pipe, {
        receive: () => ({ [Symbol.asyncIterator]: () => ({ next: () => late.promise }) }),
      }),
      runtime,
    )
    const run = adapter.run()
    await adapter.stop()
    await run
    late.resolve({ done: false, value: { namespace: bob, message: "late", metadata: {} } })
    await pipe.until(() => pipe.sent.length > 0)
    expect(told(pipe)).toEqual(["bob: ! closed"])
    expect(await runtime.info(bob)).toBeUndefined()
  })

  test("is also that of a channel that ends by itself", async () => {
    const { pipe, adapter, run } = served(echo)
    pipe.push(bob, "x")
    pipe.end()
    await run
    expect(told(pipe)).toEqual(["bob: re x"])
    expect(adapter.running).toBe(false)
  })

  test("says when the channel broke, after what was begun has been answered", async () => {
    const { pipe, run } = served(echo)
    pipe.push(bob, "x")
    pipe.end(new Error("socket closed"))
    await expect(run).rejects.toThrow("socket closed")
    expect(told(pipe)).toEqual(["bob: re x"])
  })

  test("comes with the signal, and it can be served again", async () => {
    const { pipe, adapter, run } = served(echo)
    await expect(adapter.run()).rejects.toMatchObject({ code: "invalid_input" })
    await adapter.stop()
    await run
    const signal = AbortSignal.abort()
    await adapter.run({ signal })
    pipe.push(bob, "x")
    const controller = new AbortController()
    const again = adapter.run({ signal: controller.signal })
    await pipe.until(() => pipe.sent.length === 1)
    controller.abort()
    await again
    expect(pipe.receivers).toBe(0)
  })
})

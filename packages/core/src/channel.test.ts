import { fail, hang, type ScriptedAnswer, scriptedProvider, wait } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { type Channel, ChannelAdapter, type ChannelOptions, type InboundMessage } from "./channel.ts"
import { messageText } from "./message.ts"
import { Namespace } from "./namespace.ts"
import type { ModelRequest } from "./provider.ts"
import { Runtime } from "./runtime.ts"

const bob = Namespace.of("acme", "bob")
const eve = Namespace.of("acme", "eve")

/** A channel in memory: what is pushed comes in, what is sent is kept. */
class Pipe implements Channel {
  readonly name: string
  readonly sent: string[] = []
  readonly typed: string[] = []
  readonly waiting: InboundMessage[] = []
  signals = 0
  #more = Promise.withResolvers<void>()
  #said = Promise.withResolvers<void>()
  #end: { readonly error?: Error } | undefined
  /** What `send` does first. */
  sending: (text: string) => Promise<void> = async () => {}

  constructor(name = "pipe") {
    this.name = name
  }

  push(namespace: Namespace, message: string, more: Partial<InboundMessage> = {}): void {
    this.waiting.push({
      namespace,
      message,
      metadata: { to: `${namespace.segments.at(-1)}:${message}` },
      ...more,
    })
    this.#more.resolve()
  }

  end(error?: Error): void {
    this.#end = error ? { error } : {}
    this.#more.resolve()
  }

  async *receive(signal: AbortSignal): AsyncGenerator<InboundMessage> {
    const wake = (): void => this.#more.resolve()
    signal.addEventListener("abort", wake)
    this.signals++
    try {
      while (!signal.aborted) {
        const next = this.waiting.shift()
        if (next) yield next
        else if (this.#end?.error) throw this.#end.error
        else if (this.#end) return
        else {
          await this.#more.promise
          this.#more = Promise.withResolvers()
        }
      }
    } finally {
      signal.removeEventListener("abort", wake)
      this.signals--
    }
  }

  async send({ metadata, result }: Parameters<Channel["send"]>[0]): Promise<void> {
    const text = `${metadata["to"]} -> ${result.text}`
    await this.sending(text)
    this.#say(text)
  }

  async sendError({ metadata, error }: Parameters<Channel["sendError"]>[0]): Promise<void> {
    this.#say(`${metadata["to"]} !! ${error.code}`)
  }

  async typing({ metadata }: InboundMessage): Promise<void> {
    this.typed.push(String(metadata["to"]))
    this.#changed()
  }

  /** Resolves as soon as `done` holds. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) await this.#said.promise
  }

  #say(text: string): void {
    this.sent.push(text)
    this.#changed()
  }

  #changed(): void {
    this.#said.resolve()
    this.#said = Promise.withResolvers()
  }
}

const lastText = ({ messages }: ModelRequest): string => {
  const last = messages.at(-1)
  return last ? messageText(last) : ""
}
const echo = (request: ModelRequest): string => `re ${lastText(request)}`

function served(
  otherwise: ScriptedAnswer,
  options: ChannelOptions = {},
): { pipe: Pipe; adapter: ChannelAdapter; runtime: Runtime; run: Promise<void>; errors: unknown[] } {
  const pipe = new Pipe()
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
    expect(pipe.sent.sort()).toEqual(["bob:hello -> re hello", "eve:hi -> re hi"])
    await adapter.stop()
    await run
    expect(adapter.running).toBe(false)
    expect(pipe.signals).toBe(0)
    expect(errors).toEqual([])
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
    expect(pipe.sent).toEqual(["eve:quick -> re quick"])
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 5)
    expect(pipe.sent.slice(1)).toEqual([
      "bob:slow -> re slow",
      "bob:b -> re b",
      "bob:c -> re c",
      "bob:d -> re d",
    ])
    await adapter.stop()
  })

  test("answers keep their order although the first takes long to send", async () => {
    const sending = Promise.withResolvers<void>()
    const { pipe, adapter, runtime } = served(echo)
    pipe.sending = async (text) => {
      if (text.includes("one")) await sending.promise
    }
    pipe.push(bob, "one")
    pipe.push(bob, "two")
    for await (const event of runtime.subscribe(bob, { after: 0 })) {
      if (event.type === "assistant" && messageText(event.message) === "re two") break
    }
    expect(pipe.sent).toEqual([])
    sending.resolve()
    await pipe.until(() => pipe.sent.length === 2)
    expect(pipe.sent).toEqual(["bob:one -> re one", "bob:two -> re two"])
    await adapter.stop()
  })

  test("an error is an answer", async () => {
    const { pipe, adapter } = served((request) =>
      lastText(request) === "x" ? fail("overloaded") : echo(request),
    )
    pipe.push(bob, "x")
    pipe.push(eve, "  ")
    await pipe.until(() => pipe.sent.length === 2)
    expect(pipe.sent.sort()).toEqual(["bob:x !! provider_overloaded", "eve:   !! invalid_input"])
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
    expect(pipe.sent).toEqual(["bob:x !! internal"])
    expect(errors).toEqual([secret])
    await adapter.stop()
  })

  test("a send that fails is reported, tried as an error, and the channel goes on", async () => {
    const { pipe, adapter, errors } = served(echo)
    pipe.sending = async (text) => {
      if (text.includes("one")) throw new Error("no route to host")
    }
    pipe.push(bob, "one")
    pipe.push(bob, "two")
    await pipe.until(() => pipe.sent.length === 2)
    expect(pipe.sent).toEqual(["bob:one !! send_failed", "bob:two -> re two"])
    expect(errors).toMatchObject([{ message: "no route to host" }])
    await adapter.stop()
  })

  test("a send that never ends is given up", async () => {
    const { pipe, adapter, errors } = served(echo, { sendTimeoutMs: 20 })
    pipe.sending = (text) => (text.includes("one") ? new Promise(() => {}) : Promise.resolve())
    pipe.push(bob, "one")
    pipe.push(bob, "two")
    await pipe.until(() => pipe.sent.length === 2)
    expect(pipe.sent).toEqual(["bob:one !! send_failed", "bob:two -> re two"])
    expect(errors).toMatchObject([{ code: "send_timeout" }])
    await adapter.stop()
  })

  test("typing is shown for as long as the answer is being written, and not after", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter } = served([wait(slow.promise), { type: "say", pieces: ["done"] }], {
      typingIntervalMs: 1,
    })
    pipe.push(bob, "x")
    await pipe.until(() => pipe.typed.length >= 4)
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 1)
    const after = pipe.typed.length
    await adapter.stop()
    expect(pipe.typed).toHaveLength(after)
    expect(new Set(pipe.typed)).toEqual(new Set(["bob:x"]))
  })

  test("takes no more than it can work on", async () => {
    const slow = Promise.withResolvers<void>()
    const { pipe, adapter } = served([wait(slow.promise), { type: "say", pieces: ["done"] }], {
      maxConcurrent: 3,
    })
    for (let i = 0; i < 10; i++) pipe.push(bob.child(String(i)), "x")
    await pipe.until(() => pipe.typed.length === 3)
    expect(pipe.waiting).toHaveLength(7)
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
    expect(pipe.sent).toEqual(["bob:c !! too_many_messages"])
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
    await pipe.until(() => pipe.typed.includes("eve:y"))
    slow.resolve()
    await pipe.until(() => pipe.sent.length === 2)
    await adapter.stop()
    expect(pipe.sent.sort()).toEqual(["bob:x -> done", "eve:y -> done"])
    expect((await runtime.info(bob))?.messages).toBe(2)
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
    expect(pipe.sent).toEqual(["bob:x -> done"])
  })

  test("tells those who are left without an answer, and leaves the run to its runtime", async () => {
    const { pipe, adapter, runtime } = served([hang()], { shutdownTimeoutMs: 10 })
    pipe.push(bob, "x")
    await pipe.until(() => pipe.typed.length > 0)
    await adapter.stop()
    expect(pipe.sent).toEqual(["bob:x !! closed"])
    expect(runtime.isRunning(bob)).toBe(true)
    await runtime.close()
  })

  test("comes although the channel never ends", async () => {
    const late = Promise.withResolvers<IteratorResult<InboundMessage>>()
    const pipe = new Pipe()
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
    late.resolve({ done: false, value: { namespace: bob, message: "late", metadata: { to: "bob:late" } } })
    await pipe.until(() => pipe.sent.length > 0)
    expect(pipe.sent).toEqual(["bob:late !! closed"])
    expect(await runtime.info(bob)).toBeUndefined()
  })

  test("is also that of a channel that ends by itself", async () => {
    const { pipe, adapter, run } = served(echo)
    pipe.push(bob, "x")
    pipe.end()
    await run
    expect(pipe.sent).toEqual(["bob:x -> re x"])
    expect(adapter.running).toBe(false)
  })

  test("says when the channel broke, after what was begun has been answered", async () => {
    const { pipe, run } = served(echo)
    pipe.push(bob, "x")
    pipe.end(new Error("socket closed"))
    await expect(run).rejects.toThrow("socket closed")
    expect(pipe.sent).toEqual(["bob:x -> re x"])
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
    expect(pipe.signals).toBe(0)
  })
})

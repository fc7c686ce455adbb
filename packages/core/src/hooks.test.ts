import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  type Entry,
  type Hooks,
  Namespace,
  PolicyRegistry,
  Runtime,
  type RuntimeOptions,
  type ToolContext,
  tool,
  userMessage,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

function setup(hooks: readonly Hooks[], options: Partial<RuntimeOptions> = {}) {
  const executed: unknown[] = []
  const errors: unknown[] = []
  const look = tool<Record<string, unknown>>({
    name: "look",
    description: "",
    input: { type: "object" },
    risk: "write",
    execute: (input, _: ToolContext) => {
      executed.push(input)
      return "seen"
    },
  })
  const provider = scriptedProvider([call("look", { at: "sky" }), "done"], { otherwise: "next" })
  const runtime = new Runtime({
    provider,
    tools: [look],
    hooks,
    onError: (error) => errors.push(error),
    ...options,
  })
  const results = async () =>
    ((await runtime.store.read(ns, { types: ["tool_result"] })) as readonly Entry<"tool_result">[]).map(
      ({ result }) => [result.status, result.content[0]?.type === "text" ? result.content[0].text : ""],
    )
  return { provider, runtime, executed, errors, results }
}

describe("hooks", () => {
  test("are called at every point of a run, in the order given, with whose run it is", async () => {
    const points: string[] = []
    const recorder = (name: string): Hooks => ({
      name,
      runStart: ({ namespace, metadata }) =>
        void points.push(`${name} runStart ${namespace.key} ${metadata["title"]}`),
      beforeModel: () => void points.push(`${name} beforeModel`),
      afterModel: ({ finishReason }) => void points.push(`${name} afterModel ${finishReason}`),
      beforeTool: ({ name: called }) => void points.push(`${name} beforeTool ${called}`),
      afterTool: ({ status }) => void points.push(`${name} afterTool ${status}`),
      runEnd: ({ outcome }) => void points.push(`${name} runEnd ${outcome}`),
    })
    const { runtime } = setup([recorder("a"), recorder("b")])
    await runtime.store.append(ns, [{ type: "meta", at: 1, patch: { title: "T" } }], { expected: 0 })
    await runtime.run(ns, "Go")
    await expect.poll(() => points.length).toBe(16)
    expect(points.filter((point) => point.startsWith("a"))).toEqual([
      "a runStart tenant:acme:chat T",
      "a beforeModel",
      "a afterModel tool_calls",
      "a beforeTool look",
      "a afterTool ok",
      "a beforeModel",
      "a afterModel stop",
      "a runEnd completed",
    ])
    for (const [index, point] of points.entries()) expect(point[0]).toBe(index % 2 ? "b" : "a")
  })

  test("change the request, each seeing what the one before left, and nothing of it is stored", async () => {
    const add = (text: string): Hooks => ({
      beforeModel: (request) => ({ ...request, messages: [...request.messages, userMessage(text)] }),
    })
    const { runtime, provider } = setup([add("one"), {}, add("two")])
    await runtime.run(ns, "Go")
    expect(provider.requests[0]?.messages.map((message) => message.parts[0])).toMatchObject([
      { text: "Go" },
      { text: "one" },
      { text: "two" },
    ])
    expect(await runtime.store.read(ns, { types: ["user"] })).toHaveLength(1)
  })

  test("change the arguments of a call: policy judges and the log records what they left", async () => {
    const { runtime, executed } = setup([
      { beforeTool: ({ arguments: args }) => ({ arguments: { ...args, safe: true } }) },
      { beforeTool: ({ arguments: args }) => ({ arguments: { ...args, seen: args["safe"] ?? false } }) },
    ])
    await runtime.run(ns, "Go")
    expect(executed).toEqual([{ at: "sky", safe: true, seen: true }])
    const [intent] = await runtime.store.read(ns, { types: ["tool_intent"] })
    expect(intent).toMatchObject({ decision: "allow", arguments: { at: "sky", safe: true, seen: true } })
  })

  test("refuse a call: it is not carried out, the model is told, hooks after it see the refusal", async () => {
    const seen: string[] = []
    const { runtime, executed, results } = setup([
      { name: "guard", beforeTool: () => ({ reject: "not on Sundays" }) },
      { afterTool: ({ status }) => void seen.push(status) },
    ])
    expect((await runtime.run(ns, "Go")).text).toBe("done")
    expect(executed).toEqual([])
    expect(await results()).toEqual([["denied", '"look" is not allowed here (not on Sundays).']])
    expect(seen).toEqual(["denied"])
  })

  test("see the calls that policy refuses, and cannot turn a no into a yes", async () => {
    const seen: string[] = []
    const { runtime, executed } = setup(
      [
        {
          beforeTool: (asked) => ({ arguments: asked.arguments }),
          afterTool: (result) => {
            seen.push(result.status)
            return { ...result, status: "ok" }
          },
        },
      ],
      { policies: new PolicyRegistry() },
    )
    await runtime.run(ns, "Go")
    expect([executed, seen]).toEqual([[], ["denied"]])
  })

  test("rewrite a result, but not which call it answers", async () => {
    const { runtime, results, provider } = setup([
      {
        afterTool: (result) => ({
          ...result,
          callId: "other",
          name: "other",
          content: [{ type: "text", text: "[redacted]" }],
        }),
      },
    ])
    await runtime.run(ns, "Go")
    expect(await results()).toEqual([["ok", "[redacted]"]])
    expect(JSON.stringify(provider.requests)).not.toContain("seen")
  })
})

describe("a hook that throws", () => {
  const boom = () => {
    throw new Error("boom")
  }

  test("before an effect prevents it, says which hook it was, and the next message is answered", async () => {
    for (const [point, requests] of [
      ["runStart", 0],
      ["beforeModel", 0],
      ["afterModel", 1],
    ] as const) {
      let armed = true
      const { runtime, provider, executed } = setup([
        { name: "guard", [point]: () => (armed ? boom() : undefined) },
      ])
      await expect(runtime.run(ns, "Go"), point).rejects.toMatchObject({
        code: "hook_failed",
        message: 'The hook "guard" failed: boom',
      })
      expect([provider.requests.length, executed], point).toEqual([requests, []])
      armed = false
      expect((await runtime.run(ns, "Again")).outcome).toBe("completed")
    }
  })

  test("before a call refuses that call; after it, is reported and changes nothing", async () => {
    const before = setup([{ name: "guard", beforeTool: boom }])
    expect((await before.runtime.run(ns, "Go")).text).toBe("done")
    expect(before.executed).toEqual([])
    expect((await before.results())[0]?.[0]).toBe("denied")
    expect(before.errors).toHaveLength(1)

    const after = setup([{ afterTool: boom, runEnd: boom }])
    expect((await after.runtime.run(ns, "Go")).text).toBe("done")
    expect(await after.results()).toEqual([["ok", "seen"]])
    await expect.poll(() => after.errors.length).toBe(2)
  })

  test("and an onError that throws as well keeps no session busy", async () => {
    const { runtime } = setup([{ afterTool: boom, runEnd: boom }], { onError: boom })
    expect((await runtime.run(ns, "Go")).text).toBe("done")
    expect((await runtime.run(ns, "Again")).text).toBe("next")
  })
})

describe("a hook that does not end", () => {
  test("is left when the run is stopped, and nothing it guarded happens", async () => {
    for (const point of ["runStart", "beforeModel", "afterModel", "beforeTool"] as const) {
      const reached = Promise.withResolvers<AbortSignal>()
      let armed = true
      const { runtime, executed } = setup([
        {
          [point]: (...args: readonly { readonly signal?: AbortSignal }[]) => {
            if (!armed) return undefined
            const signal = args.at(-1)?.signal
            if (signal) reached.resolve(signal)
            return new Promise(() => {})
          },
        },
      ])
      const running = runtime.run(ns, "Go")
      const signal = await reached.promise
      await runtime.stop(ns)
      expect(signal.aborted).toBe(true)
      expect((await running).outcome, point).toBe("stopped")
      expect(executed).toEqual([])
      armed = false
      expect((await runtime.run(ns, "Again")).outcome).toBe("completed")
    }
  })
})

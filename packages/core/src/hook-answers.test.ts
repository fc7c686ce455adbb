import { call, hang, say, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { askHooks } from "./hook-calls.ts"
import {
  type ApprovalQuestion,
  type Entry,
  type HookContext,
  type Hooks,
  Namespace,
  PolicyRegistry,
  Runtime,
  type RuntimeOptions,
  tool,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

function setup(hooks: readonly Hooks[], options: Partial<RuntimeOptions> = {}) {
  const executed: string[] = []
  const errors: unknown[] = []
  const named = (name: string) =>
    tool<Record<string, unknown>>({
      name,
      description: "",
      input: { type: "object" },
      risk: "write",
      execute: (input) => {
        executed.push(`${name} ${JSON.stringify(input)}`)
        return "seen"
      },
    })
  const provider = scriptedProvider([[call("look", { at: "sky" }), call("look", { at: "sea" })], "done"], {
    otherwise: "next",
  })
  const runtime = new Runtime({
    provider,
    tools: [named("look"), named("erase")],
    hooks,
    onError: (error) => errors.push(error),
    ...options,
  })
  const read = async <T extends Entry["type"]>(type: T) =>
    (await runtime.store.read(ns, { types: [type] })) as readonly Entry<T>[]
  return { provider, runtime, executed, errors, read }
}

/** What a hook in JavaScript can answer although its type forbids it. */
const nonsense = (value: unknown) => value as never

describe("a hook that ends the run", () => {
  const points = [
    ["runStart", 0, 0],
    ["beforeModel", 0, 0],
    ["afterModel", 1, 0],
    ["beforeTool", 1, 0],
  ] as const

  test.each(points)(
    "%s: it stops with the reason, and nothing that would come next happens",
    async (point, asked) => {
      let armed = true
      const later: string[] = []
      const { runtime, provider, executed, read } = setup([
        { name: "guard", [point]: () => (armed ? { end: "The office is closed." } : undefined) },
        { [point]: () => void later.push(point) },
      ])
      const result = await runtime.run(ns, "Go")
      const failure = { code: "ended_by_hook", message: "The office is closed.", retryable: false }
      expect(result).toMatchObject({ outcome: "stopped", error: failure })
      expect([provider.requests.length, executed, later]).toEqual([asked, [], []])
      expect((await read("run_finished"))[0]).toMatchObject({ outcome: "stopped", error: failure })
      armed = false
      // The provider refuses a transcript in which a call has no result.
      expect((await runtime.run(ns, "Again")).outcome).toBe("completed")
    },
  )

  test("after the last answer: it is kept, and the run says why it ended", async () => {
    const { runtime, read } = setup([{ afterModel: () => ({ end: "Too rude." }) }], {
      provider: scriptedProvider(["Go away"]),
    })
    expect(await runtime.run(ns, "Go")).toMatchObject({
      outcome: "stopped",
      text: "Go away",
      error: { message: "Too rude." },
    })
    expect((await read("assistant"))[0]).toMatchObject({ status: "complete" })
  })

  test("before a model call: the provider is not even told of it", async () => {
    let told = 0
    const provider = {
      id: "eager",
      model: "eager-1",
      stream: () => {
        told++
        return scriptedProvider(["Hello"]).stream({ messages: [], tools: [] })
      },
    }
    const { runtime } = setup([{ beforeModel: () => ({ end: "Enough." }) }], { provider })
    expect((await runtime.run(ns, "Go")).outcome).toBe("stopped")
    expect(told).toBe(0)
  })

  test("at a call: none of its step is carried out, and each has a result", async () => {
    const { runtime, executed, read } = setup([
      { beforeTool: ({ arguments: args }) => (args["at"] === "sea" ? { end: "Not the sea." } : undefined) },
    ])
    await runtime.run(ns, "Go")
    expect(executed).toEqual([])
    expect((await read("tool_result")).map(({ result }) => result.status)).toEqual(["cancelled", "cancelled"])
  })

  test("a run that is stopped by a person has no reason", async () => {
    const { runtime } = setup([], { provider: scriptedProvider([hang()]) })
    const running = runtime.run(ns, "Go")
    await expect.poll(() => runtime.isRunning(ns)).toBe(true)
    await runtime.stop(ns)
    expect((await running).error).toBeUndefined()
  })
})

describe("a hook that talks nonsense", () => {
  test("before a model call fails the run, which says so; the session goes on", async () => {
    for (const answer of ["yes", 7, {}, { messages: "none", tools: [] }, { messages: [] }]) {
      let armed = true
      const { runtime, provider } = setup([
        { name: "odd", beforeModel: () => (armed ? nonsense(answer) : undefined) },
      ])
      await expect(runtime.run(ns, "Go"), JSON.stringify(answer)).rejects.toMatchObject({
        code: "hook_failed",
      })
      expect(provider.requests).toHaveLength(0)
      armed = false
      expect((await runtime.run(ns, "Again")).outcome).toBe("completed")
    }
  })

  test("before a call refuses the call and is reported", async () => {
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    for (const answer of [
      "yes",
      7,
      {},
      { arguments: undefined },
      { arguments: "x" },
      { arguments: [1] },
      { arguments: { big: 1n } },
      { arguments: cycle },
    ]) {
      const { runtime, executed, errors, read } = setup([{ name: "odd", beforeTool: () => nonsense(answer) }])
      expect((await runtime.run(ns, "Go")).text).toBe("done")
      expect(executed).toEqual([])
      expect(errors).toHaveLength(2)
      expect((await read("tool_result")).map(({ result }) => result.status)).toEqual(["denied", "denied"])
    }
  })

  test("after a call is reported and changes nothing", async () => {
    for (const answer of [
      "yes",
      7,
      {},
      { status: "fine", content: [] },
      { status: "ok", content: "text" },
      { status: "ok", content: [{ type: "text", text: 7 }] },
      { status: "ok", content: [], structured: 1n },
    ]) {
      const { runtime, errors, read } = setup([{ afterTool: () => nonsense(answer) }])
      expect((await runtime.run(ns, "Go")).text).toBe("done")
      expect(errors).toHaveLength(2)
      for (const { result } of await read("tool_result"))
        expect(result).toMatchObject({ status: "ok", content: [{ type: "text", text: "seen" }] })
    }
  })
})

describe("what a hook is given is a copy", () => {
  test("so changing it, then or later, changes neither the call, the result nor the session", async () => {
    const given: { arguments: Record<string, unknown> }[] = []
    const results: { content: unknown[] }[] = []
    const { runtime, executed, provider, read } = setup([
      {
        beforeModel: (request) => void (request.messages as unknown[]).splice(0) as undefined,
        beforeTool: (asked) => {
          given.push(asked as never)
          ;(asked.arguments as Record<string, unknown>)["at"] = "bank"
          return undefined
        },
        afterTool: (result) => {
          results.push(result as never)
          ;(result.content as unknown[]).length = 0
          return undefined
        },
      },
    ])
    await runtime.run(ns, "Go")
    for (const asked of given) asked.arguments["at"] = "vault"
    for (const result of results) result.content.push({ type: "text", text: "forged" })
    await runtime.run(ns, "Again")
    expect(executed).toEqual(['look {"at":"sky"}', 'look {"at":"sea"}'])
    expect((await read("tool_result")).map(({ result }) => result.content)).toEqual([
      [{ type: "text", text: "seen" }],
      [{ type: "text", text: "seen" }],
    ])
    expect(JSON.stringify(provider.requests)).not.toMatch(/bank|vault|forged/)
    expect(provider.requests.at(-1)?.messages.length).toBeGreaterThan(4)
  })

  test("of the arguments a hook makes as well: what it does with them afterwards is too late", async () => {
    const made: Record<string, string>[] = []
    const { runtime, executed, read } = setup([
      {
        beforeTool: () => {
          const args = { at: "moon" }
          made.push(args)
          return { arguments: args }
        },
      },
      // Between the first hook and the tool.
      {
        beforeTool: () => {
          for (const args of made) args["at"] = "vault"
          return undefined
        },
      },
    ])
    await runtime.run(ns, "Go")
    expect(executed).toEqual(['look {"at":"moon"}', 'look {"at":"moon"}'])
    expect((await read("tool_intent")).map((intent) => intent.arguments)).toEqual([
      { at: "moon" },
      { at: "moon" },
    ])
  })
})

test("a hook cannot make a call one of another tool", async () => {
  const policies = PolicyRegistry.denyList(["erase"])
  const { runtime, executed, read } = setup(
    [{ beforeTool: (asked) => nonsense({ ...asked, name: "erase", arguments: asked.arguments }) }],
    { policies },
  )
  await runtime.run(ns, "Go")
  expect(executed).toEqual(['look {"at":"sky"}', 'look {"at":"sea"}'])
  expect((await read("tool_intent")).map(({ name }) => name)).toEqual(["look", "look"])
})

describe("a hook that takes longer than it may", () => {
  test("before an effect prevents it; afterwards it is left behind and reported", async () => {
    const never = () => new Promise<undefined>(() => {})
    for (const point of ["runStart", "beforeModel", "afterModel"] as const) {
      const { runtime, executed } = setup([{ name: "slow", timeoutMs: 5, [point]: never }])
      await expect(runtime.run(ns, "Go"), point).rejects.toMatchObject({
        code: "hook_failed",
        message: 'The hook "slow" failed: There was no answer within 5 ms.',
      })
      expect(executed).toEqual([])
    }
    const before = setup([{ timeoutMs: 5, beforeTool: never }])
    expect((await before.runtime.run(ns, "Go")).text).toBe("done")
    expect([before.executed, before.errors.length]).toEqual([[], 2])

    const after = setup([{ timeoutMs: 5, afterTool: never, runEnd: never }])
    expect((await after.runtime.run(ns, "Go")).text).toBe("done")
    expect((await after.runtime.run(ns, "Again")).text).toBe("next")
    expect([after.executed.length, after.errors.length]).toEqual([2, 4])
  })
})

describe("stream chunks", () => {
  test("are shown piece by piece, in order; what hooks do with them changes nothing", async () => {
    const seen: string[] = []
    const second: string[] = []
    const { runtime, errors } = setup(
      [
        {
          streamChunk: (piece, { namespace }) => {
            seen.push(`${namespace.key} ${piece.type === "text" ? piece.text : ""}`)
            Object.assign(piece, { text: "forged" })
            throw new Error("boom")
          },
        },
        {
          streamChunk: (piece) => {
            if (piece.type === "text") second.push(piece.text)
            return Promise.reject(new Error("late")) as never
          },
        },
      ],
      { provider: scriptedProvider([say("One ", "two ", "three")]) },
    )
    expect((await runtime.run(ns, "Go")).text).toBe("One two three")
    expect(seen).toEqual(["One ", "two ", "three"].map((text) => `tenant:acme:chat ${text}`))
    expect(second).toEqual(["One ", "two ", "three"])
    await expect.poll(() => errors.length).toBe(6)
  })
})

describe("hooks that decide approvals", () => {
  const question: ApprovalQuestion = {
    call: { type: "tool_call", id: "c1", name: "erase", arguments: { path: "/tmp" } },
    risk: "write",
    verdict: { decision: "ask", layer: "base", rule: 'ask "erase"' },
    tainted: false,
  }
  const context: HookContext = {
    namespace: ns,
    runId: "r1",
    metadata: {},
    signal: new AbortController().signal,
  }
  const ask = (...hooks: readonly Hooks[]) => askHooks(hooks, () => {}, question, context)
  const approve: Hooks = { name: "yes", approval: () => ({ decision: "approve" }) }
  const deny: Hooks = { name: "no", approval: () => ({ decision: "deny", reason: "never" }) }
  const silent: Hooks = { approval: () => undefined }

  test("a denial counts more than an approval, in whatever order; silence decides nothing", async () => {
    expect(await ask()).toBeUndefined()
    expect(await ask({}, silent)).toBeUndefined()
    expect(await ask(silent, approve, silent)).toEqual({ decision: "approve", by: "yes" })
    for (const hooks of [
      [approve, deny],
      [deny, approve],
    ])
      expect(await ask(...hooks)).toEqual({ decision: "deny", reason: "never", by: "no" })
  })

  test("who throws, hangs or says something else denies", async () => {
    const failing: readonly Hooks["approval"][] = [
      () => {
        throw new Error("boom")
      },
      () => Promise.reject(new Error("boom")),
      () => new Promise(() => {}),
      () => nonsense("yes"),
      () => nonsense({}),
      () => nonsense({ approve: true }),
      () => nonsense(true),
    ]
    for (const approval of failing) {
      if (approval) expect(await ask(approve, { timeoutMs: 5, approval })).toMatchObject({ decision: "deny" })
    }
  })

  test("what they are shown is a copy", async () => {
    await ask({
      approval: (asked) => {
        Object.assign(asked.call.arguments, { path: "/" })
        return undefined
      },
    })
    expect(question.call.arguments).toEqual({ path: "/tmp" })
  })
})

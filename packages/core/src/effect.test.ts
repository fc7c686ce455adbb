import { call, scriptedProvider, watchedStore } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { carryOut, type Effects } from "./effect.ts"
import {
  type Decision,
  type Hooks,
  MemoryStore,
  Namespace,
  type NewEntry,
  PolicyRegistry,
  Runtime,
  StoreError,
  type Tool,
  type ToolContext,
  type ToolOptions,
  ToolRegistry,
  tool,
} from "./index.ts"
import type { ToolCallPart } from "./message.ts"

const ns = Namespace.of("tenant", "acme")

const make = (options: Partial<ToolOptions<Record<string, unknown>>> = {}): Tool =>
  tool<Record<string, unknown>>({
    name: "tool",
    description: "",
    input: { type: "object" },
    risk: "read",
    execute: () => "done",
    ...options,
  })

const ask = (name = "tool", id = name): ToolCallPart => ({ type: "tool_call", id, name, arguments: {} })

interface Door extends Effects {
  readonly recorded: NewEntry[]
  readonly reported: unknown[]
}

function door(tools: readonly Tool[], options: Partial<Effects> = {}): Door {
  const recorded: NewEntry[] = []
  const reported: unknown[] = []
  return {
    tools: new ToolRegistry(tools),
    tainted: () => false,
    policies: PolicyRegistry.allowAll(),
    hooks: [],
    context: { namespace: ns, runId: "run", metadata: {}, signal: new AbortController().signal },
    signal: new AbortController().signal,
    parallel: 8,
    gate: undefined,
    mayWait: false,
    maxResultBytes: 1_000_000,
    record: async (entries) => {
      recorded.push(...entries)
    },
    end: () => {},
    progress: () => {},
    report: (error) => reported.push(error),
    now: () => Date.now(),
    ...options,
    recorded,
    reported,
  }
}

const one = async (tools: readonly Tool[], options: Partial<Effects> = {}) => {
  const [result] = await carryOut(door(tools, options), 0, [ask()])
  const [piece] = result?.content ?? []
  return { status: result?.status, text: piece?.type === "text" ? piece.text : "" }
}

describe("one decision, one record, at most one execution", () => {
  test("property: over random calls, policies, hooks and parallelism", async () => {
    const decisions = fc.constantFrom<Decision>("deny", "ask", "allow")
    const kinds = fc.constantFrom("ok", "throws", "missing", "invalid", "rejected")
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ kind: kinds, decision: decisions }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (calls, parallel) => {
          const executed: string[] = []
          const policies = new PolicyRegistry({ default: "deny" })
          const rules = { deny: [] as string[], ask: [] as string[], allow: [] as string[] }
          const tools: Tool[] = []
          for (const [index, { kind, decision }] of calls.entries()) {
            rules[decision].push(`t${index}`)
            if (kind === "missing") continue
            const execute = (_: unknown, { callId }: ToolContext): string => {
              executed.push(callId)
              if (kind === "throws") throw new Error("no")
              return "yes"
            }
            tools.push(make({ name: `t${index}`, execute }))
          }
          policies.set(ns, rules)
          const hooks: Hooks[] = [
            {
              beforeTool: ({ id }) =>
                calls[Number(id)]?.kind === "rejected" ? { reject: "the hook says no" } : undefined,
            },
          ]
          const effects = door(tools, { policies, hooks, parallel })
          const asked = calls.map(
            ({ kind }, index): ToolCallPart => ({
              ...ask(`t${index}`, `${index}`),
              ...(kind === "invalid" && { invalid: "{" }),
            }),
          )
          const results = await carryOut(effects, 0, asked)

          expect(results.map((result) => result?.callId)).toEqual(asked.map(({ id }) => id))
          const intents = effects.recorded.filter((entry) => entry.type === "tool_intent")
          const answers = effects.recorded.filter((entry) => entry.type === "tool_result")
          expect(effects.recorded.slice(0, intents.length)).toEqual(intents)
          expect(intents.map((entry) => entry.callId)).toEqual(asked.map(({ id }) => id))
          expect(answers.map((entry) => entry.callId).toSorted()).toEqual(
            asked.map(({ id }) => id).toSorted(),
          )
          const allowed = intents.filter((entry) => entry.decision === "allow").map((entry) => entry.callId)
          expect(executed.toSorted()).toEqual(allowed.toSorted())
          const mayRun = calls.flatMap(({ kind, decision }, index) =>
            decision === "allow" && (kind === "ok" || kind === "throws") ? [`${index}`] : [],
          )
          expect(executed.toSorted()).toEqual(mayRun.toSorted())
          const keys = intents.map((entry) => entry.idempotencyKey)
          expect(new Set(keys).size).toBe(keys.length)
        },
      ),
      { numRuns: 150 },
    )
  })

  test("the intent is durable before the tool runs: where it cannot be written, nothing runs", async () => {
    let ran = 0
    const execute = () => {
      ran++
      return "done"
    }
    const store = watchedStore(new MemoryStore(), {
      before: (method, [, entries]) => {
        if (method !== "append") return
        if ((entries as NewEntry[]).some((entry) => entry.type === "tool_intent"))
          throw new StoreError("store_full", "The disk is full.")
      },
    })
    const runtime = new Runtime({
      provider: scriptedProvider([call("tool"), "ok"]),
      store,
      tools: [make({ risk: "write", execute })],
      onError: () => {},
    })
    await expect(runtime.run(ns, "Go")).rejects.toMatchObject({ code: "store_full" })
    expect(ran).toBe(0)
  })

  test("when a result cannot be recorded no further call begins, and those that run come to rest", async () => {
    const began: string[] = []
    const ended: string[] = []
    const gate = Promise.withResolvers<void>()
    const slow = make({
      name: "slow",
      execute: async () => {
        began.push("slow")
        await gate.promise
        ended.push("slow")
        return "x"
      },
    })
    const quick = make({
      name: "quick",
      execute: () => {
        began.push("quick")
        return "x"
      },
    })
    const carrying = carryOut(
      door([slow, quick], {
        parallel: 2,
        record: async (entries) => {
          if (entries.some((entry) => entry.type === "tool_result" && entry.result.name === "quick")) {
            queueMicrotask(() => gate.resolve())
            throw new Error("full")
          }
        },
      }),
      0,
      [ask("slow"), ask("quick"), ask("quick", "later"), ask("quick", "last")],
    )
    await expect(carrying).rejects.toThrow("full")
    expect(began).toEqual(["slow", "quick"])
    expect(ended).toEqual(["slow"])
  })

  test("as many at a time as allowed, and no more", async () => {
    for (const parallel of [1, 3]) {
      let now = 0
      let most = 0
      const busy = make({
        execute: async () => {
          most = Math.max(most, ++now)
          for (let turn = 0; turn < 5; turn++) await Promise.resolve()
          now--
          return "x"
        },
      })
      const calls = Array.from({ length: 10 }, (_, index) => ask("tool", `${index}`))
      await carryOut(door([busy], { parallel }), 0, calls)
      expect(most).toBe(parallel)
    }
  })
})

describe("a tool that does not end", () => {
  const never = () => new Promise<string>(() => {})

  test("is abandoned when its time is up, and its outcome is said to be unknown", async () => {
    expect(await one([make({ execute: never, timeoutMs: 5 })])).toEqual({
      status: "error",
      text: "No answer within 0.005 s, so it was abandoned.",
    })
    const write = await one([make({ execute: never, timeoutMs: 5, risk: "write" })])
    expect(write.status).toBe("unknown")
  })

  test("is told by its signal", async () => {
    let told = false
    const execute = (_: unknown, { signal }: ToolContext) =>
      new Promise<string>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          told = true
          reject(new Error("aborted"))
        })
      })
    expect((await one([make({ execute, timeoutMs: 5 })])).status).toBe("error")
    expect(told).toBe(true)
  })

  test("in the check of its arguments neither holds the run nor is started afterwards", async () => {
    let ran = 0
    const stuck = {
      ...make(),
      parse: never,
      execute: async () => ({ content: [{ type: "text" as const, text: `${++ran}` }] }),
    }
    expect((await one([{ ...stuck, timeoutMs: 5 }])).status).toBe("error")
    const stop = new AbortController()
    const checked = Promise.withResolvers<void>()
    const parse = async () => {
      stop.abort()
      checked.resolve()
    }
    expect(await one([{ ...stuck, parse }], { signal: stop.signal })).toEqual({
      status: "cancelled",
      text: "Not started: the run was stopped.",
    })
    await checked.promise
    await new Promise((resolve) => setImmediate(resolve))
    expect(ran).toBe(0)
  })

  test("and rejects once nobody waits any more disturbs nobody", async () => {
    const late = Promise.withResolvers<string>()
    const stop = new AbortController()
    const execute = () => {
      stop.abort()
      return late.promise
    }
    expect((await one([make({ execute })], { signal: stop.signal })).status).toBe("cancelled")
    late.reject(new Error("too late"))
    await new Promise((resolve) => setImmediate(resolve))
  })

  test("leaves no timer behind", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
    const before = timers()
    for (let turn = 0; turn < 20; turn++) await one([make()])
    expect(timers()).toBe(before)
  })
})

describe("what a tool returns", () => {
  const returning = (value: unknown) => one([make({ execute: () => value as string })])

  test("that is no JSON is an error the model is told, and nothing else breaks", async () => {
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    for (const value of [cycle, 1n, { deep: [1n] }, { content: [], structured: cycle }]) {
      expect(await returning(value)).toMatchObject({
        status: "error",
        text: expect.stringContaining("not JSON"),
      })
    }
  })

  test("that is nothing, a number, a function or a look-alike of an answer is text", async () => {
    expect(await returning(undefined)).toEqual({ status: "ok", text: "Done." })
    expect(await returning(0)).toEqual({ status: "ok", text: "0" })
    expect(await returning(null)).toEqual({ status: "ok", text: "null" })
    expect((await returning(() => 1)).status).toBe("ok")
    expect(await returning({ content: ["a.txt"] })).toEqual({ status: "ok", text: '{"content":["a.txt"]}' })
  })

  test("as an exception is its message, whatever was thrown", async () => {
    for (const thrown of ["text", new Error("text"), { toString: () => "text" }]) {
      const execute = () => {
        throw thrown
      }
      expect(await one([make({ execute })])).toEqual({ status: "error", text: "text" })
    }
    for (const thrown of [undefined, Object.create(null), Symbol("x")]) {
      const execute = () => {
        throw thrown
      }
      expect((await one([make({ execute })])).status).toBe("error")
    }
  })

  test("of 100 MB is cut to what is kept, shortened for the model, and the run goes on", async () => {
    const provider = scriptedProvider([call("tool"), "done"])
    const runtime = new Runtime({
      provider,
      tools: [make({ execute: () => "x".repeat(100_000_000) })],
      context: { maxTokens: 10_000, reservedForOutput: 1_000 },
    })
    expect((await runtime.run(ns, "Go")).text).toBe("done")
    const last = provider.requests[1]?.messages.at(-1)
    const [piece] = last?.role === "tool" ? (last.parts[0]?.content ?? []) : []
    expect(piece?.type === "text" ? piece.text.length : 0).toBeLessThan(12_000)
  })
})

describe("a decision that is not allow", () => {
  test("is told to the model in words: deny, ask, no such tool", async () => {
    const policies = new PolicyRegistry({ default: "allow" })
    policies.set(ns, { deny: ["no"], ask: ["maybe"] })
    const results = await carryOut(door([make({ name: "no" }), make({ name: "maybe" })], { policies }), 0, [
      ask("no"),
      ask("maybe"),
      ask("what"),
    ])
    expect(results.map((result) => [result?.status, result?.content[0]])).toEqual([
      ["denied", { type: "text", text: '"no" is not allowed here (deny "no").' }],
      ["denied", { type: "text", text: '"maybe" needs a person\'s approval, and nobody can give it here.' }],
      ["denied", { type: "text", text: 'Refused: there is no tool "what".' }],
    ])
  })
})

import { call, fail, say, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  type LoggingOptions,
  type LogRecord,
  logging,
  Namespace,
  PolicyRegistry,
  Runtime,
  tool,
} from "../index.ts"

const sessionOf = (user: string) => Namespace.of("tenant", "acme", user)

const SECRET = "hunter2"
const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 }

function setup(
  script: Parameters<typeof scriptedProvider>[0],
  options: Partial<LoggingOptions> = {},
  text = SECRET,
) {
  const records: LogRecord[] = []
  let now = 0
  const look = tool({
    name: "look",
    description: "",
    input: { type: "object" },
    risk: "write",
    execute: () => {
      now += 40
      return text
    },
  })
  const provider = scriptedProvider(script)
  const hooks = [logging({ write: (record) => records.push(record), clock: () => now, ...options })]
  const policies = new PolicyRegistry({ default: "allow", base: { deny: ["secret_*"] } })
  return { records, runtime: new Runtime({ provider, tools: [look], hooks, policies, onError: () => {} }) }
}

describe("logging", () => {
  test("a record of the run, each model call and each tool call, with times, usage and outcome", async () => {
    const { records, runtime } = setup([[call("look", {}, "c1"), call("secret_1", {}, "c2")], "done"])
    await runtime.run(sessionOf("ann"), `The password is ${SECRET}`)
    await expect.poll(() => records.at(-1)?.event).toBe("run_finished")
    const runId = records[0]?.runId ?? ""
    expect(records.every((record) => record.session === "tenant:acme:ann" && record.runId === runId)).toBe(
      true,
    )
    expect(records.map(({ session: _, runId: __, ...facts }) => facts)).toEqual([
      { event: "run_started" },
      { event: "model_call_started", messages: 1, tools: 1 },
      {
        event: "model_call_finished",
        model: "scripted-1",
        finishReason: "tool_calls",
        usage,
        toolCalls: 2,
        durationMs: 0,
      },
      { event: "tool_call_started", callId: "c1", tool: "look" },
      { event: "tool_call_started", callId: "c2", tool: "secret_1" },
      expect.objectContaining({ event: "tool_call_finished", callId: "c2", status: "denied" }),
      { event: "tool_call_finished", callId: "c1", tool: "look", status: "ok", durationMs: 40 },
      { event: "model_call_started", messages: 3, tools: 1 },
      expect.objectContaining({ event: "model_call_finished", finishReason: "stop", toolCalls: 0 }),
      {
        event: "run_finished",
        outcome: "completed",
        usage: { ...usage, inputTokens: 20, outputTokens: 10 },
        durationMs: 40,
      },
    ])
  })

  test("nothing of what was said, by default; a failure by its code", async () => {
    const { records, runtime } = setup([
      [say(SECRET), call("look", { password: SECRET })],
      fail("invalid_request", `What is ${SECRET}?`),
    ])
    await expect(runtime.run(sessionOf("ann"), `The password is ${SECRET}`)).rejects.toThrow(SECRET)
    await expect.poll(() => records.at(-1)?.event).toBe("run_finished")
    expect(JSON.stringify(records)).not.toContain(SECRET)
    expect(records.at(-1)).toMatchObject({ outcome: "failed", code: "provider_invalid_request" })
  })

  test("a preview is cut between characters and stays on one line", async () => {
    const preview = async (text: string) => {
      const { records, runtime } = setup([call("look"), "done"], { previewLength: 4 }, text)
      await runtime.run(sessionOf("ann"), "Go")
      const record = records.find(({ event }) => event === "tool_call_finished")
      return record && "preview" in record ? record.preview : undefined
    }
    expect(await preview("🙂🙂🙂🙂🙂")).toBe("🙂🙂🙂🙂…")
    expect(await preview("日本語")).toBe("日本語")
    expect(await preview("a\nb\u001b[31m")).toBe("a b …")
    expect(await preview("")).toBe("")
  })

  test("a limit that is near or hit, and where it is set", async () => {
    const records: LogRecord[] = []
    const namespace = sessionOf("ann")
    const context = { namespace, runId: "r1", metadata: {}, signal: new AbortController().signal }
    const of = { namespace: Namespace.of("tenant", "acme"), unit: "usd", window: "day", limit: 1 }
    const hook = logging({ write: (record) => records.push(record) })
    await hook.budget?.({ type: "near", ...of, used: 0.9 }, context)
    await hook.budget?.({ type: "hit", ...of, used: 1 }, context)
    expect(records).toEqual([
      {
        session: "tenant:acme:ann",
        runId: "r1",
        event: "budget_near",
        ...of,
        namespace: undefined,
        on: "tenant:acme",
        used: 0.9,
      },
      {
        session: "tenant:acme:ann",
        runId: "r1",
        event: "budget_hit",
        ...of,
        namespace: undefined,
        on: "tenant:acme",
        used: 1,
      },
    ])
  })

  test("sessions that run at the same time have their own times", async () => {
    const records: LogRecord[] = []
    let now = 0
    const first = Promise.withResolvers<void>()
    const second = Promise.withResolvers<void>()
    const wait = tool({
      name: "wait",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: async (_, { namespace }) => {
        if (namespace.key.endsWith("ann")) {
          // Ann's call begins at 0, Bob's at 100 and ends at 150, then Ann's at 1,000.
          now = 100
          first.resolve()
          await second.promise
          now = 1_000
        }
        return "done"
      },
    })
    const provider = scriptedProvider([], {
      otherwise: ({ messages }) => (messages.at(-1)?.role === "tool" ? "done" : call("wait")),
    })
    const hooks = [logging({ write: (record) => records.push(record), clock: () => now })]
    const runtime = new Runtime({ provider, tools: [wait], hooks })
    const ann = runtime.run(sessionOf("ann"), "Go")
    await first.promise
    await runtime.run(sessionOf("bob"), "Go")
    now = 150
    second.resolve()
    await ann
    const durations = (user: string) =>
      records
        .filter(({ session, event }) => session.endsWith(user) && event.endsWith("call_finished"))
        .map((record) => ("durationMs" in record ? record.durationMs : undefined))
    expect(durations("ann")).toEqual([0, 1_000, 0])
    expect(durations("bob")).toEqual([0, 0, 0])
  })
})

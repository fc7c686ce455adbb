import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  type ApprovalAnswer,
  type ApprovalQuestion,
  type ApprovalRequest,
  approvalHook,
  type Entry,
  type HookContext,
  Namespace,
  PolicyRegistry,
  Runtime,
  tool,
} from "../index.ts"

const question = (command: string): ApprovalQuestion => ({
  call: { type: "tool_call", id: "c1", name: "exec", arguments: { command } },
  risk: "exec",
  verdict: { decision: "ask", layer: "base", rule: 'ask "exec"' },
  tainted: true,
})

function contextOf(user: string, controller = new AbortController()): HookContext {
  return {
    namespace: Namespace.of("tenant", "acme", user),
    runId: "r1",
    metadata: {},
    signal: controller.signal,
  }
}

describe("approvalHook", () => {
  test("asks with the session, the exact call and a deadline, and hands on the answer", async () => {
    const asked: ApprovalRequest[] = []
    const hook = approvalHook(
      (request) => {
        asked.push(request)
        return { decision: "approve", by: "bob" }
      },
      { timeoutMs: 60_000 },
    )
    const before = Date.now()
    expect(await hook.approval?.(question("ls"), contextOf("ann"))).toEqual({
      decision: "approve",
      by: "bob",
    })
    expect(asked).toMatchObject([
      { ...question("ls"), context: { namespace: Namespace.of("tenant", "acme", "ann") } },
    ])
    expect(asked[0]?.deadline).toBeGreaterThanOrEqual(before + 60_000)
    expect(asked[0]?.signal.aborted).toBe(false)
  })

  test("whatever is no approval is none", async () => {
    for (const answer of [undefined, null, true, "approve", {}, { decision: "allow" }, { approve: true }]) {
      const hook = approvalHook(() => answer as never)
      const decided = await hook.approval?.(question("ls"), contextOf("ann"))
      expect(decided, JSON.stringify(answer)).toMatchObject({ decision: "deny" })
    }
  })

  test("no answer in time, or before the run is stopped, is a denial, and the question is taken back", async () => {
    let taken = 0
    const hook = (timeoutMs: number) =>
      approvalHook(
        ({ signal }) => {
          signal.addEventListener("abort", () => taken++)
          return new Promise(() => {})
        },
        { timeoutMs },
      )
    expect(await hook(5).approval?.(question("ls"), contextOf("ann"))).toMatchObject({ decision: "deny" })
    const controller = new AbortController()
    const stopped = hook(60_000).approval?.(question("ls"), contextOf("ann", controller))
    controller.abort()
    expect(await stopped).toMatchObject({ decision: "deny" })
    expect(taken).toBe(2)
    expect(await hook(60_000).approval?.(question("ls"), contextOf("ann", controller))).toMatchObject({
      decision: "deny",
    })
  })

  test("an answer counts for the question it was given to, whoever else is asked meanwhile", async () => {
    const open = new Map<string, (yes: boolean) => void>()
    const hook = approvalHook(
      ({ call, context }) =>
        new Promise((resolve) =>
          open.set(`${context.namespace.segments.at(-1)} ${call.arguments["command"]}`, (yes) =>
            resolve(yes ? { decision: "approve" } : { decision: "deny", reason: "no" }),
          ),
        ),
    )
    const answers = [
      hook.approval?.(question("ls"), contextOf("ann")),
      hook.approval?.(question("rm"), contextOf("ann")),
      hook.approval?.(question("ls"), contextOf("bob")),
    ]
    open.get("bob ls")?.(false)
    open.get("ann rm")?.(false)
    open.get("ann ls")?.(true)
    expect((await Promise.all(answers)).map((answer) => answer?.decision)).toEqual([
      "approve",
      "deny",
      "deny",
    ])
  })
})

describe("approvalHook in a runtime", () => {
  function setup(ask: Parameters<typeof approvalHook>[0], timeoutMs = 60_000) {
    const executed: string[] = []
    const exec = tool<{ command: string }>({
      name: "exec",
      description: "",
      input: { type: "object" },
      risk: "exec",
      execute: ({ command }, { namespace }) => {
        executed.push(`${namespace.segments.at(-1)} ${command}`)
        return "ran"
      },
    })
    const errors: unknown[] = []
    const policies = new PolicyRegistry({ default: "ask" })
    const runtime = new Runtime({
      provider: scriptedProvider([], {
        otherwise: ({ messages }) =>
          messages.at(-1)?.role === "tool" ? "done" : call("exec", { command: "deploy" }),
      }),
      tools: [exec],
      policies,
      hooks: [approvalHook(ask, { timeoutMs, name: "desk" })],
      onError: (error) => errors.push(error),
    })
    const intentOf = async (user: string) => {
      const [intent] = await runtime.store.read(contextOf(user).namespace, { types: ["tool_intent"] })
      return intent as Entry<"tool_intent"> | undefined
    }
    return { executed, errors, policies, runtime, intentOf }
  }

  test("one user's yes is for that user's call, whoever else waits for an answer", async () => {
    const open = new Map<string, (answer: ApprovalAnswer) => void>()
    const { executed, runtime, intentOf } = setup(
      ({ context }) => new Promise((resolve) => open.set(context.namespace.segments.at(-1) ?? "", resolve)),
    )
    const runs = ["ann", "bob", "eve"].map((user) => runtime.run(contextOf(user).namespace, "Deploy"))
    await expect.poll(() => open.size).toBe(3)
    open.get("bob")?.({ decision: "approve", by: "bob himself" })
    await runs[1]
    expect(executed).toEqual(["bob deploy"])
    open.get("eve")?.({ decision: "deny", reason: "not today" })
    open.get("ann")?.(undefined)
    await Promise.all(runs)
    expect(executed).toEqual(["bob deploy"])
    expect(await intentOf("bob")).toMatchObject({ decision: "allow", approval: { by: "bob himself" } })
    expect(await intentOf("eve")).toMatchObject({ decision: "deny", reason: "desk: not today" })
    expect(await intentOf("ann")).toMatchObject({ decision: "deny" })
  })

  test("what throws or is too late carries nothing out", async () => {
    const failing: readonly (readonly [Parameters<typeof approvalHook>[0], number])[] = [
      [() => new Promise(() => {}), 5],
      [() => Promise.reject(new Error("boom")), 60_000],
      [
        () => {
          throw new Error("boom")
        },
        60_000,
      ],
    ]
    for (const [ask, timeoutMs] of failing) {
      const { executed, runtime, intentOf } = setup(ask, timeoutMs)
      expect((await runtime.run(contextOf("ann").namespace, "Deploy")).text).toBe("done")
      expect(executed).toEqual([])
      expect(await intentOf("ann")).toMatchObject({ decision: "deny" })
    }
  })

  test("what policy denies it is not asked about", async () => {
    let asked = 0
    const { runtime, policies, executed } = setup(() => {
      asked++
      return { decision: "approve" }
    })
    policies.set(contextOf("ann").namespace, { deny: ["exec"] })
    await runtime.run(contextOf("ann").namespace, "Deploy")
    expect([asked, executed]).toEqual([0, []])
  })
})

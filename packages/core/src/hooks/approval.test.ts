import { describe, expect, test } from "vitest"
import {
  type ApprovalQuestion,
  type ApprovalRequest,
  approvalHook,
  type HookContext,
  Namespace,
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

import { call, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { Approvals } from "./approval.ts"
import { MemoryStore } from "./memory-store.ts"
import { messageText } from "./message.ts"
import { Namespace } from "./namespace.ts"
import { PolicyRegistry } from "./policy.ts"
import type { ModelRequest } from "./provider.ts"
import type { RunEvent } from "./run.ts"
import { Team } from "./team.ts"
import { tool } from "./tool.ts"

const ns = Namespace.of("acme", "bob")

/** What is there while a process lives. */
function process(store: MemoryStore, script: (request: ModelRequest, who: string) => ScriptedAnswer) {
  const provider = scriptedProvider([], {
    otherwise: (request) => script(request, /You are (\w+)/.exec(request.system ?? "")?.[1] ?? ""),
  })
  const approvals = new Approvals()
  const executed: string[] = []
  const shell = tool({
    name: "shell",
    description: "",
    input: { type: "object" },
    risk: "exec",
    execute: (_, { idempotencyKey }) => {
      executed.push(idempotencyKey)
      return "ran"
    },
  })
  const team = new Team({
    provider,
    store,
    approvals,
    policies: new PolicyRegistry({ default: "allow", base: { ask: ["shell"] } }),
    tools: [shell],
    agents: [{ name: "A" }, { name: "B" }, { name: "C" }],
    owner: "the only one",
    deltaIntervalMs: 0,
  })
  return { team, provider, approvals, executed }
}

const lastText = ({ messages }: ModelRequest): string => {
  const last = messages.at(-1)
  return last ? messageText(last) : ""
}

/** A asks B, B asks C, C wants the shell. */
const script = (request: ModelRequest, who: string): ScriptedAnswer => {
  if (request.messages.length > 1) return `${who} heard "${lastText(request)}".`
  if (who === "C") return call("shell")
  return call("delegate_to_agent", { agent: who === "A" ? "B" : "C", task: "Do it" })
}

const ALL = 'A heard "B heard "C heard "ran".".".'

async function until(team: Team, namespace: Namespace, type: RunEvent["type"]): Promise<RunEvent> {
  for await (const event of team.runtime.subscribe(namespace, { after: 0 }))
    if (event.type === type) return event
  throw new Error("the runtime closed first")
}

const open = async (store: MemoryStore) =>
  (await store.list(ns, { openRun: true })).items.map(({ waiting }) => waiting !== undefined)

describe("a task that waits for an approval", () => {
  test("makes those wait who asked for it, and all go on when it is given", async () => {
    const store = new MemoryStore()
    const { team, approvals, executed } = process(store, script)
    const { outcome } = await team.run(ns, "Go")
    expect(outcome).toBe("waiting")
    expect(await open(store)).toEqual([true, true, true])
    expect(team.runtime.isRunning(ns)).toBe(false)
    const [pending] = await approvals.list(ns)
    if (!pending) throw new Error("nothing to approve")
    await approvals.decide(pending.namespace, pending.approvalId, { decision: "approve", by: "bob" })
    await until(team, ns, "run_finished")
    const end = (await store.read(ns, { types: ["assistant"] })).at(-1)
    expect(end?.type === "assistant" && messageText(end.message)).toBe(ALL)
    expect(executed).toHaveLength(1)
    expect(await open(store)).toEqual([])
  })
})

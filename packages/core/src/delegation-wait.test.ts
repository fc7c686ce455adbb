import { call, type Mortal, mortal, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { beforeEach, describe, expect, test } from "vitest"
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
function begin(store: MemoryStore, life: Mortal = mortal()) {
  const provider = scriptedProvider([], {
    otherwise: (request) => script(request, /You are (\w+)/.exec(request.system ?? "")?.[1] ?? ""),
  })
  const approvals = new Approvals()
  const shell = tool({
    name: "shell",
    description: "",
    input: { type: "object" },
    risk: "exec",
    idempotent: true,
    execute: (_, { idempotencyKey }) => {
      executed.push(idempotencyKey)
      return "ran"
    },
  })
  const team = new Team({
    provider: life.provider(provider),
    store: life.store(store),
    approvals,
    policies: new PolicyRegistry({ default: "allow", base: { ask: ["shell"] } }),
    tools: [life.tool(shell)],
    hooks: [life.hooks()],
    agents: [{ name: "A" }, { name: "B" }, { name: "C" }],
    // Processes that follow one another need not wait until the lease of the one before runs out.
    owner: "the only one",
    deltaIntervalMs: 0,
    onError: () => {},
  })
  return { team, provider, approvals }
}

let executed: string[] = []
beforeEach(() => {
  executed = []
})

const lastText = ({ messages }: ModelRequest): string => {
  const last = messages.findLast(({ role }) => role === "tool")
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

const waiting = async (store: MemoryStore) =>
  (await store.list(ns, { openRun: true })).items.map((info) => info.waiting !== undefined)

/** Says yes to whatever waits, unless that has been said. */
async function approve({ approvals }: ReturnType<typeof begin>): Promise<void> {
  for (const { namespace, approvalId } of await approvals.list(ns))
    await approvals.decide(namespace, approvalId, { decision: "approve", by: "bob" })
}

/** All is done, by one run of each agent, and the shell has been called once. */
async function assertDone(store: MemoryStore): Promise<void> {
  const sessions = (await store.list(ns)).items
  expect(sessions.map(({ openRun }) => openRun)).toEqual([undefined, undefined, undefined])
  const end = (await store.read(ns, { types: ["assistant"] })).at(-1)
  expect(end?.type === "assistant" && messageText(end.message)).toBe(ALL)
  for (const { namespace } of sessions)
    expect(await store.read(namespace, { types: ["run_started"] })).toHaveLength(1)
  expect(new Set(executed).size).toBe(1)
}

describe("a task that waits for an approval", () => {
  test("makes those wait who asked for it, and all go on when it is given", async () => {
    const store = new MemoryStore()
    const process = begin(store)
    expect((await process.team.run(ns, "Go")).outcome).toBe("waiting")
    expect(await waiting(store)).toEqual([true, true, true])
    expect(process.team.runtime.isRunning(ns)).toBe(false)
    await approve(process)
    await until(process.team, ns, "run_finished")
    await assertDone(store)
    expect(executed).toHaveLength(1)
  })

  test("is never missed when it ends just while its caller begins to wait", async () => {
    for (const moment of [1, 2]) {
      executed = []
      const store = new MemoryStore()
      const process = begin(store)
      const { runtime } = process.team
      let seen = 0
      // What is read of the last session is old by the time it is looked at: the task has ended since.
      runtime.info = async (namespace) => {
        const before = await store.info(namespace)
        const isLast = namespace.depth === ns.depth + 6
        if (!isLast || !before?.waiting || ++seen !== moment) return before
        await approve(process)
        await until(process.team, namespace, "run_finished")
        return before
      }
      await process.team.submit(ns, "Go")
      await until(process.team, ns, "run_finished")
      await assertDone(store)
      expect(seen).toBeGreaterThanOrEqual(moment)
    }
  })

  test("waits on when the process ends, and goes on in another one", async () => {
    const store = new MemoryStore()
    const first = begin(store)
    await first.team.run(ns, "Go")
    await first.team.close()
    const second = begin(store)
    expect(await second.team.recover(ns, { resume: true })).toEqual([])
    await until(second.team, ns, "run_waiting")
    await approve(second)
    await until(second.team, ns, "run_finished")
    await assertDone(store)
    expect(first.provider.requests).toHaveLength(3)
    expect(second.provider.requests).toHaveLength(3)
  })

  test("ends when whoever asked for it is stopped, and nothing is left to approve", async () => {
    const store = new MemoryStore()
    const { team, approvals } = begin(store)
    await team.run(ns, "Go")
    expect(await team.stop(ns)).toBe(true)
    expect(await waiting(store)).toEqual([])
    expect(await approvals.list(ns)).toEqual([])
  })

  test("can be stopped itself, and whoever asked for it is told", async () => {
    const store = new MemoryStore()
    const process = begin(store)
    await process.team.run(ns, "Go")
    const [pending] = await process.approvals.list(ns)
    await process.team.stop(pending?.namespace ?? ns)
    await until(process.team, ns, "run_finished")
    const end = (await store.read(ns, { types: ["assistant"] })).at(-1)
    expect(end?.type === "assistant" && messageText(end.message)).toContain(
      "C was stopped before it had finished",
    )
    expect(executed).toEqual([])
  })

  test("is looked for again when its end came while nobody was there to tell", async () => {
    const store = new MemoryStore()
    const first = begin(store)
    await first.team.run(ns, "Go")
    const [pending] = await first.approvals.list(ns)
    await first.team.runtime.stop(pending?.namespace ?? ns)
    await first.team.close()
    const second = begin(store)
    await second.team.recover(ns)
    await until(second.team, ns, "run_finished")
    expect(await waiting(store)).toEqual([])
  })

  test("does nothing any more when the session that asked for it is gone", async () => {
    const store = new MemoryStore()
    const process = begin(store)
    await process.team.run(ns, "Go")
    const [pending] = await process.approvals.list(ns)
    if (!pending) throw new Error("nothing waits")
    await process.team.runtime.delete(ns)
    await approve(process)
    await until(process.team, pending.namespace, "run_finished")
    expect(executed).toEqual([])
    await process.team.delete(ns)
    expect((await store.list(ns)).items).toEqual([])
  })
})

describe("a process that dies", () => {
  /** What the process after it does, whatever the one before has left. */
  async function finish(store: MemoryStore): Promise<void> {
    const process = begin(store)
    const { team } = process
    await team.recover(ns, { resume: true })
    await team.submit(ns, "Go", { inputId: "m" })
    // What waits shows at some time: looked at whenever everything else has had its turn.
    while ((await store.info(ns))?.openRun !== undefined) {
      await approve(process)
      await new Promise((resolve) => setTimeout(resolve))
    }
    await assertDone(store)
    await team.close()
  }

  test("at any point of handing on a task leaves one that is done once, by one session for each", {
    timeout: 600_000,
  }, async () => {
    let points = 0
    for (let dieAt = 1; ; dieAt++) {
      executed = []
      const store = new MemoryStore()
      const life = mortal({ dieAt })
      const work = begin(store, life).team.run(ns, "Go", { inputId: "m" })
      const died = await Promise.race([life.death, work.then(() => undefined)])
      life.bury()
      if (!died) break
      points = dieAt
      await finish(store)
    }
    expect(points).toBeGreaterThan(50)
  })

  test("at any point after the approval leaves one that is done once", { timeout: 600_000 }, async () => {
    let points = 0
    for (let dieAt = 1; ; dieAt++) {
      executed = []
      const store = new MemoryStore()
      await begin(store).team.run(ns, "Go", { inputId: "m" })
      const life = mortal({ dieAt })
      const process = begin(store, life)
      const work = approve(process).then(() => until(process.team, ns, "run_finished"))
      const died = await Promise.race([life.death, work.then(() => undefined)])
      life.bury()
      if (!died) break
      points = dieAt
      await finish(store)
    }
    expect(points).toBeGreaterThan(50)
  })
})

import { join } from "node:path"
import { Approvals, messageText, Namespace, PolicyRegistry, Team, tool } from "@orra/core"
import { call, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { testFolder } from "./fixture.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

const ns = Namespace.of("acme", "bob")

/** A process with its own connection to the database. */
async function begin(script: readonly ScriptedAnswer[]) {
  const store = await sqliteStore({ path: join(folder, "sessions.db") })
  const approvals = new Approvals()
  let executions = 0
  const team = new Team({
    provider: scriptedProvider(script),
    store,
    approvals,
    policies: new PolicyRegistry({ default: "allow", base: { ask: ["shell"] } }),
    tools: [
      tool({
        name: "shell",
        description: "",
        input: { type: "object" },
        risk: "exec",
        execute: () => `ran ${++executions}`,
      }),
    ],
    agents: [{ name: "Atlas" }, { name: "CodeBot" }],
  })
  return { store, approvals, team }
}

test("an agent and the one it asked wait for an approval through a restart, and both finish", async () => {
  const first = await begin([call("delegate_to_agent", { agent: "CodeBot", task: "Run it" }), call("shell")])
  expect((await first.team.run(ns, "Go")).outcome).toBe("waiting")
  await first.team.close()
  await first.store.close()

  const { store, approvals, team } = await begin(["It ran.", "Done: it ran."])
  const [pending] = await approvals.list(ns)
  if (!pending) throw new Error("nothing waits")
  expect(ns.contains(pending.namespace)).toBe(true)
  const decision = { decision: "approve", by: "bob" } as const
  await approvals.decide(pending.namespace, pending.approvalId, decision)
  for await (const event of team.runtime.subscribe(ns, { after: 0 })) if (event.type === "run_finished") break

  const sessions = (await store.list(ns)).items
  expect(sessions.map(({ openRun }) => openRun)).toEqual([undefined, undefined])
  const [result] = await store.read(ns, { types: ["tool_result"] })
  expect(result).toMatchObject({
    result: {
      status: "ok",
      structured: { agent: "CodeBot", session: pending.namespace.key, outcome: "completed" },
    },
  })
  const answer = (await store.read(ns, { types: ["assistant"] })).at(-1)
  expect(answer?.type === "assistant" && messageText(answer.message)).toBe("Done: it ran.")
  const [ran] = await store.read(pending.namespace, { types: ["tool_result"] })
  expect(ran).toMatchObject({ result: { content: [{ text: "ran 1" }] } })
  await expect(approvals.decide(pending.namespace, pending.approvalId, decision)).rejects.toMatchObject({
    code: "approval_decided",
  })
  await team.delete(ns)
  expect((await store.list(ns)).items).toEqual([])
  await team.close()
  await store.close()
})

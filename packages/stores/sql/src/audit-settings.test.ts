import { Budgets, Namespace, PolicyRegistry } from "@orra/core"
import { describe, expect, test } from "vitest"
import { auditSubjects, type Subject } from "./audit-fixture.ts"

const acme = Namespace.of("tenant", "acme")
const ada = acme.child("ada")

describe.each(Object.entries(auditSubjects()))("the audit of settings in %s", (_, make) => {
  test("who allowed a budget more, and who changed limits and layers of policy, is audited by itself", async () => {
    const { store, again } = await make()
    const start = async (opened: Subject["store"], by: string, max: number) => {
      const policies = new PolicyRegistry({ store: opened })
      const budgets = new Budgets({ store: opened })
      policies.set(acme, { deny: ["shell"], default: "ask" }, { by })
      budgets.set(ada, { per: "ever", toolCalls: Number.POSITIVE_INFINITY, modelCalls: max }, { by })
      await Promise.all([policies.recorded(), budgets.recorded()])
      return { policies, budgets }
    }
    const { policies, budgets } = await start(store, "canary-boss", 5)
    await budgets.grant(ada, { per: "ever", unit: "modelCalls", amount: 2, by: "canary-boss" })
    // Another process sets the same: nothing has changed.
    await start(await again(), "canary-other", 5)
    await start(await again(), "canary-other", 6)
    policies.remove(acme, { by: "canary-boss" })
    policies.set(acme, { deny: ["*"] })
    await policies.recorded()
    const { items } = await store.audit.list(acme)
    const said = items.map(({ namespace, events }) => [namespace.key, ...events])
    const layer = JSON.stringify({ deny: ["shell"], default: "ask", ask: [], allow: [] })
    const limits = (max: number) => JSON.stringify([{ per: "ever", toolCalls: "Infinity", modelCalls: max }])
    const event = (type: string, by?: string) => ({ type, at: expect.any(Number), ...(by && { by }) })
    expect(said).toEqual([
      [acme.key, { ...event("policy_changed", "canary-boss"), layer }],
      [acme.key, event("policy_changed", "canary-boss")],
      [acme.key, { ...event("policy_changed"), layer: expect.stringContaining('"deny":["*"]') }],
      [ada.key, { ...event("limits_changed", "canary-boss"), limits: limits(5) }],
      [ada.key, { ...event("budget_granted", "canary-boss"), per: "ever", unit: "modelCalls", amount: 2 }],
      [ada.key, { ...event("limits_changed", "canary-other"), limits: limits(6) }],
    ])
    expect(await store.audit.verify(acme)).toBeUndefined()
    expect(await budgets.state(ada)).toContainEqual(expect.objectContaining({ unit: "modelCalls", limit: 7 }))
  })

  test("a grant that cannot be audited is none; without an audit nothing is written but the account", async () => {
    const subject = await make()
    const budgets = new Budgets({ store: subject.store })
    budgets.set(ada, { per: "ever", modelCalls: 5 })
    await budgets.recorded()
    await subject.sql("ALTER TABLE audit RENAME TO elsewhere")
    const more = { per: "ever", unit: "modelCalls", amount: 2 } as const
    await expect(budgets.grant(ada, more)).rejects.toMatchObject({ code: "budget_unavailable" })
    await subject.sql("ALTER TABLE elsewhere RENAME TO audit")
    expect(await budgets.state(ada)).toMatchObject([{ limit: 5 }])

    const plain = await subject.again({ audit: false })
    const policies = new PolicyRegistry({ store: plain })
    const silent = new Budgets({ store: plain })
    policies.set(ada, { allow: ["*"] })
    silent.set(ada, { per: "ever", modelCalls: 5 })
    await silent.grant(ada, more)
    await Promise.all([policies.recorded(), silent.recorded()])
    expect(await silent.state(ada)).toMatchObject([{ limit: 7 }])
    expect((await subject.store.audit.list(acme)).items.map(({ events }) => events[0]?.["type"])).toEqual([
      "limits_changed",
    ])
    expect((await plain.records("budgets").list(ada)).items.map(({ key }) => key)).toEqual(["total"])
  })

  test("erasing a namespace takes what was set there, and by whom", async () => {
    const subject = await make()
    const policies = new PolicyRegistry({ store: subject.store })
    const budgets = new Budgets({ store: subject.store })
    policies.set(ada, { deny: ["canary-tool"] }, { by: "canary-boss" })
    budgets.set(ada, { per: "ever", tools: { "canary-tool": 1 }, modelCalls: 1 }, { by: "canary-boss" })
    await Promise.all([policies.recorded(), budgets.recorded()])
    await budgets.grant(ada, { per: "ever", unit: "modelCalls", amount: 1, by: "canary-boss" })
    const everything = async (): Promise<string> =>
      JSON.stringify([await subject.sql("SELECT * FROM audit"), await subject.sql("SELECT * FROM records")])
    expect(await everything()).toContain("canary-tool")
    expect(JSON.stringify(await subject.sql("SELECT body FROM audit"))).not.toContain("canary")
    await subject.store.erase?.(ada)
    expect(await everything()).not.toContain("canary")
    expect(await subject.store.audit.verify(acme)).toBeUndefined()
  })

  test("what the audit cannot be told is reported, in order, and holds all the same", async () => {
    const subject = await make()
    const told: unknown[] = []
    const policies = new PolicyRegistry({ store: subject.store, onError: (error) => told.push(error) })
    await subject.sql("ALTER TABLE audit RENAME TO elsewhere")
    policies.set(ada, { deny: ["shell"] })
    await policies.recorded()
    expect(told).toMatchObject([{ code: "store_failed" }])
    expect(policies.explain(ada, { tool: "shell", risk: "exec", arguments: {} }).decision).toBe("deny")
    await subject.sql("ALTER TABLE elsewhere RENAME TO audit")
    policies.set(ada, { deny: ["shell"] }, { by: "boss" })
    await policies.recorded()
    expect((await subject.store.audit.list(ada)).items).toHaveLength(1)
  })
})

import { type JsonObject, MemoryStore, Namespace } from "@orra/core"
import { afterEach, describe, expect, test } from "vitest"
import { hashAfter } from "../chain.ts"
import { Bench } from "../engine-fixture.ts"
import { ProjectAudit } from "./project-audit.ts"

const ROOT = Namespace.of("plans")
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const entry = (at: number) => ({ at, by: "k_1", action: "POST /x", status: 200 })

describe("the audit of a project", () => {
  test("has every entry once and in order, also when engines write at the same time", async () => {
    const store = new MemoryStore()
    const [a, b] = [new ProjectAudit(store, ROOT), new ProjectAudit(store, ROOT)]
    await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? a : b).append("p_1", entry(at))))
    const all = await a.page("p_1", { limit: 100 })
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index))
    expect(new Set(all.map(({ entry: { at } }) => at)).size).toBe(20)
    expect((await a.page("p_1", { limit: 2, before: 5 })).map(({ number }) => number)).toEqual([4, 3])
    expect(await b.verify("p_1")).toEqual({ entries: 20, head: all[0]?.hash })
    expect(await b.verify("p_2")).toEqual({ entries: 0 })
  })

  test.each([
    ["was changed", (kept: JsonObject) => ({ ...kept, entry: { ...entry(1), by: "k_2" } })],
    ["is of another chain", (kept: JsonObject) => ({ ...kept, hash: hashAfter("", entry(1)) })],
    ["was taken out", () => undefined],
  ])("says which entry %s", async (_, change) => {
    const store = new MemoryStore()
    const audit = new ProjectAudit(store, ROOT)
    for (let at = 0; at < 4; at++) await audit.append("p_1", entry(at))
    const records = store.records("plan-audit")
    const place = ROOT.child("p_1")
    const kept = await records.get(place, "000000000001")
    const changed = change(kept?.value as JsonObject)
    if (changed) await records.put(place, "000000000001", changed)
    else await records.delete(place, "000000000001")
    expect(await audit.verify("p_1")).toEqual({ entries: 1, brokenAt: 1 })
  })

  test("says when its end was cut off", async () => {
    const store = new MemoryStore()
    const audit = new ProjectAudit(store, ROOT)
    for (let at = 0; at < 3; at++) await audit.append("p_1", entry(at))
    const head = await store.records("plan-audit").get(ROOT.child("p_1"), "head")
    await store
      .records("plan-audit")
      .put(ROOT.child("p_1"), "head", { ...(head?.value as JsonObject), count: 2 })
    expect(await audit.verify("p_1")).toEqual({ entries: 2, brokenAt: 2 })
  })

  test("says by which key everything was asked that changes something, and what was refused", async () => {
    const shop = await new Bench().listen()
    ends.push(() => shop.close())
    const project = await shop.project()
    const [own] = (await shop.ask<readonly { id: string }[]>("GET", "/apikeys")).body
    const made = await shop.ask("POST", "/apikeys", { scopes: ["orchestrate"] })
    await shop.service("first", () => ({ text: "b" }))
    shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
    const { body } = await shop.create()
    await shop.ended(body.id)
    await shop.ask("POST", `/orchestrations/${body.id}/cancel`, undefined, made.body.apiKey)
    await shop.ask("POST", "/orchestrations/o_none/cancel", undefined, made.body.apiKey)
    await shop.ask("POST", "/webhooks", { url: "http://shop.example/" })
    await shop.ask("DELETE", "/webhooks?url=http://shop.example/")
    await shop.ask("DELETE", `/services/${shop.ids.get("first")}`, undefined, made.body.apiKey)
    interface Page {
      readonly items: readonly { readonly by: string; readonly action: string; readonly subject?: string }[]
    }
    const { items } = (await shop.ask<Page>("GET", "/audit")).body
    const [k, o] = [made.body.id, body.id]
    expect(items.toReversed()).toMatchObject([
      { by: "host", action: "POST /register/project", subject: project.id, status: 201, number: 0 },
      { by: own?.id, action: "POST /apikeys", subject: k, status: 201 },
      { by: own?.id, action: "POST /register/service", subject: shop.ids.get("first"), status: 200 },
      { by: own?.id, action: "POST /orchestrations", subject: o, status: 202 },
      { by: k, action: "POST /orchestrations/:id/cancel", subject: o, status: 202 },
      { by: k, action: "POST /orchestrations/:id/cancel", status: 404, code: "Orra:UnknownOrchestration" },
      { by: own?.id, action: "POST /webhooks", subject: "http://shop.example/", status: 201 },
      { by: own?.id, action: "DELETE /webhooks", subject: "http://shop.example/", status: 204 },
      { by: k, action: "DELETE /services/:id", status: 403, code: "Orra:ScopeMissing" },
    ])
    const page = await shop.ask<Page & { cursor: string }>("GET", "/audit?limit=5")
    const rest = await shop.ask<Page>("GET", `/audit?limit=5&cursor=${page.body.cursor}`)
    expect([...page.body.items, ...rest.body.items]).toEqual(items)
    expect((await shop.ask("GET", "/audit?verify")).body).toMatchObject({ isWhole: true, entries: 9 })
    expect(JSON.stringify(items)).not.toContain("sk-orra")
  })
})

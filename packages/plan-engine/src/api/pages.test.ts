import { MemoryStore, Namespace } from "@orra/core"
import { afterEach, describe, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import { type Orchestration, Orchestrations } from "../execution/orchestration.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

interface ListPage {
  readonly items: readonly { readonly id: string }[]
  readonly cursor?: string
}

const ROOT = Namespace.of("plans")
const made = (number: number): Orchestration => ({
  id: `o_${number}`,
  projectId: "p_1",
  action: "Do it.",
  data: [],
  status: number % 2 === 1 ? "failed" : "completed",
  createdAt: number,
  updatedAt: number,
})

describe("lists", () => {
  test("W-D7: of a page read no more than the page, in the order of the last change", async () => {
    const store = new MemoryStore()
    const all = new Orchestrations(store, ROOT)
    for (let number = 1; number <= 120; number++) await all.put(made(number))
    let reads = 0
    const counted = new Orchestrations(
      {
        records: (name) => {
          const records = store.records(name)
          const list: typeof records.list = async (namespace, options) => {
            const page = await records.list(namespace, options)
            reads += page.items.length
            return page
          }
          const get: typeof records.get = async (namespace, key) => {
            reads++
            return await records.get(namespace, key)
          }
          return { ...records, list, get }
        },
      },
      ROOT,
    )
    const page = await counted.list("p_1", { limit: 50 })
    expect(page.items.map(({ updatedAt }) => updatedAt)).toEqual(
      Array.from({ length: 50 }, (_, i) => 120 - i),
    )
    expect(reads).toBe(100)
    const next = await counted.list("p_1", { limit: 2, cursor: page.cursor ?? "" })
    expect(next.items.map(({ id }) => id)).toEqual(["o_70", "o_69"])
    const failed = await counted.list("p_1", { limit: 2, status: "failed" })
    expect(failed.items.map(({ id }) => id)).toEqual(["o_119", "o_117"])
  })

  test("have each orchestration once, where it is now, also when two write it at once", async () => {
    const all = new Orchestrations(new MemoryStore(), ROOT)
    await all.put(made(1))
    await Promise.all([
      all.put({ ...made(1), status: "completed", updatedAt: 5 }),
      all.update("p_1", "o_1", (each) => ({ ...each, isCancelled: true })),
      all.update("p_1", "o_1", (each) => ({ ...each, status: "aborted", updatedAt: 7 })),
    ])
    const kept = await all.get("p_1", "o_1")
    expect((await all.list("p_1")).items).toEqual([kept])
    for (const status of ["completed", "failed", "aborted"] as const)
      expect((await all.list("p_1", { status })).items).toHaveLength(kept.status === status ? 1 : 0)
  })

  test("are paged and filtered by the API, and as the original has them without a wish", async () => {
    const shop = await new Bench().listen()
    ends.push(() => shop.close())
    await shop.project()
    await shop.service("first", () => ({ text: "b" }))
    shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
    const ids: string[] = []
    for (let count = 0; count < 3; count++) {
      const { body } = await shop.create()
      await shop.ended(body.id)
      ids.unshift(body.id)
    }
    const page = await shop.ask<ListPage>("GET", "/orchestrations?limit=2")
    expect(page.body.items.map(({ id }) => id)).toEqual(ids.slice(0, 2))
    const rest = await shop.ask<ListPage>("GET", `/orchestrations?limit=2&cursor=${page.body.cursor}`)
    expect(rest.body).toMatchObject({ items: [{ id: ids[2], status: "completed" }] })
    expect(rest.body.cursor).toBeUndefined()
    expect((await shop.ask<ListPage>("GET", "/orchestrations?status=failed")).body).toEqual({ items: [] })
    expect((await shop.listed())["completed"]).toHaveLength(3)
    expect((await shop.ask("GET", "/orchestrations?cursor=AA")).status).toBe(400)
    const wrong = await shop.ask("GET", "/orchestrations?status=done")
    expect([wrong.status, wrong.body.error]).toMatchObject([
      400,
      { code: "Orra:InvalidQuery", param: "status" },
    ])
  })
})

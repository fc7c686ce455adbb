import { MemoryStore } from "@orra/core"
import { postgresStore } from "@orra/store-sql"
import { postgresServer } from "@orra/testing/postgres"
import { afterEach, expect, test, vi } from "vitest"
import { Bench } from "./engine-fixture.ts"

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const HOURS = 3 * 3_600_000
/** Its clock, which all engines go by, and that of this process differ. */
class AheadStore extends MemoryStore {
  now(): Promise<number> {
    return Promise.resolve(Date.now() + HOURS)
  }
}

const PLAN = [
  { id: "task1", service: "first", input: { text: "$task0.text" } },
  { id: "task2", service: "second", input: { text: "$task1.text" } },
]

test("a database that goes away for a while loses nothing: its plans go on when it is back, and nothing is done twice", async () => {
  const server = await postgresServer()
  ends.push(() => server.stop())
  const store = await postgresStore({ url: server.url, patienceMs: 300 })
  ends.push(() => store.close())
  const shop = await new Bench(store).listen()
  ends.push(() => shop.close())
  await shop.project()
  const begun = Promise.withResolvers<void>()
  const first = await shop.service("first", async ({ input }) => {
    await begun.promise
    await server.crash()
    return { text: `${input["text"]}, first` }
  })
  const second = await shop.service("second", ({ input }) => ({ text: `${input["text"]}, second` }))
  shop.plan = PLAN
  const { body } = await shop.create()
  begun.resolve()
  // What came cannot be written down, and nothing is begun that is not.
  await vi.waitFor(() => expect(shop.errors).not.toEqual([]), { timeout: 60_000 })
  expect((await shop.ask("GET", "/orchestrations")).status).toBe(500)
  expect(second.handled).toEqual([])

  await server.start()
  await vi.waitFor(
    async () => {
      const inspected = await shop.inspect(body.id)
      expect(inspected).toMatchObject({ status: "completed", results: [{ text: "a, first, second" }] })
    },
    { timeout: 60_000, interval: 100 },
  )
  expect([first.handled.length, second.handled.length]).toEqual([1, 1])
})

test("what is written down, and how long undoing is of use, goes by the store's clock, whatever an engine's own says", async () => {
  const shop = await new Bench(new AheadStore()).listen()
  ends.push(() => shop.close())
  await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  const undone: unknown[] = []
  first.onRevert = (_, result) => void undone.push(result)
  await shop.service("second", ({ abort }) => abort("no"))
  shop.plan = PLAN
  const before = Date.now()
  const { body } = await shop.create()
  expect(await shop.ended(body.id)).toMatchObject({ status: "aborted" })
  expect(undone).toEqual([{ text: "b" }])
  const { body: log } = await shop.ask<{ readonly entries: readonly { readonly at: number }[] }>(
    "GET",
    `/orchestrations/${body.id}/log`,
  )
  expect(log.entries.length).toBeGreaterThan(4)
  for (const { at } of log.entries) expect(at).toBeGreaterThanOrEqual(before + HOURS)
})

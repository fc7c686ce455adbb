import { MemoryStore, Namespace, type SessionStore } from "@orra/core"
import { afterEach, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import { listOf } from "../lists.ts"
import { removeEnded } from "./retention.ts"

const ROOT = Namespace.of("plan-engine")
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** Every record below a project, by its collection. */
async function kept(store: SessionStore, project: Namespace): Promise<Readonly<Record<string, number>>> {
  const all: Record<string, number> = {}
  for (const name of await store.collections(project)) {
    const count = (await store.records(name).list(project, { below: true, limit: 500 })).items.length
    if (count > 0) all[name] = count
  }
  return all
}

test("W-D7: what ended is removed with its log when it is old enough, and what goes on stays", async () => {
  const store = new MemoryStore()
  const shop = await new Bench(store).listen()
  ends.push(() => shop.close())
  const { id } = await shop.project({ webhooks: ["http://127.0.0.1:1/"] })
  const at = ROOT.child(id)
  const hold = Promise.withResolvers<void>()
  const first = await shop.service("first", () => ({ text: "b" }))
  shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
  const before = await kept(store, at)
  const done = (await shop.create()).body.id
  await shop.ended(done)
  first.handler = () => hold.promise.then(() => ({ text: "b" }))
  const open = (await shop.create({ text: "open" })).body.id
  const soon = Date.now() + 60_000
  expect(await removeEnded(store, at, Date.now() - 60_000), "nothing is that old").toBe(0)
  // As one that was asked for again after the list was read.
  const place = `${Number.MAX_SAFE_INTEGER} ${open}`
  await store.records("plan-orchestrations").put(listOf(at, "failed"), place, open)
  expect(await removeEnded(store, at, soon)).toBe(1)
  expect((await shop.ask("GET", `/orchestrations/inspections/${done}`)).status).toBe(404)
  expect(await shop.listed()).toMatchObject({ processing: [{ id: open }] })
  hold.resolve()
  expect(await shop.ended(open)).toMatchObject({ status: "completed" })
  expect(await removeEnded(store, at, soon)).toBe(1)
  expect(await shop.listed()).toEqual({})
  await store.records("plan-orchestrations").delete(listOf(at, "failed"), place)
  await shop.close()
  ends.length = 0
  const after = await kept(store, at)
  // Who asked for what stays, and what webhooks have yet to be told.
  for (const name of ["plan-audit", "plan-deliveries", "plan-webhooks"])
    delete (after as Record<string, number>)[name]
  for (const [name, count] of Object.entries(after)) expect(count, name).toBe(before[name] ?? 0)
})

test("an engine removes what is no longer to be kept", async () => {
  const store = new MemoryStore()
  const first = await new Bench(store).listen()
  await first.project()
  await first.service("first", () => ({ text: "b" }))
  first.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
  const { body } = await first.create()
  await first.ended(body.id)
  await first.close()
  const next = await new Bench(store, { keepMs: 0 }).listen()
  ends.push(() => next.close())
  next.key = first.key
  while (Object.keys(await next.listed()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  expect((await next.ask("GET", `/orchestrations/${body.id}/log`)).status).toBe(404)
})

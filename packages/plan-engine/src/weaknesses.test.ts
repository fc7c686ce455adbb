import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { mkdtempSync, rmSync } from "node:fs"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { hang, say, scriptedProvider, wait } from "@orra/testing"
import { afterEach, expect, test } from "vitest"
import { Bench, type Written } from "./engine-fixture.ts"

/** Each was a weakness of the original: what it is called there stands first. */

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function bench(made = new Bench()): Promise<Bench> {
  await made.listen()
  ends.push(() => made.close())
  return made
}

/** The engine that comes after one, on the same store. */
async function next(before: Bench, store = before.store): Promise<Bench> {
  await before.close()
  const after = await bench(new Bench(store))
  after.key = before.key
  for (const [name, id] of before.ids) after.ids.set(name, id)
  after.plan = before.plan
  return after
}

const task = (number: number, service: string, text: string) => ({
  id: `task${number}`,
  service,
  input: { text },
})
const CHAIN: Written = [task(1, "first", "$task0.text"), task(2, "second", "$task1.text")]

test("W-D1: an engine that ends while it plans plans again", async () => {
  const store = new MemoryStore()
  const provider = scriptedProvider([hang()])
  const before = new Bench(store, { provider })
  await before.listen()
  await before.project()
  await before.service("first", () => ({ text: "b" }))
  const waiting = before.create()
  await provider.request(1)
  before.plan = CHAIN.slice(0, 1)
  const after = await next(before)
  expect((await waiting).status).toBe(503)
  const [planned] = Object.values(await after.listed()).flatMap((group) => group ?? [])
  const id = planned?.id ?? ""
  await after.connect("first", () => ({ text: "b" }))
  expect(await after.ended(id)).toMatchObject({ status: "completed", results: [{ text: "b" }] })
})

test("W-D1: an engine that ends while it undoes goes on undoing, with the same key, in a file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "orra-plan-"))
  const path = join(folder, "plans.db")
  ends.push(() => rmSync(folder, { recursive: true }))
  const first = await sqliteStore({ path })
  const before = new Bench(first)
  await before.listen()
  await before.project()
  const wire = await before.service("first", () => ({ text: "b" }), { revertible: true })
  wire.onRevert = () => undefined
  // It hears of what is to be undone, and is gone before it can say that it has.
  wire.isMute = true
  await before.service("second", () => Promise.reject(new Error("No car.")))
  before.plan = CHAIN
  const { body } = await before.create()
  const [asked] = await wire.seen("compensation_request")
  await before.close()
  await first.close()

  const second = await sqliteStore({ path })
  ends.unshift(() => second.close())
  const after = await bench(new Bench(second))
  after.key = before.key
  for (const [name, id] of before.ids) after.ids.set(name, id)
  const back = await after.connect("first")
  back.onRevert = () => undefined
  const inspected = await after.ended(body.id)
  expect(inspected).toMatchObject({
    status: "failed",
    tasks: [{ compensation: { status: "completed" } }, {}],
  })
  const [again] = await back.seen("compensation_request")
  expect(again?.["idempotencyKey"]).toBe(asked?.["idempotencyKey"])
  expect(again?.["input"], "the data as it was received").toEqual(asked?.["input"])
})

test("W-C2: what is under way when another task fails is undone when it has been done", async () => {
  const shop = await bench()
  await shop.project()
  const hold = Promise.withResolvers<void>()
  const slow = await shop.service("first", () => hold.promise.then(() => ({ text: "b" })), {
    revertible: true,
  })
  const undone: unknown[] = []
  slow.onRevert = (_, result) => void undone.push(result)
  await shop.service("second", ({ abort }) => abort("no"))
  shop.plan = [task(1, "first", "$task0.text"), task(2, "second", "$task0.text")]
  const { body } = await shop.create()
  await shop.until(body.id, ({ tasks }) => tasks[1]?.status === "aborted")
  expect((await shop.inspect(body.id)).status).toBe("processing")
  hold.resolve()
  expect(await shop.ended(body.id)).toMatchObject({ status: "aborted" })
  expect(undone).toEqual([{ text: "b" }])
  expect(slow.handled).toHaveLength(1)
})

test("W-R1, W-C4: of eleven tasks each is there, and they are undone in reverse", async () => {
  const shop = await bench()
  await shop.project()
  const order: unknown[] = []
  const step = await shop.service("step", ({ input }) => ({ text: `${input["text"]}+` }), {
    revertible: true,
  })
  step.onRevert = (request) => void order.push(request["id"])
  const last = await shop.service("last", ({ input }) => ({ text: String(input["text"]) }))
  const chain = Array.from({ length: 10 }, (_, index) =>
    task(index + 1, "step", index === 0 ? "$task0.text" : `$task${index}.text`),
  )
  shop.plan = [...chain, task(11, "last", "$task10.text")]
  const done = await shop.create()
  expect(await shop.ended(done.body.id)).toMatchObject({ results: [{ text: `a${"+".repeat(10)}` }] })
  last.handler = ({ abort }) => abort("no")
  const { body } = await shop.create()
  expect(await shop.ended(body.id)).toMatchObject({ status: "aborted" })
  // On a busy machine one is asked twice, with the same key: what counts is when it was asked first.
  expect([...new Set(order)]).toEqual(Array.from({ length: 10 }, (_, index) => `task${10 - index}`))
})

test("W-P1, W-P2: the same action at the same time keeps to its own data", async () => {
  const shop = await bench()
  await shop.project()
  const seen: unknown[] = []
  await shop.service("first", ({ input }) => {
    seen.push(input["text"])
    return { text: `${input["text"]}!` }
  })
  shop.plan = CHAIN.slice(0, 1)
  const texts = ["#123", "#456", "#789"]
  const made = await Promise.all(texts.map((text) => shop.create({ text })))
  const results = await Promise.all(made.map(async ({ body }) => (await shop.ended(body.id)).results))
  expect(results).toEqual(texts.map((text) => [{ text: `${text}!` }]))
  expect(seen.toSorted()).toEqual(texts)
})

test("W-D5: one that is being planned can be listed and looked at", async () => {
  const store = new MemoryStore()
  const provider = scriptedProvider([hang()])
  const shop = await bench(new Bench(store, { provider }))
  await shop.project()
  await shop.service("first")
  const waiting = shop.create()
  await provider.request(1)
  const { pending = [] } = await shop.listed()
  expect(pending).toHaveLength(1)
  expect(await shop.inspect(pending[0]?.id ?? "")).toMatchObject({ status: "pending", action: "Do it." })
  await Promise.all([waiting, shop.close()])
  ends.length = 0
})

test("W-C1: what is of no use any more is not undone, and a person is told", async () => {
  const shop = await bench()
  await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  first.revertTTL = 1
  const undone: unknown[] = []
  first.onRevert = () => void undone.push(1)
  await shop.service("second", async ({ abort }) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    abort("no")
  })
  shop.plan = CHAIN
  const { body } = await shop.create()
  await shop.ended(body.id)
  expect(undone).toEqual([])
  expect((await shop.ask("GET", "/compensation-failures")).body).toMatchObject([{ status: "expired" }])
})

test("D6: a service that does not come back within the grace period is not asked again", async () => {
  const shop = await bench()
  await shop.project()
  const second = await shop.service("second")
  await shop.service("first", async () => {
    await second.drop()
    return { text: "b" }
  })
  shop.plan = CHAIN
  const { body } = await shop.create({ text: "a" }, { healthCheckGracePeriod: "30ms" })
  const { status, error, tasks } = await shop.ended(body.id)
  expect([status, error.error]).toEqual([
    "failed",
    expect.stringMatching(/second was not connected for 30 ms/),
  ])
  expect(tasks[1]?.statusHistory.map((each) => each.status)).toEqual(["processing", "failed"])
})

test("W-P6: a service that has been away for longer than it would be waited for is not planned with", async () => {
  const provider = scriptedProvider([], { otherwise: "No." })
  const shop = await bench(new Bench(new MemoryStore(), { provider }))
  await shop.project()
  const gone = await shop.service("first")
  await shop.service("second")
  await gone.drop()
  await new Promise((resolve) => setTimeout(resolve, 20))
  await shop.create({}, { healthCheckGracePeriod: "10ms" })
  const asked = JSON.stringify((await provider.request(1)).messages)
  expect(asked).toContain(shop.ids.get("second"))
  expect(asked).not.toContain(shop.ids.get("first"))
})

test("one that was cancelled while its engine ended is cancelled in the next one", async () => {
  const before = new Bench()
  await before.listen()
  await before.project()
  await before.service("first", () => ({ text: "b" }))
  const second = await before.service("second")
  before.plan = CHAIN
  const { body } = await before.create()
  await second.seen("task_request")
  await before.ask("POST", `/orchestrations/${body.id}/cancel`)
  const after = await next(before)
  const back = await after.connect("second", () => ({ text: "c" }))
  expect(await after.ended(body.id)).toMatchObject({ status: "cancelled" })
  expect(back.handled, "what was sent is asked for once more").toHaveLength(1)
})

test("one that is cancelled while it is planned asks no service", async () => {
  const hold = Promise.withResolvers<void>()
  let written = ""
  const provider = scriptedProvider([], { otherwise: () => [wait(hold.promise), say(written)] })
  const shop = await bench(new Bench(new MemoryStore(), { provider }))
  await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }))
  const task = { id: "task1", service: shop.ids.get("first"), input: { text: "$task0.text" } }
  written = JSON.stringify({ tasks: [{ id: "task0", input: {} }, task] })
  const waiting = shop.create()
  await provider.request(1)
  const { pending: [{ id } = { id: "" }] = [] } = await shop.listed()
  await shop.ask("POST", `/orchestrations/${id}/cancel`)
  hold.resolve()
  await waiting
  expect(await shop.ended(id)).toMatchObject({ status: "cancelled" })
  expect(first.handled).toEqual([])
})

test("W-T4: an answer that came while its task was between two attempts is that task's, and it is completed", async () => {
  const shop = await bench(new Bench(new MemoryStore(), { retry: { delayMs: 200, maxDelayMs: 200 } }))
  await shop.project()
  const hold = Promise.withResolvers<void>()
  const slow = await shop.service("first", () => hold.promise.then(() => ({ text: "b" })))
  const second = await shop.service("second", ({ input }) => ({ text: `${input["text"]}c` }))
  shop.plan = CHAIN
  const { body } = await shop.create({ text: "a" }, { timeout: "40ms" })
  await shop.until(body.id, ({ tasks }) => tasks[0]?.statusHistory.at(-1)?.status === "failed")
  hold.resolve()
  const { status, tasks, results } = await shop.ended(body.id)
  expect([status, results, ...tasks.map((each) => each.status)]).toEqual([
    "completed",
    [{ text: "bc" }],
    "completed",
    "completed",
  ])
  expect([slow.handled.length, second.handled.length]).toEqual([1, 1])
})

test("W-D4: everything at once ends nobody's process, and everybody's plan", async () => {
  const shop = await bench()
  await shop.project()
  const wires = [await shop.service("first", ({ input }) => input)]
  for (let more = 0; more < 3; more++) wires.push(await shop.connect("first", ({ input }) => input))
  shop.plan = CHAIN.slice(0, 1)
  const noise = setInterval(() => {
    for (const wire of wires)
      wire.send({ idempotencyKey: "none" }, { type: "task_result", result: {}, error: null })
    void shop.ask("GET", "/services").catch(() => {})
  }, 2)
  const texts = Array.from({ length: 30 }, (_, index) => `text ${index}`)
  const made = await Promise.all(texts.map((text) => shop.create({ text })))
  const ended = await Promise.all(made.map(({ body }) => shop.ended(body.id)))
  clearInterval(noise)
  expect(ended.map(({ results }) => results)).toEqual(texts.map((text) => [{ text }]))
  expect(shop.errors).toEqual([])
})

test("D5: a revert that returns that it failed is taken for done, as its client says so; one that throws is not", async () => {
  const shop = await bench(new Bench(new MemoryStore(), { undoRetry: { attempts: 1 } }))
  await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  await shop.service("second", ({ abort }) => abort("no"))
  shop.plan = CHAIN
  const compensated = async () => {
    const { body } = await shop.create()
    return (await shop.ended(body.id)).tasks[0]?.compensation?.status
  }
  first.onRevert = () => ({ status: "failed", error: "It is gone." })
  expect(await compensated()).toBe("completed")
  first.onRevert = () => {
    throw new Error("It is gone.")
  }
  expect(await compensated()).toBe("failed")
})

test("W-X3: what is there can be seen, stopped and taken away", async () => {
  const shop = await bench()
  await shop.project()
  const { paths } = (await shop.ask<{ paths: Readonly<Record<string, object>> }>("GET", "/openapi.json")).body
  const all = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  for (const route of [
    "POST /orchestrations/{id}/cancel",
    "POST /compensation-failures/{id}/retry",
    "GET /orchestrations/{id}/log",
    "GET /services",
    "DELETE /services/{id}",
    "GET /apikeys",
    "DELETE /apikeys/{id}",
    "GET /webhooks",
    "DELETE /webhooks",
  ])
    expect(all, route).toContain(route)
})

test("W-S6: nobody is told anything who was not named", async () => {
  const places = new Set<string>()
  const seen = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket }
    socket.once("connect", () => places.add(socket.remoteAddress ?? ""))
    socket.once("error", () => places.add("failed"))
  }
  subscribe("net.client.socket", seen)
  ends.push(() => unsubscribe("net.client.socket", seen))
  const shop = await bench()
  await shop.project()
  await shop.service("first", () => ({ text: "b" }))
  shop.plan = CHAIN.slice(0, 1)
  const { body } = await shop.create()
  expect(await shop.ended(body.id)).toMatchObject({ status: "completed" })
  expect([...places], "the test itself").toEqual(["127.0.0.1"])
})

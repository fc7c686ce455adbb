import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { MemoryStore, Namespace, type SessionStore } from "@orra/core"
import { afterEach, describe, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import { News } from "../execution/news.ts"
import { type Orchestration, type OrchestrationStatus, Orchestrations } from "../execution/orchestration.ts"
import { RecordedLog } from "../execution/recorded-log.ts"
import type { PlanEngineOptions } from "../plan-engine.ts"
import { sendEvents } from "./event-stream.ts"
import { followLog } from "./live.ts"
import { PlanProjects } from "./projects.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function bench(store?: SessionStore, options?: Partial<PlanEngineOptions>): Promise<Bench> {
  const made = await new Bench(store, options).listen()
  ends.push(() => made.close())
  return made
}

interface Heard {
  readonly id?: string
  readonly event?: string
  readonly data: { readonly id?: string; readonly status?: string }
}

interface LogPage {
  readonly entries: readonly object[]
  readonly cursor?: string
}

/** Events of a stream as they come. */
async function* heard(response: Response): AsyncGenerator<Heard, void, undefined> {
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    const frames = text.split("\n\n")
    text = frames.pop() ?? ""
    for (const frame of frames) {
      const members = frame.split("\n").map((line) => /^(\w+): (.*)$/.exec(line) ?? [])
      const event = Object.fromEntries(members.map(([, name, value]) => [name, value]))
      if (event["data"] !== undefined) yield { ...event, data: JSON.parse(event["data"]) }
    }
  }
}

async function open(shop: Bench, path: string, more: Record<string, string> = {}) {
  const leave = new AbortController()
  const response = await fetch(`${shop.url}${path}`, {
    headers: { authorization: `Bearer ${shop.key}`, ...more },
    signal: leave.signal,
  })
  return { response, events: heard(response), leave: () => leave.abort() }
}

/** All that a stream says until it ends. */
async function whole(shop: Bench, path: string, more?: Record<string, string>): Promise<readonly Heard[]> {
  return await Array.fromAsync((await open(shop, path, more)).events)
}

async function oneTask(shop: Bench) {
  await shop.project()
  shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
  return await shop.service("first", () => ({ text: "b" }))
}

const ROOT = Namespace.of("plans")
const made = (number: number, status: OrchestrationStatus): Orchestration => ({
  id: `o_${number}`,
  projectId: "p_1",
  action: "Do it.",
  data: [],
  status,
  createdAt: number,
  updatedAt: number,
})

describe("the log of an orchestration", () => {
  test("is given with its numbers and hashes, page by page", async () => {
    const shop = await bench()
    await oneTask(shop)
    const { body } = await shop.create()
    await shop.ended(body.id)
    const log = await shop.ask<LogPage>("GET", `/orchestrations/${body.id}/log`)
    expect(log.body).toMatchObject({ id: body.id, status: "completed" })
    expect(log.body.entries).toMatchObject([
      { number: 0, type: "task_sent", task: "task1", hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { number: 1, type: "task_done", output: { text: "b" } },
      { number: 2, type: "finished", status: "completed" },
    ])
    expect(log.body.cursor).toBeUndefined()
    const first = await shop.ask<LogPage>("GET", `/orchestrations/${body.id}/log?limit=2`)
    expect(first.body).toMatchObject({ cursor: "1", entries: log.body.entries.slice(0, 2) })
    const rest = await shop.ask<LogPage>("GET", `/orchestrations/${body.id}/log?cursor=${first.body.cursor}`)
    expect(rest.body.entries).toEqual(log.body.entries.slice(2))
    for (const wrong of ["limit=0", "limit=x", "cursor=-1", "cursor=1.5"])
      expect((await shop.ask("GET", `/orchestrations/${body.id}/log?${wrong}`)).status, wrong).toBe(400)
  })

  test("is streamed as it is written, ends with the run, and goes on behind what a client had", async () => {
    const shop = await bench()
    const first = await oneTask(shop)
    const hold = Promise.withResolvers<void>()
    first.handler = () => hold.promise.then(() => ({ text: "b" }))
    const { body } = await shop.create()
    const path = `/orchestrations/${body.id}/log?follow`
    const { response, events } = await open(shop, path)
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8")
    expect((await events.next()).value).toMatchObject({
      id: "0",
      event: "entry",
      data: { type: "task_sent" },
    })
    hold.resolve()
    expect(await Array.fromAsync(events)).toMatchObject([
      { id: "1", event: "entry", data: { number: 1, type: "task_done" } },
      { id: "2", data: { type: "finished" } },
      { id: "end", event: "end", data: { status: "completed", results: [{ text: "b" }] } },
    ])
    const again = await whole(shop, path, { "last-event-id": "1" })
    expect(again.map(({ id }) => id)).toEqual(["2", "end"])
    expect((await open(shop, path, { "last-event-id": "end" })).response.status).toBe(204)
    expect((await open(shop, "/orchestrations/o_none/log?follow")).response.status).toBe(404)
  })

  test("is streamed also when another engine on the store writes it", async () => {
    const store = new MemoryStore()
    const all = new Orchestrations(store, ROOT)
    const log = () => new RecordedLog(store.records("plan-runs"), ROOT.child("p_1", "o_1"))
    const { signal } = new AbortController()
    await all.put(made(1, "processing"))
    const stream = followLog(
      { orchestrator: { orchestrations: all, log }, news: new News(), signal },
      made(1, "processing"),
      undefined,
    )
    const events = stream?.[Symbol.asyncIterator]()
    const first = events?.next()
    const writer = log()
    await writer.append({ type: "task_progress", task: "task1", data: 1, at: 1 })
    expect(await first).toMatchObject({ value: { id: "0", data: { data: 1 } } })
    await writer.append({ type: "finished", status: "completed", at: 2 })
    await all.put(made(1, "completed"))
    expect(await events?.next()).toMatchObject({ value: { id: "1", data: { type: "finished" } } })
    expect(await events?.next()).toMatchObject({ value: { event: "end", data: { status: "completed" } } })
  })

  test("ends with the engine, which does not wait for whoever listens", async () => {
    const shop = await bench()
    const first = await oneTask(shop)
    first.handler = () => new Promise(() => {})
    const { body } = await shop.create()
    const { events } = await open(shop, `/orchestrations/${body.id}/log?follow`)
    await events.next()
    await shop.close()
    ends.length = 0
    expect(await Array.fromAsync(events)).toEqual([])
  })
})

describe("the orchestrations of a project", () => {
  test("are streamed as they change, and a client that comes back misses none", async () => {
    const shop = await bench()
    await oneTask(shop)
    const { events, leave } = await open(shop, "/orchestrations/events")
    const { body } = await shop.create()
    const seen: Heard[] = []
    const until = async (id: string): Promise<void> => {
      for (;;) {
        const { value } = await events.next()
        if (!value) throw new Error("The stream has ended.")
        seen.push(value)
        if (value.data.id === id && value.data.status === "completed") return
      }
    }
    await until(body.id)
    const other = await shop.create({ text: "other" })
    await until(other.body.id)
    const marks = seen.map(({ data }) => `${data.id} ${data.status}`)
    expect(new Set(marks).size, "each change is told once").toBe(marks.length)
    expect(seen.at(0)).toMatchObject({ event: "orchestration", data: { id: body.id, action: "Do it." } })
    leave()
    const second = await shop.create()
    await shop.ended(second.body.id)
    const back = await open(shop, "/orchestrations/events", { "last-event-id": String(seen.at(-1)?.id) })
    for await (const event of back.events)
      if (event.data.id === second.body.id && event.data.status === "completed") break
    back.leave()
  })
})

test("W-S3: of a project so many streams are open at once, and one that is closed makes room", async () => {
  const shop = await bench(undefined, { limits: { streams: 1 } })
  await shop.project()
  const first = await open(shop, "/orchestrations/events")
  expect(first.response.status).toBe(200)
  const refused = await open(shop, "/orchestrations/events")
  expect(refused.response.status).toBe(429)
  first.leave()
  for (;;) {
    const next = await open(shop, "/orchestrations/events")
    next.leave()
    if (next.response.status === 200) break
  }
})

test("a stream in which nothing happens says that it is still there, and waits for a slow client", async () => {
  const stop = new AbortController()
  const written = Promise.withResolvers<number>()
  async function* events() {
    for (let count = 1; count <= 200; count++) {
      if (count === 100) written.resolve(count)
      yield { event: "much", data: "x".repeat(100_000) }
    }
    await new Promise((resolve) => stop.signal.addEventListener("abort", resolve))
  }
  const server = createServer((_, response) => {
    const mayListen = async () => true
    void sendEvents(response, events(), { heartbeatMs: 5, signal: stop.signal, mayListen, close: () => {} })
  }).listen(0, "127.0.0.1")
  ends.push(async () => {
    server.close()
    await once(server, "close")
  })
  await once(server, "listening")
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  let text = ""
  for await (const chunk of response.body ?? []) {
    text = (text + Buffer.from(chunk as Uint8Array).toString()).slice(-100)
    if (text.includes(": still here")) stop.abort()
  }
  expect(await written.promise).toBe(100)
})

test("W-S1: a stream ends when what let its client in does no more", async () => {
  const stop = new AbortController()
  const shop = await bench()
  await oneTask(shop)
  const projects = new PlanProjects(shop.store, Namespace.of("plan-engine"))
  const mine = (await shop.ask("POST", "/apikeys")).body
  async function* events() {
    yield { event: "first", data: 1 }
    await new Promise((resolve) => stop.signal.addEventListener("abort", resolve))
  }
  const server = createServer((_, response) => {
    void sendEvents(response, events(), {
      heartbeatMs: 5,
      signal: stop.signal,
      mayListen: async () => (await projects.byKey(mine.apiKey)) !== undefined,
      close: () => stop.abort(),
    })
  }).listen(0, "127.0.0.1")
  ends.push(async () => {
    server.close()
    await once(server, "close")
  })
  await once(server, "listening")
  const stream = heard(await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  await stream.next()
  expect(stop.signal.aborted).toBe(false)
  await shop.ask("DELETE", `/apikeys/${mine.id}`)
  expect(await Array.fromAsync(stream)).toEqual([])
})

import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { MemoryStore, Namespace } from "@orra/core"
import { afterEach, describe, expect, test } from "vitest"
import { PlanProjects } from "../api/projects.ts"
import { Bench } from "../engine-fixture.ts"
import type { Delivery, DeliveryAttempt } from "./deliveries.ts"
import { PlanWebhooks, type WebhookOptions } from "./plan-webhooks.ts"

const ROOT = Namespace.of("plans")
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** Somewhere that is told, and what it was told. */
async function receiver(answer: (response: ServerResponse, count: number) => void) {
  const heard: string[] = []
  let count = 0
  const server = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += String(chunk)
    heard.push(JSON.parse(text).event_id)
    answer(response, ++count)
  }).listen(0, "127.0.0.1")
  ends.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, "close")
  })
  await once(server, "listening")
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard }
}

const ok = (response: ServerResponse): void => void response.writeHead(200).end()
const never = (): void => {}

async function setup(urls: readonly string[], options: WebhookOptions = {}, store = new MemoryStore()) {
  const projects = new PlanProjects(store, ROOT)
  const { project } = await projects.register({ name: "shop", webhooks: urls })
  const stop = new AbortController()
  const seen: [Delivery, DeliveryAttempt][] = []
  const waiting: { readonly status: Delivery["status"]; readonly resolve: () => void }[] = []
  const webhooks = new PlanWebhooks(store, ROOT, {
    pauseMs: 1,
    allowInternal: true,
    ...options,
    project: (id) => projects.get(id),
    onError: () => {},
    onAttempt: (delivery, attempt) => {
      seen.push([delivery, attempt])
      for (const each of waiting) if (each.status === delivery.status) each.resolve()
    },
  })
  const run = (): void => {
    const running = webhooks.run(stop.signal)
    ends.push(async () => {
      stop.abort()
      await running
    })
  }
  /** Resolves when something next comes to this. */
  const next = (status: Delivery["status"]): Promise<void> =>
    new Promise((resolve) => void waiting.push({ status, resolve }))
  const tell = (event: string) =>
    webhooks.add(project, "webhooks", { event_id: event, type: "orchestration.completed" })
  const list = async () => (await webhooks.deliveries.list(project.id, {})).items
  return { webhooks, projects, project, run, tell, list, next, seen, store }
}

describe("W-N1: a webhook", () => {
  test("that fails ten times is dead, says why, and is told again when somebody asks", async () => {
    const { url, heard } = await receiver(
      (response, count) => void response.writeHead(count > 10 ? 204 : 500).end(),
    )
    const { webhooks, project, run, tell, list, next } = await setup([url])
    run()
    const dead = next("dead")
    await tell("e1")
    await dead
    const [delivery] = await list()
    expect(delivery).toMatchObject({ status: "dead", tried: 10, url })
    expect(delivery?.attempts).toHaveLength(10)
    expect(delivery?.attempts[0]).toMatchObject({
      answered: 500,
      error: expect.stringContaining("answered 500"),
    })
    const delivered = next("delivered")
    await webhooks.redeliver(project.id, delivery?.id ?? "")
    await delivered
    expect((await list())[0]).toMatchObject({ status: "delivered", tried: 11 })
    expect(heard).toEqual(Array.from({ length: 11 }, () => "e1"))
  })

  test("that does not answer holds up no other, and is given up on in time", async () => {
    const slow = await receiver(never)
    const quick = await receiver(ok)
    const { run, tell, next, seen } = await setup([slow.url, quick.url], { timeoutMs: 500 })
    run()
    for (const event of ["e1", "e2", "e3"]) {
      const told = next("delivered")
      await tell(event)
      await told
    }
    expect([...new Set(quick.heard)]).toEqual(["e1", "e2", "e3"])
    expect(new Set(slow.heard), "those behind wait").toEqual(new Set(["e1"]))
    while (!seen.some(([delivery]) => delivery.url === slow.url)) await next("pending")
    const failed = seen.find(([delivery]) => delivery.url === slow.url)
    expect(failed?.[1].error).toMatch(/did not answer in time/)
  })

  test("is told in order, and each event once, also when it is added again", async () => {
    const { url, heard } = await receiver(
      (response, count) => void response.writeHead(count === 1 ? 503 : 200).end(),
    )
    const { run, tell, list, next } = await setup([url])
    run()
    for (const event of ["e1", "e2", "e1"]) await tell(event)
    while ((await list()).some(({ status }) => status !== "delivered")) await next("delivered")
    await tell("e2")
    const told = next("delivered")
    await tell("e3")
    await told
    expect(heard, "one after the other").toEqual(["e1", "e1", "e2", "e3"])
  })

  test("that was removed is not told what waits", async () => {
    const { url, heard } = await receiver(ok)
    const { projects, project, run, tell, list } = await setup([url])
    await tell("e1")
    await projects.removeWebhook(project.id, "webhooks", url)
    run()
    while ((await list())[0]?.status === "pending") await new Promise((resolve) => setTimeout(resolve, 5))
    expect([(await list())[0]?.status, heard]).toEqual(["dropped", []])
  })

  test("is told by whichever engine is there when another one is gone", async () => {
    const { url, heard } = await receiver(ok)
    const first = await setup([url])
    await first.tell("e1")
    const projects = new PlanProjects(first.store, ROOT)
    const stop = new AbortController()
    const told = Promise.withResolvers<void>()
    const second = new PlanWebhooks(first.store, ROOT, {
      allowInternal: true,
      project: (id) => projects.get(id),
      onError: () => {},
      onAttempt: () => told.resolve(),
    })
    const running = second.run(stop.signal)
    await told.promise
    stop.abort()
    await running
    expect(heard).toEqual(["e1"])
  })

  test("W-S4: at an internal address, or behind a redirect, hears nothing, and the log says why", async () => {
    const inside = await receiver(ok)
    const outside = await receiver((response) => void response.writeHead(307, { location: inside.url }).end())
    const guarded = await setup([inside.url], { allowInternal: false })
    guarded.run()
    const refused = guarded.next("dead")
    await guarded.tell("e1")
    await refused
    expect((await guarded.list())[0]?.attempts[0]?.error).toMatch(/not at a public address/)
    const redirected = await setup([outside.url])
    redirected.run()
    const dead = redirected.next("dead")
    await redirected.tell("e1")
    await dead
    expect((await redirected.list())[0]?.attempts[0]).toMatchObject({ answered: 307 })
    expect(inside.heard).toEqual([])
  })
})

test("W-N1: every end of an orchestration is told, with a time that is one, and is in the log of deliveries", async () => {
  const events: { readonly type: string; readonly timestamp: string }[] = []
  const arrived = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += String(chunk)
    events.push(JSON.parse(text))
    response.end()
    if (events.length === 5) arrived.resolve()
  }).listen(0, "127.0.0.1")
  ends.push(async () => {
    server.close()
    await once(server, "close")
  })
  await once(server, "listening")
  const shop = await new Bench(undefined, { retry: { attempts: 1 } }).listen()
  ends.push(() => shop.close())
  await shop.project({ webhooks: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`] })
  const first = await shop.service("first")
  const plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
  shop.plan = plan
  const ended = async (): Promise<void> => void (await shop.ended((await shop.create()).body.id))
  first.handler = () => ({ text: "b" })
  await ended()
  first.handler = () => Promise.reject(new Error("No."))
  await ended()
  first.handler = ({ abort }) => abort("no")
  await ended()
  const hold = Promise.withResolvers<void>()
  first.handler = () => hold.promise.then(() => ({ text: "b" }))
  const { body } = await shop.create()
  await shop.ask("POST", `/orchestrations/${body.id}/cancel`)
  hold.resolve()
  await shop.ended(body.id)
  shop.plan = JSON.stringify({
    tasks: [
      { id: "task0", input: {} },
      { id: "final", input: { error: "No way." } },
    ],
  })
  expect((await shop.create()).body.error.code).toBe("Orra:ActionNotActionable")
  await arrived.promise
  const told = ["completed", "failed", "aborted", "cancelled", "not_actionable"]
  expect(events.map(({ type }) => type).toSorted()).toEqual(
    told.map((each) => `orchestration.${each}`).toSorted(),
  )
  for (const { timestamp } of events)
    expect(Math.abs(Date.parse(timestamp) - Date.now()), timestamp).toBeLessThan(60_000)
  interface Page {
    readonly items: readonly { readonly id: string; readonly state: string; readonly event: string }[]
    readonly cursor?: string
  }
  const ask = async (path: string) => (await shop.ask<Page>("GET", `/webhooks/deliveries${path}`)).body
  while ((await ask("?state=delivered")).items.length < 5)
    await new Promise((resolve) => setTimeout(resolve, 5))
  const page = await ask("?limit=3")
  const rest = await ask(`?limit=3&cursor=${page.cursor}`)
  expect(new Set([...page.items, ...rest.items].map(({ event }) => event)).size).toBe(5)
  expect((await ask("?state=dead")).items).toEqual([])
  expect((await shop.ask("GET", "/webhooks/deliveries?state=gone")).status).toBe(400)
  expect((await shop.ask("GET", "/webhooks/deliveries/d_none")).status).toBe(404)
  const one = await shop.ask<{ body: object }>("GET", `/webhooks/deliveries/${page.items[0]?.id}`)
  expect(one.body.body).toMatchObject({ type: page.items[0]?.event })
})

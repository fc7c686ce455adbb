import { once } from "node:events"
import { request } from "node:http"
import { MemoryStore } from "@orra/core"
import { afterEach, describe, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import type { PlanEngineOptions } from "../plan-engine.ts"
import { closeWhenExpired } from "./key-expiry.ts"
import { OpenStreams, RequestRates } from "./limits.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function bench(options?: Partial<PlanEngineOptions>): Promise<Bench> {
  const made = await new Bench(undefined, options).listen()
  ends.push(() => made.close())
  await made.project()
  return made
}

describe("a key", () => {
  test("does what its scopes say and nothing else", async () => {
    const shop = await bench()
    const keys = new Map<string, string>()
    for (const scope of ["service", "read", "orchestrate", "admin"])
      keys.set(scope, (await shop.ask("POST", "/apikeys", { scopes: [scope] })).body.apiKey)
    const schema = { type: "object", properties: { text: { type: "string" } } }
    const echo = { name: "echo", description: "Says it again.", schema: { input: schema, output: schema } }
    const asks = {
      service: ["POST", "/register/service", echo],
      read: ["GET", "/orchestrations", undefined],
      orchestrate: ["POST", "/orchestrations", { action: { content: "Do it." } }],
      admin: ["GET", "/apikeys", undefined],
    } as const
    for (const [needed, [method, path, body]] of Object.entries(asks))
      for (const [scope, key] of keys) {
        const answer = await shop.ask(method, path, body, key)
        const isRefused = answer.status === 403 && answer.body.error.code === "Orra:ScopeMissing"
        expect(isRefused, `${scope} asks ${method} ${path}`).toBe(scope !== needed)
      }
    await shop.service("first")
    const socket = shop.url.replace("http", "ws")
    for (const [scope, key] of keys) {
      const wire = fetch(`${shop.url}/ws?serviceId=${shop.ids.get("first")}&apiKey=${key}`)
      expect((await wire).status, "no upgrade").toBe(404)
      shop.key = key
      const connected = shop.connect("first").then(
        () => true,
        () => false,
      )
      expect(await connected, `${scope} ${socket}`).toBe(scope === "service")
    }
  })

  test("gives no other more than it has itself", async () => {
    const shop = await bench()
    const { apiKey } = (await shop.ask("POST", "/apikeys", { scopes: ["admin", "read"] })).body
    const wrong = await shop.ask("POST", "/apikeys", { scopes: ["service"] }, apiKey)
    expect([wrong.status, wrong.body.error.code]).toEqual([403, "Orra:ScopeMissing"])
    const { body } = await shop.ask<{ scopes: string[] }>("POST", "/apikeys", undefined, apiKey)
    expect(body.scopes).toEqual(["admin", "read"])
    for (const wrong of [
      { scopes: [] },
      { scopes: ["all"] },
      { expiresAt: "soon" },
      { expiresAt: "2001-01-01" },
    ])
      expect((await shop.ask("POST", "/apikeys", wrong)).status, JSON.stringify(wrong)).toBe(400)
  })

  test("opens nothing any more when it has expired, and what it opened is closed", async () => {
    // By the clock of the store nothing expires until it is moved on; sockets go by that of the process.
    let clock = Date.now() - 3_600_000
    const store = Object.assign(new MemoryStore(), { now: async () => clock })
    const shop = await new Bench(store).listen()
    ends.push(() => shop.close())
    await shop.project()
    await shop.service("first")
    const expiresAt = new Date(Date.now() + 20).toISOString()
    shop.key = (await shop.ask("POST", "/apikeys", { expiresAt })).body.apiKey
    const closed = await shop.connect("first").then(({ socket }) => socket && once(socket, "close"))
    expect(closed?.[0]).toBe(1008)
    expect((await shop.ask("GET", "/services")).status).toBe(200)
    clock = Date.now() + 1_000
    const { status, body } = await shop.ask("GET", "/services")
    expect([status, body.error.code]).toEqual([401, "Orra:KeyUnknown"])
  })

  test("that expires in a long time is waited for in parts", () => {
    const closed: number[] = []
    const listeners: (() => void)[] = []
    const socket = {
      close: (code: number) => void closed.push(code),
      once: (_: "close", listener: () => void) => listeners.push(listener),
    }
    const key = { id: "k_1", hash: "", createdAt: 0 }
    closeWhenExpired(socket, { ...key, expiresAt: Date.now() + 1e12 })
    expect([closed, listeners.length]).toEqual([[], 1])
    for (const listener of listeners) listener()
    closeWhenExpired(socket, { ...key, expiresAt: 1 })
    expect(closed).toEqual([1008])
  })

  test("that is the last to make others stays", async () => {
    const shop = await bench()
    const [first] = (await shop.ask<readonly { id: string }[]>("GET", "/apikeys")).body
    await shop.ask("POST", "/apikeys", { scopes: ["read"] })
    await shop.ask("POST", "/apikeys", { expiresAt: "2100-01-01T00:00:00Z" })
    const refused = await shop.ask("DELETE", `/apikeys/${first?.id}`)
    expect([refused.status, refused.body.error.kind]).toEqual([400, "invalid operation"])
    await shop.ask("POST", "/apikeys")
    expect((await shop.ask("DELETE", `/apikeys/${first?.id}`)).status).toBe(204)
  })
})

describe("a project", () => {
  test("is known by its key, and all of them by whoever may make them", async () => {
    const shop = await bench({ adminKey: "let-me-in" })
    const make = (name: string) => shop.ask("POST", "/register/project", { name }, "let-me-in")
    await make("bakery")
    shop.key = (await make("shop")).body.apiKey
    const { body } = await shop.ask<{ name: string }>("GET", "/project")
    expect(body).toEqual({
      id: expect.stringMatching(/^p_/),
      name: "shop",
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    })
    const all = await shop.ask<readonly { name: string }[]>("GET", "/projects", undefined, "let-me-in")
    expect(all.body.map(({ name }) => name).sort()).toEqual(["bakery", "shop"])
    expect((await shop.ask("GET", "/projects")).status).toBe(403)
  })
})

describe("W-S1: registering a project", () => {
  test("is not for a page of another site that a browser on this machine shows", async () => {
    const shop = await bench()
    const from = async (origin: string) => {
      const { port, hostname } = new URL(shop.url)
      const sent = request({ port, hostname, method: "POST", path: "/register/project", headers: { origin } })
      sent.end("{}")
      const [response] = await once(sent, "response")
      response.resume()
      return response.statusCode
    }
    for (const origin of ["https://shop.example", "http://127.0.0.1.shop.example", "null"])
      expect(await from(origin), origin).toBe(403)
    for (const origin of [shop.url, "http://localhost:3000", "http://[::1]:80"])
      expect(await from(origin), origin).toBe(201)
  })
})

describe("W-S3: limits", () => {
  test("of requests per key and second", async () => {
    const shop = await bench({ limits: { requestsPerSecond: 0.001 } })
    const other = await shop.ask("POST", "/apikeys")
    const { status, headers, body } = await shop.ask("GET", "/services")
    expect([status, body.error.code]).toEqual([429, "Orra:TooManyRequests"])
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0)
    expect((await shop.ask("GET", "/services", undefined, other.body.apiKey)).status).toBe(200)
  })

  test("let ten seconds' requests through at once, then as many as the time allows", () => {
    let now = 0
    const rates = new RequestRates(2, () => now)
    const taken = Array.from({ length: 22 }, () => rates.take("a"))
    expect(taken).toEqual([...Array.from({ length: 20 }, () => 0), 1, 1])
    now += 500
    expect([rates.take("a"), rates.take("a")]).toEqual([0, 1])
    now += 3_600_000
    expect(Array.from({ length: 21 }, () => rates.take("a")).filter((wait) => wait > 0)).toHaveLength(1)
  })

  test("let the first request of a key through at whatever time", () => {
    for (let now = 0.1; now < 100_000; now += 777.777)
      expect(new RequestRates(0.001, () => now).take("a")).toBe(0)
  })

  test("of orchestrations that have not ended", async () => {
    const shop = await bench({ limits: { inFlight: 2 } })
    const hold = Promise.withResolvers<void>()
    await shop.service("first", () => hold.promise.then(() => ({ text: "b" })))
    shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
    const made = [await shop.create(), await shop.create()]
    const { status, headers, body } = await shop.create()
    expect([status, body.error.code]).toEqual([429, "Orra:TooManyOrchestrations"])
    expect(headers.get("retry-after")).toBe("1")
    hold.resolve()
    for (const { body } of made) await shop.ended(body.id)
    expect((await shop.create()).status).toBe(202)
  })

  test("of event streams of a project", () => {
    const streams = new OpenStreams(2)
    const first = streams.open("p_1")
    streams.open("p_1")
    streams.open("p_2")
    expect(() => streams.open("p_1")).toThrow("2 event streams")
    first[Symbol.dispose]()
    streams.open("p_1")
    expect(() => streams.open("p_1")).toThrow("2 event streams")
  })

  test("of tasks and bytes", async () => {
    const shop = await bench({ limits: { tasks: 1, bodyBytes: 2_000 } })
    await shop.service("first")
    const task = (number: number) => ({
      id: `task${number}`,
      service: "first",
      input: { text: "$task0.text" },
    })
    shop.plan = [task(1), task(2)]
    const refused = await shop.create()
    expect([refused.status, refused.body.error.code]).toEqual([500, "Orra:ActionCannotExecute"])
    expect(refused.body.error.message).toMatch(/at most 1/)
    const large = await shop.create({ text: "x".repeat(2_000) })
    expect([large.status, large.body.error.code]).toEqual([413, "Orra:RequestTooLarge"])
  })
})

test("an engine says when it can be used", async () => {
  const shop = new Bench()
  await shop.listen()
  expect((await shop.ask("GET", "/health/ready", undefined, "")).body).toEqual({ status: "ready" })
  await shop.close()
})

test("metrics are for the machine, or who has the admin key", async () => {
  const shop = await bench()
  await shop.ask("GET", "/services")
  const { status, headers, body } = await shop.ask<string>("GET", "/metrics", undefined, "")
  expect([status, headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"])
  expect(body).toContain('plan_api_requests_total{method="GET",path="/services",status="200"} 1')
  const guarded = await new Bench(undefined, { adminKey: "let-me-in" }).listen()
  ends.push(() => guarded.close())
  expect((await guarded.ask("GET", "/metrics", undefined, "")).status).toBe(403)
  expect((await guarded.ask("GET", "/metrics", undefined, "let-me-in")).status).toBe(200)
})

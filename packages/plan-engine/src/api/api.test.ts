import { once } from "node:events"
import { request } from "node:http"
import { connect } from "node:net"
import { MemoryStore } from "@orra/core"
import { hang, scriptedProvider } from "@orra/testing"
import { afterEach, describe, expect, test } from "vitest"
import { WebSocket } from "ws"
import { Bench } from "../engine-fixture.ts"
import { newApiKey } from "../ids.ts"
import type { PlanEngineOptions } from "../plan-engine.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function bench(options?: Partial<PlanEngineOptions>): Promise<Bench> {
  const made = await new Bench(undefined, options).listen()
  ends.push(() => made.close())
  return made
}

const schema = { type: "object", properties: { text: { type: "string" } } }
const ECHO = { name: "echo", description: "Says it again.", schema: { input: schema, output: schema } }

/** What a WebSocket's handshake is answered. */
async function handshake(url: string): Promise<{ status: number; body: string; version: unknown }> {
  const socket = new WebSocket(url)
  socket.on("error", () => {})
  return await new Promise((resolve) => {
    socket.on("upgrade", ({ headers }) =>
      resolve({ status: 101, body: "", version: headers["x-orra-planeengine-version"] }),
    )
    socket.on("open", () => socket.terminate())
    socket.on("unexpected-response", async (_, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      resolve({
        status: response.statusCode ?? 0,
        body: Buffer.concat(chunks).toString(),
        version: undefined,
      })
    })
  })
}

describe("the API", () => {
  test("W-X1: answers as the original, with the status that fits: health, version, empty 403, 404, 405, doubled slashes", async () => {
    const shop = await bench()
    const health = await shop.ask("GET", "//health")
    expect([health.status, health.body]).toEqual([200, {}])
    expect(health.headers.get("x-orra-planeengine-version")).toBe("0.2.5")
    expect(health.headers.get("x-content-type-options")).toBe("nosniff")
    for (const key of ["", "two parts"]) {
      const refused = await shop.ask("GET", "/orchestrations", undefined, key)
      expect([refused.status, refused.body], key).toEqual([403, ""])
    }
    expect((await shop.ask("GET", "/nothing")).status).toBe(404)
    expect((await shop.ask("PUT", "/orchestrations")).status).toBe(405)
  })

  test("W-S1: tells of no key in an error", async () => {
    const shop = await bench()
    const key = newApiKey()
    const { status, body } = await shop.ask("GET", "/orchestrations", undefined, key)
    expect(status).toBe(401)
    expect(body).toMatchObject({ error: { kind: "invalid request error", message: expect.any(String) } })
    expect(JSON.stringify(body)).not.toContain(key.slice(11))
  })

  test("registers a project with what it says, and with no id, key or member it has no use for", async () => {
    const shop = await bench()
    const mine = newApiKey()
    const project = await shop.project({
      id: "p_mine",
      apiKey: mine,
      additionalAPIKeys: [mine],
      Webhooks: null,
    })
    expect(project).toMatchObject({
      id: expect.stringMatching(/^p_\w{22}$/),
      name: "shop",
      apiKey: expect.stringMatching(/^sk-orra-v1-[0-9a-f]{64}$/),
      webhooks: [],
      additionalAPIKeys: [],
    })
    expect((await shop.ask("GET", "/orchestrations", undefined, mine)).status, "W-S5").toBe(401)
  })

  test("with an admin key registers projects for nobody else", async () => {
    const shop = await bench({ adminKey: "let-me-in" })
    for (const key of ["", "let", newApiKey()])
      expect((await shop.ask("POST", "/register/project", {}, key)).status, key).toBe(403)
    expect((await shop.ask("POST", "/register/project", {}, "let-me-in")).status).toBe(201)
  })

  test("gives, lists and revokes keys; a revoked one opens nothing, and what it had opened is closed", async () => {
    const shop = await bench()
    await shop.project()
    const wire = await shop.service("first")
    const { status, body } = await shop.ask("POST", "/apikeys")
    expect([status, body.apiKey]).toEqual([201, expect.stringMatching(/^sk-orra-v1-/)])
    const [first] = (await shop.ask<readonly { readonly id: string }[]>("GET", "/apikeys")).body
    const { socket } = wire
    const closed = socket && once(socket, "close")
    expect((await shop.ask("DELETE", `/apikeys/${first?.id}`, undefined, body.apiKey)).status).toBe(204)
    await closed
    expect((await shop.ask("GET", "/apikeys")).status).toBe(401)
    const left = (await shop.ask("GET", "/apikeys", undefined, body.apiKey)).body
    expect(left).toMatchObject([{ id: body.id, createdAt: expect.any(String) }])
    const last = await shop.ask("DELETE", `/apikeys/${body.id}`, undefined, body.apiKey)
    expect([last.status, last.body.error.kind]).toEqual([400, "invalid operation"])
  })

  test("keeps webhooks, and refuses what is no address", async () => {
    const shop = await bench()
    await shop.project()
    for (const path of ["/webhooks", "/compensation-failure-webhooks"]) {
      const url = "https://shop.example/done"
      expect(await shop.ask("POST", path, { URL: url })).toMatchObject({ status: 201, body: { url } })
      expect((await shop.ask("GET", path)).body).toEqual([{ url }])
      const wrong = await shop.ask("POST", path, { url: "shop" })
      expect([wrong.status, wrong.body.error.kind]).toEqual([400, "input validation error"])
      expect((await shop.ask("DELETE", `${path}?url=${encodeURIComponent(url)}`)).status).toBe(204)
      expect((await shop.ask("DELETE", `${path}?url=${encodeURIComponent(url)}`)).status).toBe(404)
    }
  })

  test("registers, lists and removes services and agents", async () => {
    const shop = await bench()
    await shop.project()
    const made = await shop.ask("POST", "/register/agent", {
      id: null,
      version: 7,
      revertible: true,
      ...ECHO,
    })
    const { id } = made.body
    expect(made).toMatchObject({
      status: 200,
      body: { name: "echo", status: "registered", revertible: true, version: 1 },
    })
    const again = await shop.ask("POST", "//register/service", { ...ECHO, id })
    expect(again.body).toMatchObject({ id, version: 2, revertible: false })
    expect((await shop.ask("GET", "/services")).body).toEqual([
      expect.objectContaining({ id, kind: "service", healthy: false }),
    ])
    const wrong = await shop.ask("POST", "/register/service", { ...ECHO, name: "No Name" })
    expect([wrong.status, wrong.body.error.kind]).toEqual([400, "invalid request error"])
    expect((await shop.ask("DELETE", `/services/${id}`)).status).toBe(204)
    expect((await shop.ask("DELETE", `/services/${id}`)).status).toBe(404)
  })

  test("takes no more than it says, nothing that is no JSON, and no orchestration of nothing", async () => {
    const shop = await bench({ limits: { bodyBytes: 1_000 } })
    await shop.project()
    const post = (body: unknown) => shop.ask("POST", "/orchestrations", body)
    expect((await post(`{"action": {"content": "${"x".repeat(1_000)}"}}`)).status).toBe(413)
    for (const wrong of ["{", "[]", '{"__proto__": {}}']) {
      const { status, body } = await post(wrong)
      expect([status, body.error.code], wrong).toEqual([400, "Orra:JSONMarshalingFail"])
    }
    for (const wrong of [
      {},
      { action: { content: " " } },
      { action: { content: 1 } },
      { action: { content: "x" }, data: {} },
      { action: { content: "x" }, data: [{ value: 1 }] },
      { action: { content: "x" }, data: [{ field: "a" }, { field: "a" }] },
      { action: { content: "x" }, timeout: "soon" },
      { action: { content: "x" }, healthCheckGracePeriod: -1 },
    ])
      expect((await post(wrong)).status, JSON.stringify(wrong)).toBe(400)
  })

  test("a request that breaks off leaves nothing behind", async () => {
    const shop = await bench()
    await shop.project()
    const { port, hostname } = new URL(shop.url)
    const headers = { authorization: `Bearer ${shop.key}`, "content-length": "100" }
    const broken = request({ port, hostname, method: "POST", path: "/orchestrations", headers })
    broken.on("error", () => {})
    broken.write('{"action":')
    await once(broken, "socket")
    broken.destroy()
    expect((await shop.ask("GET", "/orchestrations")).body).toEqual({})
  })

  test("knows nothing of another project's things", async () => {
    const shop = await bench()
    await shop.project()
    await shop.service("first", () => ({ text: "b" }))
    shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
    const { body } = await shop.create()
    await shop.ended(body.id)
    const own = shop.key
    await shop.project({ name: "other" })
    for (const id of [body.id, "o_unknown", "%00"]) {
      const { status, body: answer } = await shop.ask("GET", `/orchestrations/inspections/${id}`)
      if (id.startsWith("o_"))
        expect(answer.error).toMatchObject({ kind: "item does not exist", code: "Orra:UnknownOrchestration" })
      expect(status, id).toBe(404)
    }
    expect((await shop.ask("POST", `/orchestrations/${body.id}/cancel`)).status).toBe(404)
    expect((await shop.ask("GET", "/orchestrations")).body).toEqual({})
    expect((await shop.ask("GET", "/compensation-failures")).body).toEqual([])
    const socket = shop.url.replace("http", "ws")
    const refused = { status: 403, body: "" }
    const first = shop.ids.get("first")
    expect(await handshake(`${socket}/ws?serviceId=${first}&apiKey=${shop.key}`)).toMatchObject(refused)
    expect(await handshake(`${socket}/ws?serviceId=${first}&apiKey=${newApiKey()}`)).toMatchObject(refused)
    expect(await handshake(`${socket}/ws`)).toMatchObject(refused)
    expect(await handshake(`${socket}/other`)).toMatchObject({ status: 404 })
    expect(await handshake(`${socket}//ws?serviceId=${first}&apiKey=${own}`)).toMatchObject({
      status: 101,
      version: "0.2.5",
    })
  })

  test("tells nothing of what nobody expected, and its owner everything", async () => {
    class BrokenStore extends MemoryStore {
      now = (): Promise<number> => Promise.reject(new Error("The disk at /secret is gone."))
    }
    const shop = await new Bench(new BrokenStore()).listen()
    ends.push(() => shop.close())
    const { status, body } = await shop.ask("POST", "/register/project", { name: "shop" })
    expect([status, body.error.kind]).toEqual([500, "internal error"])
    expect(JSON.stringify(body)).not.toContain("secret")
    expect(String(shop.errors[0])).toContain("/secret")
  })

  test("is not held up by a socket that was refused and stays half open when it stops", async () => {
    const shop = await new Bench().listen()
    const { port, hostname } = new URL(shop.url)
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
    socket.on("error", () => {})
    socket.write(
      "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n" +
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    const [answered] = await once(socket, "data")
    expect(String(answered)).toMatch(/^HTTP\/1.1 403 /)
    await shop.close()
    socket.destroy()
  })

  test("ends orchestrations whose webhook has the longest and strangest address", async () => {
    const shop = await bench()
    await shop.project({ webhooks: [`http://127.0.0.1:1/${"%".repeat(470)}`] })
    await shop.service("first", () => ({ text: "b" }))
    shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
    const { body } = await shop.create()
    expect(await shop.ended(body.id)).toMatchObject({ status: "completed" })
  })

  test("says that it stops to whoever waits for a plan", async () => {
    const provider = scriptedProvider([hang()])
    const shop = await bench({ provider })
    await shop.project()
    await shop.service("first")
    const waiting = shop.create()
    await provider.request(1)
    ends.length = 0
    const [{ status, body }] = await Promise.all([waiting, shop.close()])
    expect([status, body.error.code]).toEqual([503, "Orra:PlanEngineShuttingDown"])
  })
})

import { mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Approvals, type Namespace } from "@orra/core"
import { virtualClock } from "@orra/testing"
import { describe, expect, test, vi } from "vitest"
import { SECURITY_HEADERS } from "./answer-headers.ts"
import { Attempts } from "./attempts.ts"
import {
  ADA,
  ADA_KEY,
  GUEST,
  GUEST_KEY,
  type Harness,
  handshake,
  harness,
  logIn,
  OWNER,
  OWNER_KEY,
  sendRaw,
  sessionPath,
  tokenOf,
} from "./fixture.ts"
import { Logins, memoryLogins } from "./logins.ts"
import { Principals } from "./principal.ts"
import { gatewayRoutes } from "./routes.ts"

const principals = new Principals([OWNER])
const ROUTES = gatewayRoutes({
  approvals: new Approvals(),
  principals,
  logins: new Logins(memoryLogins(), principals, Date.now),
  attempts: new Attempts(Date.now),
  now: Date.now,
  showLink: undefined,
  onLogout: () => {},
})
const CLOSED = ROUTES.filter(({ permission }) => permission !== "open")

/** A route's path for a session of the owner. */
const pathOf = (path: string): string =>
  path
    .replace(":namespace", encodeURIComponent(OWNER.namespace.child("s").key))
    .replace(":inputId", "x")
    .replace(":approvalId", "x")

const UNSAFE = { "content-type": "application/json" }

describe("SEC-10, SEC-34: rights come from the principal alone", () => {
  const CLAIMS = [
    { scopes: ["owner"], role: "owner", owner: true, permissions: ["chat", "model", "owner"] },
    { principal: "owner", namespaceRoot: "web", login: { principal: "owner" }, user: OWNER },
    { permission: "open", admin: 1, key: OWNER_KEY, token: OWNER_KEY, authorization: `Bearer ${OWNER_KEY}` },
  ]

  test("whatever a body or a frame claims", async () => {
    const gateway = await harness()
    await gateway.converse(OWNER.namespace.child("s"))
    const client = await gateway.connect({ key: ADA_KEY })
    for (const claim of CLAIMS) {
      const headers = { "x-principal": "owner", "x-scopes": "owner", "x-role": "owner" }
      const answer = await gateway.send("/api/chat", {
        key: ADA_KEY,
        headers,
        body: { message: "Hello", ...claim },
      })
      expect(String(answer.json["namespace"])).toMatch(/^family:ada:/)
      const body = { message: "Hello", namespace: "web:s", ...claim }
      expect((await gateway.send("/api/chat", { key: ADA_KEY, headers, body })).status).toBe(404)
      const chosen = await gateway.send("/api/chat", {
        key: ADA_KEY,
        body: { message: "Hello", model: "dear-1", ...claim },
      })
      expect([chosen.status, chosen.json["code"]]).toEqual([403, "model_not_allowed"])
      expect((await gateway.send("/api/models?permission=model", { key: ADA_KEY, headers })).status).toBe(403)
      client.send({ type: "chat", id: "x", message: "Hello", namespace: "web:s", ...claim })
      client.send({ type: "subscribe", namespace: "web:s", after: 0, ...claim })
      client.send({ type: "chat", id: "m", message: "Hello", model: "dear-1", ...claim })
      client.send({ type: "hello", principal: { name: "owner" }, ...claim })
    }
    await client.settled()
    const codes = client.frames.flatMap((frame) => (frame.type === "error" ? [frame.code] : []))
    expect(codes.sort()).toEqual([
      ...Array(3).fill("invalid_input"),
      ...Array(3).fill("model_not_allowed"),
      ...Array(6).fill("not_found"),
    ])
    expect((await gateway.send("/api/me", { key: ADA_KEY })).json["permissions"]).toEqual(["chat"])
  })
})

describe("SEC-11: every route asks for a permission", () => {
  test("those that ask for none are these", () => {
    const open = ROUTES.filter(({ permission }) => permission === "open")
    expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /health",
      "POST /api/login",
      "POST /api/login/link",
    ])
    for (const { permission } of ROUTES)
      expect(["open", "chat", "model", "approve", "owner"]).toContain(permission)
  })

  test("who has none may do nothing, over HTTP or WebSocket", async () => {
    const gateway = await harness()
    for (const { method, path } of CLOSED) {
      const { status, json } = await gateway.send(pathOf(path), { method, key: GUEST_KEY, headers: UNSAFE })
      expect({ status, code: json["code"] }, `${method} ${path}`).toEqual({ status: 403, code: "forbidden" })
    }
    expect((await handshake(gateway.port, { key: GUEST_KEY })).status).toBe(403)
    const cookie = await logIn(gateway.port, GUEST_KEY)
    const origin = `http://127.0.0.1:${gateway.port}`
    expect((await handshake(gateway.port, { headers: { cookie, origin } })).status).toBe(403)
    expect((await gateway.store.list(GUEST.namespace)).items).toEqual([])
  })

  test("an application's route without one is closed", async () => {
    const handle = () => Response.json({ leaked: true })
    const undeclared = { method: "GET", path: "/api/extra", handle } as never
    const owners = { method: "GET", path: "/api/owner", permission: "owner", handle } as const
    const gateway = await harness({ routes: [undeclared, owners] })
    expect((await gateway.send("/api/extra", { key: OWNER_KEY })).status).toBe(403)
    expect((await gateway.send("/api/owner", { key: ADA_KEY })).status).toBe(403)
    expect((await gateway.send("/api/owner", { key: OWNER_KEY })).json).toEqual({ leaked: true })
  })
})

test("SEC-12: what is kept of a login holds no secret", async () => {
  const kept = new Map<string, unknown>()
  const memory = memoryLogins()
  const logins = {
    ...memory,
    put: async (namespace: Namespace, key: string, value: never) => {
      kept.set(key, value)
      await memory.put(namespace, key, value)
    },
  }
  const gateway = await harness({ logins })
  const cookie = (await logIn(gateway.port, OWNER_KEY)).split("=")[1] ?? ""
  expect(kept.size).toBe(1)
  expect(JSON.stringify([...kept])).not.toContain(cookie)
  expect(JSON.stringify([...kept])).not.toContain(OWNER_KEY)
  for (const path of ["/api/me", "/api/sessions", "/health"])
    expect((await gateway.send(path, { key: OWNER_KEY })).text).not.toMatch(/key|digest|proof/)
})

describe("SEC-14: every answer says what a page may do", () => {
  test("of whatever kind it is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gateway-"))
    await writeFile(join(folder, "page.js"), "1")
    const gateway = await harness({
      assets: folder,
      limits: { headersMs: 100, requestMs: 200 },
      routes: [
        {
          method: "GET",
          path: "/api/moved",
          permission: "open",
          handle: () => Response.redirect("http://x/"),
        },
        { method: "GET", path: "/api/broken", permission: "open", handle: () => Response.error() },
        {
          method: "GET",
          path: "/api/thrown",
          permission: "open",
          handle: () => {
            throw new Error("secret detail")
          },
        },
      ],
    })
    const key = OWNER_KEY
    await gateway.converse(OWNER.namespace.child("s"))
    const host = `host: localhost\r\n`
    const answers: Readonly<Record<string, string>> = {
      ok: `GET /health HTTP/1.1\r\n${host}`,
      head: `HEAD /health HTTP/1.1\r\n${host}`,
      asset: `GET /page.js HTTP/1.1\r\n${host}`,
      missing: `GET /nothing HTTP/1.1\r\n${host}`,
      "missing route": `GET /api/nothing HTTP/1.1\r\n${host}`,
      unauthorized: `GET /api/me HTTP/1.1\r\n${host}`,
      "foreign host": `GET / HTTP/1.1\r\nhost: evil.example\r\n`,
      "no host": "GET / HTTP/1.1\r\n",
      moved: `GET /api/moved HTTP/1.1\r\n${host}`,
      thrown: `GET /api/thrown HTTP/1.1\r\n${host}`,
      broken: `GET /api/broken HTTP/1.1\r\n${host}`,
      "malformed URL": `GET http://[ HTTP/1.1\r\n${host}`,
      "no path": `GET nothing HTTP/1.1\r\n${host}`,
      "not HTTP": "nonsense\r\n",
      "long headers": `GET / HTTP/1.1\r\n${host}x: ${"x".repeat(20_000)}\r\n`,
      "refused upgrade": `GET /ws HTTP/1.1\r\n${host}upgrade: websocket\r\n`,
      "upgrade elsewhere": `GET /x HTTP/1.1\r\n${host}upgrade: websocket\r\n`,
      "no handshake": `GET /ws HTTP/1.1\r\n${host}upgrade: websocket\r\nauthorization: Bearer ${key}\r\n`,
      "odd expectation": `GET /health HTTP/1.1\r\n${host}expect: miracles\r\n`,
      "odd method": `PROPFIND / HTTP/1.1\r\n${host}`,
      "slow body": `POST /api/login HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: 9\r\n`,
    }
    for (const [what, head] of Object.entries(answers)) {
      const connection = what.includes("upgrade") || what === "no handshake" ? "upgrade" : "close"
      const said = (await sendRaw(gateway.port, `${head}connection: ${connection}\r\n\r\n`)).toLowerCase()
      expect(said, what).toMatch(/^http\/1\.1 \d{3} /)
      for (const [name, value] of Object.entries(SECURITY_HEADERS))
        expect(said, what).toContain(`\r\n${name}: ${value.toLowerCase()}\r\n`)
      expect(said, what).not.toContain("secret detail")
    }
    const policy = SECURITY_HEADERS["content-security-policy"]
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
  })
})

describe("SEC-26: a login that has ended is over everywhere", () => {
  const open = async (gateway: Harness) => {
    const cookie = await logIn(gateway.port, OWNER_KEY)
    const headers = { cookie, origin: `http://127.0.0.1:${gateway.port}` }
    await gateway.converse(OWNER.namespace.child("s"))
    const client = await gateway.connect({ headers })
    const events = gateway.send(sessionPath(OWNER.namespace.child("s"), "/events?after=0"), { headers })
    // It ends when the server ends it.
    const ended = events.then(
      () => true,
      () => true,
    )
    return { headers, client, ended }
  }

  test("after a logout its sockets and streams are closed, and it opens nothing", async () => {
    const gateway = await harness()
    const { headers, client, ended } = await open(gateway)
    const other = await gateway.connect({ key: OWNER_KEY })
    expect((await gateway.send("/api/logout", { headers, body: {} })).status).toBe(200)
    expect(await client.closed).toEqual({ code: 4401, reason: "logged out" })
    expect(await ended).toBe(true)
    expect((await gateway.send("/api/me", { headers })).status).toBe(401)
    expect((await handshake(gateway.port, { headers })).status).toBe(401)
    await other.settled()
  })

  test("a person sees their own logins, and ends one from another device", async () => {
    const gateway = await harness({ principals: [OWNER, ADA] })
    const { headers, client, ended } = await open(gateway)
    const phone = { ...headers, "user-agent": "Phone" }
    await gateway.send("/api/login", { body: { key: OWNER_KEY }, headers: phone })
    await logIn(gateway.port, ADA_KEY)
    const list = async (who: Parameters<typeof gateway.send>[1]) =>
      (await gateway.send("/api/logins", who)).json["logins"] as {
        id: string
        device: string
        current: boolean
      }[]
    const own = await list({ headers })
    expect(own.map(({ device, current }) => [device, current]).toSorted()).toEqual([
      ["", true],
      ["Phone", false],
    ])
    expect(await list({ key: ADA_KEY })).toHaveLength(1)
    const end = async (id: string, key: string) =>
      (await gateway.send(`/api/logins/${id}`, { method: "DELETE", key })).status
    const id = own.find(({ current }) => current)?.id ?? ""
    expect(await end(id, ADA_KEY)).toBe(404)
    expect((await gateway.send("/api/me", { headers })).status).toBe(200)
    expect(await end(id, OWNER_KEY)).toBe(200)
    expect((await client.closed).code).toBe(4401)
    expect(await ended).toBe(true)
    expect((await gateway.send("/api/me", { headers })).status).toBe(401)
    expect(await end(id, OWNER_KEY)).toBe(404)
    expect((await list({ key: OWNER_KEY })).map(({ device }) => device)).toEqual(["Phone"])
  })

  test("also what is open of one that was ended elsewhere, or whose time is up", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
    try {
      const clock = virtualClock()
      const kept = new Map<string, Namespace>()
      const memory = memoryLogins()
      const put: typeof memory.put = async (namespace, id, value) => {
        kept.set(id, namespace)
        await memory.put(namespace, id, value)
      }
      const gateway = await harness({ logins: { ...memory, put }, now: clock.now })
      const minute = async ({ client }: Awaited<ReturnType<typeof open>>) => {
        for (let half = 0; half < 2; half++) {
          await vi.advanceTimersByTimeAsync(30_000)
          // The answer to the heartbeat is there when two questions asked after it have been answered.
          const answered = client.settled().then(() => client.settled())
          await Promise.race([answered, client.closed])
        }
      }
      const first = await open(gateway)
      // What is open is in use.
      clock.advance(29 * 24 * 3_600_000)
      await minute(first)
      clock.advance(29 * 24 * 3_600_000)
      await minute(first)
      expect((await gateway.send("/api/me", { headers: first.headers })).status).toBe(200)
      for (const [id, namespace] of kept) await memory.delete(namespace, id)
      await minute(first)
      expect((await first.client.closed).code).toBe(4401)
      expect(await first.ended).toBe(true)
      const second = await open(gateway)
      clock.advance(30 * 24 * 3_600_000)
      await minute(second)
      expect((await second.client.closed).code).toBe(4401)
    } finally {
      vi.useRealTimers()
    }
  })

  test("after thirty days without use", async () => {
    const clock = virtualClock()
    const gateway = await harness({ now: clock.now })
    const cookie = await logIn(gateway.port, OWNER_KEY)
    const status = async () => (await gateway.send("/api/me", { headers: { cookie } })).status
    clock.advance(29 * 24 * 3_600_000)
    expect(await status()).toBe(200)
    clock.advance(29 * 24 * 3_600_000)
    expect(await status()).toBe(200)
    clock.advance(30 * 24 * 3_600_000)
    expect(await status()).toBe(401)
  })

  test("whose a login is can be asked while it goes on, and asking is no use of it", async () => {
    const clock = virtualClock()
    const { gateway, port, send } = await harness({ now: clock.now })
    const begin = async (key: string) => {
      const headers = { cookie: await logIn(port, key) }
      const { logins } = (await send("/api/logins", { headers })).json as {
        logins: { id: string; current: boolean }[]
      }
      return logins.find(({ current }) => current)?.id ?? ""
    }
    const [first, second] = [await begin(OWNER_KEY), await begin(OWNER_KEY)]
    expect((await gateway.holderOf(first))?.name).toBe("owner")
    expect(await gateway.holderOf("no such login")).toBeUndefined()
    await send(`/api/logins/${first}`, { method: "DELETE", key: OWNER_KEY })
    expect(await gateway.holderOf(first)).toBeUndefined()
    clock.advance(29 * 24 * 3_600_000)
    expect((await gateway.holderOf(second))?.name).toBe("owner")
    clock.advance(24 * 3_600_000)
    expect(await gateway.holderOf(second)).toBeUndefined()
  })

  test("when its key was changed, and not when it came by a link", async () => {
    const logins = memoryLogins()
    const before = await harness({ logins })
    const byKey = await logIn(before.port, OWNER_KEY)
    const { headers } = await before.send("/api/login", {
      body: { token: tokenOf(before.gateway.loginLink()) },
    })
    const byLink = headers["set-cookie"]?.[0]?.split(";")[0] ?? ""
    const same = await harness({ logins })
    expect((await same.send("/api/me", { headers: { cookie: byKey } })).status).toBe(200)
    const after = await harness({ logins, principals: [{ ...OWNER, key: "another-key-987654" }] })
    expect((await after.send("/api/me", { headers: { cookie: byKey } })).status).toBe(401)
    expect((await after.send("/api/me", { headers: { cookie: byLink } })).status).toBe(200)
    const without = await harness({ logins, principals: [ADA] })
    expect((await without.send("/api/me", { headers: { cookie: byLink } })).status).toBe(401)
  })

  test("also when it is renewed at that moment", async () => {
    const clock = virtualClock()
    const memory = memoryLogins()
    const held = Promise.withResolvers<void>()
    const renewing = Promise.withResolvers<void>()
    let writes = 0
    const gateway = await harness({
      now: clock.now,
      logins: {
        ...memory,
        put: async (...record) => {
          if (++writes === 2) {
            renewing.resolve()
            await held.promise
          }
          await memory.put(...record)
        },
      },
    })
    const cookie = await logIn(gateway.port, OWNER_KEY)
    const headers = { cookie, origin: `http://127.0.0.1:${gateway.port}` }
    clock.advance(2 * 24 * 3_600_000)
    const renewed = gateway.send("/api/me", { headers })
    await renewing.promise
    expect((await gateway.send("/api/logout", { headers, body: {} })).status).toBe(200)
    held.resolve()
    expect((await renewed).status).toBe(401)
    expect((await gateway.send("/api/me", { headers })).status).toBe(401)
  })

  test("two different cookies of our name are none", async () => {
    const { port, send } = await harness()
    const [owner, ada] = [await logIn(port, OWNER_KEY), await logIn(port, ADA_KEY)]
    const name = async (cookie: string) => (await send("/api/me", { headers: { cookie } })).json["name"]
    expect(await name(`a=b; ${owner}; c`)).toBe("owner")
    expect(await name(`${owner}; ${owner}`)).toBe("owner")
    expect(await name(`${ada}; ${owner}`)).toBeUndefined()
    expect(await name(`${owner}; ${ada}`)).toBeUndefined()
    expect(await name(`x${owner}`)).toBeUndefined()
  })
})

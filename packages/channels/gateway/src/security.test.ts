import type { Socket } from "node:net"
import { Approvals, Namespace } from "@orra/core"
import { virtualClock } from "@orra/testing"
import { describe, expect, test, vi } from "vitest"
import { Attempts } from "./attempts.ts"
import {
  ADA,
  ADA_KEY,
  type Harness,
  handshake,
  harness,
  logIn,
  OWNER,
  OWNER_KEY,
  type Sent,
  sendRaw,
  tokenOf,
} from "./fixture.ts"
import { createGateway } from "./gateway.ts"
import { Guard } from "./guard.ts"
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
const CHANGING = ROUTES.filter(({ method }) => method !== "GET")

/** A route's path for a session of the owner. */
const pathOf = (path: string): string =>
  path
    .replace(":namespace", encodeURIComponent(OWNER.namespace.child("s").key))
    .replace(":inputId", "x")
    .replace(":approvalId", "x")

const UNSAFE = { "content-type": "application/json" }

describe("SEC-01, SEC-02: a socket opens only for our own page or for a key", () => {
  const same = (port: number) => `http://127.0.0.1:${port}`
  const ORIGINS: Readonly<Record<string, (port: number) => string | undefined>> = {
    "another site": () => "https://evil.example",
    null: () => "null",
    "none, with a cookie": () => undefined,
    "a sub-domain that looks alike": (port) => `http://127.0.0.1.evil.example:${port}`,
    "a name that begins alike": (port) => `http://localhost.evil.example:${port}`,
    "a trailing dot": (port) => `http://127.0.0.1.:${port}`,
    "another port": (port) => `http://127.0.0.1:${port + 1}`,
    "no port": () => "http://127.0.0.1",
    "another scheme": (port) => `https://127.0.0.1:${port}`,
    "another name of this machine": (port) => `http://localhost:${port}`,
    "our own, twice": (port) => `${same(port)}, ${same(port)}`,
    "our own with a path": (port) => `${same(port)}/`,
    empty: () => "",
  }

  test("S2: the upgrade", async () => {
    const { port } = await harness()
    const cookie = await logIn(port, OWNER_KEY)
    expect((await handshake(port, { headers: { cookie, origin: same(port) } })).status).toBe(101)
    expect((await handshake(port, { key: OWNER_KEY })).status).toBe(101)
    expect((await handshake(port, { headers: { origin: same(port) } })).status).toBe(401)
    for (const [what, of] of Object.entries(ORIGINS)) {
      const origin = of(port)
      const from = origin === undefined ? {} : { origin }
      const { status, json } = await handshake(port, { headers: { cookie, ...from } })
      expect({ status, code: json["code"] }, what).toEqual({ status: 403, code: "cross_site" })
      if (origin === undefined) continue
      // A page that has found out the key by other means still may not.
      expect((await handshake(port, { key: OWNER_KEY, headers: from })).status, what).toBe(403)
    }
    for (const site of ["cross-site", "same-site", "nonsense"]) {
      const headers = { cookie, origin: same(port), "sec-fetch-site": site }
      expect((await handshake(port, { headers })).status, site).toBe(403)
    }
  })

  test("every route that changes something", async () => {
    const gateway = await harness({ showLink: () => {} })
    const cookie = await logIn(gateway.port, OWNER_KEY)
    for (const { method, path } of CHANGING) {
      for (const [what, of] of Object.entries(ORIGINS)) {
        const origin = of(gateway.port)
        const headers = { ...UNSAFE, cookie, ...(origin !== undefined && { origin }) }
        const { status, json } = await gateway.send(pathOf(path), { method, headers })
        expect({ status, code: json["code"] }, `${method} ${path}: ${what}`).toEqual({
          status: 403,
          code: "cross_site",
        })
      }
    }
    const headers = { cookie, origin: same(gateway.port) }
    const { status } = await gateway.send("/api/chat", { headers, body: { message: "Hello" } })
    expect(status).toBe(200)
  })

  test("no route answers a page of another site, and none allows one", async () => {
    const gateway = await harness()
    const cookie = await logIn(gateway.port, OWNER_KEY)
    for (const { path } of ROUTES.filter(({ method }) => method === "GET")) {
      for (const foreign of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
        const { status } = await gateway.send(pathOf(path), { headers: { cookie, ...foreign } })
        expect(status, path).toBe(403)
      }
    }
    const preflight = await gateway.send("/api/chat", {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    })
    expect(preflight.headers["access-control-allow-origin"]).toBeUndefined()
    expect(preflight.status).toBe(404)
  })
})

test("SEC-03: coming from this machine grants nothing", async () => {
  const gateway = await harness()
  for (const { method, path } of CLOSED) {
    const { status, json } = await gateway.send(pathOf(path), { method, headers: UNSAFE })
    expect({ status, code: json["code"] }, `${method} ${path}`).toEqual({ status: 401, code: "unauthorized" })
  }
  expect((await gateway.send("/health")).json).toEqual({ status: "ok" })
  expect((await gateway.send("/metrics")).status).toBe(404)
})

describe("SEC-04: guessing is slowed down whatever it looks like", () => {
  const clock = virtualClock()
  const GUESSES: Readonly<Record<string, (gateway: Harness, index: number) => Promise<number>>> = {
    "a bearer key": async ({ send }, index) => (await send("/api/me", { key: `wrong${index}` })).status,
    "a bearer key on an upgrade": async ({ port }, index) =>
      (await handshake(port, { key: `wrong${index}` })).status,
    "another scheme": async ({ send }) =>
      (await send("/api/me", { headers: { authorization: "Basic b3duZXI6eA==" } })).status,
    "an empty key": async ({ send }) =>
      (await send("/api/me", { headers: { authorization: "Bearer " } })).status,
    "a login with a key": async ({ send }, index) =>
      (await send("/api/login", { body: { key: `wrong${index}` } })).status,
    "a login with a token": async ({ send }, index) =>
      (await send("/api/login", { body: { token: `wrong${index}` } })).status,
    "extra fields": async ({ send }, index) =>
      (
        await send(`/api/login?key=${index}&deviceToken=x`, {
          body: { key: `w${index}`, deviceToken: index, role: "owner", client: "cli" },
          headers: {
            "user-agent": `a${index}`,
            "x-forwarded-for": `10.0.0.${index}`,
            "x-real-ip": "1.2.3.4",
          },
        })
      ).status,
  }

  for (const [what, guess] of Object.entries(GUESSES)) {
    test(what, async () => {
      const gateway = await harness({ now: clock.now })
      const cookie = await logIn(gateway.port, OWNER_KEY)
      for (let index = 0; index < 10; index++) expect(await guess(gateway, index)).toBe(401)
      for (const other of Object.values(GUESSES)) expect(await other(gateway, 11)).toBe(429)
      const locked = await gateway.send("/api/me", { key: OWNER_KEY })
      expect(locked.status).toBe(429)
      expect(Number(locked.headers["retry-after"])).toBeGreaterThan(0)
      // Guessing shuts nobody out who is in.
      expect((await gateway.send("/api/me", { headers: { cookie } })).status).toBe(200)
      clock.advance(60_000)
      expect((await gateway.send("/api/me", { key: OWNER_KEY })).status).toBe(200)
    })
  }

  test("S22: from many addresses of one network, and from everywhere", () => {
    const attempts = new Attempts(clock.now)
    for (let index = 0; index < 10; index++) attempts.failed(`2001:db8:1:2:${index}::${index + 1}`)
    expect(attempts.waitMs("2001:db8:1:2:ffff::1")).toBeGreaterThan(0)
    expect(attempts.waitMs("2001:0db8:0001:0002::")).toBeGreaterThan(0)
    expect(attempts.waitMs("2001:db8:1:3::1")).toBe(0)
    expect(attempts.waitMs("::1")).toBe(0)
    for (let index = 0; index < 200; index++) attempts.failed(`10.0.${index}.1`)
    expect(attempts.waitMs("10.0.7.1")).toBeGreaterThan(0)
    expect(attempts.waitMs("10.0.7.2")).toBe(0)
  })
})

test("SEC-05: a form of another site cannot send what changes something", async () => {
  const gateway = await harness({ showLink: () => {} })
  const cookie = await logIn(gateway.port, OWNER_KEY)
  const types = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json-patch+json",
    "",
  ]
  const origin = `http://127.0.0.1:${gateway.port}`
  for (const { method, path } of CHANGING) {
    for (const type of types) {
      const headers = { "content-type": type, "content-length": "2" }
      const body = "{}"
      const own = await gateway.send(pathOf(path), { method, headers: { ...headers, cookie, origin }, body })
      expect(own.status, `${method} ${path} ${type}`).toBe(415)
      const foreign = { ...headers, cookie, origin: "null" }
      expect((await gateway.send(pathOf(path), { method, headers: foreign, body })).status).toBe(403)
    }
  }
  expect(cookie).toMatch(/^orra_login=[\w-]{43}$/)
  const { headers } = await gateway.send("/api/login", { body: { key: OWNER_KEY } })
  expect(headers["set-cookie"]?.[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/)
})

describe("SEC-06: a credential is told to nobody", () => {
  test("no log, no output and no answer holds one", async () => {
    const said: string[] = []
    const spies = (["stdout", "stderr"] as const).map((name) =>
      vi.spyOn(process[name], "write").mockImplementation((chunk) => said.push(String(chunk)) > 0),
    )
    const console_ = (["log", "info", "warn", "error", "debug"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation((...args) => void said.push(args.map(String).join(" "))),
    )
    const gateway = await harness()
    const secrets = [OWNER_KEY, ADA_KEY]
    try {
      const token = tokenOf(gateway.gateway.loginLink())
      const cookie = (await gateway.send("/api/login", { body: { token } })).headers["set-cookie"]?.[0] ?? ""
      const value = cookie.split(/[=;]/)[1] ?? ""
      secrets.push(token, value)
      const answers = []
      for (const how of [{ key: OWNER_KEY }, { headers: { cookie: `orra_login=${value}` } }]) {
        for (const path of ["/api/me", "/api/sessions", "/api/models", "/nothing", "/api/%ff", "/%"])
          answers.push(await gateway.send(path, how))
        answers.push(await gateway.send("/api/chat", { ...how, body: "{" }))
      }
      answers.push(await gateway.send("/api/login", { body: { token } }))
      answers.push(await gateway.send("/api/login", { body: `{"token": "${token}"` }))
      answers.push(await handshake(gateway.port, { key: `${OWNER_KEY}x` }))
      await sendRaw(
        gateway.port,
        `GET /%%% HTTP/1.1\r\nauthorization: Bearer ${OWNER_KEY}\r\nconnection: close\r\n\r\n`,
      )
      const shown = JSON.stringify([
        answers.map(({ text, headers }) => [text, headers]),
        gateway.log.map((entry) => (entry.type === "error" ? String(entry.error) : entry)),
        said,
      ])
      for (const secret of secrets) expect(shown).not.toContain(secret)
      expect(gateway.log.length).toBeGreaterThan(10)
    } finally {
      for (const spy of [...spies, ...console_]) spy.mockRestore()
    }
  })

  test("a login link works once, for ten minutes, and its token is in the fragment", async () => {
    const clock = virtualClock()
    const gateway = await harness({ now: clock.now })
    const link = gateway.gateway.loginLink()
    expect(link).toMatch(new RegExp(`^${gateway.url}/login#[\\w-]{43}$`))
    const use = (token: string) => gateway.send("/api/login", { body: { token } })
    expect((await use(tokenOf(link))).json).toEqual({
      name: "owner",
      namespace: "web",
      permissions: ["chat", "model", "owner"],
    })
    expect((await use(tokenOf(link))).status).toBe(401)
    const [almost, late] = [gateway.gateway.loginLink(), gateway.gateway.loginLink()]
    clock.advance(10 * 60_000 - 1)
    expect((await use(tokenOf(almost))).status).toBe(200)
    clock.advance(1)
    expect((await use(tokenOf(late))).status).toBe(401)
  })

  test("of many who use a link at once, one gets in", async () => {
    const gateway = await harness()
    const token = tokenOf(gateway.gateway.loginLink())
    const all = await Promise.all(
      Array.from({ length: 8 }, () => gateway.send("/api/login", { body: { token } })),
    )
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(401)])
  })

  test("a new link is shown to the owner alone, and not without end", async () => {
    const links: string[] = []
    const clock = virtualClock()
    const gateway = await harness({ now: clock.now, showLink: (link) => void links.push(link) })
    const ask = () => gateway.send("/api/login/link", { body: {} })
    for (let index = 0; index < 5; index++) {
      const answer = await ask()
      expect(answer.json).toEqual({ printed: true })
    }
    expect((await ask()).status).toBe(429)
    expect(links).toHaveLength(5)
    // Whoever asks too often hides no link: the last one shown is still good.
    const { status } = await gateway.send("/api/login", { body: { token: tokenOf(links[4] ?? "") } })
    expect(status).toBe(200)
    clock.advance(10 * 60_000)
    expect((await ask()).status).toBe(202)
    expect((await (await harness()).send("/api/login/link", { body: {} })).status).toBe(404)
  })
})

describe("SEC-07: nothing listens beyond this machine unprotected", () => {
  const { key: _, ...keyless } = OWNER
  const CASES = [
    [{ host: "0.0.0.0", principals: [keyless] }, "gateway_unauthenticated"],
    [{ host: "::", principals: [keyless], insecure: true }, "gateway_unauthenticated"],
    [{ host: "", principals: [keyless], insecure: true }, "gateway_unauthenticated"],
    [{ host: "192.0.2.1", principals: [keyless, ADA], insecure: true }, "gateway_unauthenticated"],
    [{ host: "0.0.0.0", principals: [OWNER] }, "gateway_insecure"],
    [{ host: "localhost.", principals: [OWNER] }, "gateway_insecure"],
    [{ principals: [{ ...OWNER, key: "" }] }, "principal_invalid"],
    [{ principals: [{ ...OWNER, key: "two words" }] }, "principal_invalid"],
    [{ principals: [{ ...OWNER, name: "" }] }, "principal_invalid"],
    [{ principals: [OWNER, { ...ADA, key: OWNER_KEY }] }, "principals_ambiguous"],
    [{ principals: [OWNER, { ...ADA, name: "owner" }] }, "principals_ambiguous"],
    [{ principals: [OWNER, { ...ADA, namespace: Namespace.of("web", "ada") }] }, "principals_overlap"],
    [{ principals: [OWNER, { ...ADA, namespace: OWNER.namespace }] }, "principals_overlap"],
    [{ principals: [OWNER], trustedProxies: ["proxy.local"] }, "proxy_invalid"],
    [{ principals: [OWNER], trustedProxies: ["10.0.0.0/99"] }, "proxy_invalid"],
  ] as const

  for (const [options, code] of CASES) {
    test(`${JSON.stringify(options).slice(0, 100)}: ${code}`, async () => {
      const { runtime } = await harness()
      await expect(createGateway({ port: 0, ...options, runtime })).rejects.toMatchObject({ code })
    })
  }

  test("S1: by default it listens on this machine alone", async () => {
    const { url } = await harness()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })
})

describe("SEC-08: forwarded headers count only from a trusted proxy", () => {
  const forwarded = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    forwarded: "for=203.0.113.9;proto=https",
    "x-real-ip": "203.0.113.9",
    "x-user": "owner",
    "remote-user": "owner",
  }
  const addresses = ({ log }: Harness) => log.map((entry) => entry.type === "request" && entry.address)

  test("from anybody else they say nothing", async () => {
    const gateway = await harness({ trustedProxies: ["10.0.0.0/8", "2001:db8::/32"] })
    const { headers } = await gateway.send("/api/login", { body: { key: OWNER_KEY }, headers: forwarded })
    expect(headers["set-cookie"]?.[0]).not.toContain("Secure")
    expect((await gateway.send("/api/me", { headers: forwarded })).status).toBe(401)
    expect(addresses(gateway)).toEqual(["127.0.0.1", "127.0.0.1"])
  })

  test("a peer that has gone already has no address, and is nobody's proxy", () => {
    const guard = new Guard({
      host: "::1",
      secure: false,
      allowedHosts: [],
      trustedProxies: ["::/0", "0.0.0.0/0"],
    })
    const headers = { host: "localhost", "x-forwarded-for": "203.0.113.9" }
    const request = { headers, headersDistinct: { host: ["localhost"] }, socket: {} as Socket }
    expect(guard.caller(request)).toEqual({ address: "", secure: false, origin: "http://localhost" })
  })

  test("from a trusted one they are believed, as far as the proxies go", async () => {
    const gateway = await harness({ trustedProxies: ["127.0.0.1", "10.0.0.0/8"] })
    const { headers } = await gateway.send("/api/login", {
      body: { key: OWNER_KEY },
      headers: { ...forwarded, origin: `https://127.0.0.1:${gateway.port}` },
    })
    expect(headers["set-cookie"]?.[0]).toMatch(/^__Host-orra_login=.*; Secure$/)
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? ""
    const me = (more: Sent["headers"]) => gateway.send("/api/me", { headers: { cookie, ...more } })
    expect((await me(forwarded)).status).toBe(200)
    expect((await me({})).status).toBe(401)
    await me({ "x-forwarded-for": "1.2.3.4, 203.0.113.9, 10.1.2.3" })
    await me({ "x-forwarded-for": "1.2.3.4, ::ffff:203.0.113.7, 10.1.2.3" })
    await me({ "x-forwarded-for": "203.0.113.9, nonsense" })
    await me({ "x-forwarded-for": "" })
    expect(addresses(gateway)).toEqual([
      "203.0.113.9",
      "203.0.113.9",
      "127.0.0.1",
      "203.0.113.9",
      "203.0.113.7",
      "127.0.0.1",
      "127.0.0.1",
    ])
    // A forwarded client is locked out by itself, and the proxy is not.
    for (let index = 0; index < 11; index++)
      await gateway.send("/api/me", { key: "wrong", headers: forwarded })
    expect((await gateway.send("/api/me", { key: OWNER_KEY, headers: forwarded })).status).toBe(429)
    const other = { ...forwarded, "x-forwarded-for": "203.0.113.10" }
    expect((await gateway.send("/api/me", { key: OWNER_KEY, headers: other })).status).toBe(200)
  })
})

test("SEC-09: only names of ours are answered", async () => {
  const gateway = await harness({ allowedHosts: ["Herald.example", "with.port:8443"] })
  const status = async (host: string) =>
    (await gateway.send("/api/me", { key: OWNER_KEY, headers: { host } })).status
  for (const host of ["localhost", "127.0.0.1:9", "[::1]:80", "LOCALHOST", "herald.example:1", "with.port"])
    expect(await status(host), host).toBe(200)
  const foreign = [
    "localhost.",
    "127.0.0.1.nip.io",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "127.1",
    "0",
    "[::]",
    "evil.example",
    "herald.example.",
    "herald.example.evil.example",
    "x.herald.example",
    "localhost:80:80",
    "localhost:",
    "localhost:x",
    "user@localhost",
    "::1",
  ]
  for (const host of foreign) {
    expect([400, 403], host).toContain(await status(host))
    expect([400, 403]).toContain(
      (await handshake(gateway.port, { key: OWNER_KEY, headers: { host } })).status,
    )
    expect([400, 403]).toContain((await gateway.send("/", { headers: { host } })).status)
  }
  for (const hosts of ["", "host: localhost\r\nhost: evil.example\r\n", "host: a\r\nhost: localhost\r\n"]) {
    const said = await sendRaw(
      gateway.port,
      `GET /api/me HTTP/1.1\r\n${hosts}authorization: Bearer ${OWNER_KEY}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1\.1 400 /)
  }
})

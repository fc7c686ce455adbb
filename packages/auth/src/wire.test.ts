import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { inspect } from "node:util"
import { MemoryStore, Namespace } from "@orra/core"
import { faulty } from "@orra/testing"
import { afterEach, describe, expect, test } from "vitest"
import { OAuthClient, type OAuthClientOptions } from "./client.ts"
import { TokenStore } from "./token-store.ts"

interface Answer {
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}
interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  readonly fields: URLSearchParams
}
type Handler = (asked: Asked, origin: string) => Answer | Promise<Answer>

const ada = Namespace.of("household", "ada")
const KEY = new Uint8Array(32).fill(7)
/** Time goes only as a test says. */
const START = 1_800_000_000_000
const open: AsyncDisposable[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one[Symbol.asyncDispose]()))
})

/** A server that answers as the test says: what no well-kept server does. */
async function wire(handler: Handler) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const one = {
      path: request.url ?? "",
      authorization: request.headers.authorization,
      fields: new URLSearchParams(await text(request)),
    }
    asked.push(one)
    const { status = 200, body = {}, headers = {} } = await handler(one, origin)
    response.writeHead(status, { "content-type": "application/json", ...headers })
    response.end(typeof body === "string" ? body : JSON.stringify(body))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  open.push({
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  })
  return { origin, asked }
}

function clientOf(origin: string, more: Partial<OAuthClientOptions> = {}, store = new MemoryStore()) {
  const clock = { ahead: 0 }
  const tokens = new TokenStore(store, { keys: [KEY], now: () => START + clock.ahead })
  const server = { issuer: origin, tokenUrl: `${origin}/token`, deviceUrl: `${origin}/device` }
  const options = { name: "notes", server, clientId: "orra", clientSecret: "secret-of-client", ...more }
  return {
    tokens,
    clock,
    store,
    client: new OAuthClient(tokens, options),
    another: new OAuthClient(tokens, options),
  }
}

const given = (access: string, refresh?: string) => ({
  body: {
    access_token: access,
    token_type: "bearer",
    expires_in: 3_600,
    ...(refresh && { refresh_token: refresh }),
  },
})
const invalidGrant = { status: 400, body: { error: "invalid_grant", error_description: "refresh-1 is used" } }

describe("a renewal that others come in between of", () => {
  test("its claim lapsed, and who took over was refused: what the server gave is kept", async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>()
    const { promise: began, resolve: begin } = Promise.withResolvers<void>()
    const { origin, asked } = await wire(async () => {
      if (asked.length > 1) return invalidGrant
      begin()
      await go
      return given("access-2", "refresh-2")
    })
    const { client, another, clock } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    const slow = client.token(ada)
    await began
    clock.ahead += 31_000
    await expect(another.token(ada)).rejects.toMatchObject({ code: "auth_revoked" })
    resolve()
    expect((await slow).value).toBe("access-2")
    expect((await another.token(ada)).value).toBe("access-2")
    expect(asked.map(({ fields }) => fields.get("refresh_token"))).toEqual(["refresh-1", "refresh-1"])
  })

  test("R20: another process has rotated the refresh token: its is read, and nothing fails", async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>()
    const { promise: began, resolve: begin } = Promise.withResolvers<void>()
    const { origin, asked } = await wire(async () => {
      if (asked.length > 1) return given("access-2", "refresh-2")
      begin()
      await go
      return invalidGrant
    })
    const { client, another, clock } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    const slow = client.token(ada)
    await began
    clock.ahead += 31_000
    expect((await another.token(ada)).value).toBe("access-2")
    resolve()
    expect((await slow).value).toBe("access-2")
    expect(asked.length).toBe(2)
  })

  test("a person has signed in anew meanwhile: theirs stays, and what the old login was given is nobody's", async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>()
    const { promise: began, resolve: begin } = Promise.withResolvers<void>()
    const { origin, asked } = await wire(async ({ fields }) => {
      if (asked.length > 1) return given(`access of ${fields.get("refresh_token")}`, "refresh-9")
      begin()
      await go
      return given("access-2", "refresh-2")
    })
    const { client, another } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    const slow = client.token(ada)
    await began
    await another.adopt(ada, "refresh-9")
    resolve()
    expect((await slow).value).toBe("access of refresh-9")
    expect((await another.token(ada)).value).toBe("access of refresh-9")
  })

  test("a process that died with its claim is waited for no longer than that lasts", async () => {
    const { origin, asked } = await wire(() => given("access-2", "refresh-2"))
    const { client, tokens, clock } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    const login = await tokens.login(ada, "notes")
    await tokens.mark(ada, "notes", login, { claimedUntil: (await tokens.now()) + 30_000 })
    const waiting = client.token(ada)
    clock.ahead += 30_001
    expect((await waiting).value).toBe("access-2")
    expect(asked.length).toBe(1)
  })

  test("a store that fails for a moment does not cost the refresh token that was just given", async () => {
    const { origin, asked } = await wire(() => given("access-2", "refresh-2"))
    const store = faulty(new MemoryStore(), [
      { method: "records.put", call: 3, fault: "fail" },
      { method: "records.put", call: 4, fault: "lose" },
    ])
    const { client, another } = clientOf(origin, {}, store)
    await client.adopt(ada, "refresh-1")
    expect((await client.token(ada)).value).toBe("access-2")
    expect((await another.token(ada)).value).toBe("access-2")
    expect(asked.length).toBe(1)
  })
})

describe("a server that is not as it should be", () => {
  test("down or overloaded: the old token is used while it is good, then the error says to come back", async () => {
    let isDown = false
    const { origin, asked } = await wire(() =>
      isDown ? { status: 503 } : given(`access-${asked.length}`, "refresh"),
    )
    const { client, clock } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    expect((await client.token(ada)).value).toBe("access-1")
    isDown = true
    clock.ahead += 3_600_000 - 10_000
    expect((await client.token(ada)).value).toBe("access-1")
    clock.ahead += 10_000
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_unreachable", retryable: true })
    isDown = false
    expect((await client.token(ada)).value).toBe("access-4")
  })

  test("that hangs is left after `timeoutMs`, and its claim with it", async () => {
    const { origin, asked } = await wire(() =>
      asked.length === 1 ? new Promise<never>(() => {}) : given("access-2"),
    )
    const store = new MemoryStore()
    const { client: impatient } = clientOf(origin, { timeoutMs: 100 }, store)
    await impatient.adopt(ada, "refresh-1")
    await expect(impatient.token(ada)).rejects.toMatchObject({ code: "auth_unreachable" })
    const { client: patient } = clientOf(origin, {}, store)
    expect((await patient.token(ada)).value).toBe("access-2")
  })

  test("that is not there at all", async () => {
    const { client } = clientOf("http://127.0.0.1:1")
    await client.adopt(ada, "refresh-1")
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_unreachable" })
  })

  test.each<readonly [string, Answer, string]>([
    ["a redirect", { status: 307, headers: { location: "http://127.0.0.1:9/steal" } }, "auth_host_refused"],
    [
      "a page",
      { body: "<html>secret-of-client</html>", headers: { "content-type": "text/html" } },
      "auth_protocol",
    ],
    ["half of an answer", { body: '{"access_token": "acc' }, "auth_protocol"],
    ["an answer without a token", { body: { token_type: "bearer" } }, "auth_protocol"],
    ["a token that is a number", { body: { access_token: 7, token_type: "bearer" } }, "auth_protocol"],
    ["another kind of token", { body: { access_token: "a", token_type: "mac" } }, "auth_protocol"],
    ["a token bound to a key", { body: { access_token: "a", token_type: "DPoP" } }, "auth_protocol"],
    [
      "a life that is none",
      { body: { access_token: "a", token_type: "bearer", expires_in: "soon" } },
      "auth_protocol",
    ],
    [
      "a life without end",
      { body: '{"access_token":"a","token_type":"bearer","expires_in":1e999}' },
      "auth_protocol",
    ],
    ["two megabytes", { body: `"${"x".repeat(2_000_000)}"` }, "auth_protocol"],
    ["an error of its own", { status: 400, body: { error: "you <b>must</b> pay" } }, "auth_request_refused"],
    ["a refusal of the client", { status: 401, body: { error: "invalid_client" } }, "auth_client_refused"],
    ["a challenge", { status: 401, headers: { "www-authenticate": "Basic realm=a" } }, "auth_client_refused"],
    ["no right to this", { status: 403, body: {} }, "auth_protocol"],
  ])("answers with %s", async (_, answer, code) => {
    const { origin, asked } = await wire(() => answer)
    const { client } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    const error = await client.token(ada).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ name: "AuthError", code })
    const shown = inspect(error, { depth: 9, showHidden: true })
    for (const secret of ["refresh-1", "secret-of-client", "must", "steal"])
      expect(shown).not.toContain(secret)
    expect(asked.length).toBe(1)
  })

  test("as some well-known ones are: an error with status 200, a token without its type, a life in quotes", async () => {
    const answers: Answer[] = [
      { body: { error: "bad_refresh_token" } },
      { body: { access_token: "access-2", expires_in: "3600" } },
    ]
    const { origin } = await wire(() => answers.shift() ?? {})
    const { client } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    await expect(client.token(ada)).rejects.toMatchObject({ details: { error: "bad_refresh_token" } })
    const token = await client.token(ada)
    expect(token.authorization).toBe("Bearer access-2")
    expect(token.expiresAt).toBe(START + 3_600_000)
  })

  test("that always gives the same token is asked once for each refusal", async () => {
    const { origin, asked } = await wire(() => given("same", "refresh-2"))
    const { client } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    const refused = await client.token(ada)
    expect((await client.token(ada, { refused })).value).toBe("same")
    expect(asked.length).toBe(2)
  })

  test("a token of 20 s is used for 10", async () => {
    const { origin, asked } = await wire(() => ({
      body: {
        access_token: `access-${asked.length}`,
        token_type: "bearer",
        expires_in: 20,
        refresh_token: "r",
      },
    }))
    const { client, clock } = clientOf(origin)
    await client.adopt(ada, "refresh-1")
    await client.token(ada)
    clock.ahead += 9_000
    expect((await client.token(ada)).value).toBe("access-1")
    clock.ahead += 1_500
    expect((await client.token(ada)).value).toBe("access-2")
  })
})

describe("metadata", () => {
  const metadata = (origin: string, more: object = {}) => ({
    issuer: origin,
    token_endpoint: `${origin}/token`,
    authorization_endpoint: `${origin}/authorize`,
    ...more,
  })

  test("that names another host gets no secret, unless the host is allowed", async () => {
    const elsewhere = await wire(() => given("access-2"))
    const { origin } = await wire(({ path }, own) =>
      path.startsWith("/.well-known/")
        ? { body: metadata(own, { token_endpoint: `${elsewhere.origin}/token` }) }
        : {},
    )
    const server = { issuer: origin }
    const { client } = clientOf(origin, { server })
    await client.adopt(ada, "refresh-1")
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_host_refused" })
    expect(elsewhere.asked).toEqual([])
    const { client: allowed } = clientOf(origin, { server, hosts: [new URL(elsewhere.origin).host] })
    await allowed.adopt(ada, "refresh-1")
    expect((await allowed.token(ada)).value).toBe("access-2")
  })

  test.each([
    ["of another issuer", { issuer: "https://evil.example" }],
    ["with a page that is a script", { authorization_endpoint: "javascript:alert(1)" }],
    ["with a page elsewhere", { authorization_endpoint: "https://evil.example/login" }],
    ["with an address of the network inside", { revocation_endpoint: "http://169.254.169.254/latest" }],
    ["with an address that has a password", { token_endpoint: "https://a:b@evil.example/token" }],
  ])("%s is refused", async (_, more) => {
    const { origin } = await wire((_asked, own) => ({ body: metadata(own, more) }))
    const { client } = clientOf(origin, {
      server: { issuer: origin },
      redirectUri: "https://here.example/back",
    })
    await expect(client.authorize(ada)).rejects.toMatchObject({
      code: expect.stringMatching(/^auth_(host_refused|protocol)$/),
    })
  })

  test("is read once, also where only OpenID Connect is known, and again after it failed", async () => {
    let isUp = false
    const { origin, asked } = await wire(({ path }, own) => {
      if (!isUp) return { status: 500 }
      return path === "/.well-known/openid-configuration" ? { body: metadata(own) } : { status: 404 }
    })
    const { client } = clientOf(origin, {
      server: { issuer: origin },
      redirectUri: "https://here.example/back",
    })
    await expect(client.authorize(ada)).rejects.toMatchObject({ code: "auth_unreachable" })
    isUp = true
    expect((await client.authorize(ada)).url).toContain(`${origin}/authorize?`)
    await client.authorize(ada)
    expect(asked.length).toBe(3)
  })

  test("without what is asked for says which option to give", async () => {
    const { client } = clientOf("https://example.com", { redirectUri: "https://here.example/back" })
    await expect(client.authorize(ada)).rejects.toThrow("authorizationUrl")
  })
})

describe("a device", () => {
  const device = {
    device_code: "device-1",
    user_code: "AB\u202eCD",
    verification_uri: "https://example.com/device",
  }

  test("asks again as often as the server says, more slowly when told so, until it is confirmed", async () => {
    const answers: Answer[] = ["authorization_pending", "authorization_pending"].map((error) => ({
      status: 400,
      body: { error },
    }))
    const { origin, asked } = await wire(({ path }) => {
      if (path === "/device") return { body: { ...device, expires_in: 600, interval: 0.001 } }
      return answers.shift() ?? given("access-1")
    })
    const { client } = clientOf(origin)
    expect(await client.startDevice(ada)).toMatchObject({ userCode: "ABCD" })
    expect((await client.finishDevice(ada)).value).toBe("access-1")
    expect(
      asked.filter(({ path }) => path === "/token").map(({ fields }) => fields.get("device_code")),
    ).toEqual(Array.from({ length: 3 }, () => "device-1"))
  })

  test.each([
    ["access_denied", "auth_denied", "auth_not_signed_in"],
    ["expired_token", "auth_expired", "auth_not_signed_in"],
    ["temporarily_unavailable", "auth_unreachable", "auth_unreachable"],
  ])("%s is %s, and the next time %s", async (error, first, second) => {
    const { origin } = await wire(({ path }) =>
      path === "/device" ? { body: { ...device, expires_in: 600 } } : { status: 400, body: { error } },
    )
    const { client } = clientOf(origin)
    await client.startDevice(ada)
    await expect(client.finishDevice(ada)).rejects.toMatchObject({ code: first })
    await expect(client.finishDevice(ada)).rejects.toMatchObject({ code: second })
  })

  test("is not sent to a page without TLS, or to a script", async () => {
    for (const page of ["http://example.com/device", "javascript:alert(1)", "nowhere"]) {
      const { origin } = await wire(() => ({ body: { ...device, verification_uri: page, expires_in: 600 } }))
      await expect(clientOf(origin).client.startDevice(ada)).rejects.toMatchObject({ name: "AuthError" })
    }
  })
})

test("a server that cannot be told of a signing out is said, and the login is forgotten", async () => {
  const { origin } = await wire(() => ({ status: 500 }))
  const server = { issuer: origin, tokenUrl: `${origin}/token`, revocationUrl: `${origin}/revoke` }
  const { client } = clientOf(origin, { server })
  await client.adopt(ada, "refresh-1")
  await expect(client.signOut(ada)).rejects.toMatchObject({ code: "auth_unreachable" })
  await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_not_signed_in" })
})

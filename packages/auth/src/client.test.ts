import { inspect } from "node:util"
import { MemoryStore, Namespace } from "@orra/core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { AccessToken } from "./access-token.ts"
import { OAuthClient, type OAuthClientOptions } from "./client.ts"
import { type AuthorizationServer, authorizationServer, CLIENT, REDIRECT_URI } from "./fixture.ts"
import { TokenStore } from "./token-store.ts"

const ada = Namespace.of("household", "ada")
const bob = Namespace.of("household", "bob")
const KEY = new Uint8Array(32).fill(7)
const START = 1_800_000_000_000

let server: AuthorizationServer
beforeAll(async () => {
  server = await authorizationServer()
})
afterAll(async () => await server[Symbol.asyncDispose]())

/** A household with a clock of its own: what is moved is never the server's. */
function household(more: Partial<OAuthClientOptions> = {}) {
  const clock = { ahead: 0 }
  const now = (): number => START + clock.ahead
  const store = new MemoryStore({ now })
  const tokens = new TokenStore(store, { keys: [KEY], now })
  const options = {
    name: "notes",
    server: { issuer: server.issuer },
    scopes: ["notes"],
    redirectUri: REDIRECT_URI,
  }
  const client = () => new OAuthClient(tokens, { ...options, ...CLIENT, ...more })
  return { store, tokens, clock, client: client(), another: client }
}

async function signedIn(client: OAuthClient, namespace = ada): Promise<AccessToken> {
  const { url } = await client.authorize(namespace)
  return await client.callback(namespace, await server.signIn(url))
}

const knows = async (token: AccessToken): Promise<boolean> =>
  (await server.provider.AccessToken.find(token.value)) !== undefined

describe("a person signs in at a page", () => {
  test("and what they are given is a token of the server's, with the scopes it granted", async () => {
    const { client } = household()
    const token = await signedIn(client)
    expect(await knows(token)).toBe(true)
    expect(token.scopes).toEqual(["notes"])
    expect(token.authorization).toBe(`Bearer ${token.value}`)
    expect((await client.token(ada)).value).toBe(token.value)
  })

  test("the address has PKCE and a state, and neither is the other", async () => {
    const { client, store } = household({ parameters: { prompt: "consent" } })
    const { url } = await client.authorize(ada)
    const query = new URL(url).searchParams
    expect(query.get("code_challenge_method")).toBe("S256")
    expect(query.get("prompt")).toBe("consent")
    const state = query.get("state") ?? ""
    expect(state.length).toBeGreaterThan(40)
    expect(state).not.toBe(query.get("code_challenge"))
    const { items } = await store.records("oauth").list(ada)
    expect(JSON.stringify(items)).not.toContain(state)
  })

  test("the answer is taken once, in the namespace it was begun in, by whoever is first", async () => {
    const { client, another } = household()
    const { url } = await client.authorize(ada)
    const query = await server.signIn(url)
    await expect(client.callback(bob, query)).rejects.toMatchObject({ code: "auth_state_unknown" })
    const both = await Promise.allSettled([client.callback(ada, query), another().callback(ada, query)])
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
    await expect(client.callback(ada, query)).rejects.toMatchObject({ code: "auth_state_unknown" })
  })

  test("an answer that comes too late, without a code, from another server or with another's code is refused", async () => {
    const { client, clock } = household()
    const late = await server.signIn((await client.authorize(ada)).url)
    clock.ahead += 600_001
    await expect(client.callback(ada, late)).rejects.toMatchObject({ code: "auth_state_unknown" })
    for (const change of [
      (query: URLSearchParams) => query.delete("code"),
      (query: URLSearchParams) => query.set("iss", "https://evil.example"),
      (query: URLSearchParams) => query.delete("iss"),
      (query: URLSearchParams) => query.append("code", "another"),
      (query: URLSearchParams) => query.set("code", "another"),
    ]) {
      const query = await server.signIn((await client.authorize(ada)).url)
      change(query)
      await expect(client.callback(ada, query)).rejects.toMatchObject({ code: "auth_answer_refused" })
    }
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_not_signed_in" })
  })

  test("a person who says no is told apart from a server that fails", async () => {
    const { client } = household()
    const state = new URL((await client.authorize(ada)).url).searchParams.get("state") ?? ""
    const query = new URLSearchParams({ state, iss: server.issuer, error: "access_denied" })
    await expect(client.callback(ada, query)).rejects.toMatchObject({ code: "auth_denied" })
  })

  test("sign-ins that nobody comes back from do not fill the store", async () => {
    const { client, store } = household()
    for (let count = 0; count < 30; count++) await client.authorize(ada)
    expect((await store.records("oauth").list(ada)).items.length).toBeLessThanOrEqual(21)
  })
})

describe("on another machine", () => {
  test("a person enters the code and agrees; another process may be the one that waits", async () => {
    const { client, another } = household()
    const { verificationUri, verificationUriComplete = "", userCode } = await client.startDevice(ada)
    expect(verificationUri).toBe(`${server.issuer}/device`)
    expect(verificationUriComplete).toContain(encodeURIComponent(userCode))
    await server.confirm(verificationUriComplete)
    const token = await another().finishDevice(ada)
    expect(await knows(token)).toBe(true)
    expect((await client.token(ada)).value).toBe(token.value)
    await expect(client.finishDevice(ada)).rejects.toMatchObject({ code: "auth_not_signed_in" })
  })

  test("whoever waits can be stopped and begin again, until it is too late", async () => {
    const { client, clock } = household()
    await client.startDevice(ada)
    const stop = new AbortController()
    const waiting = client.finishDevice(ada, { signal: stop.signal })
    stop.abort()
    await expect(waiting).rejects.toThrow()
    clock.ahead += 3_600_000
    await expect(client.finishDevice(ada)).rejects.toMatchObject({ code: "auth_expired" })
    await expect(client.finishDevice(ada)).rejects.toMatchObject({ code: "auth_not_signed_in" })
  })
})

describe("renewal", () => {
  test("happens before the token runs out, once for all who ask, with the new refresh token the next time", async () => {
    const { client, another, clock } = household()
    const first = await signedIn(client)
    const before = server.grants.length
    clock.ahead += 3_600_000 - 20_000
    const clients = [client, another(), another(), another()]
    const seconds = await Promise.all(
      clients.flatMap((one) => Array.from({ length: 5 }, () => one.token(ada))),
    )
    clock.ahead += 3_600_000
    const thirds = await Promise.all(clients.map((one) => one.token(ada)))
    expect(server.grants.slice(before)).toEqual(["refresh_token", "refresh_token"])
    const values = new Set([...seconds, ...thirds].map(({ value }) => value))
    // Those who came while one was asking got the old one, which was still good.
    values.delete(first.value)
    expect(values.size).toBe(2)
    expect(new Set(thirds.map(({ value }) => value)).size).toBe(1)
  })

  test("a token that a service refuses is renewed though it should last, once for all who were refused", async () => {
    const { client, another } = household()
    const refused = await signedIn(client)
    const before = server.grants.length
    const [one, two] = await Promise.all([client.token(ada, { refused }), another().token(ada, { refused })])
    expect(one.value).not.toBe(refused.value)
    expect(two.value).toBe(one.value)
    expect((await client.token(ada, { refused })).value).toBe(one.value)
    expect(server.grants.slice(before)).toEqual(["refresh_token"])
  })

  test("one caller who gives up does not cost the others theirs", async () => {
    const { client, clock } = household()
    await signedIn(client)
    clock.ahead += 4_000_000
    const stop = new AbortController()
    const impatient = client.token(ada, { signal: stop.signal })
    const patient = client.token(ada)
    stop.abort()
    await expect(impatient).rejects.toThrow()
    expect(await knows(await patient)).toBe(true)
  })

  test("a login that was revoked at the server is asked for once, and can be made anew", async () => {
    const { client, another, clock } = household()
    const token = await signedIn(client)
    const { grantId = "" } = (await server.provider.AccessToken.find(token.value)) ?? {}
    await server.provider.RefreshToken.revokeByGrantId(grantId)
    clock.ahead += 4_000_000
    const before = server.grants.length
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_revoked", retryable: false })
    await expect(another().token(ada)).rejects.toMatchObject({ code: "auth_revoked" })
    expect(server.grants.slice(before)).toEqual(["refresh_token invalid_grant"])
    await signedIn(client)
    expect(await knows(await another().token(ada))).toBe(true)
  })

  test("a token without one to renew it runs out, and says so", async () => {
    const { client, clock } = household()
    server.provider.once("grant.success", ({ body }) => {
      delete (body as { refresh_token?: string }).refresh_token
    })
    const token = await signedIn(client)
    clock.ahead += 3_600_000 - 20_000
    expect((await client.token(ada)).value).toBe(token.value)
    clock.ahead += 20_000
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_expired" })
    await expect(client.token(ada, { refused: token })).rejects.toMatchObject({ code: "auth_revoked" })
  })

  test("a refresh token from elsewhere can be brought along", async () => {
    const { client } = household()
    const { client: elsewhere } = household()
    let refreshToken = ""
    server.provider.once("grant.success", ({ body }) => {
      refreshToken = String((body as { refresh_token?: string }).refresh_token)
    })
    await signedIn(elsewhere)
    await client.adopt(bob, refreshToken)
    expect(await knows(await client.token(bob))).toBe(true)
  })
})

describe("a client for itself", () => {
  test("fetches a token when it needs one, one for each namespace, once for all who ask", async () => {
    const { client, another, clock } = household({ grant: "client_credentials" })
    const before = server.grants.length
    const [one, two] = await Promise.all([client.token(ada), another().token(ada)])
    expect(two.value).toBe(one.value)
    clock.ahead += 3_600_000
    expect((await client.token(ada)).value).not.toBe(one.value)
    expect(server.grants.slice(before)).toEqual(["client_credentials", "client_credentials"])
  })

  test("a wrong secret is the client's fault, and no login", async () => {
    const { client, tokens } = household({ grant: "client_credentials", clientSecret: "wrong" })
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_client_refused" })
    expect(await tokens.list(ada)).toEqual([])
  })

  test("a scope that it may not have is said by name of the error", async () => {
    const { client } = household({
      grant: "client_credentials",
      scopes: ["mail"],
      clientAuthentication: "body",
    })
    await expect(client.token(ada)).rejects.toMatchObject({
      code: "auth_request_refused",
      details: { error: "invalid_scope" },
    })
  })
})

describe("signing out", () => {
  test("forgets the login and revokes it at the server", async () => {
    const { client, tokens } = household()
    const token = await signedIn(client)
    expect(await tokens.list(Namespace.of("household"))).toMatchObject([
      { name: "notes", status: "signed_in" },
    ])
    await client.signOut(ada)
    expect(await knows(token)).toBe(false)
    expect(await tokens.list(ada)).toEqual([])
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_not_signed_in" })
    await client.signOut(ada)
  })

  test("during a renewal is not undone by it", async () => {
    const { client, another, clock } = household()
    await signedIn(client)
    clock.ahead += 4_000_000
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    server.provider.once("grant.success", () => resolve())
    const renewing = client.token(ada).catch((error: unknown) => error)
    await asked
    await another().signOut(ada)
    expect(await renewing).toMatchObject({ code: "auth_not_signed_in" })
    await expect(client.token(ada)).rejects.toMatchObject({ code: "auth_not_signed_in" })
  })
})

describe("secrets", () => {
  test("are in no record, no error and no token that is printed", async () => {
    const { client, store, clock } = household()
    const token = await signedIn(client)
    const { items } = await store.records("oauth").list(ada)
    const { grantId = "" } = (await server.provider.AccessToken.find(token.value)) ?? {}
    await server.provider.RefreshToken.revokeByGrantId(grantId)
    clock.ahead += 4_000_000
    const error = await client.token(ada).catch((failure: unknown) => failure)
    const shown = [
      inspect(error, { depth: 9, showHidden: true }),
      JSON.stringify(items),
      JSON.stringify(token),
      inspect(token),
    ]
    for (const text of shown) {
      expect(text).not.toContain(token.value)
      expect(text).not.toContain(CLIENT.clientSecret)
    }
    expect((error as Error).cause).toBeUndefined()
  })

  test("of one server are not sent to another when the configuration changes", async () => {
    const { client, another, tokens, clock } = household()
    await signedIn(client)
    clock.ahead += 4_000_000
    const moved = new OAuthClient(tokens, {
      ...CLIENT,
      name: "notes",
      server: { issuer: "https://other.example" },
    })
    await expect(moved.token(ada)).rejects.toMatchObject({ code: "auth_not_signed_in" })
    expect(await knows(await another().token(ada))).toBe(true)
  })
})

test("what cannot be a client is refused when it is made", () => {
  const { tokens } = household()
  const good = { name: "notes", server: { issuer: server.issuer }, clientId: "orra" }
  for (const bad of [
    { ...good, name: "" },
    { ...good, clientId: "" },
    { ...good, server: { issuer: "http://example.com" } },
    { ...good, server: { issuer: "https://user:secret@example.com" } },
    { ...good, server: { issuer: "file:///etc" } },
    { ...good, redirectUri: "nowhere" },
    { ...good, parameters: { state: "mine" } },
    { ...good, grant: "client_credentials" as const },
  ]) {
    expect(() => new OAuthClient(tokens, bad)).toThrow(expect.objectContaining({ code: "invalid_input" }))
  }
})

import { createHash } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { InvalidInput, keyOf, type Namespace, recordName, visibleText } from "@orra/core"
import {
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  type TokenEndpointResponse,
} from "oauth4webapi"
import type { AccessToken, TokenProvider, TokenRequest } from "./access-token.ts"
import { AuthError } from "./errors.ts"
import { type Credentials, Exchange } from "./exchange.ts"
import { accessToken, type Renewal, renewed } from "./renew.ts"
import type { OAuthServer, ServerOptions } from "./server.ts"
import type { StoredToken, TokenStore } from "./token-store.ts"

export interface OAuthClientOptions extends ServerOptions, Credentials {
  /** Names the login among those of a namespace, such as `github`. */
  readonly name: string
  readonly server: OAuthServer
  /** What is asked for. */
  readonly scopes?: readonly string[]
  /** Where people come back to, exactly as it is registered. */
  readonly redirectUri?: string
  /** Whose rights the token has: a person's, who signs in (default), or the client's own, which needs nobody. */
  readonly grant?: "authorization_code" | "client_credentials"
  /** Sent with the request for authorization, or for client credentials: `audience`, `prompt`, `access_type`. */
  readonly parameters?: Readonly<Record<string, string>>
}

/** Where to send a person. */
export interface Authorization {
  readonly url: string
  /** When it is too late to come back, ms since 1970. */
  readonly expiresAt: number
}

/** What a person enters on another machine. */
export interface DeviceLogin {
  readonly userCode: string
  readonly verificationUri: string
  /** With the code in it, for a link or a QR code. */
  readonly verificationUriComplete?: string
  /** ms since 1970. */
  readonly expiresAt: number
}

const PENDING_MS = 600_000
const LONGEST_DEVICE_MS = 3_600_000
/** A token is renewed so long before it runs out; one that lives for less than a minute, at half of its life. */
const MARGIN_MS = 30_000
/** What RFC 8628 says where the server does not. */
const FIRST_INTERVAL_S = 5
const SLOWER_MS = 5_000
const MAX_USER_CODE = 100

/** Sent by `parameters`, these would undo what protects a sign-in. */
const OWN_PARAMETERS = new Set([
  "client_id",
  "client_secret",
  "redirect_uri",
  "response_type",
  "state",
  "code_challenge",
  "code_challenge_method",
  "grant_type",
])

/**
 * A program at an OAuth server, and the logins that people made with it, each in its namespace.
 *
 * ```ts
 * const github = new OAuthClient(tokens, { name: "github", server, clientId, clientSecret, redirectUri })
 * const { url } = await github.authorize(ns) // the person goes there, and comes back to `redirectUri`
 * await github.callback(ns, new URL(request.url).searchParams)
 * const { authorization } = await github.token(ns) // renewed when needed
 * ```
 */
export class OAuthClient {
  readonly #tokens: TokenStore
  readonly #options: OAuthClientOptions
  readonly #exchange: Exchange
  /** What this process is renewing. */
  readonly #flights = new Map<string, Promise<AccessToken>>()

  /** @throws InvalidInput for an address that is none or has no TLS, an empty name, a parameter that is the client's. */
  constructor(tokens: TokenStore, options: OAuthClientOptions) {
    const { name, server, clientId, clientSecret, grant, redirectUri, parameters = {} } = options
    recordName(`token ${name}`)
    if (name === "" || clientId === "")
      throw new InvalidInput("An OAuth client needs a name and a client id.")
    if (grant === "client_credentials" && clientSecret === undefined) {
      throw new InvalidInput("A client that acts for itself needs its secret.")
    }
    if (redirectUri !== undefined && !URL.canParse(redirectUri))
      throw new InvalidInput("The redirect URI is not a URL.")
    for (const parameter of Object.keys(parameters)) {
      if (OWN_PARAMETERS.has(parameter))
        throw new InvalidInput(`The parameter ${parameter} is set by the client.`)
    }
    this.#tokens = tokens
    this.#options = options
    this.#exchange = new Exchange(server, options, options)
  }

  /**
   * A token that lasts for a while, usually 30 s or more. It is renewed when it does not: once, however many callers
   * and processes ask. With the grant `client_credentials` the first one is fetched.
   *
   * @throws AuthError `auth_not_signed_in`, `auth_expired`, `auth_revoked`, `auth_unreachable` and others: see there.
   */
  async token(namespace: Namespace, { signal, refused }: TokenRequest = {}): Promise<AccessToken> {
    signal?.throwIfAborted()
    const place = keyOf(namespace)
    const joined = this.#flights.get(place)
    if (joined) {
      const token = await unlessAborted(joined, signal)
      // Who began it may not have known that this one is refused.
      if (token.value !== refused?.value) return token
      return await this.token(namespace, { ...(signal && { signal }), refused })
    }
    const flight = this.#renewed(namespace, refused).finally(() => this.#flights.delete(place))
    this.#flights.set(place, flight)
    return await unlessAborted(flight, signal)
  }

  /** The same for one namespace, for what need not know of namespaces. */
  for(namespace: Namespace): TokenProvider {
    return { token: (request) => this.token(namespace, request) }
  }

  /** Keeps a login that was made elsewhere: a refresh token that somebody pasted in. It is used at the next `token`. */
  async adopt(namespace: Namespace, refreshToken: string): Promise<void> {
    const token = {
      accessToken: "",
      type: "Bearer",
      scopes: this.#scopes,
      expiresAt: 0,
      staleAt: 0,
      refreshToken,
    }
    await this.#tokens.keep(namespace, this.#options.name, { ...token, ...this.#origin })
  }

  /**
   * Begins a sign-in with PKCE (RFC 7636). The person is to come back within ten minutes, to `callback` of the same
   * namespace, in this process or another.
   */
  async authorize(namespace: Namespace): Promise<Authorization> {
    const { redirectUri, parameters = {}, clientId } = this.#options
    if (redirectUri === undefined) throw new InvalidInput("Signing in at a page needs a `redirectUri`.")
    const verifier = generateRandomCodeVerifier()
    const state = generateRandomState()
    const url = await this.#exchange.signInPage({
      ...parameters,
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      state,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...this.#scope,
    })
    const expiresAt = (await this.#tokens.now()) + PENDING_MS
    const pending = { ...this.#origin, expiresAt, verifier, redirectUri }
    await this.#tokens.keepPending(namespace, this.#loginKey(state), pending)
    return { url, expiresAt }
  }

  /**
   * Finishes a sign-in with the query that the person came back with. Once: a second call with the same is refused.
   *
   * @throws AuthError `auth_state_unknown`, `auth_denied`, `auth_answer_refused` and others.
   */
  async callback(namespace: Namespace, query: URLSearchParams): Promise<AccessToken> {
    const state = query.get("state") ?? ""
    const key = this.#loginKey(state)
    const pending = await this.#tokens.pending(namespace, key)
    const isMine = pending !== undefined && (await this.#tokens.forgetPending(namespace, key))
    if (!isMine || pending.expiresAt <= (await this.#tokens.now())) {
      throw new AuthError(
        "auth_state_unknown",
        "This sign-in was not begun here, is too old, or was finished already: start again.",
      )
    }
    this.#assertOwn(pending)
    const { redirectUri = "", verifier = "" } = pending
    return await this.#signedIn(namespace, await this.#exchange.code(query, state, redirectUri, verifier))
  }

  /** Begins a sign-in on another machine (RFC 8628): show what it returns, then call `finishDevice`. */
  async startDevice(namespace: Namespace): Promise<DeviceLogin> {
    const got = await this.#exchange.startDevice(this.#scope)
    const { verification_uri_complete: complete, device_code: deviceCode, interval = FIRST_INTERVAL_S } = got
    const expiresAt = (await this.#tokens.now()) + Math.min(got.expires_in * 1_000, LONGEST_DEVICE_MS)
    const pending = { ...this.#origin, expiresAt, deviceCode, intervalMs: interval * 1_000 }
    await this.#tokens.keepPending(namespace, this.#deviceKey, pending)
    return {
      userCode: visibleText(got.user_code).slice(0, MAX_USER_CODE),
      verificationUri: new URL(got.verification_uri).href,
      ...(complete === undefined ? {} : { verificationUriComplete: new URL(complete).href }),
      expiresAt,
    }
  }

  /**
   * Waits until the person has confirmed the sign-in that `startDevice` began, in this process or another.
   *
   * @throws AuthError `auth_denied`, `auth_expired`, `auth_not_signed_in` when none was begun. After `auth_unreachable`, and
   *   after `signal` has fired, it can be called again.
   */
  async finishDevice(
    namespace: Namespace,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<AccessToken> {
    const pending = await this.#tokens.pending(namespace, this.#deviceKey)
    if (!pending) throw new AuthError("auth_not_signed_in", "No sign-in was begun: call `startDevice` first.")
    this.#assertOwn(pending)
    const { expiresAt, deviceCode = "", intervalMs = 0 } = pending
    try {
      for (let pauseMs = intervalMs; ; ) {
        signal?.throwIfAborted()
        if ((await this.#tokens.now()) >= expiresAt) throw lateDevice()
        const got = await this.#exchange.device(deviceCode)
        if (typeof got === "object") {
          const token = await this.#signedIn(namespace, got)
          await this.#tokens.forgetPending(namespace, this.#deviceKey)
          return token
        }
        if (got === "slow_down") pauseMs += SLOWER_MS
        await sleep(pauseMs, undefined, signal && { signal })
      }
    } catch (error) {
      if (error instanceof AuthError && !error.retryable) {
        await this.#tokens.forgetPending(namespace, this.#deviceKey)
      }
      throw error
    }
  }

  /**
   * Forgets the login here, and then revokes it at the server (RFC 7009) if the server can.
   *
   * @throws AuthError when the server could not be told. The login is forgotten all the same.
   */
  async signOut(namespace: Namespace): Promise<void> {
    const token = await this.#tokens.take(namespace, this.#options.name)
    if (!token || !this.#isOwn(token)) return
    for (const secret of [token.refreshToken ?? "", token.accessToken]) {
      if (secret !== "") await this.#exchange.revoke(secret)
    }
  }

  async #renewed(namespace: Namespace, refused: AccessToken | undefined): Promise<AccessToken> {
    const renewal: Renewal = {
      tokens: this.#tokens,
      namespace,
      name: this.#options.name,
      timeoutMs: this.#exchange.timeoutMs,
      assertOwn: (token) => this.#assertOwn(token),
      prepare: () => this.#exchange.prepare(),
      source: (old) => this.#source(old),
    }
    return await renewed(renewal, refused?.value)
  }

  #source(old: StoredToken | undefined): (() => Promise<StoredToken>) | undefined {
    const { grant, parameters = {} } = this.#options
    if (grant === "client_credentials") {
      return async () => {
        const { refresh_token: _, ...got } = await this.#exchange.ownToken({ ...parameters, ...this.#scope })
        return await this.#stored(got)
      }
    }
    const refreshToken = old?.refreshToken
    if (refreshToken === undefined) return undefined
    return async () => await this.#stored(await this.#exchange.refresh(refreshToken), old)
  }

  async #signedIn(namespace: Namespace, got: TokenEndpointResponse): Promise<AccessToken> {
    const token = await this.#stored(got)
    await this.#tokens.keep(namespace, this.#options.name, token)
    return accessToken(token)
  }

  async #stored(got: TokenEndpointResponse, old?: StoredToken): Promise<StoredToken> {
    const { access_token, token_type, expires_in, scope, refresh_token = old?.refreshToken } = got
    if (token_type !== "bearer") {
      throw new AuthError("auth_protocol", "The server gives a kind of token that is not supported.")
    }
    const now = await this.#tokens.now()
    return {
      accessToken: access_token,
      type: "Bearer",
      scopes:
        scope === undefined ? (old?.scopes ?? this.#scopes) : scope.split(" ").filter((word) => word !== ""),
      ...(expires_in === undefined ? {} : lifetime(now, expires_in * 1_000)),
      ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
      ...this.#origin,
    }
  }

  get #scopes(): readonly string[] {
    return this.#options.scopes ?? []
  }

  get #scope(): { readonly scope?: string } {
    return this.#scopes.length > 0 ? { scope: this.#scopes.join(" ") } : {}
  }

  get #origin(): { readonly issuer: string; readonly clientId: string } {
    return { issuer: this.#options.server.issuer, clientId: this.#options.clientId }
  }

  #isOwn({ issuer, clientId }: { readonly issuer: string; readonly clientId: string }): boolean {
    return issuer === this.#origin.issuer && clientId === this.#origin.clientId
  }

  /** A secret of one server is sent to no other, also when the configuration has changed. */
  #assertOwn(made: { readonly issuer: string; readonly clientId: string }): void {
    if (this.#isOwn(made)) return
    throw new AuthError(
      "auth_not_signed_in",
      "This login was made with another server or client id: sign in again.",
    )
  }

  /** A state is told to a browser, so what is kept is its digest. */
  #loginKey(state: string): string {
    return `login ${createHash("sha256")
      .update(JSON.stringify([this.#options.name, state]))
      .digest("hex")}`
  }

  get #deviceKey(): string {
    return `device ${this.#options.name}`
  }
}

const lifetime = (now: number, ms: number) => ({
  expiresAt: now + ms,
  staleAt: now + ms - Math.min(MARGIN_MS, ms / 2),
})

const lateDevice = (): AuthError =>
  new AuthError("auth_expired", "The sign-in was not confirmed in time: start again.")

/** The work's end, or the signal's, whichever is first. The work goes on. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener("abort", onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}

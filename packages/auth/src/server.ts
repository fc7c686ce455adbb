import { InvalidInput, isObject, type Json, parseJson } from "@orra/core"
import * as oauth from "oauth4webapi"
import { AuthError } from "./errors.ts"
import { asAuthError } from "./failure.ts"

/** An authorization server. What is not given is read from its metadata (RFC 8414, or OpenID Connect Discovery). */
export interface OAuthServer {
  /** Its identifier, like `https://accounts.example.com`. */
  readonly issuer: string
  /** Where tokens are given. When it is given nothing is read from anywhere. */
  readonly tokenUrl?: string
  readonly authorizationUrl?: string
  readonly deviceUrl?: string
  readonly revocationUrl?: string
}

export interface ServerOptions {
  /**
   * Hosts (with their port, if any) that the server's metadata may name besides the issuer's own: a secret goes to no
   * other. Default none.
   */
  readonly hosts?: readonly string[]
  /** How long the server may take to answer, in ms. Default 20,000. */
  readonly timeoutMs?: number
  /** Default the global one. It is told not to follow redirects. */
  readonly fetch?: typeof fetch
}

const MAX_ANSWER_BYTES = 1_000_000
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"])

/** A server that is spoken to on its own hosts only. */
export class Server {
  readonly issuer: string
  readonly timeoutMs: number
  readonly #given: OAuthServer
  readonly #hosts: ReadonlySet<string>
  readonly #fetch: typeof fetch | undefined
  #metadata: Promise<oauth.AuthorizationServer> | undefined

  /** @throws InvalidInput for an address that is none, or has neither TLS nor a loopback host. */
  constructor(server: OAuthServer, { hosts = [], timeoutMs = 20_000, fetch }: ServerOptions) {
    const { issuer, tokenUrl, authorizationUrl, deviceUrl, revocationUrl } = server
    const given = [issuer, tokenUrl, authorizationUrl, deviceUrl, revocationUrl].filter(
      (url) => url !== undefined,
    )
    for (const url of given) {
      if (!isSafe(url))
        throw new InvalidInput(`An OAuth server is at an https address, like "https://example.com".`)
    }
    this.issuer = issuer
    this.timeoutMs = timeoutMs
    this.#given = server
    this.#hosts = new Set([
      ...given.map((url) => new URL(url).host),
      ...hosts.map((host) => host.toLowerCase()),
    ])
    this.#fetch = fetch
  }

  /** Read once; again when it failed. @throws AuthError */
  metadata(): Promise<oauth.AuthorizationServer> {
    this.#metadata ??= this.#read().catch((error: unknown) => {
      this.#metadata = undefined
      throw asAuthError(error)
    })
    return this.#metadata
  }

  /** For each request to it. */
  options() {
    return {
      [oauth.customFetch]: (url: string, init: oauth.CustomFetchOptions<string, unknown>) =>
        this.#send(url, init),
      // Which addresses may be without TLS is said by `isSafe`, for every one of them.
      [oauth.allowInsecureRequests]: true as const,
      signal: AbortSignal.timeout(this.timeoutMs),
    }
  }

  async #read(): Promise<oauth.AuthorizationServer> {
    const { issuer, tokenUrl, authorizationUrl, deviceUrl, revocationUrl } = this.#given
    const own = {
      ...(tokenUrl === undefined ? {} : { token_endpoint: tokenUrl }),
      ...(authorizationUrl === undefined ? {} : { authorization_endpoint: authorizationUrl }),
      ...(deviceUrl === undefined ? {} : { device_authorization_endpoint: deviceUrl }),
      ...(revocationUrl === undefined ? {} : { revocation_endpoint: revocationUrl }),
    }
    if (tokenUrl !== undefined) return { issuer, ...own }
    const found = { ...(await this.#discover(new URL(issuer))), ...own }
    for (const name of [
      "token_endpoint",
      "authorization_endpoint",
      "device_authorization_endpoint",
      "revocation_endpoint",
    ] as const) {
      if (found[name] !== undefined) this.#check(found[name])
    }
    return found
  }

  async #discover(issuer: URL): Promise<oauth.AuthorizationServer> {
    const answer = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...this.options() })
    if (answer.ok) return await oauth.processDiscoveryResponse(issuer, answer)
    const other = await oauth.discoveryRequest(issuer, { algorithm: "oidc", ...this.options() })
    return await oauth.processDiscoveryResponse(issuer, other)
  }

  /** @throws AuthError `auth_host_refused`. */
  #check(url: string): void {
    if (isSafe(url) && this.#hosts.has(new URL(url).host)) return
    throw new AuthError(
      "auth_host_refused",
      "The OAuth server names an address that is not its own: if it is right, add its host to `hosts`.",
      { host: URL.canParse(url) ? new URL(url).host.slice(0, 255) : "" },
    )
  }

  async #send(url: string, init: oauth.CustomFetchOptions<string, unknown>): Promise<Response> {
    this.#check(url)
    const { host } = new URL(url)
    try {
      const response = await (this.#fetch ?? globalThis.fetch)(url, {
        ...(init as RequestInit),
        redirect: "manual",
      })
      const { status, headers } = response
      if (status >= 500 || status === 429) {
        await response.body?.cancel()
        throw unreachable(host, { status })
      }
      if (response.type === "opaqueredirect" || (status >= 300 && status < 400)) {
        await response.body?.cancel()
        throw new AuthError("auth_host_refused", "The OAuth server sends elsewhere, which is not followed.", {
          host,
        })
      }
      return repaired(await bounded(response, host), status, headers)
    } catch (error) {
      if (error instanceof AuthError) throw error
      throw unreachable(host, { reason: reasonOf(error) })
    }
  }
}

const unreachable = (host: string, facts: Readonly<Record<string, unknown>>): AuthError =>
  new AuthError("auth_unreachable", "The OAuth server does not answer: try again later.", { host, ...facts })

/** What went wrong with a connection, by its name only: messages can hold addresses. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown"
  const cause = isObject(error.cause) ? error.cause["code"] : undefined
  return typeof cause === "string" ? cause : error.name
}

async function bounded(response: Response, host: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES)
      throw new AuthError("auth_protocol", "The OAuth server's answer is too long.", { host })
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Servers that people use all the same: some call an error a success, some leave out that a token is a bearer's. */
function repaired(text: string, status: number, headers: Headers): Response {
  const answer = parsed(text)
  const body = isObject(answer) ? (answer as Readonly<Record<string, unknown>>) : {}
  const isError = status === 200 && typeof body["error"] === "string"
  const isBare = typeof body["access_token"] === "string" && body["token_type"] === undefined
  const kept = new Headers(headers)
  for (const name of ["content-encoding", "content-length"]) kept.delete(name)
  const repairedText = isBare ? JSON.stringify({ ...body, token_type: "Bearer" }) : text
  return new Response(NO_BODY.has(status) ? null : repairedText, {
    status: isError ? 400 : status,
    headers: kept,
  })
}

const NO_BODY = new Set([204, 205, 304])

function parsed(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** With TLS, or on this machine; without a password in it. */
export function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username || password) return false
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname))
}

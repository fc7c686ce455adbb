import { InvalidInput } from "@orra/core"
import type { AccessToken, TokenProvider } from "./access-token.ts"
import { AuthError } from "./errors.ts"
import { isSafe } from "./server.ts"

export interface AuthorizedFetchOptions {
  /** Where the token may go, such as `https://api.example.com`; requests elsewhere are refused. */
  readonly origins: readonly string[]
  /** Default: the global one. It is told not to follow redirects. */
  readonly fetch?: typeof fetch
}

/**
 * `fetch` with the token of a login. One that the service answers with 401 is renewed and the request sent again, once,
 * unless its body is a stream, which can be read only once. Redirects are not followed: they are answered as they are.
 *
 * ```ts
 * const api = authorizedFetch(github.for(ns), { origins: ["https://api.github.com"] })
 * const response = await api("https://api.github.com/user")
 * ```
 *
 * @throws InvalidInput for an origin that is none, or has neither TLS nor a loopback host.
 */
export function authorizedFetch(
  tokens: TokenProvider,
  { origins, fetch }: AuthorizedFetchOptions,
): (url: string | URL, init?: RequestInit) => Promise<Response> {
  const allowed = new Set(origins.map(originOf))
  return async (url, init = {}) => {
    const { origin } = new URL(url)
    if (!allowed.has(origin)) {
      throw new AuthError(
        "auth_host_refused",
        "The token is not for this host: add its origin to `origins` if it is right.",
        { origin },
      )
    }
    const send = async (token: AccessToken): Promise<Response> => {
      const headers = new Headers(init.headers)
      headers.set("authorization", token.authorization)
      return await (fetch ?? globalThis.fetch)(url, { ...init, headers, redirect: "manual" })
    }
    const signal = init.signal ? { signal: init.signal } : {}
    const token = await tokens.token(signal)
    const response = await send(token)
    if (response.status !== 401 || init.body instanceof ReadableStream) return response
    const renewed = await tokens.token({ ...signal, refused: token })
    if (renewed.value === token.value) return response
    await response.body?.cancel()
    return await send(renewed)
  }
}

function originOf(text: string): string {
  if (isSafe(text) && new URL(text).pathname === "/") return new URL(text).origin
  throw new InvalidInput('An origin is like "https://api.example.com".')
}

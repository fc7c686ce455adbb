import type { IncomingHttpHeaders } from "node:http"
import type { Attempts } from "./attempts.ts"
import { HttpError } from "./errors.ts"
import type { Caller } from "./guard.ts"
import { assertMayTry, readCookie } from "./login-routes.ts"
import type { Login, Logins } from "./logins.ts"
import type { Principal, Principals } from "./principal.ts"

/** Who a request is from, and by which login when it came from a browser. */
export interface Access {
  readonly principal: Principal
  readonly login: Login | undefined
}

export interface AccessOptions {
  readonly principals: Principals
  readonly logins: Logins
  readonly attempts: Attempts
}

/**
 * Finds out who a request is from, by its credentials alone: a bearer key or a browser's cookie. Nothing else that a
 * request says of itself counts, and where it comes from grants nothing.
 *
 * @throws HttpError 401 without valid credentials, 429 for an address that was wrong too often.
 */
export async function authenticate(
  headers: IncomingHttpHeaders,
  caller: Caller,
  { principals, logins, attempts }: AccessOptions,
): Promise<Access> {
  const { authorization } = headers
  if (authorization !== undefined) {
    assertMayTry(attempts, caller.address)
    const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    const principal = key === undefined ? undefined : principals.withKey(key)
    if (principal) return { principal, login: undefined }
    attempts.failed(caller.address)
    throw unauthorized("This key is not known here.")
  }
  const cookie = readCookie(headers.cookie, caller.secure)
  const found = cookie === undefined ? undefined : await logins.find(cookie)
  if (found) return found
  throw unauthorized("Log in first: open the link printed in the terminal, or send a key as a bearer token.")
}

const unauthorized = (message: string): HttpError =>
  new HttpError(401, "unauthorized", message, { "www-authenticate": "Bearer" })

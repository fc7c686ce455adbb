import { InvalidInput } from "@orra/core"
import type { Attempts } from "./attempts.ts"
import { HttpError } from "./errors.ts"
import { LOGIN_MS, type Logins } from "./logins.ts"
import { type Principals, wirePrincipal } from "./principal.ts"
import type { GatewayRequest, OpenRequest, Route } from "./route.ts"

/** Browsers take a `__Host-` cookie only over HTTPS, and only from exactly this host: nobody else can plant one. */
export const cookieName = (secure: boolean): string => (secure ? "__Host-orra_login" : "orra_login")

/** Room for a token or a key, and not for more: anybody may send this. */
const LOGIN_BYTES = 8 * 1024

const NEW_LINKS = 5
const NEW_LINKS_MS = 10 * 60_000

export interface LoginOptions {
  readonly principals: Principals
  readonly logins: Logins
  readonly attempts: Attempts
  readonly now: () => number
  /** Makes a login link and shows it where only the owner looks; undefined when there is no such place. */
  readonly showLink: (() => void) | undefined
  /** Called when a login has ended, to close what it opened. */
  readonly onLogout: (loginId: string) => void
}

/** How a browser gets in and out. */
export function loginRoutes(options: LoginOptions): readonly Route[] {
  const { principals, logins, attempts, now } = options
  let shown: number[] = []

  async function login({ body, caller, headers }: OpenRequest): Promise<Response> {
    const { token, key } = await body()
    if (typeof token !== "string" && typeof key !== "string")
      throw new InvalidInput('Send a "token" or a "key".')
    assertMayTry(attempts, caller.address)
    const principal = typeof token === "string" ? logins.useLink(token) : principals.withKey(String(key))
    if (!principal) {
      attempts.failed(caller.address)
      const hint =
        typeof token === "string"
          ? "This link was used before, or is older than ten minutes. Ask for a new one."
          : "This key is not known here."
      throw new HttpError(401, "unauthorized", hint)
    }
    const cookie = await logins.begin(principal, {
      device: headers.get("user-agent") ?? "",
      ...(typeof token !== "string" && principal.key !== undefined && { key: principal.key }),
    })
    return Response.json(wirePrincipal(principal), {
      headers: { "set-cookie": cookieHeader(cookie, caller.secure, LOGIN_MS / 1_000) },
    })
  }

  function link(): Response {
    shown = shown.filter((at) => at + NEW_LINKS_MS > now())
    if (!options.showLink) throw new HttpError(404, "not_found", "There is no terminal to print a link in.")
    if (shown.length >= NEW_LINKS)
      throw new HttpError(429, "too_many_links", "Look in the terminal: links were printed.")
    shown.push(now())
    options.showLink()
    return Response.json({ printed: true }, { status: 202 })
  }

  async function logout({ login: current, caller }: GatewayRequest): Promise<Response> {
    if (current) {
      await logins.end(current)
      options.onLogout(current.id)
    }
    return Response.json(
      { loggedOut: true },
      { headers: { "set-cookie": cookieHeader("", caller.secure, 0) } },
    )
  }

  async function list({ principal, login: current }: GatewayRequest): Promise<Response> {
    const found = await logins.list(principal)
    return Response.json({ logins: found.map((each) => ({ ...each, current: each.id === current?.id })) })
  }

  async function end({ principal, params }: GatewayRequest): Promise<Response> {
    const id = params["loginId"] ?? ""
    if (!(await logins.endOwn(principal, id)))
      throw new HttpError(404, "not_found", "There is no such login, or it has ended.")
    options.onLogout(id)
    return Response.json({ ended: true })
  }

  return [
    { method: "GET", path: "/api/logins", permission: "chat", handle: list },
    { method: "DELETE", path: "/api/logins/:loginId", permission: "chat", handle: end },
    {
      method: "GET",
      path: "/api/me",
      permission: "chat",
      handle: ({ principal }) => Response.json(wirePrincipal(principal)),
    },
    { method: "POST", path: "/api/login", permission: "open", maxBytes: LOGIN_BYTES, handle: login },
    { method: "POST", path: "/api/login/link", permission: "open", handle: link },
    { method: "POST", path: "/api/logout", permission: "chat", handle: logout },
  ]
}

/** @throws HttpError 429 for an address that was wrong too often lately. */
export function assertMayTry(attempts: Attempts, address: string): void {
  const wait = Math.ceil(attempts.waitMs(address) / 1_000)
  if (wait <= 0) return
  throw new HttpError(429, "too_many_attempts", `Too many wrong credentials: try again in ${wait} s.`, {
    "retry-after": String(wait),
  })
}

const cookieHeader = (value: string, secure: boolean, seconds: number): string =>
  `${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure ? "; Secure" : ""}`

/**
 * The login's cookie. Two different ones are none: another program of this host can plant its own beside ours, and
 * whose login it is must not depend on which comes first.
 */
export function readCookie(header: string | undefined, secure: boolean): string | undefined {
  const values = new Set<string>()
  for (const pair of header?.split(";") ?? []) {
    const [name = "", ...value] = pair.split("=")
    if (name.trim() === cookieName(secure)) values.add(value.join("=").trim())
  }
  const [value] = values
  return values.size === 1 && value !== "" ? value : undefined
}

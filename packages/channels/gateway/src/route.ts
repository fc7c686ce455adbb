import type { Runtime } from "@orra/core"
import type { GatewayTeam } from "./gateway.ts"
import type { Caller } from "./guard.ts"
import type { Login } from "./logins.ts"
import type { Principal } from "./principal.ts"
import type { Permission } from "./protocol.ts"

/** A request that may do what its route does. */
export interface GatewayRequest {
  readonly runtime: Runtime
  readonly team: GatewayTeam
  readonly principal: Principal
  readonly caller: Caller
  /** The browser's login; undefined for a bearer key. */
  readonly login: Login | undefined
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Headers
  /** Fires when the client has gone. */
  readonly signal: AbortSignal
  /** The JSON object in the body. @throws InvalidInput when it is none. */
  body(): Promise<Readonly<Record<string, unknown>>>
}

/** A request to a route that asks for no login. */
export type OpenRequest = Omit<GatewayRequest, "principal">

interface RouteBase {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** A path with `:name` for each parameter; parameters arrive decoded. */
  readonly path: string
  /** Most bytes of the body, default 1 MiB. */
  readonly maxBytes?: number
}

/**
 * A route and who may use it. Every route says so: `open` needs no login, any other permission must be the
 * principal's.
 */
export type Route =
  | (RouteBase & {
      readonly permission: Permission
      readonly handle: (request: GatewayRequest) => Promise<Response> | Response
    })
  | (RouteBase & {
      readonly permission: "open"
      readonly handle: (request: OpenRequest) => Promise<Response> | Response
    })

import { type Approvals, OrraError, type Runtime } from "@orra/core"
import { Assets } from "./assets.ts"
import { Attempts } from "./attempts.ts"
import { Guard, isLoopback } from "./guard.ts"
import { type LoginRecords, Logins, memoryLogins } from "./logins.ts"
import { type Principal, Principals } from "./principal.ts"
import type { WireMessage } from "./protocol.ts"
import type { Route } from "./route.ts"
import { gatewayRoutes } from "./routes.ts"
import { GatewayServer } from "./server.ts"
import { purge } from "./sessions.ts"

const SWEEP_MS = 60_000
const LIMITS = { connections: 1_000, headersMs: 10_000, requestMs: 60_000 }

export interface GatewayOptions {
  readonly runtime: Runtime
  /** Where several agents answer: the runtime's team. Default: the runtime, and a message cannot name an agent. */
  readonly team?: GatewayTeam
  /** Who may use it. The first is the owner, whom login links log in. */
  readonly principals: readonly [Principal, ...Principal[]]
  /** Default "127.0.0.1". Any other needs a key for every way in, and TLS, a proxy, or `insecure`. */
  readonly host?: string
  /** Default 8080; 0 takes any free one. */
  readonly port?: number
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer }
  /** Listen beyond this machine without TLS: what is sent can then be read on the way. Default false. */
  readonly insecure?: boolean
  /** Further names under which the server may be called. */
  readonly allowedHosts?: readonly string[]
  /** Addresses or CIDR ranges of proxies whose X-Forwarded headers are believed. Default none. */
  readonly trustedProxies?: readonly string[]
  /** What a client can cost, beyond what is fixed: sizes of bodies, frames and headers. */
  readonly limits?: {
    /** WebSockets and event streams of one principal at the same time, default 1,000. */
    readonly connections?: number
    /** ms in which the headers of a request must have come, default 10,000. */
    readonly headersMs?: number
    /** ms in which a whole request must have come, default 60,000. */
    readonly requestMs?: number
  }
  /** Where browser logins are kept. Default: in memory, gone with the process. */
  readonly logins?: LoginRecords
  /** The runtime's approvals: who has the permission `approve` decides about them. Default: there is no way to. */
  readonly approvals?: Approvals
  /** The application's own routes, below /api. */
  readonly routes?: readonly Route[]
  /** The folder of a built page, with its index.html. */
  readonly assets?: string
  /** Whether the page may ask for the microphone. Default false. */
  readonly microphone?: boolean
  /** Shows a login link where only the owner looks, when the login page asks for a new one. */
  readonly showLink?: (link: string) => void
  /** What the gateway tells clients it is. */
  readonly version?: string
  readonly log?: (entry: GatewayLogEntry) => void
  /** ms since 1970; for tests. */
  readonly now?: () => number
}

/** Several agents: what is done with all that they have handed on, and which of them a message is for. */
export interface GatewayTeam extends Pick<Runtime, "stop" | "delete"> {
  /**
   * The agent that shall answer: `asked` is the `agent` of the request, and the message is missing where an earlier one
   * is answered again. Undefined leaves it to the session. What it throws the sender is told.
   */
  agentFor?(message: WireMessage | undefined, asked: string | undefined): string | undefined
}

/** What happened, without what was said: no bodies, no queries, no credentials. */
export type GatewayLogEntry =
  | {
      readonly type: "request"
      readonly requestId: string
      readonly method: string
      readonly path: string
      readonly status: number
      readonly ms: number
      readonly address: string
      readonly principal: string | undefined
    }
  | { readonly type: "error"; readonly requestId?: string; readonly error: unknown }

export interface Gateway {
  /**
   * Begins to listen.
   *
   * @throws OrraError `port_in_use`, `port_not_allowed`, `host_unknown`.
   */
  listen(): Promise<{ readonly url: string; readonly port: number }>
  /** A link that logs the owner in once, within ten minutes. Call it after `listen`. */
  loginLink(): string
  /**
   * Whose a login is (`request.login.id`), undefined when it has ended: for what is done for somebody who is not there, such
   * as a notification. Being asked is no use of the login. That the key it began with is another now only its cookie can
   * show: compare `key` where that matters.
   */
  holderOf(loginId: string): Promise<Principal | undefined>
  /** Stops listening and closes every connection, runs go on. */
  close(): Promise<void>
}

/**
 * The runtime over HTTP, WebSocket and server-sent events.
 *
 * @throws OrraError `gateway_unauthenticated` or `gateway_insecure` for an address beyond this machine without a key or
 *   without TLS; `principals_overlap`, `principals_ambiguous`, `principal_invalid`; `proxy_invalid`.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const {
    runtime,
    team = runtime,
    port = 8080,
    now = Date.now,
    trustedProxies = [],
    log = () => {},
  } = options
  const host = (options.host ?? "127.0.0.1").replace(/^\[(.+)\]$/, "$1")
  assertSafe(options, host)
  const principals = new Principals(options.principals)
  const [owner] = options.principals
  const logins = new Logins(options.logins ?? memoryLogins(), principals, now)
  const attempts = new Attempts(now)
  const onError = (error: unknown) => log({ type: "error", error })
  let url = ""
  const loginLink = () => `${url}/login#${logins.createLink(owner.name)}`
  const { showLink } = options

  const routes: readonly Route[] = [
    ...gatewayRoutes({
      principals,
      logins,
      attempts,
      now,
      approvals: options.approvals,
      showLink: showLink && (() => showLink(loginLink())),
      onLogout: (loginId) => server.closeLogin(loginId),
    }),
    ...(options.routes ?? []),
  ]
  const server = new GatewayServer({
    runtime,
    team,
    routes,
    access: { principals, logins, attempts },
    guard: new Guard({
      host,
      secure: options.tls !== undefined,
      allowedHosts: options.allowedHosts ?? [],
      trustedProxies,
    }),
    assets: options.assets === undefined ? undefined : await Assets.load(options.assets),
    microphone: options.microphone ?? false,
    tls: options.tls,
    limits: { ...LIMITS, ...options.limits },
    version: options.version ?? "0",
    log,
  })
  let sweeping: ReturnType<typeof setInterval> | undefined

  return {
    async listen() {
      const address = await server.listen(host, port)
      const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
      url = `${options.tls ? "https" : "http"}://${name.includes(":") ? `[${name}]` : name}:${address.port}`
      const sweep = () => {
        purge(runtime, team, principals.all, now()).catch(onError)
        server.closeEndedLogins().catch(onError)
      }
      sweeping = setInterval(sweep, SWEEP_MS)
      sweep()
      return { url, port: address.port }
    },
    loginLink,
    holderOf: (loginId) => logins.holder(loginId),
    async close() {
      clearInterval(sweeping)
      await server.close()
    },
  }
}

function assertSafe({ principals, tls, insecure, trustedProxies = [] }: GatewayOptions, host: string): void {
  if (isLoopback(host)) return
  if (principals[0].key === undefined) {
    throw new OrraError(
      "gateway_unauthenticated",
      `To listen on ${host}, beyond this machine, the owner needs a key: set one, or listen on 127.0.0.1.`,
    )
  }
  if (!tls && !insecure && trustedProxies.length === 0) {
    throw new OrraError(
      "gateway_insecure",
      `To listen on ${host}, beyond this machine, use TLS or a proxy that does (and name it as trusted), or say that insecure is meant.`,
    )
  }
}

import { type Approvals, Namespace, OrraError, type Runtime } from "@orra/core"
import {
  createGateway,
  type Gateway,
  type GatewayLogEntry,
  type GatewayTeam,
  isLoopback,
  type LoginRecords,
  type Principal,
  type Route,
} from "@orra/gateway"
import { discordRoot, OWNER, OWNER_NAME } from "./config/load.ts"
import type { Config } from "./config/settings.ts"
import { PEERS } from "./federation/peers.ts"
import type { Logger } from "./log/log.ts"

export interface ListenOptions {
  readonly config: Config
  readonly runtime: Runtime
  readonly team: GatewayTeam
  readonly approvals: Approvals
  readonly page: string | undefined
  readonly logger: Logger
  readonly logins: LoginRecords
  readonly routes: readonly Route[]
  readonly version: string
  /** Shows a login link on the terminal, and nowhere else. */
  readonly showLink: (link: string) => void
}

export interface Listening {
  readonly url: string
  readonly gateway: Gateway
}

/**
 * Opens the gateway as the configuration says.
 *
 * @throws OrraError, in the configuration's own words: `port_in_use`, `port_not_allowed`, `host_unknown`,
 *   `gateway_unauthenticated`, `gateway_insecure`.
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { config, runtime, team, approvals, page, logger, logins, routes, version, showLink } = options
  const { host, port, insecure, allowed_hosts, trusted_proxies } = config.gateway
  const problem = exposure(config)
  if (problem) throw problem
  try {
    const gateway = await createGateway({
      runtime,
      team,
      approvals,
      principals: [
        ownerPrincipal(config),
        ...config.gateway.keys.map(keyPrincipal),
        ...metricsPrincipal(config),
      ],
      host,
      port,
      insecure,
      allowedHosts: allowed_hosts,
      trustedProxies: trusted_proxies,
      logins,
      routes,
      ...(page !== undefined && { assets: page }),
      microphone: config.voice.enabled,
      showLink,
      version,
      log: (entry) => logEntry(logger, entry),
    })
    const { url } = await gateway.listen()
    return { url, gateway }
  } catch (error) {
    throw inOurWords(error, config)
  }
}

const ownerPrincipal = (config: Config): Principal => ({
  name: OWNER_NAME,
  namespace: OWNER,
  permissions: ["chat", "model", "approve", "metrics", "owner"],
  // What waits in Discord, or is asked by another Herald, waits in the page as well: the first answer counts.
  decidesIn: [discordRoot(config), PEERS],
  ...(config.gateway.api_key !== undefined && { key: config.gateway.api_key }),
})

const keyPrincipal = ({ name, key, namespace, approve }: Config["gateway"]["keys"][number]): Principal => ({
  name,
  key,
  namespace: Namespace.parse(namespace),
  permissions: ["chat", "model", ...(approve ? (["approve"] as const) : [])],
})

/** Whoever watches over this Herald sees numbers and no chat. */
const metricsPrincipal = ({ metrics: { enabled, token } }: Config): readonly Principal[] =>
  enabled && token !== undefined
    ? [
        {
          name: "metrics",
          key: token,
          namespace: Namespace.of("herald", "metrics"),
          permissions: ["metrics"],
        },
      ]
    : []

/** Why Herald does not listen beyond this machine as it is configured. */
export function exposure({ gateway }: Config): OrraError | undefined {
  const { host, api_key, insecure, trusted_proxies } = gateway
  if (isLoopback(host)) return undefined
  if (api_key === undefined)
    return new OrraError(
      "gateway_unauthenticated",
      `Listening on ${host}, beyond this machine, needs gateway.api_key: set it, or listen on 127.0.0.1.`,
    )
  if (insecure || trusted_proxies.length > 0) return undefined
  return new OrraError(
    "gateway_insecure",
    `Listening on ${host}, beyond this machine, sends keys and chats in clear: put a proxy with TLS before it and name its address in gateway.trusted_proxies, or set gateway.insecure = true if that is meant.`,
  )
}

/** What to change is said by the names of the file and the flags. */
function inOurWords(error: unknown, { gateway: { host, port } }: Config): unknown {
  if (!(error instanceof OrraError)) return error
  const message = {
    port_in_use: `Port ${port} of ${host} is taken by another program: stop that one, or choose another with --port.`,
    port_not_allowed: `Port ${port} of ${host} is not allowed for this user: choose one above 1023 with --port.`,
    host_unknown: `${host} is not an address of this machine: correct gateway.host, or --host.`,
  }[error.code]
  return message === undefined ? error : new OrraError(error.code, message, error.details, error)
}

/** What the gateway tells, in the log. */
export function logEntry(logger: Logger, entry: GatewayLogEntry): void {
  if (entry.type === "request") {
    const { type: _, requestId, ...facts } = entry
    // The address of a copy is what opens it.
    const path = facts.path.replace(/^(\/api\/shared\/).*/s, "$1…")
    logger.debug({ ...facts, path, request: requestId }, "request")
  } else if (entry.error instanceof OrraError && entry.error.code.startsWith("provider_")) {
    // The caller was told, and of a run that failed there is a line already.
    logger.debug({ code: entry.error.code, request: entry.requestId }, entry.error.message)
  } else if (entry.error instanceof OrraError) {
    logger.error({ code: entry.error.code, request: entry.requestId }, entry.error.message)
  } else logger.error({ err: entry.error, request: entry.requestId }, "a request failed")
}

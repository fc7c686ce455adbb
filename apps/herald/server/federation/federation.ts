import { type AgentPrompt, errorMessage, type Team } from "@orra/core"
import type { Route } from "@orra/gateway"
import type { Agents } from "../agents/agents.ts"
import type { Config } from "../config/settings.ts"
import type { Logger } from "../log/log.ts"
import type { Spend } from "../outlay.ts"
import { type Discovery, discover } from "./discovery.ts"
import { listenForPeers } from "./host.ts"
import { instanceName, peersOf } from "./peers.ts"
import { Peers } from "./peers-client.ts"
import { federationRoutes } from "./routes.ts"

/** What has to do with other Heralds. */
export interface Federation {
  readonly routes: readonly Route[]
  /** Looks at the others, which takes a while when one does not answer. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * Listens for other Heralds and knows those that are configured. Without `federation.enabled` nothing listens and nobody is
 * asked.
 *
 * @throws OrraError `port_in_use` and the like: one that says it listens does.
 */
export async function startFederation(options: {
  readonly config: Config
  readonly team: Team
  readonly agents: Agents
  readonly prompt: AgentPrompt
  readonly spend: Spend
  readonly logger: Logger
  readonly version: string
}): Promise<Federation> {
  const { config, agents, logger } = options
  const known = peersOf(config)
  const peers = new Peers(known, agents)
  if (!config.federation.enabled) {
    return {
      routes: federationRoutes({ peers, instance: undefined, url: undefined, discovery: undefined }),
      start: async () => undefined,
      close: async () => undefined,
    }
  }
  const instance = instanceName(config)
  const host = known.length > 0 ? await listenForPeers(options) : undefined
  const discovery = config.federation.mdns_enabled
    ? discovered(config, instance, host?.url, logger)
    : undefined
  if (host) logger.info({ url: host.url, instance }, "listening for other Heralds")
  return {
    routes: federationRoutes({ peers, instance, url: host?.url, discovery }),
    start: () => peers.start(),
    async close() {
      peers.stop()
      await host?.gateway.close()
      await discovery?.close()
    },
  }
}

function discovered(
  config: Config,
  instance: string,
  url: string | undefined,
  logger: Logger,
): Discovery | undefined {
  const isHereAlone = ["127.0.0.1", "localhost", "::1", "[::1]"].includes(config.federation.host)
  const onError = (error: unknown): void =>
    logger.warn(`Other Heralds are not looked for on this network: ${errorMessage(error)}`)
  const port = url === undefined || isHereAlone ? undefined : Number(new URL(url).port)
  try {
    return discover({ instance, port, onError })
  } catch (error) {
    onError(error)
    return undefined
  }
}

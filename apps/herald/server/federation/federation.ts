import { isDeepStrictEqual } from "node:util"
import { errorMessage } from "@orra/core"
import { isLoopback, type Route } from "@orra/gateway"
import type { Config } from "../config/settings.ts"
import { type Discovery, discover } from "./discovery.ts"
import { type Answering, listenForPeers } from "./host.ts"
import { instanceName, peersOf } from "./peers.ts"
import { Peers } from "./peers-client.ts"
import { federationRoutes } from "./routes.ts"

/** What is at work while federation is enabled. */
interface Open {
  readonly instance: string
  readonly url: string | undefined
  readonly host: Awaited<ReturnType<typeof listenForPeers>> | undefined
  readonly discovery: Discovery | undefined
}

/** What has to do with other Heralds. Without `federation.enabled` nothing listens and nobody is asked. */
export class Federation {
  /** For the owner's page. */
  readonly routes: readonly Route[]
  readonly #options: Answering
  #open: Open | undefined
  #peers: Peers
  #error: string | undefined
  #config: Config["federation"] | undefined

  constructor(options: Answering) {
    this.#options = options
    this.#peers = new Peers([], options.agents)
    this.routes = federationRoutes(() => ({
      peers: this.#peers,
      instance: this.#open?.instance,
      url: this.#open?.url,
      error: this.#error,
      found: this.#open?.discovery?.found() ?? [],
    }))
  }

  /**
   * Listens for other Heralds and asks for those of a configuration, in place of those before.
   *
   * @throws OrraError `port_in_use` and the like: what says that it listens does.
   */
  async use(config: Config): Promise<void> {
    await this.close()
    this.#config = config.federation
    const { agents, logger } = this.#options
    const known = peersOf(config)
    this.#error = undefined
    this.#peers = new Peers(known, agents)
    if (config.federation.enabled) {
      const instance = instanceName(config)
      const host = known.length > 0 ? await listenForPeers(config, this.#options) : undefined
      const url = host?.url
      this.#open = { instance, url, host, discovery: this.#discovery(config, instance, url) }
      if (url !== undefined) logger.info({ url, instance }, "listening for other Heralds")
    }
    // One that does not answer keeps nobody waiting.
    void this.#peers.start().catch((error: unknown) => logger.error({ err: error }, "other Heralds"))
  }

  /** The same while Herald runs: what is wrong is in the log and in the page. */
  async change(config: Config): Promise<void> {
    if (isDeepStrictEqual(config.federation, this.#config)) return
    try {
      await this.use(config)
    } catch (error) {
      this.#error = errorMessage(error)
      this.#options.logger.error(this.#error)
    }
  }

  async close(): Promise<void> {
    this.#peers.stop()
    const open = this.#open
    this.#open = undefined
    await open?.host?.gateway.close()
    await open?.discovery?.close()
  }

  #discovery({ federation }: Config, instance: string, url: string | undefined): Discovery | undefined {
    if (!federation.mdns_enabled) return undefined
    const port = url === undefined || isLoopback(federation.host) ? undefined : Number(new URL(url).port)
    const onError = (error: unknown): void =>
      this.#options.logger.warn(`Other Heralds are not looked for on this network: ${errorMessage(error)}`)
    try {
      return discover({ instance, port, onError })
    } catch (error) {
      onError(error)
      return undefined
    }
  }
}

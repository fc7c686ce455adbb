import { type Approvals, ChannelAdapter, errorMessage, type Runtime, type Team } from "@orra/core"
import type { DiscordLinks, DiscordStatus } from "@orra/discord"
import { OWNER } from "./config/load.ts"
import type { Config } from "./config/settings.ts"
import { PEERS } from "./federation/peers.ts"
import type { Logger } from "./log/log.ts"
import { picturesOf } from "./tools/image.ts"

/** How it is with Discord. `off`: there is no token, or it is switched off. */
export type DiscordState =
  | { readonly state: "off"; readonly error?: undefined }
  | Pick<DiscordStatus, "state" | "error">

export interface DiscordParts {
  readonly runtime: Runtime
  /** Where there are several agents: their names, and what stops an answer with all that was handed on for it. */
  readonly agents?: { readonly names: () => readonly string[]; readonly stop: Team["stop"] }
  readonly approvals: Approvals
  /** Whose account is whose. */
  readonly links: DiscordLinks
  readonly logger: Logger
  /** Default Discord's. */
  readonly api?: string | undefined
}

/** A connection that is there, or was. */
interface Served {
  readonly adapter: ChannelAdapter
  /** It hears nothing more. */
  readonly closed: Promise<void>
}

/**
 * Answers in Discord, as the configuration has it now. What goes wrong with it is in the log and in `state`, and everything
 * else goes on: a token that is refused, intents that are missing, a Discord that cannot be reached.
 */
export class DiscordHost {
  readonly #parts: DiscordParts
  /** Those that still answer what they were asked, and the one that listens. */
  readonly #ending = new Set<Promise<void>>()
  #served: Served | undefined
  #state: DiscordState = { state: "off" }
  #made: string | undefined

  constructor(parts: DiscordParts) {
    this.#parts = parts
  }

  get state(): DiscordState {
    return this.#state
  }

  /** Connects, connects anew or disconnects, where that is another configuration than before, or `anew`. */
  async use(config: Config["discord"], anew = false): Promise<void> {
    const { token, enabled } = config
    const made = JSON.stringify(config)
    if (made === this.#made && !anew) return
    this.#made = made
    await this.#stop()
    this.#state = { state: "off" }
    if (!enabled || token === undefined) return
    this.#served = await this.#start(config, token)
  }

  /** Stops listening, and resolves when nobody waits for an answer any more. */
  async close(): Promise<void> {
    await this.#stop()
    await Promise.all(this.#ending)
  }

  async #start(config: Config["discord"], token: string): Promise<Served> {
    // It takes half a second to load: only those who connect pay for it.
    const { DiscordChannel } = await import("@orra/discord")
    const { runtime, agents, approvals, links, logger, api } = this.#parts
    const { store } = runtime
    const { filter, threads, namespace_prefix: prefix, allowed_users: allowedUsers, approvers } = config
    const { approvals_channel: approvalsChannel } = config
    const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>()
    let isCurrent = true
    void closed.then(() => {
      isCurrent = false
    })
    const onStatus = ({ state, error }: DiscordStatus): void => {
      if (!isCurrent) return
      this.#state = { state, ...(error && { error }) }
      const line = `Discord: ${state}${error ? `. ${error.message}` : ""}`
      if (error) logger.warn(line)
      else logger.info(line)
      if (state === "disconnected" || state === "failed") onClosed()
    }
    const channel = new DiscordChannel({
      token,
      runtime: {
        store,
        subscribe: (namespace, options) => runtime.subscribe(namespace, options),
        stop: (namespace) => (agents ?? runtime).stop(namespace),
      },
      ...(agents && { agents: agents.names }),
      approvals,
      links,
      filter,
      threads,
      attachments: (session, runId) => picturesOf(store, session, runId),
      prefix,
      approvers,
      ...(allowedUsers.length > 0 && { allowedUsers }),
      // All that the owner is asked about in the page and that is not asked in Discord anyway.
      ...(approvalsChannel !== "" && { questions: { channel: approvalsChannel, of: [OWNER, PEERS] } }),
      ...(api !== undefined && { api }),
      onStatus,
      onError: (err) => logger.warn({ err }, "Discord"),
    })
    const adapter = new ChannelAdapter(channel, runtime, {
      onError: (error) => logger.warn(`Discord: ${errorMessage(error)}`),
    })
    // Why it ended has been reported.
    adapter.run().then(onClosed, onClosed)
    return { adapter, closed }
  }

  async #stop(): Promise<void> {
    const served = this.#served
    this.#served = undefined
    if (!served) return
    const ended = served.adapter.stop()
    this.#ending.add(ended)
    void ended.finally(() => this.#ending.delete(ended))
    await served.closed
  }
}

import { type Approvals, ChannelAdapter, errorMessage, type Runtime } from "@orra/core"
import { DiscordChannel } from "@orra/discord"
import type { Config } from "./config/settings.ts"
import type { Logger } from "./log/log.ts"

export interface DiscordService {
  /** Stops listening. Those who wait for an answer are told; the answer is in their session. */
  close(): Promise<void>
}

/**
 * Answers in Discord, as the configuration has it. What goes wrong with it is in the log, and everything else goes on:
 * a token that is refused, intents that are missing, a Discord that cannot be reached.
 */
export function startDiscord(parts: {
  readonly config: Config["discord"]
  readonly token: string
  readonly runtime: Runtime
  readonly approvals: Approvals
  readonly logger: Logger
  /** Default Discord's. */
  readonly api?: string
}): DiscordService {
  const { config, token, runtime, approvals, logger, api } = parts
  const { filter, namespace_prefix: prefix, allowed_users: allowedUsers, approvers } = config
  const channel = new DiscordChannel({
    token,
    runtime,
    approvals,
    filter,
    prefix,
    approvers,
    ...(allowedUsers.length > 0 && { allowedUsers }),
    ...(api !== undefined && { api }),
    onStatus: ({ state, error }) => {
      const line = `Discord: ${state}${error ? `. ${error.message}` : ""}`
      if (error) logger.warn(line)
      else logger.info(line)
    },
    onError: (err) => logger.warn({ err }, "Discord"),
  })
  const adapter = new ChannelAdapter(channel, runtime, {
    onError: (error) => logger.warn(`Discord: ${errorMessage(error)}`),
  })
  // Why it ended has been reported.
  adapter.run().catch(() => {})
  return { close: () => adapter.stop() }
}

import { isObject } from "@orra/core"
import { apiError, DiscordError } from "./errors.ts"
import { isId } from "./ids.ts"
import { nonceOf } from "./nonce.ts"
import { splitText } from "./split.ts"

export interface DiscordPosterOptions {
  /** The bot's token. */
  readonly token: string
  /** Default Discord's. */
  readonly api?: string
}

/** A channel that can be written to. */
export interface PostableChannel {
  readonly id: string
  readonly name: string
  /** The server's name. */
  readonly guild: string
}

/** Text and announcement channels. Source: Discord's channel types. */
const POSTABLE = [0, 5]

/**
 * Writes to channels without a connection to Discord's gateway: notices, results of jobs. Nobody is called by mentions.
 *
 * ```ts
 * const poster = discordPoster({ token })
 * await poster.post("300000000000000000", "The backup is done.", { key: "backup-7", signal })
 * ```
 */
export function discordPoster({ token, api }: DiscordPosterOptions): {
  /**
   * Splits what is too long for a message. The same `key` within some minutes is posted once.
   *
   * @throws DiscordError for a channel that is not there or may not be written to.
   */
  post(
    channel: string,
    text: string,
    options: { readonly key: string; readonly signal?: AbortSignal },
  ): Promise<void>
  /** The channels that the bot sees, by server. @throws DiscordError. */
  channels(signal?: AbortSignal): Promise<readonly PostableChannel[]>
} {
  const rest = async () => {
    const { REST } = await import("discord.js")
    return new REST({ version: "10", ...(api !== undefined && { api }) }).setToken(token)
  }
  return {
    async post(channel, text, { key, signal }) {
      if (!isId(channel))
        throw new DiscordError("discord_invalid", "A channel is named by its id: 15 to 21 digits.")
      const discord = await rest()
      for (const [index, content] of splitText(text).entries()) {
        const nonce = await nonceOf(`${key} ${index}`)
        const body = { content, nonce, enforce_nonce: true, allowed_mentions: { parse: [] } }
        await asked(() => discord.post(`/channels/${channel}/messages`, { body, ...(signal && { signal }) }))
      }
    },
    async channels(signal) {
      const discord = await rest()
      const get = async (path: `/${string}`): Promise<readonly Readonly<Record<string, unknown>>[]> => {
        const answer = await asked(() => discord.get(path, { ...(signal && { signal }) }))
        return Array.isArray(answer) ? answer.filter(isObject) : []
      }
      const guilds = await get("/users/@me/guilds")
      const found = await Promise.all(
        guilds.map(async ({ id, name }) =>
          (await get(`/guilds/${String(id)}/channels`))
            .filter(({ type }) => POSTABLE.includes(Number(type)))
            .map((channel) => ({
              id: String(channel["id"]),
              name: String(channel["name"]),
              guild: String(name),
            })),
        ),
      )
      return found.flat()
    },
  }
}

async function asked<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    throw apiError(error)
  }
}

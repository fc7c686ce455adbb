import { isObject } from "@orra/core"
import { apiError, DiscordError, missingIntents, wrongToken } from "./errors.ts"
import type { DiscordFilter } from "./options.ts"

/** Bits of an application's flags that say that it may read messages. Source: Discord's application flags. */
const MESSAGE_CONTENT = (1 << 18) | (1 << 19)

/** What Discord says of a bot. */
export interface BotFacts {
  readonly name: string
  readonly applicationId: string
  /** Whether it may read messages that do not mention it. */
  readonly readsMessages: boolean
}

/**
 * Asks Discord about a bot, without connecting it: one request.
 *
 * ```ts
 * const { name } = await checkBot({ token, filter: "all" })
 * ```
 *
 * @throws DiscordError `discord_token`; `discord_intents` when the filter needs an intent that is not switched on;
 *   `discord_unavailable`.
 */
export async function checkBot(options: {
  readonly token: string
  readonly filter: DiscordFilter
  readonly signal?: AbortSignal
  /** Default Discord's. */
  readonly api?: string
}): Promise<BotFacts> {
  const { token, filter, signal, api = "https://discord.com/api" } = options
  let answer: unknown
  try {
    const response = await fetch(`${api}/v10/applications/@me`, {
      headers: { authorization: `Bot ${token}` },
      ...(signal && { signal }),
    })
    if (response.status === 401) throw wrongToken()
    if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status })
    answer = await response.json()
  } catch (error) {
    throw error instanceof DiscordError ? error : apiError(error)
  }
  const { id, name, flags } = isObject(answer) ? answer : {}
  const readsMessages = typeof flags === "number" && (flags & MESSAGE_CONTENT) !== 0
  if (filter === "all" && !readsMessages) throw missingIntents(["Message Content Intent"])
  return { name: String(name), applicationId: String(id), readsMessages }
}

import { OrraError } from "@orra/core"

/** What is wrong with Discord, or with what it was asked. Stable: match on these. */
export type DiscordErrorCode =
  /** Discord refuses the token. */
  | "discord_token"
  /** The bot asks for intents that are not switched on for it. */
  | "discord_intents"
  /** There is no such server, channel or message, or the bot does not see it. */
  | "discord_not_found"
  /** The bot may not do this there. */
  | "discord_forbidden"
  /** Discord does not take the input. */
  | "discord_invalid"
  /** Discord has a problem, or could not be reached. */
  | "discord_unavailable"

/** What went wrong with Discord. The message says what to do about it; it never holds the token. */
export class DiscordError extends OrraError {
  declare readonly code: DiscordErrorCode

  constructor(
    code: DiscordErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}

export const wrongToken = (): DiscordError =>
  new DiscordError(
    "discord_token",
    "Discord refuses the bot's token: copy the one shown under Bot in the Developer Portal, or reset it there.",
  )

export const missingIntents = (names: readonly string[]): DiscordError =>
  new DiscordError(
    "discord_intents",
    `Discord refuses these intents: switch on ${names.join(", ")} under Bot, Privileged Gateway Intents, in the Developer Portal.`,
    { intents: names },
  )

/** What an answer of Discord's API, or none, means for whoever asked. Anything else is given back as it is. */
export function apiError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name === "AbortError") return error
  const status = "status" in error && typeof error.status === "number" ? error.status : undefined
  if (status === 401) return wrongToken()
  if (status === 403)
    return new DiscordError(
      "discord_forbidden",
      "The bot may not do this there: give its role the permission.",
    )
  if (status === 404)
    return new DiscordError(
      "discord_not_found",
      "There is no such server, channel or message where the bot can see it.",
    )
  if (status === 400)
    return new DiscordError("discord_invalid", `Discord does not take this: ${error.message.slice(0, 300)}`)
  return new DiscordError(
    "discord_unavailable",
    "Discord could not be reached, or has a problem. Try again later.",
  )
}

import { setTimeout } from "node:timers/promises"
import { errorMessage, InvalidInput } from "@orra/core"
import type { ApplicationCommandDataResolvable, Client, Interaction, Message } from "discord.js"
import { DiscordError, missingIntents, wrongToken } from "./errors.ts"
import type { DiscordFilter } from "./options.ts"

/** The connection as a person can be shown it. `error` says why it is not there, and what to do. */
export interface DiscordStatus {
  readonly state: "disconnected" | "connecting" | "connected" | "reconnecting" | "failed"
  readonly error?: { readonly code: string; readonly message: string }
}

export interface ConnectionOptions {
  readonly token: string
  readonly filter: DiscordFilter
  /** Whether it hears what is written to it in private. */
  readonly isPrivate: boolean
  readonly api?: string
  readonly commands: readonly ApplicationCommandDataResolvable[]
  readonly onStatus: (status: DiscordStatus) => void
  readonly onMessage: (message: Message) => void
  readonly onInteraction: (interaction: Interaction) => void
  /** It is connected anew, and hears what is written from now on. */
  readonly onReady: (client: Client) => void
  readonly onError: (error: unknown) => void
}

/** Source: Discord, Gateway Close Event Codes. */
const WRONG_TOKEN = 4004
const WRONG_INTENTS: ReadonlySet<number> = new Set([4013, 4014])

const FIRST_PAUSE_MS = 1_000
const LAST_PAUSE_MS = 60_000

/** One connection to Discord at a time. discord.js mends what it can; what it gives up at the start is tried again here. */
export class Connection {
  readonly #options: ConnectionOptions
  #client: Client | undefined
  #status: DiscordStatus = { state: "disconnected" }

  /** @throws InvalidInput. */
  constructor(options: ConnectionOptions) {
    if (options.token === "") throw new InvalidInput("Discord needs the bot's `token`.")
    this.#options = options
  }

  get status(): DiscordStatus {
    return this.#status
  }

  /** Is connected until the signal fires. @throws DiscordError for what only a person can mend. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#client) throw new InvalidInput("This channel is connected already.")
    let pauseMs = FIRST_PAUSE_MS
    this.#set({ state: "connecting" })
    try {
      while (!signal.aborted) {
        try {
          return await this.#connected(signal)
        } catch (error) {
          if (error instanceof DiscordError) throw error
          // Discord cannot be reached, or is not well.
          this.#options.onError(error)
          this.#set({
            state: "reconnecting",
            error: { code: "discord_unavailable", message: errorMessage(error) },
          })
          await pause(pauseMs, signal)
          pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)
        }
      }
    } catch (error) {
      if (error instanceof DiscordError)
        this.#set({ state: "failed", error: { code: error.code, message: error.message } })
      throw error
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.destroy()
    if (this.#status.state !== "failed") this.#set({ state: "disconnected" })
  }

  async #connected(signal: AbortSignal): Promise<void> {
    const { token, filter, isPrivate, commands, onMessage, onInteraction, onReady, onError } = this.#options
    // It takes half a second to load: only those who connect pay for it.
    const { Client, Events, GatewayIntentBits: Intents, Options, Partials } = await import("discord.js")
    const intents = [
      Intents.Guilds,
      ...(isPrivate ? [Intents.DirectMessages] : []),
      ...(filter === "dm" ? [] : [Intents.GuildMessages]),
      // What mentions the bot, or is written to it in private, it may read without.
      ...(filter === "all" ? [Intents.MessageContent] : []),
    ]
    const client = new Client({
      intents,
      partials: [Partials.Channel],
      allowedMentions: { parse: [], repliedUser: false },
      // Nothing is looked up later: what is kept of others does not grow with a server.
      makeCache: Options.cacheWithLimits({
        ...Options.DefaultMakeCacheSettings,
        MessageManager: 0,
        PresenceManager: 0,
        ReactionManager: 0,
        ReactionUserManager: 0,
        GuildMemberManager: { maxSize: 200, keepOverLimit: (member) => member.id === member.client.user.id },
        UserManager: { maxSize: 200, keepOverLimit: (user) => user.id === user.client.user.id },
      }),
      ...(this.#options.api !== undefined && { rest: { api: this.#options.api } }),
    })
    this.#client = client
    const end = Promise.withResolvers<void>()
    const stop = (): void => end.resolve()
    signal.addEventListener("abort", stop, { once: true })
    if (signal.aborted) stop()
    client.on(Events.MessageCreate, onMessage)
    client.on(Events.InteractionCreate, onInteraction)
    client.on(Events.Error, onError)
    client.on(Events.ShardError, onError)
    client.on(Events.ShardReady, () => this.#set({ state: "connected" }))
    client.on(Events.ShardResume, () => this.#set({ state: "connected" }))
    client.on(Events.ShardReconnecting, () => this.#set({ state: "reconnecting" }))
    client.on(Events.Invalidated, () => end.reject(new Error("Discord ended the session.")))
    client.on(Events.ShardDisconnect, ({ code }) => end.reject(refusal(code, filter)))
    client.once(Events.ClientReady, ({ application }) => {
      application.commands.set(commands).catch(onError)
      onReady(client)
    })
    try {
      client.login(token).catch((error: unknown) => end.reject(isTokenError(error) ? wrongToken() : error))
      await end.promise
    } finally {
      signal.removeEventListener("abort", stop)
      await client.destroy()
    }
  }

  #set(status: DiscordStatus): void {
    if (status.state === this.#status.state && status.error?.message === this.#status.error?.message) return
    this.#status = status
    this.#options.onStatus(status)
  }
}

const isTokenError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "TokenInvalid"

function refusal(code: number, filter: DiscordFilter): Error {
  if (code === WRONG_TOKEN) return wrongToken()
  if (WRONG_INTENTS.has(code))
    return missingIntents(filter === "all" ? ["Message Content Intent"] : ["Server Members Intent"])
  return new Error(`Discord ended the connection for good (${code}).`)
}

/** Resolves after the time, or when the signal fires. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => {})

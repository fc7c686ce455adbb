import { Approvals, ChannelAdapter, PolicyRegistry, Runtime, type RuntimeOptions } from "@orra/core"
import { type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import {
  type DiscordUser,
  type FakeDiscord,
  type FakeDiscordOptions,
  fakeDiscord,
} from "@orra/testing/discord"
import { onTestFinished } from "vitest"
import { DiscordChannel, type DiscordChannelOptions, type DiscordStatus } from "./index.ts"

export interface Place extends Bot {
  readonly discord: FakeDiscord
  readonly ada: DiscordUser
  readonly bob: DiscordUser
  readonly guild: string
  readonly channel: string
}

export interface Bot {
  readonly runtime: Runtime
  readonly statuses: DiscordStatus[]
  readonly errors: unknown[]
  /** Resolves when it is connected. */
  readonly ready: Promise<void>
  /** How serving ended. */
  readonly served: Promise<void>
  stop(): Promise<void>
}

export interface Asked {
  readonly answer?: ScriptedAnswer
  readonly discord?: FakeDiscordOptions
  readonly channel?: Partial<DiscordChannelOptions>
  /** Who may do more than the others, and where. */
  readonly rights?: (people: {
    readonly ada: DiscordUser
    readonly bob: DiscordUser
    readonly channel: string
  }) => Pick<DiscordChannelOptions, "allowedUsers" | "approvers" | "questions">
  readonly runtime?: Partial<RuntimeOptions>
}

/** A server with a channel, two people, and a bot that is connected. */
export async function place(options: Asked = {}): Promise<Place> {
  const discord = await fakeDiscord(options.discord)
  onTestFinished(() => discord.close())
  const [ada, bob] = [discord.addUser("ada"), discord.addUser("bob")]
  const guild = discord.addGuild("home")
  const channel = discord.addChannel(guild, "general")
  const rights = options.rights?.({ ada, bob, channel }) ?? {}
  const bot = startBot(discord, { ...options, channel: { ...options.channel, ...rights } })
  await bot.ready
  return { discord, ada, bob, guild, channel, ...bot }
}

export function startBot(
  discord: FakeDiscord,
  { answer = "Hello.", channel = {}, runtime: more = {} }: Asked,
): Bot {
  const statuses: DiscordStatus[] = []
  const errors: unknown[] = []
  const runtime = new Runtime({
    provider: scriptedProvider([], { otherwise: answer }),
    deltaIntervalMs: 0,
    onError: (error) => errors.push(error),
    ...more,
  })
  const ready = Promise.withResolvers<void>()
  const bot = new DiscordChannel({
    token: discord.token,
    runtime,
    api: discord.api,
    files: discord.files,
    editIntervalMs: 1,
    onError: (error) => errors.push(error),
    onStatus: (status) => {
      statuses.push(status)
      if (status.state === "connected") ready.resolve()
    },
    ...channel,
  })
  const adapter = new ChannelAdapter(bot, runtime, {
    onError: (error) => errors.push(error),
    shutdownTimeoutMs: 0,
  })
  const served = adapter.run()
  served.catch((error: unknown) => ready.reject(error))
  ready.promise.catch(() => {})
  const stop = async (): Promise<void> => {
    await adapter.stop()
    await runtime.close()
  }
  onTestFinished(stop)
  return { runtime, statuses, errors, ready: ready.promise, served, stop }
}

/** What the bot wrote in a channel, oldest first. */
export const said = (discord: FakeDiscord, channel: string): readonly string[] =>
  discord
    .messages(channel)
    .filter(({ author }) => author.id === discord.bot.id)
    .map(({ content }) => content)

/** A person mentions the bot. */
export const mention = (discord: FakeDiscord, user: DiscordUser, channel: string, text: string) =>
  discord.write(user, channel, { content: `<@${discord.bot.id}> ${text}`, mentions: [discord.bot] })

export const asking = (): { readonly approvals: Approvals; readonly policies: PolicyRegistry } => ({
  approvals: new Approvals(),
  policies: new PolicyRegistry({ default: "allow", base: { ask: ["pay"] } }),
})

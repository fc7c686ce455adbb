import { createServer } from "node:http"
import { Gateway } from "./gateway.ts"
import { type InteractionAnswer, Interactions } from "./interactions.ts"
import { type RateLimit, RateLimits } from "./rate-limits.ts"
import { type DiscordRequest, Rest } from "./rest.ts"
import {
  channelJson,
  type DiscordAttachment,
  type DiscordMessage,
  type DiscordUser,
  guildJson,
  isThread,
  memberJson,
  World,
} from "./world.ts"

export type { DiscordAttachment, DiscordMessage, DiscordUser }

export interface FakeDiscordOptions {
  /** The only token that is let in. Default "discord-token". */
  readonly token?: string
  /** How many requests a route may get in how many ms; one more is answered with 429. Default: any number. */
  readonly limit?: RateLimit
  /** How often a bot shows that it lives, in ms. Default 45,000. */
  readonly heartbeatMs?: number
}

/** What a person writes. */
export interface Writes {
  readonly content: string
  /** The message is given to the bot so often. Default 1. */
  readonly times?: number
  readonly mentions?: readonly DiscordUser[]
  readonly files?: readonly { readonly name: string; readonly type: string; readonly bytes: Buffer }[]
}

const ALL_INTENTS = 0xffffff

/** A Discord on loopback: the HTTP API and the gateway, with people who do what the test says. */
export interface FakeDiscord {
  readonly token: string
  /** `rest.api` of discord.js. */
  readonly api: string
  /** Where attachments are. */
  readonly files: string
  readonly bot: DiscordUser
  addUser(name: string): DiscordUser
  addGuild(name: string): string
  /** The bot is put out of a server: it has no access to its channels any more. */
  removeGuild(guildId: string): void
  /** Types are Discord's numbers, default 0: text. */
  addChannel(
    guildId: string,
    name: string,
    options?: { readonly type?: number; readonly parentId?: string },
  ): string
  removeChannel(channelId: string): void
  /** The channel in which the bot and this person are alone. */
  direct(user: DiscordUser): string
  /** A person writes. */
  write(user: DiscordUser, channelId: string, what: string | Writes): DiscordMessage
  /** Gives a message to the bot once more. */
  again(message: DiscordMessage): void
  remove(channelId: string, messageId: string): void
  /** A person presses the button with this label. Resolves when the bot has answered that. */
  press(user: DiscordUser, message: DiscordMessage, label: string): Promise<InteractionAnswer>
  /** A person uses a command of the bot. Resolves when it has answered, or said that it will. */
  command(
    user: DiscordUser,
    channelId: string,
    name: string,
    options?: Readonly<Record<string, string>>,
  ): Promise<InteractionAnswer>
  /** What is to be read in a channel now, oldest first. */
  messages(channelId: string): readonly DiscordMessage[]
  /** The text of a file that was sent. */
  fileOf(attachment: DiscordAttachment): Buffer
  /** The names of the commands that were registered. */
  readonly commands: readonly string[]
  /** Every request to the API so far. */
  readonly requests: readonly DiscordRequest[]
  /** How often a bot identified itself, resumed, and showed that it lives. */
  readonly counts: Readonly<{ identified: number; resumed: number; heartbeats: number }>
  readonly connected: number
  /** The next such request is answered with this status, for instance `fail("POST", "/channels/1/messages", 500)`. */
  fail(method: string, path: string, status: number): void
  /** Takes intents away from the bot: a bit set of those that it may not ask for. */
  forbidIntents(intents: number): void
  /** Cuts all connections with this code of the gateway. Default 1001. */
  cut(code?: number): void
  /** Asks for a new connection (operation 7), or says that the session is invalid (9). */
  ask(what: "reconnect" | "invalid" | "invalid-resumable"): void
  /** No heartbeat is answered, or each is again. */
  silence(silent: boolean): void
  /** Resumption is refused, or possible again. */
  forget(forgetful: boolean): void
  /** Resolves as soon as `done` holds, which is looked at after each request and message. */
  until(done: () => boolean): Promise<void>
  close(): Promise<void>
}

/**
 * Starts it.
 *
 * ```ts
 * const discord = await fakeDiscord()
 * const ada = discord.addUser("ada")
 * const channel = discord.addChannel(discord.addGuild("home"), "general")
 * discord.write(ada, channel, { content: `<@${discord.bot.id}> Hello`, mentions: [discord.bot] })
 * ```
 */
export async function fakeDiscord(options: FakeDiscordOptions = {}): Promise<FakeDiscord> {
  const { token = "discord-token", limit, heartbeatMs = 45_000 } = options
  const world = new World()
  let changes = Promise.withResolvers<void>()
  const changed = (): void => {
    changes.resolve()
    changes = Promise.withResolvers()
  }
  const server = createServer((request, response) => void rest.handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}`
  const gatewayOptions = { token, intents: ALL_INTENTS, heartbeatMs }
  const gateway = new Gateway(server, world, gatewayOptions, changed)
  const interactions = new Interactions(world, (interaction, data, type) => {
    const channel = world.channels.get(interaction.channelId)
    const isHidden = (Number(data["flags"] ?? 0) & 64) !== 0
    if (!channel || isHidden) return
    if (type === 7)
      interaction.message = rest.write(channel, data, [], interaction.message).body as DiscordMessage
    else if (type === 4) interaction.message = rest.write(channel, data, [], undefined).body as DiscordMessage
  })
  const rest: Rest = new Rest({
    token,
    limits: new RateLimits(limit),
    world,
    gateway,
    interactions,
    url: () => url,
    intents: () => gatewayOptions.intents,
    changed,
  })
  const channelOf = (id: string) => {
    const channel = world.channels.get(id)
    if (!channel) throw new Error(`There is no channel ${id}.`)
    return channel
  }
  const interact = (
    user: DiscordUser,
    channelId: string,
    type: number,
    data: unknown,
    message?: DiscordMessage,
  ) => {
    const channel = channelOf(channelId)
    const { id, token: own, answered } = interactions.begin(channelId, message)
    gateway.dispatch("INTERACTION_CREATE", {
      id,
      application_id: world.bot.id,
      type,
      data,
      ...(message && { message }),
      channel_id: channelId,
      channel: channelJson(channel),
      ...(channel.guild_id === undefined
        ? { user }
        : { guild_id: channel.guild_id, member: { ...memberJson(user), permissions: "0" } }),
      token: own,
      version: 1,
      app_permissions: "0",
      locale: "en-US",
      entitlements: [],
      authorizing_integration_owners: {},
      context: channel.guild_id === undefined ? 1 : 0,
    })
    return answered
  }
  return {
    token,
    api: `${url}/api`,
    files: url,
    bot: world.bot,
    addUser: (name) => world.addUser(name),
    addGuild(name) {
      const id = world.addGuild(name)
      const guild = world.guilds.get(id)
      if (guild) gateway.dispatch("GUILD_CREATE", guildJson(world, guild))
      return id
    },
    removeGuild(id) {
      world.guilds.delete(id)
      gateway.dispatch("GUILD_DELETE", { id })
    },
    addChannel(guildId, name, { type = 0, parentId } = {}) {
      const id = world.addChannel(guildId, name, type, parentId)
      const channel = channelOf(id)
      gateway.dispatch(isThread(channel) ? "THREAD_CREATE" : "CHANNEL_CREATE", channelJson(channel))
      return id
    },
    removeChannel(id) {
      const channel = channelOf(id)
      world.channels.delete(id)
      gateway.dispatch("CHANNEL_DELETE", channelJson(channel))
    },
    direct: (user) => world.direct(user).id,
    write(user, channelId, what) {
      const {
        content,
        mentions = [],
        files = [],
        times = 1,
      } = typeof what === "string" ? { content: what } : what
      const channel = channelOf(channelId)
      const message: DiscordMessage = {
        id: world.newId(),
        channel_id: channelId,
        ...(channel.guild_id !== undefined && { guild_id: channel.guild_id }),
        author: user,
        content,
        timestamp: new Date().toISOString(),
        edited_timestamp: null,
        tts: false,
        mention_everyone: false,
        mentions,
        mention_roles: [],
        attachments: files.map((file) => rest.keep(file)),
        embeds: [],
        pinned: false,
        type: 0,
        components: [],
      }
      channel.messages.push(message)
      for (let time = 0; time < times; time++)
        gateway.dispatch("MESSAGE_CREATE", { ...message, channel_type: channel.type })
      changed()
      return message
    },
    again(message) {
      gateway.dispatch("MESSAGE_CREATE", { ...message, channel_type: channelOf(message.channel_id).type })
    },
    remove(channelId, messageId) {
      const { messages } = channelOf(channelId)
      messages.splice(
        messages.findIndex(({ id }) => id === messageId),
        1,
      )
      gateway.dispatch("MESSAGE_DELETE", { id: messageId, channel_id: channelId })
    },
    press(user, message, label) {
      const buttons = (
        message.components as readonly { components: readonly Record<string, unknown>[] }[]
      ).flatMap((row) => row.components)
      const button = buttons.find((each) => each["label"] === label)
      if (!button) throw new Error(`The message has no button ${label}.`)
      return interact(
        user,
        message.channel_id,
        3,
        { custom_id: button["custom_id"], component_type: 2 },
        message,
      )
    },
    command(user, channelId, name, given = {}) {
      const command = interactions.commands.find((each) => each["name"] === name)
      if (!command) throw new Error(`The bot has no command ${name}.`)
      return interact(user, channelId, 2, {
        id: command["id"],
        name,
        type: 1,
        options: Object.entries(given).map(([key, value]) => ({ name: key, type: 3, value })),
      })
    },
    messages: (channelId) => world.channels.get(channelId)?.messages ?? [],
    fileOf({ url: at }) {
      const file = rest.files.get(new URL(at).pathname)
      if (!file) throw new Error("There is no such file.")
      return file.bytes
    },
    get commands() {
      return interactions.commands.map(({ name }) => String(name))
    },
    requests: rest.requests,
    counts: gateway.counts,
    get connected() {
      return gateway.connected
    },
    fail: (method, path, status) => void rest.failures.set(`${method} ${path}`, status),
    forbidIntents(intents) {
      gatewayOptions.intents = ALL_INTENTS & ~intents
    },
    cut: (code = 1001) => gateway.cut(code),
    ask(what) {
      if (what === "reconnect") gateway.operation(7, null)
      else gateway.operation(9, what === "invalid-resumable")
    },
    silence(silent) {
      gateway.silent = silent
    },
    forget(forgetful) {
      gateway.forgetful = forgetful
    },
    async until(done) {
      while (!done()) await changes.promise
    },
    async close() {
      gateway.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

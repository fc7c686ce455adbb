/** What there is in the fake: servers, channels, people and what they wrote. Ids count up from one that Discord could give. */
export class World {
  #lastId = 1_300_000_000_000_000_000n
  readonly users = new Map<string, DiscordUser>()
  readonly guilds = new Map<string, Guild>()
  readonly channels = new Map<string, Channel>()
  readonly bot: DiscordUser

  constructor() {
    this.bot = this.addUser("herald", true)
  }

  newId(): string {
    this.#lastId += 4_194_304n
    return String(this.#lastId)
  }

  addUser(username: string, bot = false): DiscordUser {
    const user = { id: this.newId(), username, discriminator: "0", global_name: username, avatar: null, bot }
    this.users.set(user.id, user)
    return user
  }

  addGuild(name: string): string {
    const guild = { id: this.newId(), name }
    this.guilds.set(guild.id, guild)
    return guild.id
  }

  addChannel(
    guildId: string,
    name: string,
    type: number,
    parentId: string | undefined,
    id = this.newId(),
  ): string {
    const channel: Channel = {
      id,
      type,
      name,
      guild_id: guildId,
      ...(parentId !== undefined && { parent_id: parentId }),
      messages: [],
    }
    this.channels.set(channel.id, channel)
    return channel.id
  }

  /** The channel in which the bot and this person write to each other. */
  direct(user: DiscordUser): Channel {
    for (const channel of this.channels.values())
      if (channel.recipients?.some(({ id }) => id === user.id)) return channel
    const channel: Channel = { id: this.newId(), type: 1, recipients: [user], messages: [] }
    this.channels.set(channel.id, channel)
    return channel
  }
}

export interface DiscordUser {
  readonly id: string
  readonly username: string
  readonly discriminator: string
  readonly global_name: string
  readonly avatar: null
  readonly bot: boolean
}

export interface Guild {
  readonly id: string
  readonly name: string
}

/** A channel as the API gives it, and its messages. */
export interface Channel {
  readonly id: string
  readonly type: number
  readonly name?: string
  readonly guild_id?: string
  readonly parent_id?: string
  readonly recipients?: readonly DiscordUser[]
  readonly messages: DiscordMessage[]
}

export interface DiscordAttachment {
  readonly id: string
  readonly filename: string
  readonly size: number
  readonly content_type: string
  readonly url: string
  readonly proxy_url: string
}

/** A message as the API gives it. */
export interface DiscordMessage {
  readonly id: string
  readonly channel_id: string
  readonly guild_id?: string
  readonly author: DiscordUser
  readonly content: string
  readonly timestamp: string
  readonly edited_timestamp: string | null
  readonly tts: boolean
  readonly mention_everyone: boolean
  readonly mentions: readonly DiscordUser[]
  readonly mention_roles: readonly string[]
  readonly attachments: readonly DiscordAttachment[]
  readonly embeds: readonly unknown[]
  readonly pinned: boolean
  readonly type: number
  readonly components: readonly unknown[]
  readonly message_reference?: { readonly message_id: string }
  /** What the writer allowed to be mentioned: the fake keeps it, Discord does not give it back. */
  readonly allowed_mentions?: unknown
}

/** Threads of announcements, public and private ones. Source: Discord's channel types. */
export const isThread = ({ type }: Channel): boolean => type >= 10 && type <= 12

export const channelJson = ({ messages, ...channel }: Channel): Record<string, unknown> => ({
  ...(isThread({ messages, ...channel }) && {
    message_count: messages.length,
    thread_metadata: {
      archived: false,
      auto_archive_duration: 1_440,
      archive_timestamp: "2026-01-01T00:00:00.000Z",
      locked: false,
    },
  }),
  position: 0,
  permission_overwrites: [],
  nsfw: false,
  topic: null,
  last_message_id: null,
  ...channel,
})

export const guildJson = (world: World, guild: Guild): Record<string, unknown> => ({
  ...guild,
  icon: null,
  owner_id: world.bot.id,
  region: "",
  afk_timeout: 60,
  verification_level: 0,
  default_message_notifications: 0,
  explicit_content_filter: 0,
  roles: [
    {
      id: guild.id,
      name: "@everyone",
      permissions: "2251799813685247",
      color: 0,
      hoist: false,
      position: 0,
      managed: false,
      mentionable: false,
    },
  ],
  emojis: [],
  stickers: [],
  features: [],
  mfa_level: 0,
  system_channel_flags: 0,
  premium_tier: 0,
  preferred_locale: "en-US",
  nsfw_level: 0,
  joined_at: "2026-01-01T00:00:00.000Z",
  large: false,
  unavailable: false,
  member_count: world.users.size,
  approximate_member_count: world.users.size,
  approximate_presence_count: world.users.size,
  members: [memberJson(world.bot)],
  channels: [...world.channels.values()]
    .filter((channel) => channel.guild_id === guild.id)
    .map((channel) => channelJson(channel)),
  threads: [],
  presences: [],
  voice_states: [],
  stage_instances: [],
  guild_scheduled_events: [],
})

export const memberJson = (user: DiscordUser): Record<string, unknown> => ({
  user,
  roles: [],
  joined_at: "2026-01-01T00:00:00.000Z",
  deaf: false,
  mute: false,
  flags: 0,
})

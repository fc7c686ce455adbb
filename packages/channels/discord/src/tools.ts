import { informationFrom, isObject, type Json, type Tool, type ToolRisk, tool, visibleText } from "@orra/core"
import { apiError, DiscordError } from "./errors.ts"
import { idsOf, isId } from "./ids.ts"
import { MAX_CONTENT } from "./split.ts"

export interface DiscordToolsOptions {
  /** The bot's token. */
  readonly token: string
  /** Ids of the servers they work in. Default all that the bot is in. */
  readonly guilds?: readonly string[]
  /** Default Discord's. */
  readonly api?: string
}

/** An answer of the API: what it is made of is asked where it is used. */
type Answer = Readonly<Record<string, unknown>>

interface Discord {
  get(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>
  post(path: string, body: Json): Promise<unknown>
}

const MARK = informationFrom("Discord, written by its users")
const TYPES: Readonly<Record<number, string>> = {
  0: "text",
  2: "voice",
  4: "category",
  5: "announcement",
  13: "stage",
  15: "forum",
}
const CATEGORY = 4

const id = (description: string): Json => ({ type: "string", pattern: "^\\d{15,21}$", description })
const guildId = id("The server's id.")
const channelId = id("The channel's id.")
const messageId = id("The message's id.")
const content: Json = {
  type: "string",
  minLength: 1,
  maxLength: MAX_CONTENT,
  description: `At most ${MAX_CONTENT} characters. Nobody is notified by mentions in it.`,
}

/**
 * Reading and writing in Discord by tools: `list_channels`, `get_channel_info`, `get_messages`, `get_guild_info`,
 * `send_message` and `reply_to_message`. What they read was written by strangers and is marked so.
 *
 * ```ts
 * const runtime = new Runtime({ provider, tools: discordTools({ token, guilds: ["300000000000000000"] }) })
 * ```
 *
 * @throws InvalidInput for ids that are none.
 */
export function discordTools(options: DiscordToolsOptions): readonly Tool[] {
  const guilds = options.guilds && idsOf("guilds", options.guilds)
  const assertGuild = (guild: unknown): void => {
    if (guilds && !guilds.has(String(guild))) throw notHere()
  }
  const channelOf = async (discord: Discord, channel: string): Promise<Answer> => {
    const found = answerOf(await discord.get(`/channels/${channel}`))
    assertGuild(found["guild_id"])
    return found
  }
  const made = <Input extends Record<string, unknown>>(
    name: string,
    description: string,
    properties: Readonly<Record<string, Json>>,
    risk: Extract<ToolRisk, "network" | "write">,
    run: (input: Input, discord: Discord) => Promise<string>,
    optional: readonly string[] = [],
  ): Tool =>
    tool<Input>({
      name,
      description,
      input: {
        type: "object",
        properties,
        required: Object.keys(properties).filter((key) => !optional.includes(key)),
        additionalProperties: false,
      },
      risk,
      idempotent: risk === "network",
      untrusted: risk === "network",
      timeoutMs: 60_000,
      async execute(input, { signal }) {
        for (const [key, value] of Object.entries(input)) {
          if ((key.endsWith("_id") || key === "before") && !isId(String(value)))
            throw new DiscordError("discord_invalid", `\`${key}\` is an id of Discord: 15 to 21 digits.`)
        }
        try {
          const text = await run(input, await connected(options, signal))
          return risk === "network" ? `${MARK}\n${visibleText(text)}` : text
        } catch (error) {
          throw error instanceof DiscordError ? error : apiError(error)
        }
      },
    })
  const write = async (discord: Discord, channel: string, body: Record<string, Json>): Promise<string> => {
    await channelOf(discord, channel)
    const sent = answerOf(
      await discord.post(`/channels/${channel}/messages`, { ...body, allowed_mentions: { parse: [] } }),
    )
    return `Sent, as message ${String(sent["id"])}.`
  }
  return [
    made<{ guild_id: string }>(
      "list_channels",
      "Lists the channels of a Discord server, by category.",
      { guild_id: guildId },
      "network",
      async ({ guild_id: guild }, discord) => {
        assertGuild(guild)
        return channelList(listOf(await discord.get(`/guilds/${guild}/channels`)))
      },
    ),
    made<{ channel_id: string }>(
      "get_channel_info",
      "Says what a Discord channel is.",
      { channel_id: channelId },
      "network",
      async ({ channel_id: channel }, discord) => channelLine(await channelOf(discord, channel)),
    ),
    made<{ channel_id: string; limit?: number; before?: string }>(
      "get_messages",
      "Reads the last messages of a Discord channel, oldest first.",
      {
        channel_id: channelId,
        limit: { type: "integer", minimum: 1, maximum: 100, description: "How many. Default 20." },
        before: id("Only those before this message."),
      },
      "network",
      async ({ channel_id: channel, limit = 20, before }, discord) => {
        await channelOf(discord, channel)
        const query = { limit: String(limit), ...(before !== undefined && { before }) }
        const messages = listOf(await discord.get(`/channels/${channel}/messages`, query))
        return messages.reverse().map(messageLine).join("\n") || "There are no messages."
      },
      ["limit", "before"],
    ),
    made<{ channel_id: string; content: string }>(
      "send_message",
      "Writes to a Discord channel.",
      { channel_id: channelId, content },
      "write",
      ({ channel_id: channel, content: text }, discord) => write(discord, channel, { content: text }),
    ),
    made<{ channel_id: string; message_id: string; content: string }>(
      "reply_to_message",
      "Answers a message in a Discord channel.",
      { channel_id: channelId, message_id: messageId, content },
      "write",
      ({ channel_id: channel, message_id: message, content: text }, discord) =>
        write(discord, channel, { content: text, message_reference: { message_id: message } }),
    ),
    made<{ guild_id: string }>(
      "get_guild_info",
      "Says what a Discord server is, and how many people are in it.",
      { guild_id: guildId },
      "network",
      async ({ guild_id: guild }, discord) => {
        assertGuild(guild)
        const found = answerOf(await discord.get(`/guilds/${guild}`, { with_counts: "true" }))
        return `${String(found["name"])} (${guild}): ${String(found["approximate_member_count"])} members, ${String(found["approximate_presence_count"])} of them online.`
      },
    ),
  ]
}

/** The API, through discord.js: it keeps to Discord's limits. */
async function connected({ token, api }: DiscordToolsOptions, signal: AbortSignal): Promise<Discord> {
  const { REST } = await import("discord.js")
  const rest = new REST({ version: "10", ...(api !== undefined && { api }) }).setToken(token)
  return {
    get: (path, query = {}) => rest.get(path as `/${string}`, { signal, query: new URLSearchParams(query) }),
    post: (path, body) => rest.post(path as `/${string}`, { signal, body }),
  }
}

const answerOf = (answer: unknown): Answer => (isObject(answer) ? answer : {})
const listOf = (answer: unknown): Answer[] => (Array.isArray(answer) ? answer.map(answerOf) : [])

const notHere = (): DiscordError =>
  new DiscordError(
    "discord_not_found",
    "There is no such server, channel or message where the bot can see it.",
  )

function channelLine(channel: Answer): string {
  const topic = channel["topic"] ? `: ${String(channel["topic"])}` : ""
  return `[${TYPES[Number(channel["type"])] ?? "other"}] ${String(channel["name"])} (${String(channel["id"])})${topic}`
}

function channelList(channels: readonly Answer[]): string {
  const isCategory = (channel: Answer): boolean => channel["type"] === CATEGORY
  const groups = [...channels.filter(isCategory), undefined].map((category) => {
    const own = channels.filter(
      (channel) => !isCategory(channel) && (channel["parent_id"] ?? undefined) === category?.["id"],
    )
    const title = category ? String(category["name"]) : "(uncategorized)"
    return own.length === 0
      ? undefined
      : [title, ...own.map((channel) => `  ${channelLine(channel)}`)].join("\n")
  })
  return groups.filter((group) => group !== undefined).join("\n") || "There are no channels."
}

function messageLine(message: Answer): string {
  const author = answerOf(message["author"])
  const name = String(author["global_name"] ?? author["username"])
  const marks = `${message["pinned"] ? " 📌" : ""}${message["edited_timestamp"] ? " (edited)" : ""}`
  const files = listOf(message["attachments"]).map((file) => ` [${String(file["filename"])}]`)
  const text = `${String(message["content"])}${files.join("")}`
  return `${String(message["id"])} [${String(message["timestamp"])}] @${name}${marks}: ${text}`
}

import type { IncomingMessage, ServerResponse } from "node:http"
import type { Gateway } from "./gateway.ts"
import type { Interactions } from "./interactions.ts"
import type { RateLimits } from "./rate-limits.ts"
import { type Channel, channelJson, type DiscordMessage, guildJson, memberJson, type World } from "./world.ts"

/** A request to the API, as it was counted. */
export interface DiscordRequest {
  readonly method: string
  readonly path: string
  readonly status: number
}

export interface RestOptions {
  readonly token: string
  readonly limits: RateLimits
  readonly world: World
  readonly gateway: Gateway
  readonly interactions: Interactions
  readonly url: () => string
  /** Intents that the bot may ask for: a bit set. */
  readonly intents: () => number
  readonly changed: () => void
}

type Body = Readonly<Record<string, unknown>>
interface Sent {
  readonly name: string
  readonly type: string
  readonly bytes: Buffer
}
interface Answer {
  readonly status: number
  readonly body?: unknown
}

const unknown = (what: string, code: number): Answer => ({
  status: 404,
  body: { message: `Unknown ${what}`, code },
})
const MAX_CONTENT = 2_000

/** Whether the contents of messages may be read, as an application says it. Source: Discord's application flags. */
const applicationFlags = (intents: number): number => ((intents & (1 << 15)) === 0 ? 0 : 1 << 19)

/** The routes of the HTTP API that a bot for messages needs. */
export class Rest {
  readonly #options: RestOptions
  readonly requests: DiscordRequest[] = []
  /** What the bot sent with a nonce that is to be taken once. */
  readonly #byNonce = new Map<string, DiscordMessage>()
  /** Answers to give instead, by method and path: each is used once. */
  readonly failures = new Map<string, number>()
  readonly files = new Map<string, { readonly type: string; readonly bytes: Buffer }>()

  constructor(options: RestOptions) {
    this.#options = options
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.#options.url())
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (url.pathname.startsWith("/files/")) return this.#file(url.pathname, response)
    const path = url.pathname.replace(/^\/api\/v\d+/, "")
    const method = request.method ?? "GET"
    const counted = this.#options.limits.count(method, path)
    let answer: Answer
    if (request.headers.authorization !== `Bot ${this.#options.token}` && !isByToken(path))
      answer = { status: 401, body: { message: "401: Unauthorized", code: 0 } }
    else if (counted.wait !== undefined)
      answer = {
        status: 429,
        body: { message: "You are being rate limited.", retry_after: counted.wait, global: false },
      }
    else answer = await this.#answer(method, path, url.searchParams, Buffer.concat(chunks), request)
    this.requests.push({ method, path, status: answer.status })
    const type = answer.body === undefined ? {} : { "content-type": "application/json" }
    response.writeHead(answer.status, { ...type, ...counted.headers })
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
    this.#options.changed()
  }

  async #answer(
    method: string,
    path: string,
    query: URLSearchParams,
    bytes: Buffer,
    request: IncomingMessage,
  ): Promise<Answer> {
    const failure = this.failures.get(`${method} ${path}`)
    if (failure !== undefined) {
      this.failures.delete(`${method} ${path}`)
      return { status: failure, body: { message: `${failure}: as asked`, code: 0 } }
    }
    const { body, files } = await this.#body(bytes, request)
    const { world, interactions } = this.#options
    const [, first = "", id = "", second = "", third = ""] = path.split("/")
    if (method === "POST" && first === "interactions")
      return interactions.answer(id, body) ? { status: 204 } : unknown("interaction", 10062)
    switch (`${method} ${first}/${second}`) {
      case "GET gateway/":
        return ok({
          url: `${this.#options.url().replace("http", "ws")}/gateway`,
          shards: 1,
          session_start_limit: { total: 1_000, remaining: 999, reset_after: 0, max_concurrency: 1 },
        })
      case "GET users/":
        return ok(world.bot)
      case "GET users/guilds":
        return ok([...world.guilds.values()])
      case "POST users/channels": {
        const user = world.users.get(String(body["recipient_id"]))
        return user ? ok(channelJson(world.direct(user))) : unknown("User", 10013)
      }
      case "GET applications/":
        return ok({ ...world.bot, flags: applicationFlags(this.#options.intents()) })
      case "PUT applications/commands":
        return ok(interactions.register(body as unknown as readonly Body[]))
      case "GET guilds/":
        return withGuild(world, id, (guild) => ok(guildJson(world, guild)))
      case "GET guilds/channels":
        return withGuild(world, id, () =>
          ok([...world.channels.values()].filter((each) => each.guild_id === id).map(channelJson)),
        )
      case "GET guilds/members": {
        const user = world.users.get(third)
        return user ? ok(memberJson(user)) : unknown("Member", 10007)
      }
      default:
        break
    }
    if (first === "webhooks") return this.#webhook(method, path, body, files)
    if (first === "channels") return this.#channel(method, path, query, body, files)
    return { status: 404, body: { message: "404: Not Found", code: 0 } }
  }

  #channel(method: string, path: string, query: URLSearchParams, body: Body, files: readonly Sent[]): Answer {
    const { world, gateway } = this.#options
    const [, , id = "", second, messageId, third] = path.split("/")
    const channel = world.channels.get(id)
    if (!channel) return unknown("Channel", 10003)
    if (channel.guild_id !== undefined && !world.guilds.has(channel.guild_id))
      return { status: 403, body: { message: "Missing Access", code: 50001 } }
    if (second === undefined) return ok(channelJson(channel))
    if (second === "typing") return { status: 204 }
    const at = channel.messages.findIndex((message) => message.id === messageId)
    const message = channel.messages[at]
    if (messageId !== undefined && !message) return unknown("Message", 10008)
    if (third === "threads" && message) {
      if (world.channels.has(message.id))
        return { status: 400, body: { message: "A thread has already been created", code: 160004 } }
      // A thread has the id of the message that it was made from.
      world.addChannel(channel.guild_id ?? "", String(body["name"]), 11, id, message.id)
      const thread = channelJson(world.channels.get(message.id) ?? channel)
      gateway.dispatch("THREAD_CREATE", thread)
      return ok(thread)
    }
    if (method === "GET" && message) return ok(message)
    if (method === "GET") {
      const before = query.get("before")
      const older =
        before === null
          ? channel.messages
          : channel.messages.filter((each) => BigInt(each.id) < BigInt(before))
      return ok(older.slice(-Number(query.get("limit") ?? 50)).reverse())
    }
    if (method === "DELETE") {
      channel.messages.splice(at, 1)
      gateway.dispatch("MESSAGE_DELETE", { id: messageId, channel_id: id })
      return { status: 204 }
    }
    return this.write(channel, body, files, message)
  }

  /** What is done with the token of an interaction: its own message is changed, or another one follows. */
  #webhook(method: string, path: string, body: Body, files: readonly Sent[]): Answer {
    const { world, interactions } = this.#options
    const token = path.split("/")[3] ?? ""
    const interaction = interactions.byToken(token)
    const channel = interaction && world.channels.get(interaction.channelId)
    if (!interaction || !channel) return unknown("Webhook", 10015)
    if (method === "DELETE") return { status: 204 }
    const answer = this.write(channel, body, files, method === "PATCH" ? interaction.message : undefined)
    if (answer.status === 200 && (method === "PATCH" || !interaction.message))
      interaction.message = answer.body as DiscordMessage
    return answer
  }

  /** A new message of the bot, or a change of one. */
  write(channel: Channel, body: Body, files: readonly Sent[], before: DiscordMessage | undefined): Answer {
    const { world, gateway } = this.#options
    const content = String(body["content"] ?? before?.content ?? "")
    if (content.length > MAX_CONTENT || (content === "" && files.length === 0 && !body["embeds"]))
      return { status: 400, body: { message: "Invalid Form Body", code: 50035 } }
    const reference = body["message_reference"] as
      | { message_id: string; fail_if_not_exists?: boolean }
      | undefined
    const isThere = channel.messages.some(({ id }) => id === reference?.message_id)
    if (reference && !isThere && reference.fail_if_not_exists !== false)
      return { status: 400, body: { message: "Invalid Form Body", code: 50035 } }
    const nonce = body["enforce_nonce"] === true ? String(body["nonce"]) : undefined
    const same = nonce === undefined || before ? undefined : this.#byNonce.get(nonce)
    if (same) return ok(same)
    const attachments = files.map((file) => this.keep(file))
    const message: DiscordMessage = {
      id: before?.id ?? world.newId(),
      channel_id: channel.id,
      ...(channel.guild_id !== undefined && { guild_id: channel.guild_id }),
      author: world.bot,
      content,
      timestamp: before?.timestamp ?? new Date().toISOString(),
      edited_timestamp: before ? new Date().toISOString() : null,
      tts: false,
      mention_everyone: false,
      mentions: [],
      mention_roles: [],
      attachments: before && files.length === 0 ? before.attachments : attachments,
      embeds: [],
      pinned: false,
      type: 0,
      components: (body["components"] as readonly unknown[] | undefined) ?? before?.components ?? [],
      ...(before?.message_reference && { message_reference: before.message_reference }),
      ...(reference && isThere && { message_reference: { message_id: reference.message_id } }),
      ...(body["allowed_mentions"] !== undefined && { allowed_mentions: body["allowed_mentions"] }),
    }
    const at = channel.messages.findIndex(({ id }) => id === message.id)
    if (nonce !== undefined) this.#byNonce.set(nonce, message)
    if (at < 0) channel.messages.push(message)
    else channel.messages[at] = message
    gateway.dispatch(before ? "MESSAGE_UPDATE" : "MESSAGE_CREATE", { ...message, channel_type: channel.type })
    return ok(message)
  }

  /** Keeps a file, as an attachment. */
  keep({ name: filename, type, bytes }: Sent): DiscordMessage["attachments"][number] {
    const id = this.#options.world.newId()
    const url = `${this.#options.url()}/files/${id}/${encodeURIComponent(filename)}`
    this.files.set(new URL(url).pathname, { type, bytes })
    return { id, filename, size: bytes.length, content_type: type, url, proxy_url: url }
  }

  #file(path: string, response: ServerResponse): void {
    const file = this.files.get(path)
    response.writeHead(
      file ? 200 : 404,
      file && { "content-type": file.type, "content-length": file.bytes.length },
    )
    response.end(file?.bytes)
  }

  /** JSON, or a form with files. */
  async #body(bytes: Buffer, request: IncomingMessage): Promise<{ body: Body; files: readonly Sent[] }> {
    const type = request.headers["content-type"] ?? ""
    if (!type.startsWith("multipart/")) {
      return { body: bytes.length === 0 ? {} : (JSON.parse(String(bytes)) as Body), files: [] }
    }
    const form = await new Response(bytes, { headers: { "content-type": type } }).formData()
    const files: Sent[] = []
    for (const value of form.values()) {
      if (typeof value === "string") continue
      files.push({ name: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) })
    }
    return { body: JSON.parse(String(form.get("payload_json") ?? "{}")) as Body, files }
  }
}

const ok = (body: unknown): Answer => ({ status: 200, body })

/** Interactions carry their own token. */
const isByToken = (path: string): boolean =>
  path.startsWith("/interactions/") || path.startsWith("/webhooks/")

function withGuild(
  world: World,
  id: string,
  work: (guild: { readonly id: string; readonly name: string }) => Answer,
): Answer {
  const guild = world.guilds.get(id)
  return guild ? work(guild) : unknown("Guild", 10004)
}

import {
  type Channel,
  findMention,
  type InboundMessage,
  type Namespace,
  type OutboundError,
  type OutboundMessage,
  type UserPart,
} from "@orra/core"
import type { ButtonInteraction, Client, Interaction, Message, SendableChannels } from "discord.js"
import { readButtonId } from "./approval-message.ts"
import { partsOf } from "./attachments.ts"
import { answerCommand, COMMANDS, LINK } from "./commands.ts"
import { Connection, type DiscordStatus, pause } from "./connection.ts"
import { Conversations, prefixOf, type Whereabouts } from "./conversations.ts"
import { Elsewhere, readElsewhereButton } from "./elsewhere.ts"
import type { DiscordChannelOptions } from "./options.ts"
import { postFiles } from "./outgoing.ts"
import { type AskingPlace, channelPlace, commandPlace, messagePlace } from "./places.ts"
import { EPHEMERAL, privately } from "./privately.ts"
import { type Asking, Questions } from "./questions.ts"
import { Queue } from "./queue.ts"
import { type Place, Reply } from "./reply.ts"
import { Rights } from "./rights.ts"
import { threadFrom } from "./threads.ts"
import { Turns } from "./turns.ts"
import { fateOf, type Unanswered, UnansweredRecords } from "./unanswered.ts"

/** A message or a command that is being answered. */
interface Asked extends Asking {
  readonly id: string
  readonly reply: Reply
}

/** Messages that wait to be taken. */
const MAX_QUEUED = 1_000
/** So many of the last messages are known again when Discord delivers them once more. */
const MAX_KNOWN = 2_000

/**
 * Discord as a channel: an adapter or a router serves it. Reconnects by itself; what it cannot mend ends `receive` with a
 * DiscordError that says what to do.
 *
 * ```ts
 * const discord = new DiscordChannel({ token, runtime })
 * await new ChannelAdapter(discord, runtime).run({ signal })
 * ```
 */
export class DiscordChannel implements Channel {
  readonly name = "discord"
  readonly #options: DiscordChannelOptions
  readonly #rights: Rights
  readonly #conversations: Conversations
  readonly #unanswered: UnansweredRecords
  readonly #questions: Questions | undefined
  readonly #elsewhere: Elsewhere | undefined
  readonly #connection: Connection
  readonly #queue = new Queue<InboundMessage>(MAX_QUEUED)
  /** In the order in which it came. */
  readonly #asked = new Map<string, Asked>()
  readonly #sending = new WeakSet<Asked>()
  /** The ids of messages that came, the oldest first. */
  readonly #known = new Set<string>()
  readonly #turns = new Turns()
  #serving = new AbortController()
  #looking = new AbortController()

  /** @throws InvalidInput for ids that are none, for "dm" where nobody could be known, and without a token. */
  constructor(options: DiscordChannelOptions) {
    const { token, filter = "mentions", prefix = "discord", runtime } = options
    this.#options = options
    this.#rights = new Rights(options)
    const { store } = runtime
    this.#conversations = new Conversations(prefixOf(prefix), store.records("discord"))
    this.#unanswered = new UnansweredRecords(prefixOf(prefix), store.records("discord-unanswered"))
    const { questions, approvals, links } = options
    if (approvals)
      this.#questions = new Questions({
        approvals,
        runtime,
        conversations: this.#conversations,
        mayDecide: (userId, session) => this.#rights.mayDecide(userId, session),
        isAwaited: ({ key }) => this.#asked.values().some(({ namespace }) => namespace.key === key),
        attach: (place, session, runId) => this.#attach(place, session, runId),
        serving: () => this.#serving.signal,
        onError: (error) => this.#report(error),
      })
    if (approvals && (questions || links))
      this.#elsewhere = new Elsewhere({
        approvals,
        store,
        prefix: prefixOf(prefix),
        channel: questions,
        links,
        mayDecide: (userId, session) => this.#rights.mayDecide(userId, session),
        lookMs: options.lookMs ?? 2_000,
        onError: (error) => this.#report(error),
      })
    this.#connection = new Connection({
      token,
      filter,
      isPrivate: filter !== "mentions" || links !== undefined,
      ...(options.api !== undefined && { api: options.api }),
      onStatus: options.onStatus ?? (() => {}),
      onMessage: (message) => this.#work(this.#onMessage(message)),
      onInteraction: (interaction) => this.#work(this.#onInteraction(interaction)),
      onReady: (client) => this.#onReady(client),
      commands: links ? [...COMMANDS, LINK] : COMMANDS,
      onError: (error) => this.#report(error),
    })
  }

  /** What becomes of the connection now. */
  get status(): DiscordStatus {
    return this.#connection.status
  }

  async *receive(signal: AbortSignal): AsyncGenerator<InboundMessage> {
    this.#serving = new AbortController()
    const ended = this.#connection.run(signal)
    ended.then(
      () => this.#queue.end(),
      (error: unknown) => this.#queue.end(error),
    )
    try {
      yield* this.#queue
    } finally {
      this.#serving.abort()
      await this.#connection.close()
    }
  }

  async send({ namespace, metadata, result, agent }: OutboundMessage): Promise<void> {
    const asked = this.#of(metadata)
    if (!asked) return
    const { agents = () => [] } = this.#options
    // In small letters, where it could have been another.
    const by = agent !== undefined && agents().length > 1 && result.text !== "" ? `\n-# ${agent}` : ""
    this.#sending.add(asked)
    try {
      await asked.reply.finish(result.text + by)
      await this.#attach(asked.place, namespace, result.runId)
    } finally {
      this.#asked.delete(asked.id)
    }
    await this.#unanswered.remove(asked)
  }

  /** That a file cannot be posted takes nothing from the answer. */
  async #attach(place: Place, session: Namespace, runId: string): Promise<void> {
    const { attachments = async () => [] } = this.#options
    try {
      await postFiles(place, await attachments(session, runId))
    } catch (error) {
      this.#report(error)
    }
  }

  async sendError({ metadata, error }: OutboundError): Promise<void> {
    const asked = this.#of(metadata)
    // An answer that Discord's limits hold up comes all the same.
    if (!asked || this.#sending.has(asked)) return
    try {
      await asked.reply.finish(`Sorry, there is no answer. ${error.message}`)
    } finally {
      this.#asked.delete(asked.id)
    }
    await this.#unanswered.remove(asked)
  }

  async typing({ metadata }: InboundMessage): Promise<void> {
    await this.#of(metadata)?.place.typing()
  }

  async writing({ metadata }: InboundMessage, text: string, signal: AbortSignal): Promise<void> {
    const asked = this.#of(metadata)
    if (asked && this.#isNext(asked)) await asked.reply.draft(text)
    await pause(this.#options.editIntervalMs ?? 1_200, signal)
  }

  async waiting({ metadata }: InboundMessage): Promise<void> {
    const asked = this.#of(metadata)
    if (asked) await this.#questions?.show(asked)
  }

  #of({ message_id: id }: InboundMessage["metadata"]): Asked | undefined {
    return this.#asked.get(String(id))
  }

  /** Nothing of an answer is shown before the answer to what was asked earlier in the same session. */
  #isNext(asked: Asked): boolean {
    return this.#asked.values().find(({ namespace }) => namespace.key === asked.namespace.key) === asked
  }

  #onReady(client: Client): void {
    this.#work(this.#answerLeft(client))
    // A connection that is made anew has a client of its own.
    this.#looking.abort()
    this.#looking = new AbortController()
    const signal = AbortSignal.any([this.#looking.signal, this.#serving.signal])
    if (this.#elsewhere) this.#work(this.#elsewhere.run(client, signal))
  }

  /** What a process before this one has taken and not answered. */
  async #answerLeft(client: Client): Promise<void> {
    for (const left of await this.#unanswered.all())
      if (!this.#asked.has(left.id)) this.#work(this.#answerOne(client, left))
  }

  async #answerOne(client: Client, left: Unanswered): Promise<void> {
    const { id, where, conversation } = left
    const { runtime } = this.#options
    const session = this.#conversations.numbered(where, conversation)
    const fate = await fateOf(runtime.store, session, id)
    await this.#unanswered.remove(left)
    // What waits for a decision has its buttons, and its answer comes with that.
    if (fate.type === "open") return
    const channel = (await client.channels.fetch(where.channelId)) as SendableChannels
    // There is none where it was a command, or was deleted. That of a thread stands outside of it.
    const isStart = channel.isThread() && channel.id === id
    const found = isStart ? channel.fetchStarterMessage() : channel.messages.fetch(id)
    const message = (await found.catch(() => null)) ?? undefined
    if (fate.type === "unseen" && message) {
      this.#known.delete(id)
      return await this.#onMessage(message)
    }
    const place = message && !isStart ? messagePlace(message) : channelPlace(channel)
    const reply = new Reply(place)
    if (fate.type === "unseen")
      return await reply.finish(`<@${where.userId}> I was not here when you asked. Ask me again.`)
    const { text, error, runId } = fate
    await reply.finish(
      error === undefined ? text : [text, `-# ${error}`].filter((line) => line !== "").join("\n"),
    )
    await this.#attach(place, session, runId)
  }

  async #onMessage(message: Message): Promise<void> {
    const { author, guildId, channelId, client } = message
    if (author.bot || message.system || !this.#rights.mayTalk(author.id)) return
    const { filter = "mentions" } = this.#options
    const isMentioned = message.mentions.users.has(client.user?.id ?? "")
    if (guildId !== null && (filter === "dm" || (filter === "mentions" && !isMentioned))) return
    const where: Whereabouts = { guildId: guildId ?? undefined, channelId, userId: author.id }
    const text = message.content.replaceAll(new RegExp(`<@!?${client.user?.id}>`, "g"), "").trim()
    const files = [...message.attachments.values()]
    if ((text === "" && files.length === 0) || this.#isKnown(message.id)) return
    await this.#turns.take(where, async () => {
      const below = messagePlace(message)
      if (guildId === null && !(await this.#rights.mayTalkPrivately(author.id)))
        return void (await below.post(LINK_FIRST, true))
      const parts = await partsOf(files, this.#files, this.#serving.signal)
      const { at, place } = await this.#inThread(message, text, where, below)
      await this.#ask(at, author.username, message.id, text, parts, place)
    })
  }

  /** Whether a message has come before. From now on it has. */
  #isKnown(id: string): boolean {
    if (this.#known.has(id)) return true
    this.#known.add(id)
    const [oldest] = this.#known
    if (oldest !== undefined && this.#known.size > MAX_KNOWN) this.#known.delete(oldest)
    return false
  }

  /** Where a message is answered: in a thread that is made from it, if that is wanted and possible. */
  async #inThread(
    message: Message,
    text: string,
    where: Whereabouts,
    below: AskingPlace,
  ): Promise<{ readonly at: Whereabouts; readonly place: AskingPlace }> {
    try {
      const thread = this.#options.threads && (await threadFrom(message, text))
      if (thread) return { at: { ...where, channelId: thread.id }, place: channelPlace(thread) }
    } catch (error) {
      this.#report(error)
    }
    return { at: where, place: below }
  }

  async #onInteraction(interaction: Interaction): Promise<void> {
    if (interaction.isButton()) return await this.#onButton(interaction)
    if (!interaction.isChatInputCommand()) return
    const { guildId, channelId, user, options, commandName } = interaction
    if (!this.#rights.mayTalk(user.id)) return await privately(interaction, "You may not talk to me.")
    const isPrivate = guildId === null || this.#options.filter === "dm"
    if (isPrivate && commandName !== "link" && !(await this.#rights.mayTalkPrivately(user.id)))
      return await privately(interaction, LINK_FIRST)
    const where: Whereabouts = { guildId: guildId ?? undefined, channelId, userId: user.id }
    if (commandName === "ask") {
      await interaction.deferReply()
      const below = commandPlace(interaction)
      const text = options.getString("text", true)
      const agent = options.getString("agent") ?? undefined
      await this.#turns.take(where, async () => {
        const { at, place } =
          this.#options.threads && guildId !== null
            ? await this.#inThread(await interaction.editReply(asQuote(text)), text, where, below)
            : { at: where, place: below }
        await this.#ask(at, user.username, interaction.id, text, [], place, agent)
      })
      return
    }
    await interaction.deferReply({ flags: EPHEMERAL })
    const { runtime, agents = () => [], links } = this.#options
    const parts = {
      runtime,
      agents: agents(),
      links,
      conversations: this.#conversations,
      questions: this.#questions,
    }
    await interaction.editReply(await answerCommand(interaction, where, parts))
  }

  async #onButton(interaction: ButtonInteraction): Promise<void> {
    const own = readButtonId(interaction.customId)
    const far = readElsewhereButton(interaction.customId)
    const by = this.#principal(interaction.user.id)
    if (far && this.#elsewhere) await this.#elsewhere.press(interaction, far, by)
    else if (own && this.#questions) await this.#questions.press(interaction, own, by)
    else await privately(interaction, "Nobody asks this any more.")
  }

  /** Gives a message to whoever serves this channel. */
  async #ask(
    where: Whereabouts,
    username: string,
    id: string,
    text: string,
    parts: readonly UserPart[],
    place: AskingPlace,
    named?: string,
  ): Promise<void> {
    const { agents = () => [] } = this.#options
    const { namespace, agent: chosen, conversation } = await this.#conversations.current(where)
    const mention = findMention(text, agents())
    // One that was chosen and is gone leaves it to the default.
    const agent = named ?? mention?.name ?? agents().find((name) => name === chosen)
    const own = mention?.text.trim() || text
    const { channelId, guildId, userId } = where
    await this.#unanswered.add({ id, where, conversation })
    const isTaken = this.#queue.push({
      namespace,
      message:
        parts.length === 0 ? own : [...(own === "" ? [] : [{ type: "text", text: own } as const]), ...parts],
      metadata: {
        channel_id: channelId,
        message_id: id,
        author_id: userId,
        author_username: username,
        ...(guildId !== undefined && { guild_id: guildId }),
        ...(agent !== undefined && { agent }),
      },
      id,
      principal: this.#principal(userId),
      ...(agent !== undefined && { agent }),
    })
    const reply = new Reply(place)
    if (isTaken) this.#asked.set(id, { id, where, namespace, conversation, reply, place, shown: new Set() })
    else {
      await this.#unanswered.remove({ id, where })
      await reply.finish("Too many people are asking at this moment. Try again in a minute.")
    }
  }

  #principal(userId: string): string {
    return this.#options.principal?.(userId) ?? `discord:${userId}`
  }

  get #files(): string {
    return this.#options.files ?? "https://cdn.discordapp.com"
  }

  #work(work: Promise<void>): void {
    work.catch((error: unknown) => this.#report(error))
  }

  #report(error: unknown): void {
    const { onError = (what) => console.error(what) } = this.#options
    onError(error)
  }
}

/** Said to whoever writes in private and is nobody that is known. */
const LINK_FIRST =
  "In private I answer only those whom I know. Get a code where you use me, such as in the settings of the page, and send it to me with /link."

/** What was asked with a command, which nobody else has seen. */
const asQuote = (text: string): string => `> ${text.replaceAll("\n", "\n> ").slice(0, 1_900)}`

import type {
  BaseMessageOptions,
  ChatInputCommandInteraction,
  Message,
  MessageCreateOptions,
  SendableChannels,
} from "discord.js"
import type { Buttons } from "./approval-message.ts"
import type { Place, Posted } from "./reply.ts"

interface NamedFile {
  readonly name: string
  readonly bytes: Buffer
}

/** A question that was posted. */
export interface AskedMessage {
  readonly id: string
  /** Puts other words in the place of the question and takes its buttons away. */
  close(content: string): Promise<unknown>
}

/** Where an answer goes, and what has to be asked on the way to it. */
export interface AskingPlace extends Place {
  ask(content: string, buttons: Buttons, file: NamedFile | undefined): Promise<AskedMessage>
}

/** Nobody is called by what a model writes. */
const NOBODY = { parse: [], repliedUser: false } as const

const given = (content: string, file: NamedFile | undefined): BaseMessageOptions => ({
  content,
  allowedMentions: NOBODY,
  ...(file && { files: [{ name: file.name, attachment: file.bytes }] }),
})

const asked = (message: Message): AskedMessage => ({
  id: message.id,
  close: (content) => message.edit({ ...given(content, undefined), components: [] }),
})

const posted = (message: Message): Posted => ({
  async edit(content) {
    await message.edit(given(content, undefined))
  },
  async remove() {
    await message.delete()
  },
})

/** Below a message. */
export const messagePlace = (message: Message): AskingPlace =>
  channelPlace(message.channel as SendableChannels, message.id)

/** In a channel, below a message of it if there is one. */
export function channelPlace(channel: SendableChannels, messageId?: string): AskingPlace {
  return {
    async post(content, isFirst, file) {
      const options: MessageCreateOptions = {
        ...given(content, file),
        // A message that was deleted meanwhile is answered without it.
        ...(isFirst &&
          messageId !== undefined && { reply: { messageReference: messageId, failIfNotExists: false } }),
      }
      return posted(await channel.send(options))
    },
    async typing() {
      await channel.sendTyping()
    },
    async ask(content, buttons, file) {
      return asked(await channel.send({ ...given(content, file), components: [buttons] }))
    },
  }
}

/** The answer to a command, which Discord takes for a quarter of an hour; after that it is a message of its own. */
export function commandPlace(interaction: ChatInputCommandInteraction): AskingPlace {
  const followed = (id: string): Posted => ({
    async edit(content) {
      await interaction.editReply({ ...given(content, undefined), message: id })
    },
    async remove() {
      await interaction.deleteReply(id)
    },
  })
  const send = async (options: BaseMessageOptions): Promise<Posted> => {
    return posted(await (await channelOf(interaction)).send(options))
  }
  const isOpen = (): boolean => Date.now() - interaction.createdTimestamp < OPEN_MS
  return {
    async post(content, isFirst, file) {
      const options = given(content, file)
      if (!isOpen()) return await send(options)
      if (isFirst) {
        await interaction.editReply(options)
        return followed("@original")
      }
      const { id } = await interaction.followUp(options)
      return followed(id)
    },
    async typing() {},
    async ask(content, buttons, file) {
      const options = { ...given(content, file), components: [buttons] }
      if (isOpen()) return asked(await interaction.followUp(options))
      return asked(await (await channelOf(interaction)).send(options))
    },
  }
}

/** Source: Discord, Interactions: tokens are valid for 15 minutes. One less, for clocks. */
const OPEN_MS = 14 * 60_000

const channelOf = async ({ client, channelId }: ChatInputCommandInteraction): Promise<SendableChannels> =>
  (await client.channels.fetch(channelId)) as SendableChannels

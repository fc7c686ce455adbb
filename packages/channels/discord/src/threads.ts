import type { Message, PublicThreadChannel } from "discord.js"

/** Characters in a thread's name at most. Source: Discord's API, Start Thread from Message. */
const MAX_NAME = 100
/** Source: Discord's error codes: the message has a thread. */
const HAS_ONE = 160_004

/** The thread that is made from a message of a server, or was; undefined where there can be none. */
export async function threadFrom(message: Message, text: string): Promise<PublicThreadChannel | undefined> {
  const { channel, client, id } = message
  if (!message.inGuild() || channel.isThread() || !("threads" in channel)) return undefined
  try {
    return await message.startThread({ name: nameOf(text) })
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== HAS_ONE) throw error
    return (await client.channels.fetch(id)) as PublicThreadChannel
  }
}

function nameOf(text: string): string {
  const [line = ""] = text.trim().split("\n")
  return (
    [...line]
      .slice(0, MAX_NAME / 2)
      .join("")
      .trim() || "Question"
  )
}

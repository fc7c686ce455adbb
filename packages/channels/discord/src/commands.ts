import type { Runtime } from "@orra/core"
import type { ApplicationCommandDataResolvable, ChatInputCommandInteraction } from "discord.js"
import type { Conversations, Whereabouts } from "./conversations.ts"
import type { DiscordLinks } from "./links.ts"
import { commandPlace } from "./places.ts"
import type { Questions } from "./questions.ts"
import { usageIn } from "./usage.ts"

/** A text that a command takes. Source: Discord's option type 3. */
const text = (name: string, description: string, required: boolean) =>
  ({ type: 3, name, description, required }) as const

export const COMMANDS: readonly ApplicationCommandDataResolvable[] = [
  {
    name: "ask",
    description: "Ask, without mentioning the bot.",
    options: [text("text", "What you want to say.", true), text("agent", "Who shall answer.", false)],
  },
  { name: "new", description: "Begin a new conversation in this channel." },
  { name: "stop", description: "Stop the answer that is being written for you." },
  {
    name: "agent",
    description: "Choose who answers you in this channel.",
    options: [text("name", "The agent's name.", true)],
  },
  { name: "usage", description: "What this conversation has used so far." },
  { name: "approve", description: "Show what waits to be allowed in your conversation." },
]

/** Where there are links. */
export const LINK: ApplicationCommandDataResolvable = {
  name: "link",
  description: "Say who you are, so that I answer you in private.",
  options: [text("code", "The code that you were shown.", true)],
}

/** What a command other than /ask does, and what is said of that to whoever used it. */
export async function answerCommand(
  interaction: ChatInputCommandInteraction,
  where: Whereabouts,
  {
    runtime,
    agents,
    conversations,
    questions,
    links,
  }: {
    readonly runtime: Pick<Runtime, "stop" | "store">
    readonly agents: readonly string[]
    readonly conversations: Conversations
    readonly questions: Questions | undefined
    readonly links: DiscordLinks | undefined
  },
): Promise<string> {
  const { commandName, options, user } = interaction
  const { namespace, conversation } = await conversations.current(where)
  switch (commandName) {
    case "new":
      await conversations.begin(where)
      return "A new conversation begins with your next message."
    case "stop":
      return (await runtime.stop(namespace)) ? "Stopped." : "Nothing is being written for you here."
    case "agent": {
      const asked = options.getString("name", true)
      const name = agents.find((each) => each.toLowerCase() === asked.toLowerCase())
      if (name === undefined) return `There is no such agent. There is: ${agents.join(", ") || "only one"}.`
      await conversations.choose(where, name)
      return `${name} answers you here from now on.`
    }
    case "usage":
      return await usageIn(runtime.store, namespace)
    case "link": {
      const account = { userId: user.id, username: user.username }
      const person = await links?.redeem(options.getString("code", true), account)
      return person
        ? `You are linked as ${person.name}. I answer you in private, and ask you there about what is yours to decide.`
        : "There is no such code, or it has been used, or is older than ten minutes. Get a new one."
    }
    default: {
      const place = commandPlace(interaction)
      const asking = { namespace, where, conversation, place, shown: new Set<string>() }
      const count = (await questions?.show(asking)) ?? 0
      return count === 0 ? "Nothing waits to be allowed." : `To be decided below: ${count}.`
    }
  }
}

import type { ApplicationCommandDataResolvable } from "discord.js"

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

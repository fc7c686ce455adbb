import type {
  ActionRowData,
  ApplicationCommandDataResolvable,
  InteractionButtonComponentData,
} from "discord.js"
import { buttonId } from "./approval-message.ts"

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

export type Buttons = ActionRowData<InteractionButtonComponentData>

/** Green and red, as Discord numbers them. */
export const buttonsOf = (approvalId: string, userId: string, conversation: number): Buttons => ({
  type: 1,
  components: [
    {
      type: 2,
      style: 3,
      label: "Allow",
      customId: buttonId({ decision: "approve", approvalId, userId, conversation }),
    },
    {
      type: 2,
      style: 4,
      label: "Refuse",
      customId: buttonId({ decision: "deny", approvalId, userId, conversation }),
    },
  ],
})

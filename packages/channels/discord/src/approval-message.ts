import { type PendingApproval, plainly } from "@orra/core"
import type { ActionRowData, InteractionButtonComponentData } from "discord.js"

/** What a button decides. */
export interface Decision {
  readonly decision: "approve" | "deny"
  readonly approvalId: string
}

/** What a button says of itself: it outlives this process, and says whose conversation it is about. */
export interface ButtonId extends Decision {
  readonly userId: string
  readonly conversation: number
}

const BUTTON = /^orra:(approve|deny):([\w-]{1,40}):(\d{15,21}):(\d{1,6})$/

const buttonId = ({ decision, approvalId, userId, conversation }: ButtonId): string =>
  `orra:${decision}:${approvalId}:${userId}:${conversation}`

export function readButtonId(text: string): ButtonId | undefined {
  const [, decision, approvalId = "", userId = "", conversation = "0"] = BUTTON.exec(text) ?? []
  if (decision !== "approve" && decision !== "deny") return undefined
  return { decision, approvalId, userId, conversation: Number(conversation) }
}

const ROOM = 1_500

const TAINTED = "**What strangers wrote was read here, such as a web page: this may be their wish.**"

/** Nothing in it is invisible, and nothing ends the code block it stands in. */
export const inCode = (text: string): string => plainly(text).replaceAll("`", "\\u0060")

/** The question, with everything that the call is given: what does not fit is in a file. Nothing in it is invisible. */
export function questionOf(pending: PendingApproval): {
  readonly content: string
  readonly file?: { readonly name: string; readonly bytes: Buffer }
} {
  const whole = inCode(JSON.stringify(pending.arguments, null, 2))
  const fits = whole.length <= ROOM
  const shown = fits ? whole : whole.slice(0, ROOM)
  const until = `<t:${Math.floor(pending.expiresAt / 1_000)}:R>`
  const by = pending.agent === undefined ? "" : ` for ${inCode(pending.agent).slice(0, 64)}`
  const taint = pending.tainted ? `\n${TAINTED}` : ""
  const content = `**${inCode(pending.tool).slice(0, 100)}** wants to run${by}, and somebody has to allow it (ends ${until}).${taint}
Rule: ${inCode(pending.reason).slice(0, 200)}
\`\`\`json
${shown}
\`\`\`${fits ? "" : "\nThis is only the beginning. **Read the whole in the file before you decide.**"}`
  return { content, ...(!fits && { file: { name: "arguments.json", bytes: Buffer.from(whole) } }) }
}

/** A question with what became of it, within what Discord takes. */
export const withWords = (content: string, said: string): string => `${content.slice(0, 1_900)}\n${said}`

export const decidedBy = (decision: Decision["decision"], who: string): string =>
  `${decision === "approve" ? "Allowed" : "Refused"} by ${who}`

/** Its run ended, or it was too late. */
export const NOT_ASKED = "This is not asked any more."

export type Buttons = ActionRowData<InteractionButtonComponentData>

/** Green and red, as Discord numbers them. */
export const buttonsFor = (customId: (decision: Decision["decision"]) => string): Buttons => ({
  type: 1,
  components: [
    { type: 2, style: 3, label: "Allow", customId: customId("approve") },
    { type: 2, style: 4, label: "Refuse", customId: customId("deny") },
  ],
})

/** Those below a question of a conversation in Discord. */
export const buttonsOf = (approvalId: string, userId: string, conversation: number): Buttons =>
  buttonsFor((decision) => buttonId({ decision, approvalId, userId, conversation }))

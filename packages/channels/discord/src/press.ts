import { type Approvals, type Namespace, OrraError } from "@orra/core"
import type { ButtonInteraction } from "discord.js"
import { type Decision, decidedBy, withWords } from "./approval-message.ts"

/** Says what became of a question where its buttons were. */
export async function closePressed(interaction: ButtonInteraction, said: string): Promise<void> {
  await interaction.editReply({ content: withWords(interaction.message.content, said), components: [] })
}

/**
 * Decides as a button says, and says so where the buttons were.
 *
 * @returns false when that counted for nothing: somebody else was first, or it is too late.
 */
export async function decidePressed(
  approvals: Approvals,
  namespace: Namespace,
  { decision, approvalId }: Decision,
  { interaction, by }: { readonly interaction: ButtonInteraction; readonly by: string },
): Promise<boolean> {
  try {
    await approvals.decide(namespace, approvalId, { decision, by })
  } catch (error) {
    if (!(error instanceof OrraError)) throw error
    await closePressed(interaction, `This is closed. ${error.message}`)
    return false
  }
  await closePressed(interaction, `${decidedBy(decision, `<@${interaction.user.id}>`)}.`)
  return true
}

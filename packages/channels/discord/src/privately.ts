import type { ButtonInteraction, ChatInputCommandInteraction } from "discord.js"

/** Seen by one person only. Source: Discord's message flags. */
export const EPHEMERAL = 64

export const MAY_NOT_DECIDE = "You may not decide this."

/** Answers so that only whoever did it sees it. */
export async function privately(
  interaction: ButtonInteraction | ChatInputCommandInteraction,
  content: string,
): Promise<void> {
  await interaction.reply({ content, flags: EPHEMERAL })
}

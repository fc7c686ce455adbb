export { type BotFacts, checkBot } from "./check-bot.ts"
export type { DiscordStatus } from "./connection.ts"
export { DiscordChannel } from "./discord-channel.ts"
export { DiscordError, type DiscordErrorCode } from "./errors.ts"
export {
  type DiscordLink,
  DiscordLinks,
  type DiscordLinksOptions,
  type LinkablePerson,
} from "./links.ts"
export type { DiscordChannelOptions, DiscordFilter } from "./options.ts"
export type { OutgoingFile } from "./outgoing.ts"
export { type DiscordPosterOptions, discordPoster, type PostableChannel } from "./poster.ts"
export { type DiscordToolsOptions, discordTools } from "./tools.ts"

export { type BotFacts, checkBot } from "./check-bot.ts"
export type { DiscordStatus } from "./connection.ts"
export { DiscordChannel, type DiscordChannelOptions, type DiscordFilter } from "./discord-channel.ts"
export { DiscordError, type DiscordErrorCode } from "./errors.ts"
export {
  type DiscordLink,
  DiscordLinks,
  type DiscordLinksOptions,
  type LinkablePerson,
} from "./links.ts"
export type { OutgoingFile } from "./outgoing.ts"
export { type DiscordPosterOptions, discordPoster, type PostableChannel } from "./poster.ts"
export { type DiscordToolsOptions, discordTools } from "./tools.ts"

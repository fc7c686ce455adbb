export type { DiscordStatus } from "./connection.ts"
export { DiscordChannel, type DiscordChannelOptions, type DiscordFilter } from "./discord-channel.ts"
export { DiscordError, type DiscordErrorCode } from "./errors.ts"
export { type DiscordToolsOptions, discordTools } from "./tools.ts"

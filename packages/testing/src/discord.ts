export {
  type DiscordAttachment,
  type DiscordMessage,
  type DiscordUser,
  type FakeDiscord,
  type FakeDiscordOptions,
  fakeDiscord,
} from "./discord/fake-discord.ts"

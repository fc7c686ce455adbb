/**
 * View Channels, Send Messages, Attach Files, Read Message History, Create Public Threads, Send Messages in Threads. Source:
 * Discord, Permissions.
 */
const PERMISSIONS = (1n << 10n) | (1n << 11n) | (1n << 15n) | (1n << 16n) | (1n << 35n) | (1n << 38n)

/** Where the bot of a token is invited to a server. A token begins with the bot's id; nobody is asked. */
export function inviteLink(token: string): string | undefined {
  const id = Buffer.from(token.split(".")[0] ?? "", "base64").toString("latin1")
  if (!/^\d{15,21}$/.test(id)) return undefined
  return `https://discord.com/oauth2/authorize?client_id=${id}&scope=bot+applications.commands&permissions=${PERMISSIONS}`
}

/** What is said about links to copies of chats. */
export const words = {
  title: "Share a copy",
  lead: "Whoever has the link reads the chat as it is now, without logging in. What is said later is not in it.",
  until: "The link ends",
  days: { 1: "after a day", 7: "after a week", 30: "after a month" },
  make: "Make a link",
  making: "Making the copy…",
  link: "The link, shown only now",
  copy: "Copy the link",
  others: "Links to this chat",
  ends: (day: string, time: string) => `ends ${day}, ${time}`,
  made: (day: string) => `Made ${day}`,
  revoke: "Take back",
  revokeOf: (made: string) => `Take back the link made ${made}`,
  revoked: "The link leads nowhere any more.",
  off: "Links to chats are switched off. The owner of this Herald switches them on with gateway.share_links = true in the configuration.",
}

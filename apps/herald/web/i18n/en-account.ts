/** What is said about somebody's own accounts in Discord. */
export const words = {
  title: "Discord account",
  lead: "Link your account, and the bot answers you in private and asks you there about what your chats wait for.",
  list: "Your accounts",
  since: (day: string) => `Linked: ${day}`,
  unlink: "Unlink",
  unlinkOf: (name: string) => `Unlink ${name}`,
  unlinked: "It is not linked any more.",
  add: "Link an account",
  off: "There is no bot at the moment: whoever runs this Herald connects one.",
  code: "Show a code",
  another: "Show another code",
  open: "In Discord, open a channel with the bot, or write to it in private.",
  type: "Send this command:",
  until: (time: string) => `The code links one account, until ${time}. Show it to nobody.`,
  done: "The account is linked: the bot answers it in private from now on.",
}

/** Where a call comes from, by the key of its session. */
export interface Origin {
  /** `channel`: of somebody in another channel, whose chats are theirs. */
  readonly type: "chat" | "job" | "channel"
  /** The chat it belongs to; undefined for a job of no chat. */
  readonly chat: string | undefined
  /** What "for this chat" covers: the chat with all that is delegated in it, or the job with all its firings. */
  readonly scope: string
}

/** Below a chat, agents work in `~agents` and jobs in `~cron:<id>`. */
export function originOf(namespace: string, person: string): Origin {
  if (namespace !== person && !namespace.startsWith(`${person}:`))
    return { type: "channel", chat: undefined, scope: namespace }
  const segments = namespace.split(":")
  const job = segments.indexOf("~cron")
  const inner = segments.findIndex((segment) => segment === "~agents" || segment === "~cron")
  const chat = inner < 0 ? namespace : segments.slice(0, inner).join(":")
  return {
    type: job < 0 ? "chat" : "job",
    chat: chat === person ? undefined : chat,
    scope: job < 0 ? chat : segments.slice(0, job + 2).join(":"),
  }
}

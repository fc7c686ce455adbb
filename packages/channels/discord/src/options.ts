import type { Approvals, Namespace, Runtime } from "@orra/core"
import type { DiscordStatus } from "./connection.ts"
import type { ElsewhereOptions } from "./elsewhere.ts"
import type { DiscordLinks } from "./links.ts"
import type { OutgoingFile } from "./outgoing.ts"

/** Which messages the bot answers: those that mention it in a server, all that it can read, or those in private. */
export type DiscordFilter = "mentions" | "all" | "dm"

export interface DiscordChannelOptions {
  /** The bot's token, from the Developer Portal. */
  readonly token: string
  /** Where conversations are kept, stopped and counted: the runtime that answers, or its team. */
  readonly runtime: Pick<Runtime, "stop" | "store" | "subscribe">
  /** Default "mentions". */
  readonly filter?: DiscordFilter
  /**
   * Ids of those who may talk to it. Default everybody who can write where it is; "dm" needs it, or `links`. Names are
   * refused.
   */
  readonly allowedUsers?: readonly string[]
  /** With these, what policy asks about is shown with buttons. */
  readonly approvals?: Approvals
  /** Ids of those who may press them. Default nobody. */
  readonly approvers?: readonly string[]
  /** What sessions elsewhere wait for is shown in a channel too, for the same people to press. Needs `approvals`. */
  readonly questions?: ElsewhereOptions
  /**
   * With these, `/link` ties people's accounts to who they are elsewhere: they may write in private, and are asked there about
   * what waits in their sessions, and may decide it. Others are told to link first, unless `allowedUsers` names them.
   */
  readonly links?: DiscordLinks
  /** How often it is looked for what waits elsewhere, in ms. Default 2,000. */
  readonly lookMs?: number
  /** The first segments of all sessions. Default "discord". Give each program that shares a server its own. */
  readonly prefix?: string | Namespace
  /**
   * Each question in a channel of a server is answered in a thread of its own, which goes on with its own conversation.
   * Default false. Where it may not open one it answers below the message.
   */
  readonly threads?: boolean
  /** What a run has made that belongs to its answer, such as pictures: posted below it, at most ten files. Default nothing. */
  readonly attachments?: (session: Namespace, runId: string) => Promise<readonly OutgoingFile[]>
  /** Agents that a message can name with @, and `/agent` can choose. Read anew for each message. */
  readonly agents?: () => readonly string[]
  /** Who a person is to policies, hooks and audit. Default `discord:` and their id. */
  readonly principal?: (userId: string) => string
  /** Told of each change of the connection. */
  readonly onStatus?: (status: DiscordStatus) => void
  /** Told of what went wrong with a command or a button. Default `console.error`. */
  readonly onError?: (error: unknown) => void
  /** Pause between two steps of an answer being written, in ms. Default 1,200: five changes in six seconds. */
  readonly editIntervalMs?: number
  /** Default Discord's. */
  readonly api?: string
  /** Default Discord's: attachments are read from nowhere else. */
  readonly files?: string
}

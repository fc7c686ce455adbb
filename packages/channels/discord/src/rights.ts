import { InvalidInput, type Namespace } from "@orra/core"
import { idsOf } from "./ids.ts"
import type { DiscordLinks } from "./links.ts"
import type { DiscordChannelOptions } from "./options.ts"

/** The one place that says who may talk to the bot, by message or command, and who may decide. */
export class Rights {
  readonly #allowed: ReadonlySet<string> | undefined
  readonly #approvers: ReadonlySet<string>
  readonly #links: DiscordLinks | undefined

  /** @throws InvalidInput for ids that are none, and for "dm" where nobody could be known. */
  constructor({
    filter,
    allowedUsers,
    approvers = [],
    links,
  }: Pick<DiscordChannelOptions, "filter" | "allowedUsers" | "approvers" | "links">) {
    this.#allowed = allowedUsers && idsOf("allowedUsers", allowedUsers)
    this.#approvers = idsOf("approvers", approvers)
    this.#links = links
    if (filter === "dm" && !allowedUsers && !links)
      throw new InvalidInput(
        'The filter "dm" needs `allowedUsers`, the ids of those who may write to the bot, or `links`.',
      )
  }

  mayTalk(userId: string): boolean {
    return this.#allowed?.has(userId) ?? true
  }

  /** Where only those are answered who are known: in private, and with "dm" everywhere. For whoever may talk at all. */
  async mayTalkPrivately(userId: string): Promise<boolean> {
    return this.#allowed !== undefined || !this.#links || (await this.#links.of(userId)) !== undefined
  }

  /** Whether somebody may decide what waits in a session. */
  async mayDecide(userId: string, session: Namespace): Promise<boolean> {
    if (this.#approvers.has(userId)) return true
    const person = await this.#links?.of(userId)
    return person?.decidesIn.some((each) => each.contains(session)) ?? false
  }
}

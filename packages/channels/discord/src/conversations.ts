import { type Json, type JsonObject, Namespace, type Records } from "@orra/core"

/** Where somebody writes: the server or "dm", the channel, and who. All are ids of Discord. */
export interface Whereabouts {
  readonly guildId: string | undefined
  readonly channelId: string
  readonly userId: string
}

/** What is remembered of somebody's conversations in a channel. */
interface Kept {
  /** How often a new one was begun. */
  readonly number: number
  /** The agent that was chosen. */
  readonly agent?: string
}

/** Which session somebody in a channel is in: `prefix:guild:channel:user`, and after `/new` a number behind it. */
export class Conversations {
  readonly #prefix: Namespace
  readonly #records: Records

  constructor(prefix: Namespace, records: Records) {
    this.#prefix = prefix
    this.#records = records
  }

  async current(where: Whereabouts): Promise<{
    readonly namespace: Namespace
    readonly agent: string | undefined
    readonly conversation: number
  }> {
    const { number, agent } = await this.#kept(where)
    return { namespace: this.numbered(where, number), agent, conversation: number }
  }

  numbered(where: Whereabouts, number: number): Namespace {
    const place = this.#placeOf(where)
    return number === 0 ? place : place.child(String(number))
  }

  /** Begins a new one. The old one stays as it is. */
  async begin(where: Whereabouts): Promise<void> {
    const kept = await this.#kept(where)
    await this.#keep(where, { ...kept, number: kept.number + 1 })
  }

  async choose(where: Whereabouts, agent: string): Promise<void> {
    await this.#keep(where, { ...(await this.#kept(where)), agent })
  }

  #placeOf(where: Whereabouts): Namespace {
    return personIn(this.#prefix, where)
  }

  async #kept(where: Whereabouts): Promise<Kept> {
    const record = await this.#records.get(this.#placeOf(where), "conversation")
    const { number, agent } = (record?.value ?? {}) as JsonObject
    return {
      number: typeof number === "number" ? number : 0,
      ...(typeof agent === "string" && { agent }),
    }
  }

  async #keep(where: Whereabouts, kept: Kept): Promise<void> {
    const value: Json = { number: kept.number, ...(kept.agent !== undefined && { agent: kept.agent }) }
    await this.#records.put(this.#placeOf(where), "conversation", value)
  }
}

/** Somebody in a channel. */
export const personIn = (prefix: Namespace, { guildId = "dm", channelId, userId }: Whereabouts): Namespace =>
  prefix.child(guildId, channelId, userId)

export const prefixOf = (prefix: string | Namespace): Namespace =>
  typeof prefix === "string" ? Namespace.parse(prefix) : prefix

import {
  everyItem,
  isObject,
  type JsonObject,
  messageText,
  type Namespace,
  type Records,
  type SessionStore,
} from "@orra/core"
import { personIn, type Whereabouts } from "./conversations.ts"

/** A message or a command that was taken, and is not answered yet. */
export interface Unanswered {
  readonly id: string
  readonly where: Whereabouts
  readonly conversation: number
}

/** Remembers what is not answered yet, so that a process that comes after a crash knows. */
export class UnansweredRecords {
  readonly #prefix: Namespace
  readonly #records: Records

  constructor(prefix: Namespace, records: Records) {
    this.#prefix = prefix
    this.#records = records
  }

  async add({ id, where, conversation }: Unanswered): Promise<void> {
    const { guildId, channelId, userId } = where
    await this.#records.put(personIn(this.#prefix, where), id, {
      channelId,
      userId,
      conversation,
      ...(guildId !== undefined && { guildId }),
    })
  }

  async remove({ id, where }: Pick<Unanswered, "id" | "where">): Promise<void> {
    await this.#records.delete(personIn(this.#prefix, where), id)
  }

  async all(): Promise<readonly Unanswered[]> {
    const found: Unanswered[] = []
    for await (const { key, value } of everyItem((page) =>
      this.#records.list(this.#prefix, { below: true, ...page }),
    ))
      if (isObject(value)) found.push(unansweredIn(key, value as JsonObject))
    return found
  }
}

function unansweredIn(id: string, { guildId, channelId, userId, conversation }: JsonObject): Unanswered {
  return {
    id,
    where: {
      guildId: typeof guildId === "string" ? guildId : undefined,
      channelId: String(channelId),
      userId: String(userId),
    },
    conversation: Number(conversation),
  }
}

/** What became of an input: it never came to the session, its run goes on or waits, or it ended with a text. */
export type Fate =
  | { readonly type: "unseen" }
  | { readonly type: "open" }
  | {
      readonly type: "ended"
      readonly runId: string
      readonly text: string
      readonly error: string | undefined
    }

const PAGE = 500

/** Looks through a session for what became of an input. */
export async function fateOf(store: SessionStore, namespace: Namespace, inputId: string): Promise<Fate> {
  let isSeen = false
  let text = ""
  for (let after = 0; ; ) {
    const page = await store.read(namespace, {
      types: ["user", "assistant", "run_finished"],
      after,
      limit: PAGE,
    })
    for (const entry of page) {
      if (entry.type === "user" && entry.inputId === inputId) isSeen = true
      else if (isSeen && entry.type === "assistant") text = messageText(entry.message)
      else if (isSeen && entry.type === "run_finished")
        return {
          type: "ended",
          runId: entry.runId,
          text,
          error: entry.outcome === "completed" ? undefined : (entry.error?.message ?? INTERRUPTED),
        }
    }
    const last = page.at(-1)
    if (page.length < PAGE || !last) return { type: isSeen ? "open" : "unseen" }
    after = last.seq
  }
}

const INTERRUPTED = "I was stopped in the middle of it. Ask me to go on."

import { type Entry, everyItem, type Namespace, type Runtime, readHistory } from "@orra/core"
import { fold, type Snippet, snippetOf, wordsOf } from "./fold.ts"

/** One message that was found. */
export interface MessageHit {
  readonly seq: number
  readonly at: number
  readonly role: "user" | "assistant"
  readonly snippet: Snippet
}

/** A chat that was found: its newest message with all the words, and how many there are. */
export interface ChatHit {
  readonly namespace: string
  readonly title: string
  readonly count: number
  readonly hit: MessageHit
}

interface Message {
  readonly seq: number
  readonly at: number
  readonly role: "user" | "assistant"
  readonly text: string
  readonly folded: string
}

interface Indexed {
  readonly version: number
  readonly title: string
  readonly updatedAt: number
  readonly messages: readonly Message[]
  readonly size: number
}

export interface ChatSearchLimits {
  /** Characters of one person's chats that are searched, the most recently used ones first. Default 40 million. */
  readonly characters?: number
  /** People whose texts are in memory at a time. Default 10. */
  readonly people?: number
}

const PAGE = 1_000
/** Of a longer message the rest is not searched, in characters. */
const MAX_MESSAGE = 200_000

/**
 * Finds what was said in somebody's chats. Their texts are read when they first search and are kept in memory; with
 * every search only what has changed since is read again, so what was deleted is never found, and nothing has to be
 * kept in step. All words have to be in a message, each anywhere, also inside of a word.
 */
export class ChatSearch {
  readonly #runtime: Runtime
  readonly #maxCharacters: number
  readonly #maxPeople: number
  readonly #people = new Map<string, Promise<ReadonlyMap<string, Indexed>>>()

  constructor(runtime: Runtime, { characters = 40_000_000, people = 10 }: ChatSearchLimits = {}) {
    this.#runtime = runtime
    this.#maxCharacters = characters
    this.#maxPeople = people
  }

  /** The chats below `person` with such a message, the one with the newest first. */
  async chats(person: Namespace, query: string, limit: number): Promise<readonly ChatHit[]> {
    const words = wordsOf(query)
    if (words.length === 0) return []
    const hits: { readonly chat: Indexed; readonly key: string; readonly found: readonly Message[] }[] = []
    for (const [key, chat] of await this.#read(person)) {
      const found = chat.messages.filter(({ folded }) => words.every((word) => folded.includes(word)))
      if (found.length > 0) hits.push({ chat, key, found })
    }
    const newest = ({ found }: (typeof hits)[number]): number => found.at(-1)?.at ?? 0
    return hits
      .sort((a, b) => newest(b) - newest(a))
      .slice(0, limit)
      .flatMap(({ chat, key, found }) => {
        const last = found.at(-1)
        return last
          ? [{ namespace: key, title: chat.title, count: found.length, hit: hitOf(last, words) }]
          : []
      })
  }

  /** The messages of one chat, the newest first. */
  async messages(
    person: Namespace,
    chat: Namespace,
    query: string,
    limit: number,
  ): Promise<readonly MessageHit[]> {
    const words = wordsOf(query)
    if (words.length === 0) return []
    const { messages = [] } = (await this.#read(person)).get(chat.key) ?? {}
    return messages
      .filter(({ folded }) => words.every((word) => folded.includes(word)))
      .slice(-limit)
      .reverse()
      .map((message) => hitOf(message, words))
  }

  /** What there is now. One reads at a time, so that two questions do not read the same twice. */
  async #read(person: Namespace): Promise<ReadonlyMap<string, Indexed>> {
    const before = this.#people.get(person.key) ?? Promise.resolve(new Map<string, Indexed>())
    const now = before.catch(() => new Map<string, Indexed>()).then((known) => this.#renewed(person, known))
    this.#people.delete(person.key)
    this.#people.set(person.key, now)
    for (const key of this.#people.keys()) {
      if (this.#people.size <= this.#maxPeople) break
      this.#people.delete(key)
    }
    return await now
  }

  async #renewed(
    person: Namespace,
    known: ReadonlyMap<string, Indexed>,
  ): Promise<ReadonlyMap<string, Indexed>> {
    const now = new Map<string, Indexed>()
    let left = this.#maxCharacters
    for await (const info of everyItem((page) => this.#runtime.list(person, page))) {
      const { namespace, version, updatedAt, metadata } = info
      // What agents do by themselves is in no list either.
      if (namespace.segments.slice(person.depth).some((segment) => segment.startsWith("~"))) continue
      const title = typeof metadata["title"] === "string" ? metadata["title"] : ""
      const old = known.get(namespace.key)
      const chat =
        old?.version === version
          ? old
          : { version, title, updatedAt, ...(await this.#messages(namespace, old?.messages ?? [])) }
      left -= chat.size
      if (left < 0) break
      now.set(namespace.key, chat)
    }
    return now
  }

  /** Reads back from the end until there is a message that is known: what comes before it never changes. */
  async #messages(
    namespace: Namespace,
    known: readonly Message[],
  ): Promise<Pick<Indexed, "messages" | "size">> {
    const places = new Map(known.map(({ seq }, index) => [seq, index]))
    let newer: Message[] = []
    let before: number | undefined
    for (;;) {
      const page = await readHistory(this.#runtime, namespace, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      })
      if (!page) break
      const read = page.entries.flatMap(messageOf)
      const first = read.findLastIndex(({ seq }) => places.has(seq))
      newer = [...read.slice(first + 1), ...newer]
      const joint = read[first]
      if (joint) {
        newer = [...known.slice(0, (places.get(joint.seq) ?? -1) + 1), ...newer]
        break
      }
      before = page.entries[0]?.seq
      if (!page.more || before === undefined) break
    }
    return { messages: newer, size: newer.reduce((sum, { text }) => sum + text.length, 0) }
  }
}

const hitOf = ({ seq, at, role, text }: Message, words: readonly string[]): MessageHit => ({
  seq,
  at,
  role,
  snippet: snippetOf(text, words),
})

function messageOf(entry: Entry): readonly Message[] {
  if (entry.type !== "user" && entry.type !== "assistant") return []
  // What Herald itself puts in to go on is not shown either.
  if (entry.type === "user" && entry.message.origin?.kind === "host") return []
  const parts: readonly { readonly type: string; readonly text?: string; readonly name?: string }[] =
    entry.message.parts
  const text = parts
    .flatMap((part) =>
      part.type === "text" ? [part.text ?? ""] : part.type === "file" ? [part.name ?? ""] : [],
    )
    .join("\n")
    .slice(0, MAX_MESSAGE)
  if (text.trim() === "") return []
  return [{ seq: entry.seq, at: entry.at, role: entry.type, text, folded: fold(text) }]
}

import { type Entry, type EntryType, everyItem, type Namespace, type Runtime, readHistory } from "@orra/core"
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

interface Texts {
  readonly messages: readonly Message[]
  readonly size: number
  /** It has gone back to an earlier message at least once. */
  readonly isBranched: boolean
}

interface Indexed extends Texts {
  readonly version: number
  readonly createdAt: number
  readonly title: string
}

export interface ChatSearchLimits {
  /** Characters of one person's chats that are searched, the most recently used ones first. Default 40 million. */
  readonly characters?: number
  /** People whose texts are in memory at a time. Default 10. */
  readonly people?: number
}

const PAGE = 1_000
const READ: readonly EntryType[] = ["user", "assistant", "rewind"]
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
      const { namespace, version, createdAt, metadata } = info
      // What agents do by themselves is in no list either.
      if (namespace.segments.slice(person.depth).some((segment) => segment.startsWith("~"))) continue
      const title = typeof metadata["title"] === "string" ? metadata["title"] : ""
      const before = known.get(namespace.key)
      // One that was made anew under the name of another has nothing of it.
      const old = before?.createdAt === createdAt ? before : undefined
      const chat =
        old?.version === version
          ? old
          : { version, createdAt, title, ...(await this.#messages(namespace, old)) }
      left -= chat.size
      if (left < 0) break
      now.set(namespace.key, chat)
    }
    return now
  }

  async #messages(namespace: Namespace, old: Indexed | undefined): Promise<Texts> {
    const known = old?.messages ?? []
    const newer = old?.isBranched ? undefined : await this.#appended(namespace, known.at(-1)?.seq ?? 0)
    const messages = newer ? [...known, ...newer] : await this.#path(namespace, known)
    const size = messages.reduce((sum, { text }) => sum + text.length, 0)
    return { messages, size, isBranched: newer === undefined }
  }

  /** What was said after an entry; undefined when the conversation went back since: then not all of it is shown. */
  async #appended(namespace: Namespace, after: number): Promise<readonly Message[] | undefined> {
    const messages: Message[] = []
    for (;;) {
      const entries = await this.#runtime.store.read(namespace, { types: READ, after, limit: PAGE })
      if (entries.some(({ type }) => type === "rewind")) return undefined
      messages.push(...entries.flatMap(messageOf))
      const last = entries.at(-1)
      if (entries.length < PAGE || !last) return messages
      after = last.seq
    }
  }

  /** Reads back from the end until there is a message that is known: what comes before it never changes. */
  async #path(namespace: Namespace, known: readonly Message[]): Promise<readonly Message[]> {
    const places = new Map(known.map(({ seq }, index) => [seq, index]))
    let newer: readonly Message[] = []
    let before: number | undefined
    for (;;) {
      const page = await readHistory(this.#runtime, namespace, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      })
      if (!page) return newer
      const read = page.entries.flatMap(messageOf)
      const first = read.findLastIndex(({ seq }) => places.has(seq))
      newer = [...read.slice(first + 1), ...newer]
      const joint = read[first]
      if (joint) return [...known.slice(0, (places.get(joint.seq) ?? -1) + 1), ...newer]
      before = page.entries[0]?.seq
      if (!page.more || before === undefined) return newer
    }
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

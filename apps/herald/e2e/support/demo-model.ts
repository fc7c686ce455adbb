import { call, say, think, type WireAnswer, type WireRequest } from "@orra/testing"

const HASH_TABLE = `A **hash table** keeps values under keys and finds them again without searching: it computes from the key where the value lies.

## How it works

1. A *hash function* turns the key into a number.
2. The number, modulo the size, names a **bucket**.
3. Two keys in one bucket are told apart by comparing them ([more on collisions](https://en.wikipedia.org/wiki/Hash_collision)).

\`\`\`typescript
class HashTable<V> {
  readonly #buckets: [string, V][][] = Array.from({ length: 64 }, () => [])

  set(key: string, value: V): void {
    const bucket = this.#bucket(key)
    const entry = bucket.find(([known]) => known === key)
    if (entry) entry[1] = value
    else bucket.push([key, value])
  }

  #bucket(key: string): [string, V][] {
    let hash = 2166136261 // FNV-1a
    for (const char of key) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619)
    return this.#buckets[Math.abs(hash) % 64]!
  }
}
\`\`\`

| Operation | Usual cost | Worst cost |
| --- | ---: | ---: |
| Insert | O(1) | O(n) |
| Look up | O(1) | O(n) |
| Remove | O(1) | O(n) |

> The worst case needs every key in one bucket. A good hash function makes that *very* unlikely.`

/** A message's text, whichever of the two services it was meant for. */
export function lastUserText({ body }: WireRequest): string {
  const messages = body["messages"] as readonly { readonly role: string; readonly content: unknown }[]
  for (const { role, content } of messages.toReversed()) {
    if (role !== "user") continue
    if (typeof content === "string") return content
    if (!Array.isArray(content)) continue
    const texts = (content as readonly { type: string; text?: string }[]).flatMap(({ type, text }) =>
      type === "text" && text !== undefined ? [text] : [],
    )
    if (texts.length > 0) return texts.join("\n")
  }
  return ""
}

export function hasResults({ body }: WireRequest): boolean {
  const last = (body["messages"] as readonly { readonly role: string; readonly content: unknown }[]).at(-1)
  if (last?.role === "tool") return true
  return (
    Array.isArray(last?.content) &&
    last.content.some((part: { type?: string }) => part.type === "tool_result")
  )
}

const words = (text: string) => say(...text.split(/(?<=\s)/))

/** Answers by what is asked, so that a person can try the page without a model. */
export function demoAnswer(request: WireRequest): WireAnswer {
  const text = lastUserText(request)
  if (/time/i.test(text)) {
    return hasResults(request)
      ? words(
          "It is the same moment everywhere, but the clocks differ: **Tokyo** is furthest ahead, and all three meet best at 16:00 in Berlin.",
        )
      : [
          think("The person wants three clocks. I will look them up at once."),
          say("Let me look at the clocks."),
          call("current_time", { zone: "Asia/Tokyo" }),
          call("current_time", { zone: "Europe/Berlin" }),
        ]
  }
  if (/hash/i.test(text)) return [think("An explanation with code and a table."), words(HASH_TABLE)]
  return words(`You said: ${text}`)
}

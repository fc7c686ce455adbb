import {
  addUsage,
  DEFAULT_PRICES,
  delegatedIn,
  type Entry,
  everyItem,
  type Namespace,
  NO_USAGE,
  NotFound,
  priceOf,
  type Runtime,
  readHistory,
  type SessionStore,
  type Usage,
} from "@orra/core"

/** What a chat has cost, and how much of the model's window it takes. */
export interface ChatUsage {
  /** USD of all its answers, also of those on other branches, and of what was handed on in it. */
  readonly usd: number
  /** Calls of models whose price is not known: they are not in `usd`. */
  readonly unpriced: number
  readonly context: {
    /** Tokens read and written by the last call: about what the next one begins with. Undefined before the first; an
     * estimate when it was summed up since. */
    readonly used: number | undefined
    /** What may be sent: the window without what is kept for the answer. */
    readonly available: number
    /** Of `used`, by length; the rest is instructions and the descriptions of tools. */
    readonly user: number
    readonly assistant: number
    readonly tools: number
  }
}

const PAGE = 1_000

/** @throws NotFound without such a session. */
export async function chatUsage(
  runtime: Runtime,
  namespace: Namespace,
  available: number,
): Promise<ChatUsage> {
  return { ...(await costOf(runtime, namespace)), context: await contextOf(runtime, namespace, available) }
}

/** What the answers of a chat have taken, with all that was handed on in it. */
async function costOf(runtime: Runtime, namespace: Namespace): Promise<Pick<ChatUsage, "usd" | "unpriced">> {
  let { usd, unpriced } = await takenIn(runtime.store, namespace)
  for await (const below of everyItem((page) => runtime.list(delegatedIn(namespace), page))) {
    const more = await takenIn(runtime.store, below.namespace)
    usd += more.usd
    unpriced += more.unpriced
  }
  return { usd, unpriced }
}

/** What the answers of one session have taken; calls of models without a known price are counted, not priced. */
export async function takenIn(
  store: SessionStore,
  namespace: Namespace,
): Promise<Pick<ChatUsage, "usd" | "unpriced"> & { readonly usage: Usage }> {
  let usage = NO_USAGE
  let usd = 0
  let unpriced = 0
  for (let after = 0; ; ) {
    const entries = await store.read(namespace, { types: ["assistant"], after, limit: PAGE })
    for (const entry of entries) {
      if (entry.type !== "assistant" || !entry.usage) continue
      usage = addUsage(usage, entry.usage)
      const { model } = entry.message
      if (entry.cost !== undefined && model !== undefined && priceOf(DEFAULT_PRICES, model).known)
        usd += entry.cost
      else unpriced++
    }
    const last = entries.at(-1)
    if (entries.length < PAGE || !last) return { usage, usd, unpriced }
    after = last.seq
  }
}

/** Characters to a token, about. Only the shares are shown by it. */
const CHARACTERS = 4

async function contextOf(
  runtime: Runtime,
  namespace: Namespace,
  available: number,
): Promise<ChatUsage["context"]> {
  const characters = { user: 0, assistant: 0, tools: 0 }
  let used: number | undefined
  // What is before it was summed up.
  let from = 0
  let before: number | undefined
  for (;;) {
    const page = await readHistory(runtime, namespace, {
      limit: PAGE,
      ...(before !== undefined && { before }),
    })
    if (!page) throw new NotFound("session")
    for (const entry of page.entries.toReversed()) {
      if (entry.seq < from) break
      if (entry.type === "compaction" && from === 0) {
        from = Math.max(1, entry.from)
        characters.assistant += entry.summary?.length ?? 0
      } else if (entry.type === "assistant" && entry.usage && from === 0)
        used ??= entry.usage.inputTokens + entry.usage.outputTokens
      count(entry, characters)
    }
    before = page.entries[0]?.seq
    // More than fits is not sent: the oldest is left out.
    if (!page.more || before === undefined || before < from || sum(characters) > available * CHARACTERS) break
  }
  // Right after it was summed up nobody has counted what is left.
  if (from > 0) used ??= Math.round(sum(characters) / CHARACTERS)
  // Estimates may come to more than what was counted; then they are shares of it.
  const scale =
    used === undefined ? 1 / CHARACTERS : Math.min(1 / CHARACTERS, used / Math.max(1, sum(characters)))
  const share = (value: number): number => Math.round(value * scale)
  return {
    used,
    available,
    user: share(characters.user),
    assistant: share(characters.assistant),
    tools: share(characters.tools),
  }
}

interface Characters {
  user: number
  assistant: number
  tools: number
}

const sum = ({ user, assistant, tools }: Characters): number => user + assistant + tools

/** What a picture counts as, in characters: about 1,500 tokens. */
const PICTURE = 6_000

function count(entry: Entry, sum: Characters): void {
  if (entry.type === "user") {
    for (const part of entry.message.parts) {
      if (part.type === "text") sum.user += part.text.length
      else sum.user += part.type === "image" ? PICTURE : Math.round((part.data.length * 3) / 4)
    }
  } else if (entry.type === "assistant") {
    for (const part of entry.message.parts) {
      if (part.type === "text") sum.assistant += part.text.length
      else if (part.type === "tool_call") sum.tools += JSON.stringify(part.arguments).length
    }
  } else if (entry.type === "tool_result") {
    for (const part of entry.result.content) sum.tools += part.type === "text" ? part.text.length : 0
  }
}

import { addUsage, type Namespace, NO_USAGE, type SessionStore } from "@orra/core"

const PAGE = 500

/** What a conversation has used so far, in words. */
export async function usageIn(store: Pick<SessionStore, "read">, namespace: Namespace): Promise<string> {
  let used = NO_USAGE
  let runs = 0
  for (let after = 0; ; ) {
    const page = await store.read(namespace, { types: ["run_finished"], after, limit: PAGE })
    for (const entry of page) {
      if (entry.type !== "run_finished") continue
      used = addUsage(used, entry.usage)
      runs++
    }
    const last = page.at(-1)
    if (page.length < PAGE || !last) break
    after = last.seq
  }
  const read = used.inputTokens + used.cacheReadTokens + used.cacheWriteTokens
  return `${runs} answers, ${read} tokens read, ${used.outputTokens} written.`
}

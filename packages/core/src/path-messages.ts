import { pathBack } from "./branches.ts"
import type { Entry, EntryType } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { SessionStore } from "./store.ts"

/** The entries that are messages of the transcript. */
export const MESSAGES: readonly EntryType[] = ["user", "assistant", "tool_result"]

/** Those of the entries `seqs` that are messages of the current branch, oldest first. */
export async function readMessages(
  store: SessionStore,
  log: SessionLog,
  seqs: readonly number[],
): Promise<readonly Entry[]> {
  const found: Entry[] = []
  const path = seqs.length > 0 ? [...pathBack(log.stretches, log.tip)] : []
  for (const seq of seqs.toSorted((a, b) => a - b)) {
    if (!path.some(({ from, to }) => from <= seq && seq <= to)) continue
    found.push(...(await store.read(log.namespace, { after: seq - 1, before: seq + 1, types: MESSAGES })))
  }
  return found
}

import {
  type Entry,
  InvalidInput,
  type Namespace,
  type NewEntry,
  NotFound,
  type Runtime,
  readHistory,
  SessionBusy,
} from "@orra/core"

const LEASE_MS = 60_000
const PAGE = 1_000
/** What makes up a conversation. The rest is about the old session. */
const COPIED = new Set<Entry["type"]>([
  "user",
  "run_started",
  "assistant",
  "tool_intent",
  "approval_request",
  "approval_decision",
  "tool_result",
  "run_finished",
])

/**
 * Begins another chat with a copy of this one, up to the end of the answer that the entry `seq` belongs to. What was
 * read from strangers stays marked in the copy. The new one has all of it or does not exist.
 *
 * @throws InvalidInput when no finished answer is there; SessionBusy when `to` is being written.
 */
export async function forkChat(runtime: Runtime, from: Namespace, seq: number, to: Namespace): Promise<void> {
  const path = await entriesUpTo(runtime, from, seq)
  const { store } = runtime
  const info = await runtime.info(from)
  const { title, folder } = info?.metadata ?? {}
  const lease = await store.acquire(to, "fork", LEASE_MS)
  if (!lease) throw new SessionBusy()
  try {
    const at = path.at(-1)?.at ?? 0
    const meta: NewEntry = {
      type: "meta",
      at,
      patch: {
        forkedFrom: from.key,
        ...(typeof title === "string" && { title: nextTitle(title) }),
        ...(typeof folder === "string" && { folder }),
      },
    }
    await store.append(to, [meta, ...path.map(({ seq: _, ...entry }) => entry as NewEntry)], {
      expected: 0,
      lease,
    })
  } finally {
    await store.release(lease)
  }
}

/** "Tea", "Tea (2)", "Tea (3)". */
function nextTitle(title: string): string {
  const [, name = title, number = "1"] = /^(.*) \((\d+)\)$/.exec(title) ?? []
  return `${name} (${Number(number) + 1})`
}

async function entriesUpTo(runtime: Runtime, from: Namespace, seq: number): Promise<readonly Entry[]> {
  let entries: readonly Entry[] = []
  for (;;) {
    const before = entries[0]?.seq
    const page = await readHistory(runtime, from, {
      limit: PAGE,
      ...(before !== undefined && { before }),
    })
    if (!page) throw new NotFound("session")
    entries = [...page.entries, ...entries]
    if (!page.more) break
  }
  const chosen = entries.find((entry) => entry.seq === seq)
  const runId = chosen && "runId" in chosen ? chosen.runId : undefined
  const end = entries.findLastIndex((entry) => entry.type === "run_finished" && entry.runId === runId)
  if (runId === undefined || end < 0)
    throw new InvalidInput('"seq" must be an entry of an answer that is finished, on the current branch.')
  return entries.slice(0, end + 1).filter(({ type }) => COPIED.has(type))
}

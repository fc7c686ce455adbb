import { childrenOf, newestThrough, parentOf, pathBack, type Stretch, tipOf } from "./branches.ts"
import { InvalidInput } from "./errors.ts"
import type { Namespace } from "./namespace.ts"
import { readPathBack } from "./read-back.ts"
import type { Fork, History } from "./run.ts"
import type { Runtime } from "./runtime.ts"
import type { Entry, EntryType } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { SessionStore } from "./store.ts"

/** What a transcript shows. The rest of the log is about the session, not in it. */
const SHOWN: readonly EntryType[] = [
  "user",
  "assistant",
  "tool_intent",
  "tool_result",
  "approval_request",
  "approval_decision",
  "run_started",
  "run_finished",
  "compaction",
  "budget",
  "delta",
]

/** Deltas of an answer being written can be many; they do not count towards the window. */
const PAGE = 200

/**
 * A window of a session's transcript on its current branch, oldest first: the newest `limit` (default 200, at most
 * 1,000) entries, or those before the entry `before`. Undefined without such a session.
 *
 * ```ts
 * const { entries, more } = (await readHistory(runtime, chat, { limit: 50 })) ?? { entries: [], more: false }
 * ```
 *
 * @throws InvalidInput for a number that is not whole.
 */
export async function readHistory(
  { store, internals }: Runtime,
  namespace: Namespace,
  options: { readonly before?: number; readonly limit?: number } = {},
): Promise<History | undefined> {
  const log = await internals.logs.open(namespace)
  await log.refresh()
  const { info, stretches: all } = log
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !Number.isInteger(value))
      throw new InvalidInput(`"${name}" of a window is a whole number.`)
  }
  if (!info) return undefined
  const limit = Math.min(Math.max(options.limit ?? PAGE, 1), 1_000)
  const tip = options.before === undefined ? tipOf(all) : parentOf(all, options.before)
  const entries: Entry[] = []
  let counted = 0
  let more = false
  for await (const entry of readPathBack(store, log.namespace, SHOWN, PAGE, all, tip)) {
    if (counted >= limit) {
      more = true
      break
    }
    entries.push(entry)
    if (entry.type !== "delta") counted++
  }
  entries.reverse()
  const queued = options.before === undefined ? log.inputs : []
  const { pins } = log
  return { info, entries, more, queued, pins, forks: await forksIn(store, log, all, entries) }
}

/** The forks that the window touches: those after an entry on its path, and the one it begins with. */
async function forksIn(
  store: SessionStore,
  log: SessionLog,
  all: readonly Stretch[],
  entries: readonly Entry[],
): Promise<readonly Fork[]> {
  if (all.length < 2) return []
  const first = entries[0]
  const last = entries.at(-1)
  if (!first || !last) return []
  const ranges = [...pathBack(all, tipOf(all))]
  const forks: Fork[] = []
  for (const parent of new Set(all.slice(1).map((stretch) => stretch.parent))) {
    if (parent < parentOf(all, first.seq) || parent > last.seq) continue
    const branches: { first: number; tip: number }[] = []
    for (const child of childrenOf(all, parent)) {
      const tip = newestThrough(all, child)
      if (await hasTranscript(store, log, all, child)) branches.push({ first: child, tip })
    }
    const current = branches.findIndex((branch) =>
      ranges.some((range) => range.from <= branch.first && branch.first <= range.to),
    )
    if (branches.length > 1 && current >= 0) forks.push({ after: parent, branches, current })
  }
  return forks.sort((a, b) => a.after - b.after)
}

/** A stretch may hold nothing but a change of title: then it is no way the conversation took. */
async function hasTranscript(
  store: SessionStore,
  log: SessionLog,
  all: readonly Stretch[],
  first: number,
): Promise<boolean> {
  const end = all.find((stretch) => stretch.start <= first && first <= stretch.end)?.end ?? first
  const found = await store.read(log.namespace, {
    after: first - 1,
    before: end + 1,
    limit: 1,
    types: ["user", "run_started"],
  })
  return found.length > 0
}

/** The person's message that the entry `seq` is, or answers. */
export async function userEntryBefore(
  store: SessionStore,
  log: SessionLog,
  seq: number,
): Promise<number | undefined> {
  if (!Number.isInteger(seq) || seq < 1 || seq > log.version) return undefined
  for await (const { seq: at, message } of readPathBack(
    store,
    log.namespace,
    ["user"],
    20,
    log.stretches,
    seq,
  )) {
    if (message.origin?.kind !== "host") return at
  }
  return undefined
}

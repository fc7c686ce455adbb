import { pathBack } from "./branches.ts"
import { InvalidInput, NotFound, OrraError } from "./errors.ts"
import type { Entry, EntryType, NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { ReadOptions, SessionStore } from "./store.ts"

/** The entries that are messages of the transcript. */
const MESSAGES: readonly EntryType[] = ["user", "assistant", "tool_result"]
const PAGE = 50

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

/**
 * Pins the message `seq`, or the whole step it belongs to: an answer with the results of all its calls.
 *
 * @throws NotFound when it is no message of the current branch; InvalidInput while a call of it has no result yet;
 *   OrraError (`pins_full`) when all pins together were more than `maxTokens`.
 */
export async function pin(
  store: SessionStore,
  log: SessionLog,
  seq: number,
  maxTokens: number,
): Promise<void> {
  const step = await stepOf(store, log, seq)
  const seqs = step.map((entry) => entry.seq)
  if (log.openRun?.unanswered.size && seqs.at(-1) === log.view.at(-1)?.seq) {
    throw new InvalidInput("This answer waits for the results of its calls: pin it when they are there.")
  }
  const tokens = step.reduce((sum, entry) => sum + (log.itemOf(entry)?.tokens ?? 0), 0)
  await log.append(() => {
    if (log.pinned(seq)) return undefined
    const pins = [...log.pins, { seqs, tokens }]
    const all = pins.reduce((sum, entry) => sum + entry.tokens, 0)
    if (all > maxTokens) {
      throw new OrraError(
        "pins_full",
        `All that is pinned would be about ${all} tokens, and ${maxTokens} may be: unpin something first.`,
        { tokens: all, available: maxTokens },
      )
    }
    return [{ type: "pin", at: Date.now(), pins }]
  })
}

/** The entry that lets go of a pin; undefined when there is none. */
export const withoutPin = (log: SessionLog, seq: number): readonly NewEntry[] | undefined =>
  log.pinned(seq)
    ? [{ type: "pin", at: Date.now(), pins: log.pins.filter(({ seqs }) => !seqs.includes(seq)) }]
    : undefined

/** The entries of the step that `seq` belongs to, on the current branch. */
async function stepOf(store: SessionStore, log: SessionLog, seq: number): Promise<readonly Entry[]> {
  const [entry] = Number.isInteger(seq) ? await readMessages(store, log, [seq]) : []
  if (!entry) throw new NotFound("message")
  const step = [entry]
  if (entry.type === "tool_result") {
    for await (const earlier of messagesFrom(store, log, seq, "backward")) {
      step.unshift(earlier)
      if (earlier.type !== "tool_result") break
    }
  }
  if (entry.type !== "user") {
    for await (const later of messagesFrom(store, log, seq, "forward")) {
      if (later.type !== "tool_result") break
      step.push(later)
    }
  }
  return step
}

/** The messages of the current branch before or after one of them. */
async function* messagesFrom(
  store: SessionStore,
  log: SessionLog,
  seq: number,
  direction: NonNullable<ReadOptions["direction"]>,
): AsyncGenerator<Entry> {
  const isForward = direction === "forward"
  const path = [...pathBack(log.stretches, log.tip)]
  for (const { from, to } of isForward ? path.reverse() : path) {
    let after = isForward ? Math.max(from - 1, seq) : from - 1
    let before = isForward ? to + 1 : Math.min(to + 1, seq)
    while (after + 1 < before) {
      const page = await store.read(log.namespace, { after, before, types: MESSAGES, direction, limit: PAGE })
      yield* page
      const last = page.at(-1)
      if (!last || page.length < PAGE) break
      if (isForward) after = last.seq
      else before = last.seq
    }
  }
}

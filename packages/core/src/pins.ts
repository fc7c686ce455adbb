import { pathBack } from "./branches.ts"
import { availableForInput } from "./context.ts"
import { InvalidInput, NotFound, OrraError } from "./errors.ts"
import type { Namespace } from "./namespace.ts"
import { MESSAGES, readMessages } from "./path-messages.ts"
import type { Runtime } from "./runtime.ts"
import type { Entry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { ReadOptions, SessionStore } from "./store.ts"

const PAGE = 50

/**
 * Keeps a message in the model's sight whatever is cut or summed up: `seq` is its entry. Of an answer with calls, or of
 * one of their results, the whole step is kept. `history` says what is pinned.
 *
 * ```ts
 * const { entries } = (await readHistory(runtime, chat)) ?? { entries: [] }
 * await pin(runtime, chat, entries[0]?.seq ?? 0)
 * ```
 *
 * @throws NotFound when it is no message of the current branch; InvalidInput while its calls have no results yet;
 *   OrraError (`pins_full`) when all that is pinned would take more than `context.pinnedShare` of what is available.
 */
export async function pin({ store, internals }: Runtime, namespace: Namespace, seq: number): Promise<void> {
  const log = await internals.logs.existing(namespace)
  const { budget } = internals.settings
  const maxTokens = Math.floor(availableForInput(budget) * budget.pinnedShare)
  const step = await stepOf(store, log, seq)
  const seqs = step.map((entry) => entry.seq)
  const tokens = step.reduce((sum, entry) => sum + (log.itemOf(entry)?.tokens ?? 0), 0)
  await log.append(() => {
    // Here and not before: a result may have come since the step was read.
    const { view } = log
    const end = view.findIndex((item) => item.seq === seqs.at(-1))
    const isOpen = end === view.length - 1 && log.openRun?.unanswered.size
    if (isOpen || (end >= 0 && view[end + 1]?.message.role === "tool")) {
      throw new InvalidInput("This answer waits for the results of its calls: pin it when they are there.")
    }
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

/** Lets go of what `pin` has kept. @returns false when it was not pinned. @throws NotFound without such a session. */
export async function unpin({ internals }: Runtime, namespace: Namespace, seq: number): Promise<boolean> {
  const log = await internals.logs.existing(namespace)
  const written = await log.append(() =>
    log.pinned(seq)
      ? [{ type: "pin", at: Date.now(), pins: log.pins.filter(({ seqs }) => !seqs.includes(seq)) }]
      : undefined,
  )
  return written.length > 0
}

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

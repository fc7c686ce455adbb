import type { Entry, Fork, Notice } from "@orra/core"
import type { HistoryPage } from "../api/types.ts"
import { addEntry, type Item, reuse } from "./items.ts"

/** Everything the page knows of one chat: a pure function of the history read and the events received. */
export interface ChatView {
  /** The newest entry seen: what a lost connection resumes after. */
  readonly cursor: number
  /** The current branch as far as it is loaded, oldest first; the deltas of one draft are joined. */
  readonly entries: readonly Entry[]
  readonly items: readonly Item[]
  /** True when older messages can be loaded. */
  readonly hasMore: boolean
  readonly forks: readonly Fork[]
  readonly queued: readonly Entry<"input">[]
  readonly openRun?: string
  readonly metadata: Readonly<Record<string, unknown>>
  /** The conversation took another way: the history has to be read again. Events until then are kept here. */
  readonly stale?: readonly Entry[]
  /** What goes on and is not stored: a retry, a tool's progress. */
  readonly retry?: Extract<Notice, { type: "retry" }>
  readonly progress: Readonly<Record<string, string>>
  readonly failure?: Extract<Notice, { type: "failure" }>
}

export const EMPTY_VIEW: ChatView = {
  cursor: 0,
  entries: [],
  items: [],
  hasMore: false,
  forks: [],
  queued: [],
  metadata: {},
  progress: {},
}

export type ViewAction =
  | { readonly type: "history"; readonly page: HistoryPage }
  | { readonly type: "older"; readonly page: HistoryPage }
  | { readonly type: "event"; readonly event: Entry | Notice }

export function reduceView(view: ChatView, action: ViewAction): ChatView {
  switch (action.type) {
    case "history":
      return withHistory(view, action.page)
    case "older":
      return withOlder(view, action.page)
    case "event":
      return "seq" in action.event ? withEntry(view, action.event) : withNotice(view, action.event)
  }
}

function withHistory(view: ChatView, page: HistoryPage): ChatView {
  // A history older than what was seen would take messages back from the screen.
  if (!view.stale && page.info.version < view.cursor) return view
  const entries = page.entries.reduce(withJoined, [])
  const { openRun } = page.info
  const fresh: ChatView = {
    cursor: page.info.version,
    entries,
    items: reuse(entries.reduce(addEntry, []), view.items),
    hasMore: page.more,
    forks: page.forks,
    queued: page.queued,
    metadata: page.info.metadata,
    progress: view.progress,
    ...(openRun !== undefined && { openRun }),
  }
  return (view.stale ?? []).reduce(withEntry, fresh)
}

function withOlder(view: ChatView, page: HistoryPage): ChatView {
  const first = view.entries[0]
  const older = first ? page.entries.filter((entry) => entry.seq < first.seq) : page.entries
  const entries = [...older, ...view.entries]
  const known = new Set(view.forks.map((fork) => fork.after))
  return {
    ...view,
    entries,
    items: reuse(entries.reduce(addEntry, []), view.items),
    hasMore: page.more,
    forks: [...page.forks.filter((fork) => !known.has(fork.after)), ...view.forks],
  }
}

/** Idempotent: an entry that was seen changes nothing. */
function withEntry(view: ChatView, entry: Entry): ChatView {
  if (entry.seq <= view.cursor) return view
  const next: ChatView = {
    ...applied({ ...view, cursor: entry.seq }, entry),
    ...(view.stale && { stale: [...view.stale, entry] }),
  }
  if (entry.type !== "rewind") return next
  const kept = view.entries.filter(({ seq }) => seq <= entry.to)
  return {
    ...next,
    entries: kept,
    items: reuse(kept.reduce(addEntry, []), view.items),
    stale: next.stale ?? [entry],
  }
}

function applied(view: ChatView, entry: Entry): ChatView {
  switch (entry.type) {
    case "user": {
      const queued = view.queued.filter(({ inputId }) => inputId !== entry.inputId)
      return withShown({ ...view, queued: queued.length < view.queued.length ? queued : view.queued }, entry)
    }
    case "run_started": {
      const { failure: _, retry: __, ...rest } = view
      return withShown({ ...rest, openRun: entry.runId, progress: {} }, entry)
    }
    case "run_finished": {
      const { openRun: _, retry: __, ...rest } = view
      return withShown(rest, entry)
    }
    case "delta":
    case "assistant": {
      const { retry: _, ...rest } = view
      return withShown(rest, entry)
    }
    case "tool_intent":
    case "tool_result":
    case "approval_request":
    case "approval_decision":
      return withShown(view, entry)
    case "input":
      return { ...view, queued: [...view.queued, entry] }
    case "input_cancelled":
      return { ...view, queued: view.queued.filter(({ inputId }) => inputId !== entry.inputId) }
    case "meta":
      return { ...view, metadata: merged(view.metadata, entry.patch) }
    // The rest is about the session, not in it.
    default:
      return view
  }
}

const withShown = (view: ChatView, entry: Entry): ChatView => ({
  ...view,
  entries: withJoined(view.entries, entry),
  items: addEntry(view.items, entry),
})

/** Adds an entry; a delta joins the one before it, and a whole message takes the place of its drafts. */
function withJoined(entries: readonly Entry[], entry: Entry): Entry[] {
  const last = entries.at(-1)
  if (entry.type === "delta" && last?.type === "delta" && last.messageId === entry.messageId) {
    return [...entries.slice(0, -1), { ...last, seq: entry.seq, pieces: joined(last.pieces, entry.pieces) }]
  }
  if (entry.type === "assistant") {
    const isDraft = (before: Entry): boolean =>
      before.type === "delta" && before.messageId === entry.messageId
    return [...entries.filter((before) => !isDraft(before)), entry]
  }
  return [...entries, entry]
}

type Pieces = Entry<"delta">["pieces"]

function joined(before: Pieces, more: Pieces): Pieces {
  const pieces = [...before]
  for (const piece of more) {
    const last = pieces.at(-1)
    if (last && last.type !== "tool_call" && last.type === piece.type) {
      pieces[pieces.length - 1] = { ...last, text: last.text + piece.text }
    } else pieces.push(piece)
  }
  return pieces
}

function merged(
  metadata: Readonly<Record<string, unknown>>,
  patch: object,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries({ ...metadata, ...patch }).filter(([, value]) => value !== null))
}

function withNotice(view: ChatView, notice: Notice): ChatView {
  switch (notice.type) {
    case "retry":
      return { ...view, retry: notice }
    case "progress":
      return { ...view, progress: { ...view.progress, [notice.callId]: notice.text } }
    case "failure": {
      const { openRun: _, ...rest } = view
      return { ...rest, failure: notice }
    }
  }
}

import { type Entry, InvalidInput, type JsonObject, type Namespace } from "@orra/core"
import type { HeraldStore } from "../data/store.ts"
import {
  type Activity,
  activityOf,
  auditActivity,
  entryTypes,
  KINDS,
  type Kind,
  type Verdict,
  withEnd,
} from "./events.ts"
import { inOrder, newestFirst, type Position, type Source } from "./newest-first.ts"
import { type Found, sessionSources } from "./session-source.ts"

/** Of what happened, what somebody wants to see. */
export interface Wanted {
  /** Nothing else is looked at: whoever asks may see all that is below. */
  readonly roots: readonly Namespace[]
  readonly kind?: Kind
  readonly tool?: string
  readonly verdict?: Verdict
  /** From then, and before then; ms since 1970. */
  readonly since?: number
  readonly until?: number
}

export interface Happened {
  readonly position: Position
  readonly namespace: Namespace
  readonly activity: Activity
}

/** Entries that are looked at for one page: where little is found it is shorter, and there is more. */
const MAX_LOOKED_AT = 5_000
/** Links of the audit that are read at first, and at most at a time. */
const FIRST = 4
const PAGE = 64
/** After every key that a namespace can have. */
const LAST_KEY = "\uffff"

/**
 * What happened, the newest first, from the logs of the sessions and what the audit has besides; from `from` on. Each page
 * reads no more of a log than it shows.
 *
 * @returns up to `limit` of it, and where the next page begins when there may be more.
 */
export async function activityPage(
  store: HeraldStore,
  wanted: Wanted,
  limit: number,
  from?: Position,
): Promise<{ readonly items: readonly Happened[]; readonly next?: Position }> {
  const { roots, since = 0, until } = wanted
  const start = from ?? (until === undefined ? undefined : { at: until, key: LAST_KEY, seq: 0 })
  const kinds = kindsOf(wanted)
  const types = entryTypes(kinds)
  const lists = roots.flatMap((root) => [
    ...(types.length > 0 ? [sessionSources(store, root, types, start)] : []),
    auditSources(store, root, start),
  ])
  const items: Happened[] = []
  let lookedAt = 0
  for await (const found of newestFirst<Found<Entry | AuditEvent>>(lists)) {
    const { at, key, seq, namespace, what } = found
    if (at < since) return { items }
    const position = { at, key, seq }
    const isAudit = what.type === "audit"
    const activity = isAudit ? auditActivity(namespace, what.event) : await activityOf(store, namespace, what)
    if (activity && isWanted(wanted, kinds, activity)) {
      const whole = isAudit ? activity : await withEnd(store, namespace, seq, activity)
      if (whole) items.push({ position, namespace, activity: whole })
    }
    if (items.length === limit || ++lookedAt === MAX_LOOKED_AT) return { items, next: position }
  }
  return { items }
}

/** Tools and what is decided of them are of two kinds. */
function kindsOf({ kind, tool, verdict }: Wanted): readonly Kind[] {
  if (kind !== undefined) return [kind]
  return tool === undefined && verdict === undefined ? KINDS : ["tool", "approval"]
}

const isWanted = ({ tool, verdict }: Wanted, kinds: readonly Kind[], activity: Activity): boolean =>
  kinds.includes(activity.kind) &&
  (tool === undefined || activity.tool === tool) &&
  (verdict === undefined || activity.verdict === verdict)

/** An event that is in the audit alone. */
interface AuditEvent {
  readonly type: "audit"
  readonly event: JsonObject
}

/** What the audit has and no session's log: of people, of Herald itself, and of chats that were deleted. */
async function* auditSources(
  { audit }: HeraldStore,
  root: Namespace,
  from: Position | undefined,
): AsyncGenerator<Source<Found<AuditEvent>>, void, undefined> {
  for (const { namespace } of await audit.heads(root, { withoutSession: true }))
    yield { bound: Number.POSITIVE_INFINITY, read: () => inOrder(eventsOf(audit, namespace), from) }
}

async function* eventsOf(
  audit: HeraldStore["audit"],
  namespace: Namespace,
): AsyncGenerator<Found<AuditEvent>, void, undefined> {
  const { key } = namespace
  let before: number | undefined
  for (let limit = FIRST; ; limit = Math.min(2 * limit, PAGE)) {
    const links = await audit.newest(namespace, { limit, ...(before !== undefined && { before }) })
    for (const { link, events } of links) {
      for (const [index, event] of [...events.entries()].reverse()) {
        // In one link are the events of one transaction.
        const seq = link + index / events.length
        yield { at: Number(event["at"]), key, seq, namespace, what: { type: "audit", event } }
      }
    }
    before = links.at(-1)?.link
    if (before === undefined || links.length < limit) return
  }
}

export const cursorOf = ({ at, key, seq }: Position): string => JSON.stringify([at, key, seq])

/** @throws InvalidInput for what `cursorOf` never made. */
export function positionOf(cursor: string): Position {
  try {
    const [at, key, seq] = JSON.parse(cursor) as readonly unknown[]
    if (typeof at === "number" && typeof key === "string" && typeof seq === "number") return { at, key, seq }
  } catch {
    // No JSON at all.
  }
  throw new InvalidInput("This is not a cursor of this list: start again without one.")
}

import { describe, type Entry, keyOf, type Lease, type Namespace, type SessionInfo } from "@orra/core"
import { sql as raw } from "kysely"
import { type Operation, run } from "./operation.ts"
import { currentMs, sql } from "./schema.ts"
import { toColumn } from "./session-row.ts"
import { type SqlValue, type Statement, statement } from "./statement.ts"

/** Stands for what is not known of a session without reading it. */
const UNKNOWN = {
  time: Number.MIN_SAFE_INTEGER,
  run: "\0",
  waiting: { since: 0, approvals: 0 },
  metadata: {},
} as const

type Column = "version" | "messages" | "updated_at" | "open_run" | "waiting"

/** Columns of a session's row and their new values; of `messages` how many more there are. */
export type Changes = readonly (readonly [column: Column, value: SqlValue])[]

/**
 * What entries change of the summary of a session that nobody has read, found by describing them after one of which
 * nothing is known. Undefined where that depends on the one before in more than a count.
 */
export function changesOf(namespace: Namespace, entries: readonly Entry[]): Changes | undefined {
  let after: SessionInfo = {
    namespace,
    version: 0,
    createdAt: UNKNOWN.time,
    updatedAt: UNKNOWN.time,
    messages: 0,
    openRun: UNKNOWN.run,
    waiting: UNKNOWN.waiting,
    metadata: UNKNOWN.metadata,
  }
  for (const entry of entries) {
    if (entry.type === "approval_decision") return undefined
    after = describe(namespace, after, entry)
  }
  const { version, messages, updatedAt, openRun, waiting, metadata } = after
  if (metadata !== UNKNOWN.metadata) return undefined
  const changes: [Column, SqlValue][] = [["version", version]]
  if (messages > 0) changes.push(["messages", messages])
  if (updatedAt !== UNKNOWN.time) changes.push(["updated_at", updatedAt])
  if (openRun !== UNKNOWN.run) changes.push(["open_run", toColumn(openRun)])
  if (waiting !== UNKNOWN.waiting) changes.push(["waiting", waiting ? JSON.stringify(waiting) : null])
  return changes
}

type Parameters = Readonly<Record<Column | "ns" | "expected" | "token", SqlValue>>

interface Update {
  readonly ns: string
  readonly changes: Changes
  readonly expected: number
  readonly lease: Lease | undefined
}

/** One for each set of columns. */
const updates = new Map<string, Statement<Update, unknown>>()

function updateFor({ changes, lease }: Update): Statement<Update, unknown> {
  let kind = lease ? "leased" : ""
  for (const [column] of changes) kind += column
  const made = updates.get(kind) ?? makeUpdate(changes, lease !== undefined)
  updates.set(kind, made)
  return made
}

function makeUpdate(changes: Changes, isLeased: boolean): Statement<Update, unknown> {
  const { text } = statement((p: Parameters) => {
    const set = changes.map(([name]) => [name, name === "messages" ? raw`messages + ${p.messages}` : p[name]])
    const update = sql
      .updateTable("sessions")
      .set(Object.fromEntries(set))
      .where("ns", "=", p.ns as string)
      .where("version", "=", p.expected as number)
    if (!isLeased) return update
    // Nobody else gets the lease until this transaction has ended.
    const held = sql
      .selectFrom("leases as held")
      .select("token")
      .where("held.ns", "=", p.ns as string)
      .where("token", "=", p.token as number)
      .where("expires_at", ">", currentMs)
      .forShare()
    return update.where(({ exists }) => exists(held))
  })
  return {
    text,
    bind({ ns, changes, expected, lease }) {
      const values = changes.map(([, value]) => value)
      values.push(ns, expected)
      if (lease) values.push(ns, lease.token)
      return values
    },
  }
}

/** Changes the summary of a session without reading it. False when nothing was: its version or lease is another. */
export function* change(
  namespace: Namespace,
  changes: Changes,
  expected: number,
  lease: Lease | undefined,
): Operation<boolean> {
  const update: Update = { ns: keyOf(namespace), changes, expected, lease }
  return (yield* run(updateFor(update), update)) > 0
}

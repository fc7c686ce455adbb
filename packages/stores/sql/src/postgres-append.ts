import { type AppendOptions, describe, keyOf, type Namespace, needsLease, type SessionInfo } from "@orra/core"
import type { Link } from "./audit-chain.ts"
import { isAsking } from "./lease-table.ts"
import { all, type Operation } from "./operation.ts"
import type { AtOnce } from "./postgres.ts"
import { type Draft, firstEntries, numbered, toRow } from "./session-tables.ts"
import type { SqlValue } from "./statement.ts"

/** More entries than this take the general way. */
const MAX_ROWS = 16

/** Stands for what is not known of a session without reading it. */
const UNKNOWN = {
  time: Number.MIN_SAFE_INTEGER,
  run: "\0",
  waiting: { since: 0, approvals: 0 },
  metadata: {},
} as const

/**
 * All of an append as one statement, so one round trip: it checks the lease and the version, writes the summary and the
 * entries, and writes nothing when a check fails. Undefined for an append whose summary depends on the one before in
 * more than a count, and for one that is refused anyway.
 */
export function appendStatement(
  namespace: Namespace,
  drafts: readonly Draft[],
  { expected, lease, dropDeltas }: AppendOptions,
  link: Link | undefined,
): AtOnce | undefined {
  if (drafts.length === 0 || drafts.length > MAX_ROWS) return undefined
  const guarded = dropDeltas !== undefined || drafts.some(({ entry }) => needsLease(entry))
  if (guarded && !lease) return undefined
  const values: SqlValue[] = []
  const parameter = (value: SqlValue): string =>
    `$${values.push(value)}::${typeof value === "number" ? "bigint" : "text"}`

  const ns = parameter(keyOf(namespace))
  const session = expected === 0 ? inserted(namespace, drafts) : updated(namespace, drafts, expected)
  if (!session) return undefined
  const parts: string[] = []
  if (guarded && lease) {
    const token = parameter(lease.token)
    // Nobody else gets the lease until this is committed.
    parts.push(
      `held AS (SELECT FROM leases WHERE ns = ${ns} AND token = ${token} AND expires_at > current_ms() FOR SHARE)`,
    )
  }
  const asking = isAsking(drafts.map(({ entry }) => entry))
  // As `leave` does it. The count makes it the first thing to be done.
  if (asking) parts.push(`marked AS (${LEAVE} VALUES (${ns}, 0, '', 0) ${UNLESS_HELD} RETURNING 1)`)
  const conditions = [
    ...(guarded ? ["EXISTS (SELECT FROM held)"] : []),
    ...(asking ? ["(SELECT count(*) FROM marked) >= 0"] : []),
  ]
  const condition = conditions.join(" AND ") || "true"
  parts.push(`session AS (${session(ns, parameter, condition)} RETURNING 1)`)
  if (dropDeltas) {
    const range = `seq BETWEEN ${parameter(dropDeltas.from)} AND ${parameter(dropDeltas.to)}`
    parts.push(
      `dropped AS (DELETE FROM entries WHERE ns = ${ns} AND ${range} AND type = 'delta' AND EXISTS (SELECT FROM session))`,
    )
  }
  if (link) parts.push(...linked(ns, parameter, link))
  const rows = drafts.map(
    ({ entry, body }, index) =>
      `(${parameter(expected + index + 1)}, ${parameter(entry.type)}, ${parameter(body)})`,
  )
  const text = `WITH ${parts.join(", ")}
    INSERT INTO entries (ns, seq, type, body) SELECT ${ns}, entry.* FROM session, (VALUES ${rows.join(", ")}) AS entry`
  return { text, values, harmlessTwice: guarded }
}

const LEAVE = "INSERT INTO leases (ns, token, owner, expires_at)"
const UNLESS_HELD = "ON CONFLICT (ns) DO UPDATE SET owner = leases.owner WHERE false"

/** Adds to the chain, whose end nobody else can add to until this is committed. As `add` does, and `hashOf`. */
function linked(
  ns: string,
  parameter: (value: SqlValue) => string,
  { body, revealed }: Link,
): readonly string[] {
  const text = parameter(body)
  const hash = (before: string): string =>
    `encode(sha256(convert_to(${before} || E'\\n' || ${text}, 'UTF8')), 'hex')`
  return [
    `head AS (INSERT INTO audit_heads (ns, links, hash) SELECT ${ns}, 1, ${hash("''")} FROM session
      ON CONFLICT (ns) DO UPDATE SET links = audit_heads.links + 1, hash = ${hash("audit_heads.hash")}
      RETURNING links, hash)`,
    `link AS (INSERT INTO audit (ns, link, body, revealed, hash)
      SELECT ${ns}, links, ${text}, ${parameter(revealed)}, hash FROM head)`,
  ]
}

/** Whether exactly these entries follow the version. */
export function* isThere(
  namespace: Namespace,
  drafts: readonly Draft[],
  expected: number,
): Operation<boolean> {
  const window = { after: expected, before: expected + drafts.length + 1, limit: drafts.length }
  const rows = yield* all(firstEntries, { ns: namespace.key, ...window })
  return rows.length === drafts.length && rows.every(({ body }, index) => body === drafts[index]?.body)
}

type Write = (ns: string, parameter: (value: SqlValue) => string, condition: string) => string

/** The first entries of a session. */
function inserted(namespace: Namespace, drafts: readonly Draft[]): Write | undefined {
  const info = described(namespace, drafts, 0, undefined)
  if (!info) return undefined
  const { ns: _, ...row } = toRow(info)
  return (ns, parameter, condition) => {
    const values = Object.values(row).map(parameter)
    return `INSERT INTO sessions (ns, ${Object.keys(row).join(", ")}) SELECT ${ns}, ${values.join(", ")} WHERE ${condition} ON CONFLICT (ns) DO NOTHING`
  }
}

/** What the entries change of the summary, found by describing them after one of which nothing is known. */
function updated(namespace: Namespace, drafts: readonly Draft[], expected: number): Write | undefined {
  const before: SessionInfo = {
    namespace,
    version: expected,
    createdAt: UNKNOWN.time,
    updatedAt: UNKNOWN.time,
    messages: 0,
    openRun: UNKNOWN.run,
    waiting: UNKNOWN.waiting,
    metadata: UNKNOWN.metadata,
  }
  const after = described(namespace, drafts, expected, before)
  if (!after || after.metadata !== UNKNOWN.metadata) return undefined
  if (drafts.some(({ entry }) => entry.type === "approval_decision")) return undefined
  return (ns, parameter, condition) => {
    const row = toRow(after)
    const changes = [`version = ${parameter(after.version)}`]
    if (after.messages > 0) changes.push(`messages = messages + ${parameter(after.messages)}`)
    if (after.updatedAt !== UNKNOWN.time) changes.push(`updated_at = ${parameter(row.updated_at)}`)
    if (after.openRun !== UNKNOWN.run) changes.push(`open_run = ${parameter(row.open_run)}`)
    if (after.waiting !== UNKNOWN.waiting) changes.push(`waiting = ${parameter(row.waiting)}`)
    return `UPDATE sessions SET ${changes.join(", ")} WHERE ns = ${ns} AND version = ${parameter(expected)} AND ${condition}`
  }
}

function described(
  namespace: Namespace,
  drafts: readonly Draft[],
  expected: number,
  before: SessionInfo | undefined,
): SessionInfo | undefined {
  const entries = numbered(
    drafts.map(({ entry }) => entry),
    expected,
  )
  return entries.reduce<SessionInfo | undefined>((info, entry) => describe(namespace, info, entry), before)
}

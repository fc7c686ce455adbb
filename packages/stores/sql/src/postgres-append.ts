import { type AppendOptions, type Entry, keyOf, type Namespace, needsLease } from "@orra/core"
import type { Link } from "./audit-chain.ts"
import { isAsking } from "./lease-table.ts"
import { all, type Operation } from "./operation.ts"
import type { AtOnce } from "./postgres.ts"
import { changesOf } from "./session-changes.ts"
import { type Draft, described, numbered, toRow } from "./session-row.ts"
import { firstEntries } from "./session-tables.ts"
import type { SqlValue } from "./statement.ts"

/** More entries than this take the general way. */
const MAX_ROWS = 16

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
  const entries = numbered(
    drafts.map(({ entry }) => entry),
    expected,
  )
  const session = expected === 0 ? inserted(namespace, entries) : updated(namespace, entries, expected)
  if (!session) return undefined
  const parts: string[] = []
  if (guarded && lease) {
    const token = parameter(lease.token)
    // Nobody else gets the lease until this is committed.
    parts.push(
      `held AS (SELECT FROM leases WHERE ns = ${ns} AND token = ${token} AND expires_at > current_ms() FOR SHARE)`,
    )
  }
  const asking = isAsking(entries)
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
function inserted(namespace: Namespace, entries: readonly Entry[]): Write | undefined {
  const info = described(namespace, entries, undefined)
  if (!info) return undefined
  const { ns: _, ...row } = toRow(info)
  return (ns, parameter, condition) => {
    const values = Object.values(row).map(parameter)
    return `INSERT INTO sessions (ns, ${Object.keys(row).join(", ")}) SELECT ${ns}, ${values.join(", ")} WHERE ${condition} ON CONFLICT (ns) DO NOTHING`
  }
}

function updated(namespace: Namespace, entries: readonly Entry[], expected: number): Write | undefined {
  const changes = changesOf(namespace, entries)
  if (!changes) return undefined
  return (ns, parameter, condition) => {
    const set = changes.map(
      ([column, value]) => `${column} = ${column === "messages" ? "messages + " : ""}${parameter(value)}`,
    )
    return `UPDATE sessions SET ${set.join(", ")} WHERE ns = ${ns} AND version = ${parameter(expected)} AND ${condition}`
  }
}

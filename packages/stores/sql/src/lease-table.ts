import { type EntryType, keyOf, type Lease, LeaseLost, Namespace, type NewEntry } from "@orra/core"
import { sql as raw } from "kysely"
import { nextOf } from "./counters.ts"
import { get, type Operation, run, select } from "./operation.ts"
import { currentMs, sql } from "./schema.ts"
import { atOrBelow } from "./session-tables.ts"
import { statement } from "./statement.ts"

const after = (ttl: number) => raw<number>`${currentMs} + ${ttl}`

/** Takes the lease unless somebody else holds it, in one statement: of two that ask at once, one gets it. */
const takeLease = statement((p: { ns: string; owner: string; ttl: number }) =>
  sql
    .insertInto("leases")
    .values({ ns: p.ns, token: 0, owner: p.owner, expires_at: after(p.ttl) })
    .onConflict((conflict) =>
      conflict
        .column("ns")
        .doUpdateSet((eb) => ({
          owner: eb.ref("excluded.owner"),
          expires_at: eb.ref("excluded.expires_at"),
        }))
        .where((eb) =>
          eb.or([
            eb("leases.owner", "=", eb.ref("excluded.owner")),
            eb("leases.expires_at", "<=", currentMs),
          ]),
        ),
    )
    .returning("expires_at"),
)
const setToken = statement((p: { ns: string; token: number }) =>
  sql.updateTable("leases").set({ token: p.token }).where("ns", "=", p.ns),
)
const extendLease = statement((p: { ns: string; token: number; ttl: number }) =>
  sql
    .updateTable("leases")
    .set({ expires_at: after(p.ttl) })
    .where("ns", "=", p.ns)
    .where("token", "=", p.token)
    .returning("expires_at"),
)
const deleteLease = statement((p: { ns: string; token: number }) =>
  sql.deleteFrom("leases").where("ns", "=", p.ns).where("token", "=", p.token),
)
const selectFree = statement((p: { ns: string; owner: string }) =>
  sql
    .selectFrom("leases")
    .select("token")
    .where("ns", "=", p.ns)
    .where("owner", "<>", p.owner)
    .where("expires_at", ">", currentMs),
)

/**
 * A lease that has run out, where there is none. One that is held stays, and cannot be given back before this is committed:
 * its holder then sees what was written with it.
 */
const leaveLease = statement((p: { ns: string }) =>
  sql
    .insertInto("leases")
    .values({ ns: p.ns, token: 0, owner: "", expires_at: 0 })
    .onConflict((conflict) =>
      conflict
        .column("ns")
        .doUpdateSet((eb) => ({ owner: eb.ref("leases.owner") }))
        .where(raw<boolean>`1 = 0`),
    ),
)

const selectTime = statement(() => sql.selectNoFrom(currentMs.as("now")))
/** As many as one process can take over before it asks again. */
const MAX_ABANDONED = 500

export function* acquire(namespace: Namespace, owner: string, ttlMs: number): Operation<Lease | undefined> {
  const ns = keyOf(namespace)
  // Most of those who ask in vain are told without writing anything.
  if (yield* get(selectFree, { ns, owner })) return undefined
  const taken = yield* get(takeLease, { ns, owner, ttl: ttlMs })
  if (!taken) return undefined
  // Counted while the lease is ours alone: of two that take it, the later one gets the larger token.
  const token = yield* nextOf("lease_token")
  yield* run(setToken, { ns, token })
  return { namespace, token, owner, expiresAt: taken.expires_at }
}

export function* renew(lease: Lease, ttlMs: number): Operation<Lease> {
  const ns = keyOf(lease.namespace)
  const renewed = yield* get(extendLease, { ns, token: lease.token, ttl: ttlMs })
  if (!renewed) throw new LeaseLost(ns)
  return { ...lease, expiresAt: renewed.expires_at }
}

export function* release(lease: Lease): Operation<void> {
  yield* run(deleteLease, { ns: keyOf(lease.namespace), token: lease.token })
}

/** Entries about which somebody has to do something: whoever writes one can die before that. */
const ASKING: ReadonlySet<EntryType> = new Set<EntryType>(["input", "approval_decision", "wake", "control"])

export const isAsking = (entries: readonly NewEntry[]): boolean =>
  entries.some(({ type }) => ASKING.has(type))

/** Lets the session be found among the abandoned ones, unless somebody holds its lease and does what there is to do. */
export function* leave(namespace: Namespace): Operation<void> {
  yield* run(leaveLease, { ns: keyOf(namespace) })
}

/** Whoever gives a lease back removes it: what has run out was left by somebody who could not. */
export function* abandoned(prefix: Namespace): Operation<readonly Namespace[]> {
  const rows = yield* select(
    sql
      .selectFrom("leases")
      .select("ns")
      .where(atOrBelow(prefix))
      .where("expires_at", "<=", currentMs)
      .orderBy("expires_at")
      .limit(MAX_ABANDONED),
  )
  return rows.map(({ ns }) => Namespace.parse(ns))
}

export function* now(): Operation<number> {
  const row = yield* get(selectTime, {})
  return row?.now ?? Number.NaN
}

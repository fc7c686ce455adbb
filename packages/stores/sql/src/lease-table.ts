import { type Lease, LeaseLost, type Namespace, StoreError } from "@orra/core"
import { type Database, statement } from "./database.ts"
import { sql } from "./schema.ts"

const selectLease = statement((p: { ns: string }) =>
  sql.selectFrom("leases").selectAll().where("ns", "=", p.ns),
)
const takeToken = statement((_: Record<never, never>) =>
  sql
    .updateTable("counters")
    .set((eb) => ({ value: eb("value", "+", 1) }))
    .where("name", "=", "lease_token")
    .returning("value"),
)
const putLease = statement((p: { ns: string; token: number; owner: string; expires_at: number }) =>
  sql
    .insertInto("leases")
    .values({ ns: p.ns, token: p.token, owner: p.owner, expires_at: p.expires_at })
    .onConflict((conflict) =>
      conflict.column("ns").doUpdateSet((eb) => ({
        token: eb.ref("excluded.token"),
        owner: eb.ref("excluded.owner"),
        expires_at: eb.ref("excluded.expires_at"),
      })),
    ),
)
const extendLease = statement((p: { ns: string; token: number; expires_at: number }) =>
  sql
    .updateTable("leases")
    .set({ expires_at: p.expires_at })
    .where("ns", "=", p.ns)
    .where("token", "=", p.token),
)
const deleteLease = statement((p: { ns: string; token: number }) =>
  sql.deleteFrom("leases").where("ns", "=", p.ns).where("token", "=", p.token),
)

export function acquire(
  database: Database,
  namespace: Namespace,
  owner: string,
  ttlMs: number,
  now: number,
): Lease | undefined {
  const ns = namespace.key
  const held = database.get(selectLease, { ns })
  if (held && held.owner !== owner && held.expires_at > now) return undefined
  const token = database.get(takeToken, {})?.value
  if (token === undefined) {
    throw new StoreError("store_corrupt", "The counter of leases is missing: restore a snapshot.", {
      path: database.path,
    })
  }
  const expiresAt = now + ttlMs
  database.run(putLease, { ns, token, owner, expires_at: expiresAt })
  return { namespace, token, owner, expiresAt }
}

export function renew(database: Database, lease: Lease, ttlMs: number, now: number): Lease {
  const expiresAt = now + ttlMs
  const ns = lease.namespace.key
  if (database.run(extendLease, { ns, token: lease.token, expires_at: expiresAt }) === 0)
    throw new LeaseLost(ns)
  return { ...lease, expiresAt }
}

export function release(database: Database, lease: Lease): void {
  database.run(deleteLease, { ns: lease.namespace.key, token: lease.token })
}

import { InvalidInput, keyOf, type SessionStore, StoreError } from "@orra/core"
import { type Audit, auditOver } from "./audit.ts"
import { VACUUMED } from "./erasure.ts"
import { InOrder } from "./in-order.ts"
import { within } from "./operation.ts"
import { Postgres } from "./postgres.ts"
import { appendStatement, isThere } from "./postgres-append.ts"
import { type Carrier, sessionStoreOver } from "./session-store.ts"

export interface PostgresStoreOptions {
  /** Where the database is: `postgres://user:password@host:5432/database`. */
  readonly url: string
  /** The schema that holds the tables; made when it is missing. Default "orra". */
  readonly schema?: string
  /** Connections at most, default 10. */
  readonly maxConnections?: number
  /** How long a call goes on trying while the server cannot be reached, as during a restart. Default 10,000. */
  readonly patienceMs?: number
  /** Writes down who did what, in the same transactions: see `Audit`. Default false. */
  readonly audit?: boolean
  /** Told of connections that break while nobody uses them. Default: nobody, the next call opens another one. */
  readonly onError?: (error: unknown) => void
  /** Instead of the server's clock, in ms since 1970: for tests. */
  readonly now?: () => number
}

/** Sessions and records in a PostgreSQL database. */
export interface PostgresStore extends SessionStore {
  /** Who did what. Nothing is added to it unless the store was opened with `audit`, but by `record`. */
  readonly audit: Audit
  /**
   * Writes the tables anew (`VACUUM FULL`): only then nothing of what was erased is left in their files. Everybody else
   * waits meanwhile, so do it when nobody works. Rows that an open transaction may still see are left: end those first.
   */
  vacuum(): Promise<void>
}

/** Short enough for the name of the channel that is made of it. */
const NAME = /^[a-z_][a-z0-9_]{0,49}$/

/**
 * Opens the store in a PostgreSQL database (14 or newer), creates its tables, or brings them to the present format. Any
 * number of processes may share it; leases run by the server's clock, so theirs may differ.
 *
 * ```ts
 * const store = await postgresStore({ url: "postgres://orra:secret@localhost/orra" })
 * const runtime = new Runtime({ provider, store })
 * ```
 *
 * @throws StoreError with the codes `store_unavailable`, `store_not_writable`, `store_newer` or `store_failed`.
 */
export async function postgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const {
    url,
    schema = "orra",
    maxConnections = 10,
    patienceMs = 10_000,
    now,
    audit = false,
    onError = () => {},
  } = options
  if (!URL.canParse(url) || !/^postgres(ql)?:/.test(url)) {
    throw new InvalidInput("The PostgreSQL store needs a URL such as postgres://user:password@host/database.")
  }
  if (!NAME.test(schema)) {
    throw new InvalidInput(
      "A schema's name is 1 to 50 lower-case letters, digits and underscores, not beginning with a digit.",
    )
  }
  if (!Number.isInteger(maxConnections) || maxConnections < 1) {
    throw new InvalidInput("`maxConnections` is a whole number, at least 1.", { maxConnections })
  }
  const postgres = await Postgres.open({ url, schema, maxConnections, patienceMs, now, onError })
  let closing: Promise<void> | undefined
  const open = (): Postgres => {
    if (closing) throw new StoreError("store_closed", "The store is closed: open a new one to go on.")
    return postgres
  }
  const carrier: Carrier = {
    dialect: "postgres",
    audit,
    now: now ?? Date.now,
    read: async (operation) => await open().read(operation),
    write: async (operation, options) => await open().write(operation, options),
    async appendAtOnce(namespace, drafts, options, link) {
      const statement = appendStatement(namespace, drafts, options, link)
      if (!statement) return false
      const { changed, repeated } = await open().writeAtOnce(namespace, statement)
      if (changed > 0 || !repeated) return changed > 0
      // The first time may have done it. Nobody else can have: whoever holds the lease wrote what is there.
      return await open().read(() => within(namespace, isThere(namespace, drafts, options.expected)))
    },
  }
  const store = sessionStoreOver(carrier, (namespace) => postgres.changes.announce(namespace))
  // Over several connections they would overtake one another, and wait for each other's row.
  const appends = new InOrder()
  return {
    ...store,
    audit: auditOver(carrier),
    append: async (namespace, entries, options) =>
      await appends.run(keyOf(namespace), () => store.append(namespace, entries, options)),
    async erase(prefix) {
      await store.erase(prefix)
      await open().eraseFromSnapshots(prefix)
      // Others may go on: their space is free to be written again, and no statistics quote them any more.
      await open().command(`VACUUM (ANALYZE) ${VACUUMED.join(", ")}`)
    },
    async vacuum() {
      await open().command(`VACUUM (FULL, ANALYZE) ${VACUUMED.join(", ")}`)
      // Samples of columns, of which the old ones are still there. A warning where this user does not own the database.
      await open().command("VACUUM FULL pg_statistic")
    },
    changes: (signal) => open().changes.listen(signal),
    announce: (namespace) => open().changes.announce(namespace),
    close() {
      closing ??= postgres.close()
      return closing
    },
  }
}

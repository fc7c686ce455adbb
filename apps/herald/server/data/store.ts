import { randomUUID } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { type Lease, OrraError, type SessionStore } from "@orra/core"
import { type Audit, postgresStore, sqliteStore } from "@orra/store-sql"
import { HERALD, type LoadedConfig } from "../config/load.ts"

/** Where chats and all else that lasts are kept. */
export type HeraldStore = SessionStore & { readonly audit: Audit }

const DATABASE = "herald.db"
/** One Herald at a time works on a database; one that died has it for so long, in ms. */
const LEASE_MS = 30_000
const SCHEMA = "herald"

/** The file that has the database; undefined where that is PostgreSQL. */
export const databaseFile = ({
  config,
  dataDir,
}: Pick<LoadedConfig, "config" | "dataDir">): string | undefined =>
  config.sessions.url === undefined ? join(dataDir, DATABASE) : undefined

/**
 * The store of a configuration. Where it is a file that is not there, one is made.
 *
 * @throws StoreError `store_*`.
 */
export async function openStore(
  loaded: Pick<LoadedConfig, "config" | "dataDir">,
  options: { readonly now?: () => number; readonly onError?: (error: unknown) => void } = {},
): Promise<HeraldStore> {
  const { url } = loaded.config.sessions
  const { now, onError } = options
  const more = { audit: loaded.config.audit.enabled, ...(now && { now }) }
  if (url === undefined) return await sqliteStore({ path: join(loaded.dataDir, DATABASE), ...more })
  return await postgresStore({ url, schema: SCHEMA, ...more, ...(onError && { onError }) })
}

/** The same, undefined where nothing was kept yet: none is made. */
export async function existingStore(
  loaded: Pick<LoadedConfig, "config" | "dataDir">,
): Promise<HeraldStore | undefined> {
  const file = databaseFile(loaded)
  return file === undefined || existsSync(file) ? await openStore(loaded) : undefined
}

/**
 * Takes the database for this Herald, which the lock of the data directory does for a file. After a crash the Herald of the
 * same data directory has it again at once, another when it is known that the first is gone.
 *
 * @returns what gives it back.
 * @throws OrraError `database_in_use`.
 */
export async function takeDatabase(
  store: SessionStore,
  dataDir: string,
  onLost: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const owner = instanceId(dataDir)
  const place = HERALD.child("database")
  let lease: Lease | undefined
  for (let waited = 0; ; waited += LEASE_MS / 10) {
    lease = await store.acquire(place, owner, LEASE_MS)
    if (lease || waited > LEASE_MS) break
    await pause(LEASE_MS / 10)
  }
  if (!lease) {
    throw new OrraError(
      "database_in_use",
      "Another Herald is using this database: stop it, or give this one a database of its own in sessions.url.",
    )
  }
  let held = lease
  const timer = setInterval(() => {
    store.renew(held, LEASE_MS).then((renewed) => {
      held = renewed
    }, onLost)
  }, LEASE_MS / 3).unref()
  return async () => {
    clearInterval(timer)
    await store.release(held)
  }
}

/** Who this Herald is, as long as it has its data directory. */
function instanceId(dataDir: string): string {
  const file = join(dataDir, "herald.id")
  if (existsSync(file)) return readFileSync(file, "utf8").trim()
  const id = randomUUID()
  writeFileSync(file, `${id}\n`, { mode: 0o600 })
  return id
}

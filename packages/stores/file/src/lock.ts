import { DatabaseSync } from "node:sqlite"
import { StoreError } from "@orra/core"

/** Held while a store is open. */
export interface Lock {
  /** How often the folder was opened, this time included. */
  readonly epoch: number
  release(): void
}

/**
 * Takes a folder for this process. It is a lock on a small database: the one kind of lock that every operating system
 * gives back by itself when its holder dies, and that Node can take without another package.
 *
 * @throws StoreError (`store_locked`) when another store has the folder open.
 */
export function lock(path: string): Lock {
  const database = new DatabaseSync(path)
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE")
    database.exec("BEGIN EXCLUSIVE")
    database.exec("CREATE TABLE IF NOT EXISTS opened (times INTEGER NOT NULL)")
    const before = database.prepare("SELECT max(times) AS times FROM opened").get()
    const epoch = Number(before?.["times"] ?? 0) + 1
    database.exec("DELETE FROM opened")
    database.prepare("INSERT INTO opened (times) VALUES (?)").run(epoch)
    // The mode keeps the lock after the commit, until the database is closed.
    database.exec("COMMIT")
    return { epoch, release: () => database.close() }
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    throw new StoreError(
      "store_locked",
      "Another process has this folder of sessions open, and it can only belong to one: stop that process, or use @orra/store-sql for several.",
      { path },
    )
  }
}

const SQLITE_BUSY = 5

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  "errcode" in error &&
  typeof error.errcode === "number" &&
  (error.errcode & 0xff) === SQLITE_BUSY

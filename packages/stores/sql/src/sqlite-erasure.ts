import { readdirSync, rmSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout } from "node:timers/promises"
import { keyOf, type Namespace } from "@orra/core"
import { isLocked, locked, storeError } from "./errors.ts"

/** How long to wait before asking again for a lock that another process holds. */
const PAUSE_MS = 20

/**
 * Makes a file forget what was deleted from it. `secure_delete` overwrites a row where it is, but SQLite moves rows
 * between pages and leaves copies behind: only a file that is written anew has none. The log beside it is emptied.
 *
 * @throws StoreError: `store_locked` when another process does not let go of the file within `lockMs`.
 */
export async function forgetDeleted(path: string, lockMs: number): Promise<void> {
  const until = performance.now() + lockMs
  const patiently = async (work: (sqlite: DatabaseSync) => void): Promise<void> => {
    for (;;) {
      try {
        return onFile(path, work)
      } catch (error) {
        if (!isLocked(error) || performance.now() > until) throw error
      }
      await setTimeout(PAUSE_MS)
    }
  }
  await patiently((sqlite) => sqlite.exec("VACUUM"))
  await patiently((sqlite) => {
    if (sqlite.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] !== 0) throw locked(path)
  })
}

/**
 * Erases the namespace from the snapshots that migrations took of a file, so that none can bring it back, and removes
 * what a crash left of taking one. They have the format of their time: whatever table has a namespace loses these rows.
 */
export function eraseFromSnapshots(path: string, prefix: Namespace): void {
  const key = keyOf(prefix)
  const folder = dirname(path)
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(path)}.format-`)) continue
    if (name.endsWith(".partial")) rmSync(join(folder, name), { force: true })
    if (!name.endsWith(".backup")) continue
    onFile(join(folder, name), (sqlite) => {
      const tables = sqlite
        .prepare(
          "SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c ON c.name = 'ns' WHERE t.type = 'table'",
        )
        .all()
      sqlite.exec("BEGIN IMMEDIATE")
      for (const { name } of tables) {
        sqlite
          .prepare(`DELETE FROM "${String(name)}" WHERE ns = ? OR (ns > ? AND ns < ?)`)
          .run(key, `${key}:`, `${key};`)
      }
      sqlite.exec("COMMIT; VACUUM")
    })
  }
}

/** A connection of its own, for what the store's cannot do between its statements. */
function onFile(path: string, work: (sqlite: DatabaseSync) => void): void {
  let sqlite: DatabaseSync | undefined
  try {
    sqlite = new DatabaseSync(path)
    work(sqlite)
  } catch (error) {
    throw storeError(path, basename(path), error)
  } finally {
    sqlite?.close()
  }
}

import { type FSWatcher, watch } from "node:fs"

/** The first look after the log was written to. The commit can be seen a little later: when it is on the disk. */
const SOON_MS = 4
/** The longest time between two looks: where the system does not tell of writes, this is how late they are seen. */
const SELDOM_MS = 1_000

/**
 * Tells, by `undefined`, that another connection has written to the database at `path`: SQLite does not say what. The
 * system says when the write-ahead log is written to, by whomever; then the number that counts the commits of others is
 * looked at, at once, and less and less often as long as it stays.
 *
 * @param version that number, or false when there is nothing to look at any more.
 */
export async function* sqliteChanges(
  path: string,
  version: () => number | false,
  signal: AbortSignal,
): AsyncGenerator<undefined, void, undefined> {
  let wait = SOON_MS
  let timer: NodeJS.Timeout | undefined
  let look = (): void => {}
  const soon = (): void => {
    if (wait === SOON_MS) return
    wait = SOON_MS
    clearTimeout(timer)
    timer = setTimeout(() => look(), wait)
  }
  const end = (): void => look()
  const watcher = watched(`${path}-wal`, soon)
  signal.addEventListener("abort", end)
  try {
    let seen: number | undefined
    while (!signal.aborted) {
      const now = version()
      if (now === false) return
      if (now === seen) wait = Math.min(2 * wait, SELDOM_MS)
      else {
        seen = now
        wait = SOON_MS
        yield undefined
        continue
      }
      await new Promise<void>((resolve) => {
        look = resolve
        timer = setTimeout(resolve, wait)
        if (signal.aborted) resolve()
      })
      clearTimeout(timer)
    }
  } finally {
    signal.removeEventListener("abort", end)
    clearTimeout(timer)
    watcher?.close()
  }
}

/** Where a file cannot be watched, as on some network disks, looking now and then has to do. */
function watched(path: string, onWrite: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, onWrite)
    watcher.on("error", () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}

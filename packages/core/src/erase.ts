import { sessionsBelow } from "./delegated.ts"
import { SessionBusy } from "./errors.ts"
import { randomId } from "./ids.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { everyItem } from "./paging.ts"
import type { Runtime } from "./runtime.ts"
import type { Lease, SessionStore } from "./store.ts"

/** Sessions removed together: a database makes one transaction of what is asked at the same time. */
const AT_ONCE = 100
/** How long an erasure holds the leases of what it removes, in ms. */
const HELD_MS = 60_000

/**
 * Removes all there is at and below a namespace: sessions, deleted ones and those of delegated tasks included, drafts,
 * leases, the records of every collection, whoever wrote them, and what the store keeps of them in its files. Doing it
 * again is harmless, and completes what a crash or an error left half done.
 *
 * Give it the runtime where there is one: its runs there are stopped first, it forgets what it has in memory, and
 * whoever watches is told. Other processes notice by themselves and write nothing of it back. A message that is sent
 * afterwards begins a new session.
 *
 * Not erased is what lies above the namespace, and what is not in the store: backups, exports, logs.
 *
 * ```ts
 * await eraseNamespace(runtime, Namespace.of("household", "ada"))
 * ```
 *
 * @throws SessionBusy while another process runs a session there: stop it, then erase again.
 */
export async function eraseNamespace(from: Runtime | SessionStore, prefix: Namespace): Promise<void> {
  keyOf(prefix)
  const runtime = "internals" in from ? from : undefined
  const store = "internals" in from ? from.store : from
  if (runtime) {
    // Before anything is removed: what others run cannot be stopped from here.
    const open = await allBelow(store, prefix, true)
    const others = open.filter((session) => !runtime.isRunning(session))
    await release(store, await leasesOf(store, others))
    await inParts(await allBelow(store, prefix), (session) => runtime.delete(session))
  }
  if (store.erase) return await store.erase(prefix)
  const sessions = await allBelow(store, prefix)
  const leases = await leasesOf(store, sessions)
  try {
    await inParts(sessions, (session) => store.delete(session))
    for (const collection of await store.collections(prefix)) {
      const records = store.records(collection)
      const below = everyItem((page) => records.list(prefix, { below: true, ...page }))
      for await (const { namespace, key } of below) await records.delete(namespace, key)
    }
  } finally {
    await release(store, leases)
  }
}

/** For stores: what an erasure is refused with. */
export const busyBelow = (): SessionBusy =>
  new SessionBusy("A session at or below this namespace is running: stop it, then erase again.")

const allBelow = async (
  store: SessionStore,
  prefix: Namespace,
  openRun = false,
): Promise<readonly Namespace[]> => [
  ...(await sessionsBelow(store, prefix, { openRun })),
  ...(await sessionsBelow(store, prefix, { openRun, deleted: true })),
]

/** The leases of all of them. @throws SessionBusy when somebody else has one, without keeping any. */
async function leasesOf(store: SessionStore, sessions: readonly Namespace[]): Promise<readonly Lease[]> {
  const owner = randomId()
  const leases: Lease[] = []
  await inParts(sessions, async (session) => {
    const lease = await store.acquire(session, owner, HELD_MS)
    if (lease) leases.push(lease)
  })
  if (leases.length === sessions.length) return leases
  await release(store, leases)
  throw busyBelow()
}

const release = (store: SessionStore, leases: readonly Lease[]): Promise<void> =>
  inParts(leases, (lease) => store.release(lease))

async function inParts<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += AT_ONCE) {
    await Promise.all(all.slice(at, at + AT_ONCE).map(work))
  }
}

import { everyItem, type Namespace, type Records, type SessionStore } from "@orra/core"
import { isListedBefore, type Listed, listOf, removalOf } from "../lists.ts"
import { DELIVERY_STATUSES } from "../webhooks/deliveries.ts"

const ENDED = ["completed", "failed", "not_actionable", "aborted", "cancelled"] as const
const TOLD = DELIVERY_STATUSES.filter((status) => status !== "pending")
const AT_ONCE = 100

/**
 * Removes orchestrations that ended before a time, with their logs, and what webhooks were told before it. What could not be
 * undone and the audit stay.
 *
 * @returns how many orchestrations were removed.
 */
export async function removeEnded(
  store: Pick<SessionStore, "records" | "collections">,
  project: Namespace,
  before: number,
): Promise<number> {
  const deliveries = store.records("plan-deliveries")
  for (const status of TOLD) for await (const _ of taken(deliveries, project, status, before));
  let count = 0
  for (const status of ENDED)
    for await (const { id } of taken(store.records("plan-orchestrations"), project, status, before)) {
      await removeAll(store, project.child(id))
      count++
    }
  return count
}

/** Takes out what is in a list since before a time, one after the other. */
async function* taken(
  records: Records,
  project: Namespace,
  status: string,
  before: number,
): AsyncGenerator<Listed> {
  // The list is read to its end first: what is taken out is not looked for.
  const places = await Array.fromAsync(everyItem((page) => records.list(listOf(project, status), page)))
  for (const { value } of places.filter(({ key }) => isListedBefore(key, before))) {
    const record = await records.get(project, String(value))
    const listed = record && (record.value as unknown as Listed)
    // One that somebody asked for again is no longer what it was.
    if (!listed || listed.status !== status || listed.updatedAt >= before) continue
    yield listed
    await records.write(removalOf(project, listed))
  }
}

/** Everything that is kept of an orchestration below its own namespace. */
async function removeAll(store: Pick<SessionStore, "records" | "collections">, at: Namespace): Promise<void> {
  for (const name of await store.collections(at)) {
    const records = store.records(name)
    const all = await Array.fromAsync(everyItem((page) => records.list(at, { ...page, below: true })))
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const gone = all.slice(from, from + AT_ONCE)
      await records.write(gone.map(({ namespace, key }) => ({ namespace, key, deleted: true })))
    }
  }
}

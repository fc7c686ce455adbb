import type { JsonObject, Namespace, Records } from "@orra/core"
import { everyItem } from "@orra/core"
import { CronError, type Scheduler } from "@orra/cron"

/** So long a deleted job can be brought back. */
const UNDO_MS = 10 * 60_000

/** Jobs that were deleted in the page, for as long as that can be undone. They are paused, with all they have. */
export class Trash {
  readonly #records: Records
  readonly #now: () => number

  constructor(records: Records, now: () => number = Date.now) {
    this.#records = records
    this.#now = now
  }

  /** @throws NotFound. */
  async put(scheduler: Scheduler, person: Namespace, id: string): Promise<void> {
    const { status } = (await scheduler.get(person, id)) ?? {}
    if (status === "active") await scheduler.pause(person, id)
    await this.#records.put(person, id, { at: this.#now(), wasActive: status === "active" })
  }

  /** @returns false when it is not there any more. */
  async restore(scheduler: Scheduler, person: Namespace, id: string): Promise<boolean> {
    const record = await this.#records.get(person, id)
    if (!record || !(await scheduler.get(person, id))) return false
    await this.#records.delete(person, id)
    if (!(record.value as JsonObject)["wasActive"]) return true
    try {
      await scheduler.resume(person, id)
    } catch (error) {
      // Its only time went by meanwhile: it stays as it is.
      if (!(error instanceof CronError)) throw error
    }
    return true
  }

  /** The ids of those in it. What has been in it for too long is removed for good. */
  async list(scheduler: Scheduler, person: Namespace): Promise<ReadonlySet<string>> {
    const ids = new Set<string>()
    for await (const { key, value } of everyItem((page) => this.#records.list(person, page))) {
      if (this.#now() - Number((value as JsonObject)["at"]) < UNDO_MS) ids.add(key)
      else {
        await scheduler.delete(person, key)
        await this.#records.delete(person, key)
      }
    }
    return ids
  }
}

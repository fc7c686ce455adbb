import { type Driver, GO_ON } from "./driver.ts"
import { SessionBusy } from "./errors.ts"
import type { Namespace } from "./namespace.ts"
import type { OpenLogs } from "./open-logs.ts"
import { everyItem } from "./paging.ts"
import type { SessionStore } from "./store.ts"

/** What `Runtime.recover` does. */
export async function recoverAll(
  store: SessionStore,
  driver: Driver,
  logs: OpenLogs,
  prefix: Namespace,
  resume: boolean,
): Promise<readonly Namespace[]> {
  const found: Namespace[] = []
  for await (const { namespace } of everyItem((page) => store.list(prefix, { openRun: true, ...page }))) {
    if (driver.get(namespace)) continue
    const log = await logs.open(namespace)
    await log.refresh()
    const { openRun } = log
    if (!openRun || (openRun.waiting && !driver.isDue(openRun))) continue
    try {
      if (resume || openRun.waiting) await driver.start(log, GO_ON, {})
      else await driver.withLease(namespace, (lease) => driver.closeOpenRun(log, lease, "stay"))
      found.push(namespace)
    } catch (error) {
      if (!(error instanceof SessionBusy)) throw error
    }
  }
  return found
}

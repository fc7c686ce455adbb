import { SessionBusy } from "./errors.ts"
import { randomId } from "./ids.ts"
import type { Namespace } from "./namespace.ts"
import { joining, toMessage } from "./opening.ts"
import type { RunInput, RunOptions } from "./run.ts"
import type { Runtime } from "./runtime.ts"

export interface PostOptions extends Pick<RunOptions, "inputId"> {
  /** Strangers' text may be in it, such as a web page's: from here on the session is tainted. Default false. */
  readonly tainted?: boolean
}

/**
 * Puts a message into a session and asks no model: a reminder, a notice. The model sees it when it is asked the next
 * time. Give the message its origin, so that nobody takes it for a person's.
 *
 * ```ts
 * await post(runtime, ns, userMessage("The backup is done.", { kind: "host", name: "backup" }), { inputId: "backup-7" })
 * ```
 *
 * @returns false when a message with this `inputId` is there already.
 * @throws InvalidInput for an empty message; SessionBusy while the session runs or waits: try again later.
 */
export async function post(
  { internals }: Runtime,
  namespace: Namespace,
  input: RunInput,
  { inputId = randomId(), tainted = false }: PostOptions = {},
): Promise<boolean> {
  const { driver, logs } = internals
  const message = toMessage(input)
  const log = await logs.open(namespace)
  const written = await driver.withLease(namespace, async (lease) => {
    await log.refresh()
    if (log.hasSeen(inputId)) return []
    // Between a call and its result nothing can be said.
    if (log.openRun) throw new SessionBusy()
    const entries = joining(log, message, inputId, undefined)
    return await log.append(tainted ? entries.map((entry) => ({ ...entry, tainted: true })) : entries, {
      lease,
    })
  })
  // What came meanwhile has waited for the lease.
  await driver.proceed(log)
  return written.length > 0
}

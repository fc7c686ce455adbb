import { availableForInput } from "./context.ts"
import { InvalidInput, LeaseLost } from "./errors.ts"
import { randomId } from "./ids.ts"
import type { LoopRun } from "./loop-run.ts"
import type { Namespace } from "./namespace.ts"
import type { Runtime } from "./runtime.ts"
import type { Entry } from "./session.ts"
import { Stop } from "./stop.ts"

/**
 * Sums up now what is before the newest turn, also of a session that waits for an approval. Whatever else is asked of
 * the session meanwhile goes first: then it stays as it is. So it does when `signal` fires or the runtime is closed.
 *
 * ```ts
 * const compaction = await compact(runtime, chat)
 * console.log(compaction?.summary ?? "There was nothing to sum up.")
 * ```
 *
 * @returns its entry, with the summary and what that took; undefined when nothing can be cut or no summary came about.
 * @throws InvalidInput when the runtime has no `compaction`; NotFound without such a session; SessionBusy while it runs.
 */
export async function compact(
  { internals, store }: Runtime,
  namespace: Namespace,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Entry<"compaction"> | undefined> {
  const { driver, settings } = internals
  const { compaction, policies, budget, onError } = settings
  if (!compaction) throw new InvalidInput('Give the runtime a way to do it first: "compaction: summarize()".')
  const log = await internals.logs.existing(namespace)
  return await driver.withLease(namespace, async (first) => {
    await log.refresh()
    const before = log.version
    const stop = new Stop()
    const end = () => stop.abort()
    options.signal?.addEventListener("abort", end, { once: true })
    if (options.signal?.aborted) end()
    driver.yielding.set(namespace.key, stop)
    let lease = first
    const ttlMs = internals.leaseTtlMs
    const renewal = setInterval(() => {
      store.renew(lease, ttlMs).then(
        (renewed) => {
          lease = renewed
        },
        (error: unknown) => (error instanceof LeaseLost ? end() : onError(error)),
      )
    }, ttlMs / 3)
    const runId = randomId()
    const run: LoopRun = {
      runId,
      log,
      incarnation: log.incarnation,
      lease: () => lease,
      stop,
      context: { namespace, runId, metadata: log.info?.metadata ?? {}, signal: stop.signal },
      model: undefined,
      maxTurns: 0,
      policies,
      answers: undefined,
      earlierMs: 0,
      notify: () => {},
      cost: { usd: undefined },
    }
    try {
      await compaction.compact({
        settings,
        run,
        fixedTokens: 0,
        availableTokens: availableForInput(budget),
        isAsked: true,
        spent: () => {},
      })
    } finally {
      driver.yielding.delete(namespace.key)
      clearInterval(renewal)
      options.signal?.removeEventListener("abort", end)
    }
    const [entry] = await store.read(namespace, { after: before, types: ["compaction"] })
    return entry?.type === "compaction" ? entry : undefined
  })
}

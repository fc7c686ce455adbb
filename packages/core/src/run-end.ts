import { OrraError } from "./errors.ts"
import { failureOf } from "./failure.ts"
import { detached, type RunResult } from "./run.ts"
import type { Stop } from "./stop.ts"

/**
 * Whoever began a run: what they are told of its end, or that it goes on without them, and what their signal does. Not
 * in `#drive` itself: a function from there in `active` made what a run had live until the next full garbage collection.
 */
export function callerOf(
  active: { readonly stop: Stop; readonly runId: string | undefined },
  signal: AbortSignal | undefined,
) {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
  const stop = (): void => active.stop.abort()
  const letGo = (end?: RunResult): void => {
    signal?.removeEventListener("abort", stop)
    if (end) resolve(end)
  }
  signal?.addEventListener("abort", stop, { once: true })
  if (signal?.aborted) stop()
  return {
    result: promise,
    letGo,
    detach: (): void => letGo(detached(active.runId ?? "")),
    fail: (error: unknown): void => {
      // There may be nobody who looks.
      promise.catch(() => {})
      reject(error)
    },
  }
}

/** The longest time a timer can be set for. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Stops the run at that time. @returns what takes that back. */
export function stopAt(deadline: number | undefined, stop: Stop, now: () => number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => {
    if (deadline === undefined) return
    const left = deadline - now()

    if (left > 0) timer = setTimeout(wait, Math.min(left, MAX_TIMER_MS))
    else stop.abort(new OrraError("deadline_exceeded", "The run's time is up."))
  }
  wait()
  return () => clearTimeout(timer)
}

/** @throws OrraError with the failure's code when the run failed. */
export function succeeded(result: RunResult): RunResult {
  const { outcome, error } = result
  if (outcome === "failed" && error) throw new OrraError(error.code, error.message)
  return result
}

/** The end of the run could not be recorded: said as those who watch are told. */
export function rethrown(error: unknown): never {
  const { code, message } = failureOf(error)
  throw new OrraError(code, message, {}, error)
}

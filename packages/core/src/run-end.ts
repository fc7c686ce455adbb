import { OrraError } from "./errors.ts"
import { failureOf } from "./failure.ts"
import { detached, type RunResult } from "./run.ts"
import type { Stop } from "./stop.ts"

/**
 * How a run ends for its caller: as it does, or that it goes on without them. Not in `#play` itself, and no race with a
 * promise that never settles: both made what a run had live until the next full garbage collection, which cost as much
 * as the run.
 */
export function endForCaller(runId: string, ended: Promise<RunResult>) {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
  ended.then(resolve, reject)
  // There may be no caller who looks.
  promise.catch(() => {})
  const detach = (): void => resolve(detached(runId))
  return { result: promise, detach }
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
    else stop.abort(new OrraError("deadline_exceeded", "The time that this run was given is up."))
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

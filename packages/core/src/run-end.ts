import { OrraError } from "./errors.ts"
import { failureOf } from "./failure.ts"
import type { RunResult } from "./run.ts"
import type { Stop } from "./stop.ts"

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

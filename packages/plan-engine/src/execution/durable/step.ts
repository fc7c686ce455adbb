import { setTimeout as pause } from "node:timers/promises"
import { errorMessage, type Json, OrraError } from "@orra/core"
import type { RetryOptions } from "../run.ts"

/** What came of a step, as it is kept. */
export type StepOutcome =
  | { readonly type: "done"; readonly value: Json }
  | { readonly type: "failed"; readonly code: string; readonly message: string }

const STEP_RETRY = { attempts: 1, delayMs: 2_000, maxDelayMs: 30_000 }

/**
 * What comes of work that is tried as often as it may be; `onError` is told of every attempt that is not the last.
 *
 * @throws the reason of the signal: then nothing is known of it.
 */
export async function attemptStep(
  work: () => Promise<Json>,
  retry: RetryOptions | undefined,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): Promise<StepOutcome> {
  const { attempts, delayMs, maxDelayMs } = { ...STEP_RETRY, ...retry }
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    try {
      return { type: "done", value: await work() }
    } catch (error) {
      signal.throwIfAborted()
      const code = error instanceof OrraError ? error.code : "plan_step_failed"
      if (attempt >= attempts) return { type: "failed", code, message: errorMessage(error) }
      onError(error)
    }
    await pause(Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1)), undefined, { signal }).catch(() => {})
  }
}

/** @throws OrraError of a step that failed. */
export function stepValue<T extends Json>(outcome: StepOutcome): T {
  if (outcome.type === "done") return outcome.value as T
  throw new OrraError(outcome.code, outcome.message)
}

import { type ModelEvent, ProviderError } from "./provider.ts"

/** How often and how long a failed model call is tried again. Times in ms. */
export interface RetryOptions {
  /** Attempts in all, the first included. Default 4; 1 means never again. */
  readonly maxAttempts?: number
  /** No attempt begins later than this after the first one. Default 120,000. An answer under way is never cut. */
  readonly deadlineMs?: number
  /** Pause before the second attempt; it doubles with each further one. Default 500. */
  readonly baseDelayMs?: number
  /** Longest pause of our own choosing. Default 30,000. A service that asks for a longer one gets it. */
  readonly maxDelayMs?: number
}

export interface RetryingOptions {
  readonly signal?: AbortSignal | undefined
  readonly retry?: RetryOptions | undefined
  /** For tests: the time in ms. */
  readonly now?: () => number
  /** For tests: resolves after `ms`, or as soon as the signal fires. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
  /** For tests: a number from 0 to 1. */
  readonly random?: () => number
}

/**
 * Runs a model call and, when it fails with a retryable ProviderError before it wrote anything, runs it again after
 * a pause: exponential with jitter, or what the service asks for (`retryAfterMs`). Each new attempt is announced by
 * a `retry` event whose `attempt` is the number of the one that failed. Once text, thinking or a tool call was
 * passed on, a failure is final: a second attempt would say it twice. A pause that would end after the deadline is
 * not begun, the failure is thrown at once. An attempt may hand on what arrived together as a list, which costs less.
 *
 * ```ts
 * stream: (request, { signal } = {}) => retrying((signal) => attempt(request, signal), { signal, retry })
 * ```
 *
 * @throws ProviderError of the last attempt; of kind `aborted` when the signal fires during a pause.
 */
export const retrying = (
  attempt: Attempt,
  options: RetryingOptions = {},
): AsyncIterableIterator<ModelEvent, void> => oneByOne(retried(attempt, options))

type Attempt = (signal: AbortSignal | undefined) => AsyncIterable<ModelEvent | readonly ModelEvent[]>

async function* retried(
  attempt: Attempt,
  options: RetryingOptions,
): AsyncGenerator<readonly ModelEvent[], void, undefined> {
  const { signal, now = Date.now, sleep = pause, random = Math.random } = options
  const {
    maxAttempts = 4,
    deadlineMs = 120_000,
    baseDelayMs = 500,
    maxDelayMs = 30_000,
  } = options.retry ?? {}
  const deadline = now() + deadlineMs

  for (let number = 1; ; number++) {
    let written = false
    try {
      for await (const item of attempt(signal)) {
        const events = "type" in item ? [item] : item
        written ||= events.some(({ type }) => type !== "retry")
        yield events
      }
      return
    } catch (error) {
      if (written || !(error instanceof ProviderError) || !error.retryable || number >= maxAttempts)
        throw error
      const backoff = Math.min(maxDelayMs, baseDelayMs * 2 ** (number - 1))
      // Half of the pause is random, so that clients which failed together do not come back together.
      const jittered = Math.round(backoff * (0.5 + random() / 2))
      const delayMs = Math.max(jittered, error.retryAfterMs ?? 0)
      if (now() + delayMs > deadline) throw error
      yield [{ type: "retry", attempt: number, delayMs, error }]
      await sleep(delayMs, signal)
      if (signal?.aborted) throw abortedError(error.provider)
    }
  }
}

/** The items of lists. By hand and not a generator, which costs three times as much for each item. */
function oneByOne<T extends object>(
  lists: AsyncGenerator<readonly T[], void>,
): AsyncIterableIterator<T, void> {
  let list: readonly T[] = []
  let at = 0
  const taken = (): IteratorYieldResult<T> | undefined => {
    const value = list[at]
    if (value === undefined) return undefined
    at++
    return { value, done: false }
  }
  const more = async (): Promise<IteratorResult<T, void>> => {
    const result = await lists.next()
    // Who asks several times at once may have been given more than he has asked for by now.
    if (!result.done) {
      list = [...list.slice(at), ...result.value]
      at = 0
    }
    return taken() ?? (result.done ? result : more())
  }
  return {
    next() {
      const item = taken()
      return item ? Promise.resolve(item) : more()
    },
    async return() {
      list = []
      await lists.return()
      return { value: undefined, done: true }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** The caller's signal fired. */
export const abortedError = (provider: string): ProviderError =>
  new ProviderError("aborted", "The model call was stopped.", { provider })

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const finish = () => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    signal?.addEventListener("abort", finish, { once: true })
  })
}

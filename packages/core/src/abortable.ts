/**
 * The items of `source` until it ends or `signal` fires. A source that ignores the signal is left behind: it is told
 * to return, and nobody waits until it does.
 */
export function abortable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncIterableIterator<T, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  const end: IteratorReturnResult<undefined> = { done: true, value: undefined }
  let waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined
  let over = false
  const close = (): void => {
    over = true
    signal.removeEventListener("abort", abandon)
  }
  const abandon = (): void => {
    if (over) return
    close()
    leave(iterator)
    waiting?.resolve(end)
  }
  const onResult = (result: IteratorResult<T>): void => {
    if (result.done && !over) close()
    waiting?.resolve(over ? end : result)
  }
  const onError = (error: unknown): void => {
    if (over) return
    close()
    waiting?.reject(error)
  }
  if (signal.aborted) abandon()
  else signal.addEventListener("abort", abandon, { once: true })
  return {
    // A generator would do the same, at twice the cost for each token.
    next() {
      if (over) return Promise.resolve(end)
      waiting = Promise.withResolvers()
      iterator.next().then(onResult, onError)
      return waiting.promise
    },
    async return() {
      abandon()
      return end
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // It was left behind: what it still says concerns nobody.
  }
}

const isThenable = <T>(value: Promise<T> | T): value is Promise<T> =>
  typeof value === "object" && value !== null && "then" in value

/**
 * What `work` comes to, or undefined as soon as `signal` fires: what it still does is no longer waited for.
 *
 * @throws what it throws; Error when it takes longer than `timeoutMs`.
 */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T> | T,
  timeoutMs?: number,
): Promise<T | undefined> {
  if (signal?.aborted) return undefined
  const result = work()
  if (!isThenable(result)) return result
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const onAbort = (): void => resolve(undefined)
  signal?.addEventListener("abort", onAbort, { once: true })
  const late = () => reject(new Error(`There was no answer within ${timeoutMs} ms.`))
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
  try {
    return await Promise.race([result, promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", onAbort)
  }
}

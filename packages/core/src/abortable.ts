/**
 * The items of `source` until it ends or `signal` fires. A source that ignores the signal is left behind: it is told
 * to return, and nobody waits until it does.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  const iterator = source[Symbol.asyncIterator]()
  let wake: () => void = () => {}
  const onAbort = (): void => wake()
  signal.addEventListener("abort", onAbort, { once: true })
  let ended = false
  try {
    while (!signal.aborted) {
      const result = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        wake = () => resolve(undefined)
        iterator.next().then(resolve, reject)
      })
      if (!result) return
      ended = result.done === true
      if (result.done) return
      yield result.value
    }
  } catch (error) {
    ended = true
    throw error
  } finally {
    signal.removeEventListener("abort", onAbort)
    if (!ended) leave(iterator)
  }
}

async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // It was left behind: what it still says concerns nobody.
  }
}

/** What `work` comes to, or undefined as soon as `signal` fires: what it still does is no longer waited for. */
export async function unlessAborted<T>(
  signal: AbortSignal,
  work: () => Promise<T> | T,
): Promise<T | undefined> {
  if (signal.aborted) return undefined
  const aborted = Promise.withResolvers<undefined>()
  const onAbort = (): void => aborted.resolve(undefined)
  signal.addEventListener("abort", onAbort, { once: true })
  try {
    return await Promise.race([work(), aborted.promise])
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}

import type { Stopping } from "./stop.ts"

/**
 * Hands each item of the source that `open` gives to `take`, until that says true, the source ends or `signal` fires. A
 * source that ignores the signal is left behind: it is told to return, and nobody waits until it does. A callback for
 * each item and not an iterator around the source: for a model that writes fast that costs a third of the promises.
 */
export function each<T>(
  open: () => AsyncIterable<T>,
  signal: Stopping,
  take: (item: T) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const iterator = open()[Symbol.asyncIterator]()
    let over = false
    const end = (): void => {
      over = true
      signal.removeEventListener("abort", abandon)
      resolve()
    }
    const abandon = (): void => {
      end()
      leave(iterator)
    }
    const fail = (error: unknown): void => {
      reject(error)
      end()
    }
    const broken = (error: unknown): void => {
      fail(error)
      leave(iterator)
    }
    const step = (result: IteratorResult<T>): void => {
      if (over) return
      try {
        if (result.done) end()
        else if (take(result.value)) abandon()
        if (!over) iterator.next().then(step, fail)
      } catch (error) {
        broken(error)
      }
    }
    signal.addEventListener("abort", abandon, { once: true })
    try {
      if (signal.aborted) abandon()
      else iterator.next().then(step, fail)
    } catch (error) {
      broken(error)
    }
  })
}

function leave(iterator: AsyncIterator<unknown>): void {
  try {
    iterator.return?.().then(undefined, () => {})
  } catch {
    // It was left behind: what it still says concerns nobody.
  }
}

const isThenable = <T>(value: Promise<T> | T): value is Promise<T> =>
  typeof value === "object" && value !== null && "then" in value

/**
 * What `work` comes to, or undefined as soon as `signal` fires: what it still does is no longer waited for. What is
 * there at once is given at once: most hooks look and return, and a promise for that would be all they cost.
 *
 * @throws what it throws; Error when it takes longer than `timeoutMs`.
 */
export function unlessAborted<T>(
  signal: Stopping | undefined,
  work: () => Promise<T> | T,
  timeoutMs?: number,
): Promise<T | undefined> | T | undefined {
  if (signal?.aborted) return undefined
  const result = work()
  return isThenable(result) ? firstOf(result, signal, timeoutMs) : result
}

async function firstOf<T>(
  result: Promise<T>,
  signal: Stopping | undefined,
  timeoutMs: number | undefined,
): Promise<T | undefined> {
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

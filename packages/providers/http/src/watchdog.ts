/** Watches one exchange with a service: ends it when the caller says so or when nothing arrives any more. */
export interface Watchdog extends Disposable {
  /** For fetch. Fires with the caller's signal, when time is up, and on dispose before `end`: the socket closes. */
  readonly signal: AbortSignal
  /** True when nothing arrived for the time allowed. */
  readonly idle: boolean
  /** True when anything arrived at all. */
  readonly touched: boolean
  /** Something arrived. The next must come within `limitMs`, default the watchdog's own. */
  touch(limitMs?: number): void
  /** The reader is busy with what arrived: until `resume`, silence is not the service's. */
  hold(): void
  resume(): void
  /** All has been read: there is nothing to watch any more, and nothing to end. */
  end(): void
}

/** After the end of an answer a connection may stay open so long, in ms, before it is closed instead of reused. */
export const LINGER_MS = 250

/** Why the signal fires on dispose. Nobody is told any more, so it need not be an error, which would cost its stack. */
const OVER = "over"

/** Starts watching. Dispose it (`using`) however the exchange ends. */
export function watchdog(timeoutMs: number, caller?: AbortSignal): Watchdog {
  const controller = new AbortController()
  let limit = timeoutMs
  let last = Date.now()
  let idle = false
  let touched = false
  let held = false
  let timer: ReturnType<typeof setTimeout> | undefined

  // Bytes arrive thousands of times a second: they move `last`, and the timer looks at it when it goes off.
  const check = () => {
    const left = held ? limit : last + limit - Date.now()
    if (left > 0) {
      timer = setTimeout(check, left)
      return
    }
    idle = true
    controller.abort()
  }
  const onAbort = () => controller.abort()
  if (caller?.aborted) onAbort()
  else {
    caller?.addEventListener("abort", onAbort, { once: true })
    timer = setTimeout(check, limit)
  }

  let ended = false
  const end = () => {
    ended = true
    clearTimeout(timer)
    caller?.removeEventListener("abort", onAbort)
  }

  return {
    signal: controller.signal,
    get idle() {
      return idle
    },
    get touched() {
      return touched
    },
    touch(limitMs = timeoutMs) {
      touched = true
      held = false
      last = Date.now()
      if (limitMs < limit && !controller.signal.aborted) {
        clearTimeout(timer)
        timer = setTimeout(check, limitMs)
      }
      limit = limitMs
    },
    hold() {
      held = true
    },
    resume() {
      held = false
      last = Date.now()
    },
    end,
    [Symbol.dispose]() {
      // Aborting what is over does nothing, but costs fetch 40 µs.
      if (ended) return
      end()
      controller.abort(OVER)
    },
  }
}

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
export const watchdog = (timeoutMs: number, caller?: AbortSignal): Watchdog => new Watch(timeoutMs, caller)

class Watch implements Watchdog {
  readonly #controller = new AbortController()
  readonly #timeoutMs: number
  readonly #caller: AbortSignal | undefined
  #limit: number
  #last = Date.now()
  #held = false
  #ended = false
  #timer: ReturnType<typeof setTimeout> | undefined
  idle = false
  touched = false

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs
    this.#limit = timeoutMs
    this.#caller = caller
    if (caller?.aborted) this.handleEvent()
    else {
      caller?.addEventListener("abort", this, { once: true })
      this.#set(timeoutMs)
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The caller's signal has fired. */
  handleEvent(): void {
    this.#controller.abort()
  }

  // Bytes arrive thousands of times a second: they move `last`, and the timer looks at it when it goes off.
  static #check(watch: Watch): void {
    const left = watch.#held ? watch.#limit : watch.#last + watch.#limit - Date.now()
    if (left > 0) {
      watch.#set(left)
      return
    }
    watch.idle = true
    watch.#controller.abort()
  }

  #set(ms: number): void {
    this.#timer = setTimeout(Watch.#check, ms, this)
  }

  touch(limitMs: number = this.#timeoutMs): void {
    this.touched = true
    this.#held = false
    this.#last = Date.now()
    if (limitMs < this.#limit && !this.signal.aborted) {
      clearTimeout(this.#timer)
      this.#set(limitMs)
    }
    this.#limit = limitMs
  }

  hold(): void {
    this.#held = true
  }

  resume(): void {
    this.#held = false
    this.#last = Date.now()
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener("abort", this)
  }

  [Symbol.dispose](): void {
    // Aborting what is over does nothing, but costs fetch 40 µs.
    if (this.#ended) return
    this.end()
    this.#controller.abort(OVER)
  }
}

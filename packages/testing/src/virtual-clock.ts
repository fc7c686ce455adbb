/** A clock that moves only when told to. Pass `now` to whatever takes one. */
export interface VirtualClock {
  /** The time, in ms since 1970. */
  readonly now: () => number
  /** Moves the time on by so many ms and returns it. */
  advance(ms: number): number
}

/**
 * A clock for tests: expiry without waiting, the same times in every run.
 *
 * ```ts
 * const clock = virtualClock()
 * const store = new MemoryStore({ now: clock.now })
 * clock.advance(30_000)
 * ```
 */
export function virtualClock(startMs: number = Date.UTC(2026, 0, 1)): VirtualClock {
  let time = startMs
  return {
    now: () => time,
    advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`A clock does not go back: advance by 0 ms or more, not ${ms}.`)
      time += ms
      return time
    },
  }
}

/**
 * For how long a limit counts. Windows begin with the hour, the day or the month in UTC. A run is everything from its
 * start to its end, with the runs that it started.
 */
export type Period = "run" | "hour" | "day" | "month" | "ever"

export const PERIODS: readonly Period[] = ["run", "hour", "day", "month", "ever"]

const HOUR = 3_600_000
const DAY = 86_400_000

/** The month that was asked for last: it takes a calendar to find one. */
let month = { start: 0, end: 0 }

/** When the window that holds `now` began, in ms since 1970; 0 where there is only one. */
export function startOf(per: Period, now: number): number {
  if (per === "hour") return now - (now % HOUR)
  if (per === "day") return now - (now % DAY)
  if (per !== "month") return 0
  if (now < month.start || now >= month.end) {
    const date = new Date(now)
    const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
    month = { start, end: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) }
  }
  return month.start
}

/** When the next window begins; undefined where there is only one. */
export function endOf(per: Period, start: number): number | undefined {
  if (per === "hour") return start + HOUR
  if (per === "day") return start + DAY
  if (per !== "month") return undefined
  const date = new Date(start)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
}

/** What was spent in one window, by unit. */
export interface Window {
  readonly start: number
  /** A later window that a clock which ran ahead had opened before: what was spent in it is part of this. */
  readonly ahead?: number
  readonly spent: Readonly<Record<string, number>>
  /** What was allowed beyond the limits. */
  readonly granted?: Readonly<Record<string, number>>
  /** A model without a known price was used: what was spent in USD is the most that it can be. */
  readonly unpriced?: true
}

/**
 * The window that counts now.
 *
 * Time that goes on opens a new one. A clock that goes back opens none and forgets nothing: as long as the last window
 * is at most one ahead it still counts, which also covers several processes whose clocks differ around midnight. From
 * a window further ahead, which a wrong clock has opened, what was spent comes along into the present one, so that
 * nothing is spent twice and nothing stays locked for longer than one window.
 */
export function windowAt(per: Period, now: number, last: Window | undefined): Window {
  const start = startOf(per, now)
  if (!last) return { start, spent: {} }
  if (start === last.start) return last
  if (start > last.start) {
    const { ahead, ...rest } = last
    return start === ahead ? { ...rest, start } : { start, spent: {} }
  }
  if (last.start <= (endOf(per, start) ?? 0)) return last
  return { ...last, start, ahead: Math.max(last.ahead ?? 0, last.start) }
}

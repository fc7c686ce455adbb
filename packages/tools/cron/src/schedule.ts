import { isObject } from "@orra/core"
import { CronError } from "./errors.ts"
import { Pattern } from "./pattern.ts"
import { Zone } from "./zone.ts"

/**
 * When a job is done, as JSON:
 * - `at`: once. An ISO 8601 date and time; without an offset it is that of the job's time zone.
 * - `every`: so many ms after each other, counted from the job's creation.
 * - `cron`: five fields (minute, hour, day of month, month, day of week), six with seconds first, or a macro such as
 *   `@daily`.
 *
 * `timezone` is that of `cron`, and of an `at` without an offset. Default: the scheduler's.
 */
export type Schedule =
  | { readonly type: "at"; readonly datetime: string; readonly timezone?: string }
  | { readonly type: "every"; readonly interval_ms: number }
  | { readonly type: "cron"; readonly expression: string; readonly timezone?: string }

/** What a schedule is measured by when it is made. */
export interface ScheduleLimits {
  /** ms since 1970. */
  readonly now: number
  /** The zone where the schedule names none. */
  readonly timezone: string
  /** The least time between two firings, in ms. */
  readonly minIntervalMs: number
}

/** The longest interval: a hundred years, in ms. */
const MAX_INTERVAL = 100 * 366 * 86_400_000
/** So many firings are looked at: more than there are seconds in a minute, after which they repeat. */
const LOOKED_AT = 64
/** croner's: what clocks never show, and what the platform cannot name, is after it. */
const MAX_TIME = Date.UTC(3000, 0)

/**
 * The schedule, with all that it leaves open filled in: what is kept fires when it was said to, whatever the defaults
 * are later.
 *
 * @throws CronError `schedule_invalid`, `schedule_never`, `schedule_past`, `schedule_too_often`, `timezone_unknown`.
 */
export function checkedSchedule(value: unknown, limits: ScheduleLimits): Schedule {
  if (!isObject(value))
    throw invalid('A schedule is an object: {"type": "cron", "expression": "30 9 * * *"}.')
  switch (value["type"]) {
    case "at":
      return checkedAt(value, limits)
    case "every":
      return checkedEvery(value, limits)
    case "cron":
      return checkedCron(value, limits)
    default:
      throw invalid('The type of a schedule is "at", "every" or "cron".')
  }
}

function checkedAt(value: Readonly<Record<string, unknown>>, { now, timezone }: ScheduleLimits): Schedule {
  const { datetime } = value
  const zone = zoneOf(value, timezone)
  const instant = typeof datetime === "string" ? instantOf(datetime, zone) : undefined
  if (instant === undefined) {
    throw invalid(
      '`datetime` is a date and time there is, as in "2026-03-01T09:00:00" or "2026-03-01T09:00:00+01:00".',
    )
  }
  if (instant <= now) {
    throw new CronError(
      "schedule_past",
      `${new Date(instant).toISOString()} is over: it is ${new Date(now).toISOString()} now.`,
    )
  }
  return { type: "at", datetime: new Date(instant).toISOString(), timezone: zone.name }
}

function checkedEvery(value: Readonly<Record<string, unknown>>, { minIntervalMs }: ScheduleLimits): Schedule {
  const interval = value["interval_ms"]
  if (
    typeof interval !== "number" ||
    !Number.isSafeInteger(interval) ||
    interval < 1 ||
    interval > MAX_INTERVAL
  ) {
    throw invalid("`interval_ms` is a whole number of ms from 1 to a hundred years.")
  }
  if (interval < minIntervalMs) throw tooOften(minIntervalMs)
  return { type: "every", interval_ms: interval }
}

function checkedCron(
  value: Readonly<Record<string, unknown>>,
  { now, timezone, minIntervalMs }: ScheduleLimits,
): Schedule {
  const { expression } = value
  if (typeof expression !== "string") throw invalid('`expression` is text, as in "30 9 * * MON-FRI".')
  const pattern = Pattern.of(expression)
  const zone = zoneOf(value, timezone)
  let last = nextMatch(pattern, zone, now)
  if (last === undefined) {
    throw new CronError(
      "schedule_never",
      `No day matches ${JSON.stringify(expression)}: it would never fire.`,
    )
  }
  for (let count = 1; count < LOOKED_AT && minIntervalMs > 1_000; count++) {
    const next = nextMatch(pattern, zone, last)
    if (next === undefined) break
    if (next - last < minIntervalMs) throw tooOften(minIntervalMs)
    last = next
  }
  return { type: "cron", expression: expression.trim(), timezone: zone.name }
}

/** The zone that is named, or the default one. @throws CronError (`timezone_unknown`). */
export function zoneOf(value: Readonly<Record<string, unknown>>, byDefault: string): Zone {
  const { timezone = byDefault } = value
  if (typeof timezone !== "string") throw new CronError("timezone_unknown", "A time zone is named by text.")
  return Zone.of(timezone)
}

/**
 * The first time after `after`, in ms since 1970; undefined when there is none any more. `start` is when an `every`
 * began, in the same way.
 */
export function nextRun(schedule: Schedule, after: number, start: number): number | undefined {
  switch (schedule.type) {
    case "at": {
      const instant = Date.parse(schedule.datetime)
      return instant > after ? instant : undefined
    }
    case "every": {
      const { interval_ms: interval } = schedule
      return start + interval * (Math.max(0, Math.floor((after - start) / interval)) + 1)
    }
    case "cron":
      return nextMatch(Pattern.of(schedule.expression), Zone.of(schedule.timezone ?? "UTC"), after)
  }
}

/**
 * Where clocks are put forward, a single time of day that they skip is made up for at once, and others are left out.
 * Where they are put back, it comes once, the first time, and others come twice. So does croner.
 */
function nextMatch(pattern: Pattern, zone: Zone, after: number): number | undefined {
  for (let from = Math.floor(after / 1_000) * 1_000 + 1_000; from < MAX_TIME; ) {
    const stretch = zone.at(from)
    let wall = from + stretch.offset
    if (pattern.isFixedTime) {
      const before = stretch.from + stretch.before
      const skipped = from === stretch.from && before < wall ? pattern.from(before) : undefined
      if (skipped !== undefined && skipped < wall) return from
      wall = Math.max(wall, before)
    }
    const found = pattern.from(wall)
    if (found === undefined) return undefined
    if (found - stretch.offset < stretch.to) return found - stretch.offset
    // No clock is further from UTC.
    from = Math.max(stretch.to, found - 2 * 86_400_000)
  }
  return undefined
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?$/

/** The instant that an ISO 8601 date and time means; undefined when it means none. */
function instantOf(text: string, zone: Zone): number | undefined {
  const [, year = "", month = "", day = "", hour = "", minute = "", second = "0", offset] =
    ISO.exec(text.trim()) ?? []
  const wall = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second)
  const isDate =
    year !== "" &&
    +year >= 1970 &&
    +hour < 24 &&
    +minute < 60 &&
    +second < 60 &&
    new Date(wall).getUTCMonth() === +month - 1 &&
    new Date(wall).getUTCDate() === +day
  if (!isDate) return undefined
  if (offset === undefined) return zone.instantOf(wall)
  if (offset.length === 1) return wall
  const [hours, minutes] = [+offset.slice(1, 3), +offset.slice(-2)]
  if (hours > 23 || minutes > 59) return undefined
  return wall - (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const invalid = (message: string): CronError => new CronError("schedule_invalid", message)

const tooOften = (minIntervalMs: number): CronError =>
  new CronError(
    "schedule_too_often",
    `It would fire more often than every ${minIntervalMs} ms: choose a longer interval.`,
    {
      minIntervalMs,
    },
  )

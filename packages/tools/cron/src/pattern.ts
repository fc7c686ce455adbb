import { CronPattern } from "croner"
import { CronError } from "./errors.ts"

const DAY = 86_400_000
/** A 29 February that is a given day of the week comes after 40 years at most. */
const HORIZON_MONTHS = 50 * 12
const MAX_LENGTH = 256
const MAX_KEPT = 10_000

/** What a calendar is asked for the days of a month. Months are 0 to 11. */
type DaysOf = (year: number, month: number) => number

/**
 * A cron expression of five or six fields (the first of six are seconds), or a macro such as `@daily`, as tables in
 * which the next match is looked up. croner reads it: it knows the grammar, with names, `L`, `W` and `#`.
 *
 * Times are what clocks show, in ms, as if the place were at UTC.
 */
export class Pattern {
  /** One single time of day: there is no other that day, so it is made up for when clocks skip it. */
  readonly isFixedTime: boolean
  readonly #months: readonly number[]
  /** For each number the next one that matches, or -1. */
  readonly #hours: Int8Array
  readonly #minutes: Int8Array
  readonly #seconds: Int8Array
  readonly #firstTime: number
  readonly #daysOf: DaysOf
  #month = { index: -1, days: 0 }

  private constructor(read: CronPattern) {
    this.isFixedTime = read.isFixedTime
    this.#months = [...read.month]
    this.#hours = nextOf(read.hour)
    this.#minutes = nextOf(read.minute)
    this.#seconds = nextOf(read.second)
    this.#firstTime = inMs(at(this.#hours, 0), at(this.#minutes, 0), at(this.#seconds, 0))
    this.#daysOf = daysOf(read)
  }

  static readonly #kept = new Map<string, Pattern>()

  /** @throws CronError (`schedule_invalid`) with what is wrong with it. */
  static of(expression: string): Pattern {
    const kept = Pattern.#kept.get(expression)
    if (kept) return kept
    if (expression.length > MAX_LENGTH) {
      throw new CronError("schedule_invalid", `A cron expression has at most ${MAX_LENGTH} characters.`)
    }
    let pattern: Pattern
    try {
      pattern = new Pattern(new CronPattern(expression.trim(), undefined, { mode: "5-or-6-parts" }))
    } catch (error) {
      const why = error instanceof Error ? error.message.replace("CronPattern: ", "") : "it is no expression"
      throw new CronError(
        "schedule_invalid",
        `${JSON.stringify(expression)} is not a cron expression (${why}). Write minute, hour, day of month, month and day of week, as in "30 9 * * MON-FRI".`,
      )
    }
    if (Pattern.#kept.size >= MAX_KEPT) Pattern.#kept.clear()
    Pattern.#kept.set(expression, pattern)
    return pattern
  }

  /** The first time from `wall` on, which is a whole second; undefined when there is none in 50 years. */
  from(wall: number): number | undefined {
    let day = Math.floor(wall / DAY)
    const { year, month, dayOfMonth } = civil(day)
    let index = year * 12 + month
    let days = this.#daysIn(index) >>> (dayOfMonth - 1)
    if (days & 1) {
      const time = this.#timeFrom(wall - day * DAY)
      if (time !== undefined) return day * DAY + time
    }
    // The days after this one.
    days = (days & ~1) >>> 0
    for (const last = index + HORIZON_MONTHS; days === 0; days = this.#daysIn(index)) {
      if (++index > last) return undefined
      day = Date.UTC(Math.floor(index / 12), index % 12) / DAY
    }
    return (day + 31 - Math.clz32(days & -days)) * DAY + this.#firstTime
  }

  /** Bit by bit the days of a month, counted from year 0, that match: the first one is bit 0. */
  #daysIn(index: number): number {
    if (this.#month.index !== index) {
      const month = index % 12
      const days = this.#months[month] ? this.#daysOf(Math.floor(index / 12), month) : 0
      this.#month = { index, days }
    }
    return this.#month.days
  }

  /** The first time of day from this one on, in ms; undefined when there is none that day. */
  #timeFrom(time: number): number | undefined {
    const inSeconds = Math.floor(time / 1_000)
    let hour = Math.floor(inSeconds / 3_600)
    if (at(this.#hours, hour) === hour) {
      let minute = Math.floor(inSeconds / 60) % 60
      if (at(this.#minutes, minute) === minute) {
        const second = at(this.#seconds, inSeconds % 60)
        if (second >= 0) return inMs(hour, minute, second)
        minute++
      }
      minute = at(this.#minutes, minute)
      if (minute >= 0) return inMs(hour, minute, at(this.#seconds, 0))
      hour++
    }
    hour = at(this.#hours, hour)
    return hour < 0 ? undefined : inMs(hour, at(this.#minutes, 0), at(this.#seconds, 0))
  }
}

const inMs = (hour: number, minute: number, second: number): number =>
  ((hour * 60 + minute) * 60 + second) * 1_000

/** Beyond the end there is nothing more. */
const at = (next: Int8Array, index: number): number => next[index] ?? -1

function nextOf(matches: readonly number[]): Int8Array {
  const next = new Int8Array(matches.length).fill(-1)
  for (let index = matches.length - 1, found = -1; index >= 0; index--) {
    if (matches[index]) found = index
    next[index] = found
  }
  return next
}

function daysOf(read: CronPattern): DaysOf {
  const { lastDayOfMonth, lastWeekday, starDOM, starDOW, useAndLogic } = read
  const plain = bits(read.day)
  const nearest = read.nearestWeekdays.flatMap((is, index) => (is ? [index + 1] : []))
  const both = useAndLogic || starDOM
  const weeks = [0, 1, 2, 3, 4].map((week) =>
    bits(read.dayOfWeek.slice(0, 7).map((nth) => nth & (1 << week))),
  )
  const lastOnes = bits(read.dayOfWeek.slice(0, 7).map((nth) => nth & 32))
  return (year, month) => {
    const begin = Date.UTC(year, month)
    const length = (Date.UTC(year, month + 1) - begin) / DAY
    const first = (begin / DAY + 4) % 7
    const dayOfWeek = (day: number): number => (first + day - 1) % 7
    const all = 2 ** length - 1
    let days = plain
    for (const day of nearest) if (day <= length) days |= 1 << (weekdayNear(day, length, dayOfWeek(day)) - 1)
    if (lastWeekday) days |= 1 << (weekdayNear(length, length, dayOfWeek(length)) - 1)
    if (lastDayOfMonth) days |= 1 << (length - 1)
    if (starDOW) return (days & all) >>> 0
    let named = 0
    for (const [week, ones] of weeks.entries()) named |= turned(ones, first) << (7 * week)
    named |= turned(lastOnes, dayOfWeek(length - 6)) << (length - 7)
    return ((both ? days & named : days | named) & all) >>> 0
  }
}

/** The days of the week, from the one that `first` is on. */
const turned = (week: number, first: number): number => ((week >>> first) | (week << (7 - first))) & 127

/** The day from Monday to Friday that is next to this one, in the same month. */
function weekdayNear(day: number, length: number, dayOfWeek: number): number {
  if (dayOfWeek === 6) return day === 1 ? 3 : day - 1
  if (dayOfWeek === 0) return day === length ? day - 2 : day + 1
  return day
}

const bits = (matches: readonly number[]): number =>
  matches.reduce((mask, is, index) => (is ? mask | (1 << index) : mask), 0)

/** The date of a day, counted from 1970. */
function civil(day: number): { readonly year: number; readonly month: number; readonly dayOfMonth: number } {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = (shiftedMonth + 2) % 12
  return { year: yearOfEra + era * 400 + (month < 2 ? 1 : 0), month, dayOfMonth }
}

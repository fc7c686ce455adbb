import { en } from "./en.ts"

/** Everything the page says, in the language of the page. Another language is another module of the same shape. */
export type Strings = typeof en

export const t: Strings = en

/** Numbers and dates follow the reader's own settings. */
const locale = typeof navigator === "undefined" ? undefined : navigator.language
const numbers = new Intl.NumberFormat(locale)
const percents = new Intl.NumberFormat(locale, { style: "percent" })
const times = new Intl.DateTimeFormat(locale, { timeStyle: "short" })
const fullTimes = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" })
const days = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" })
const daysWithYear = new Intl.DateTimeFormat(locale, { dateStyle: "long" })
const months = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" })
const seconds = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })

const lists = new Intl.ListFormat(locale)

export const formatList = (texts: readonly string[]): string => lists.format(texts)
const dollars = new Intl.NumberFormat(locale, { style: "currency", currency: "USD" })
const cents = new Intl.NumberFormat(locale, {
  style: "currency",
  currency: "USD",
  maximumSignificantDigits: 2,
})

/** USD; less than a dollar with two digits that say something. */
export const formatCost = (usd: number): string => (usd >= 1 || usd === 0 ? dollars : cents).format(usd)
export const formatNumber = (value: number): string => numbers.format(value)
export const formatPercent = (value: number): string => percents.format(value)
export const formatTime = (at: number): string => times.format(at)
export const formatFullTime = (at: number): string => fullTimes.format(at)
export const formatMonth = (at: number): string => months.format(at)

/** Midnight, where the reader is, of the day that holds `at`. */
export const dayOf = (at: number): number => new Date(at).setHours(0, 0, 0, 0)

/** Whole calendar days between two moments; a day may have 23 or 25 hours. */
export const daysBetween = (from: number, to: number): number =>
  Math.round((dayOf(to) - dayOf(from)) / 86_400_000)

export function formatDay(at: number, now: number): string {
  const ago = daysBetween(at, now)
  if (ago === 0) return t.today
  if (ago === 1) return t.yesterday
  return new Date(at).getFullYear() === new Date(now).getFullYear()
    ? days.format(at)
    : daysWithYear.format(at)
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return t.milliseconds(numbers.format(Math.max(1, Math.round(ms))))
  if (ms < 60_000) return t.seconds(seconds.format(ms / 1_000))
  return t.minutes(numbers.format(Math.floor(ms / 60_000)), numbers.format(Math.round((ms % 60_000) / 1_000)))
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return t.bytes(numbers.format(bytes))
  if (bytes < 1_048_576) return t.kilobytes(numbers.format(Math.round(bytes / 1_024)))
  return t.megabytes(seconds.format(bytes / 1_048_576))
}

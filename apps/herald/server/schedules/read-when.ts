import type { Schedule } from "@orra/cron"
import { Spoken } from "./spoken.ts"

/** What was understood, or what to write instead. */
export type Reading =
  | { readonly schedule: Schedule; readonly problem?: never }
  | { readonly schedule?: never; readonly problem: string }

/** A time of day. */
interface Time {
  readonly hour: number
  readonly minute: number
}

/** What the clocks show where somebody is. */
interface Local extends Time {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  /** 0 is Sunday. */
  readonly weekday: number
}

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] as const
const DAY = "(sun|mon|tue|wed|thu|fri|sat)(?:days?|s?days?|nesdays?|rsdays?|urdays?|s|r|rs)?"
const MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
const ORDINAL = "(\\d{1,2})(?:st|nd|rd|th)"
const DAY_MS = 86_400_000
const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS } as const
const DURATION = "(\\d+(?:\\.\\d+)?) ?(s|m|h|d|w)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?|eeks?)?"

/** Where nothing is said of the time of day. */
const MORNING: Time = { hour: 9, minute: 0 }
const PARTS: Readonly<Record<string, Time>> = {
  morning: MORNING,
  noon: { hour: 12, minute: 0 },
  midday: { hour: 12, minute: 0 },
  afternoon: { hour: 15, minute: 0 },
  evening: { hour: 18, minute: 0 },
  tonight: { hour: 20, minute: 0 },
  night: { hour: 21, minute: 0 },
  midnight: { hour: 0, minute: 0 },
}

const INSTEAD =
  'Say it in English, like "tomorrow at nine", "every weekday at 8", "in 20 minutes"; choose the fields; or ask for it in a chat, in any language.'

/**
 * When something is to be done, of how people say it, in English: "tomorrow at nine", "every weekday at 8", "in 20
 * minutes". Nobody is asked and nothing is guessed: what is not understood is said. Times are those of `timezone`; a plain "at 5" is 5 o'clock in the morning.
 *
 * `now` is in ms since 1970.
 */
export function readWhen(text: string, now: number, timezone: string): Reading {
  const expression = expressionIn(text)
  if (expression !== undefined) return { schedule: { type: "cron", expression, timezone } }
  const spoken = new Spoken(text.replace(/[.!?]+\s*$/, ""))
  const local = localAt(now, timezone)
  const found =
    interval(spoken) ?? later(spoken, now) ?? repeated(spoken, timezone) ?? once(spoken, local, timezone)
  if ("problem" in found) return found
  const { left } = spoken
  if (left === "") return found
  return { problem: `"${left}" is not understood here. ${INSTEAD}` }
}

/** A cron expression, if it is one: five or six fields, or a macro. */
function expressionIn(text: string): string | undefined {
  const trimmed = text.trim()
  const looksLikeOne = /^@[a-z]+$/i.test(trimmed) || /^[\d*][\d*/,-]*(?:\s+[\w*/,#?+-]+){4,5}$/.test(trimmed)
  return looksLikeOne ? trimmed : undefined
}

/** "every 20 minutes" */
function interval(spoken: Spoken): Reading | undefined {
  const given = spoken.take(
    new RegExp(`(?:every|each) (?:${DURATION}|(2th|minute|hour)|(other|2th) (hour|minute|day|week))`),
  )
  if (!given) return spoken.take(/hourly/) && { schedule: { type: "every", interval_ms: UNITS.h } }
  const [, count, unit, one, , other] = given
  const ms = one ? unitMs(one) : other ? 2 * unitMs(other) : Number(count) * unitMs(unit)
  if (ms % DAY_MS === 0 && spoken.left !== "") {
    return {
      problem:
        'Every so many days there is no fixed time of day: leave it out, and it is counted from now; or name days, as in "every monday and thursday at 8".',
    }
  }
  return { schedule: { type: "every", interval_ms: Math.round(ms) } }
}

/** A second is read as an ordinal. */
const unitMs = (unit = "m"): number => UNITS[unit === "2th" ? "s" : (unit.charAt(0) as keyof typeof UNITS)]

/** "in 20 minutes"; days with a time of day are not among these. */
function later(spoken: Spoken, now: number): Reading | undefined {
  const half = spoken.take(/in (?:half an|1\/2) hour/)
  if (half) return at(now + UNITS.h / 2)
  const first = spoken.take(new RegExp(`in (?:an? (hour|minute)|${DURATION.replace("|d|w", "")})`))
  if (!first) return undefined
  const [, one, count, unit] = first
  let ms = one ? unitMs(one) : Number(count) * unitMs(unit)
  for (let more = spoken.take(new RegExp(DURATION)); more; more = spoken.take(new RegExp(DURATION)))
    ms += Number(more[1]) * unitMs(more[2])
  if (spoken.take(/and a half|a half/)) ms += UNITS.h / 2
  return at(now + ms)
}

const at = (instant: number): Reading => ({
  schedule: { type: "at", datetime: new Date(Math.ceil(instant / 1_000) * 1_000).toISOString() },
})

/** "every weekday at 8", "on the 15th of every month at 10" */
function repeated(spoken: Spoken, timezone: string): Reading | undefined {
  const cron = (fields: string): Reading => {
    const { hour, minute } = timeIn(spoken) ?? MORNING
    return { schedule: { type: "cron", expression: `${minute} ${hour} ${fields}`, timezone } }
  }
  const every = "(?:every|each|(?:of )?(?:the|every|each))"
  const nth = spoken.take(
    new RegExp(`(?:every |on )?(?:the )?(?:${ORDINAL}|(last)) ${DAY} (?:of|in) ${every} month`),
  )
  if (nth) return cron(`* * ${dayName(nth[3])}#${nth[2] ? "L" : nth[1]}`)
  const last = spoken.take(new RegExp(`(?:every |on )?(?:the )?last day (?:of|in) ${every} month`))
  if (last) return cron("L * *")
  const monthly =
    spoken.take(new RegExp(`(?:every |on )?(?:the )?${ORDINAL}(?: day)? (?:of|in) ${every} month`)) ??
    spoken.take(new RegExp(`(?:every month|monthly)(?: on)?(?: the)? ${ORDINAL}`))
  if (monthly) return cron(`${monthly[1]} * *`)
  if (spoken.take(/every month|monthly/)) return cron("1 * *")
  const yearly =
    spoken.take(/(?:every year|yearly|annually)(?: on)?/) ??
    spoken.take(new RegExp(`every(?= \\d{1,2}(?:st|nd|rd|th)? (?:of )?${MONTH})`))
  if (yearly) {
    const date = dateIn(spoken)
    if (!date) return { problem: 'Say the day as well: "every year on 24 december at 18:00".' }
    return cron(`${date.day} ${date.month} *`)
  }
  if (spoken.take(/(?:every |on |each )?(?:weekdays?|work(?:ing)? ?days?)/)) return cron("* * MON-FRI")
  if (spoken.take(/(?:every |on |each )?(?:weekends?)/)) return cron("* * SAT,SUN")
  if (spoken.take(/every day|each day|daily/)) return cron("* * *")
  if (spoken.take(/(?:every|each)(?= (?:morning|noon|midday|afternoon|evening|night|midnight))/))
    return cron("* * *")
  const isWeekly = spoken.take(/(?:every week|weekly)(?: on)?/) !== undefined
  const first = spoken.take(
    new RegExp(isWeekly ? DAY : `(?:every|each) ${DAY}|(?:on )?(sun|mon|tues|wednes|thurs|fri|satur)days`),
  )
  if (!first) {
    return isWeekly ? { problem: 'Say the day as well: "every monday at 8".' } : undefined
  }
  const days = [dayName(first[1] || first[2])]
  for (let more = spoken.take(new RegExp(DAY)); more; more = spoken.take(new RegExp(DAY)))
    days.push(dayName(more[1]))
  return cron(`* * ${[...new Set(days)].join(",")}`)
}

const dayName = (day: string | undefined): string => (day ?? "").slice(0, 3).toUpperCase()

/** "tomorrow at nine", "friday evening", "24 december at 18:00", "at 17:30" */
function once(spoken: Spoken, local: Local, timezone: string): Reading {
  const day = dayIn(spoken, local)
  const time = timeIn(spoken)
  if (!day && !time) return { problem: `It does not say when. ${INSTEAD}` }
  const { hour, minute } = time ?? MORNING
  const isOver = hour * 60 + minute <= local.hour * 60 + local.minute
  const { year, month, day: date, rolls } = day ?? { ...shifted(local, isOver ? 1 : 0), rolls: false }
  const isToday = year === local.year && month === local.month && date === local.day
  // A day of the week, or a date without its year, that is over is the next one.
  const wanted =
    isToday && isOver && rolls === "week"
      ? shifted(local, 7)
      : rolls === "year" &&
          (month < local.month || (month === local.month && (date < local.day || (isToday && isOver))))
        ? { year: year + 1, month, day: date }
        : { year, month, day: date }
  const two = (value: number): string => String(value).padStart(2, "0")
  const datetime = `${wanted.year}-${two(wanted.month)}-${two(wanted.day)}T${two(hour)}:${two(minute)}:00`
  return { schedule: { type: "at", datetime, timezone } }
}

interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
  /** What comes when this is over already. */
  readonly rolls: "week" | "year" | false
}

function dayIn(spoken: Spoken, local: Local): Day | undefined {
  const fixed = (days: number): Day => ({ ...shifted(local, days), rolls: false })
  if (spoken.take(/(?:the )?day after tomorrow/)) return fixed(2)
  if (spoken.take(/tomorrow/)) return fixed(1)
  if (spoken.take(/today/) || spoken.take(/this(?= (?:morning|afternoon|evening))/)) return fixed(0)
  const ahead = spoken.take(/in (?:(\d+)|a) (day|week)s?/)
  if (ahead) return fixed(Number(ahead[1] || 1) * (ahead[2] === "week" ? 7 : 1))
  if (spoken.take(/next week/)) return fixed(7)
  const weekday = spoken.take(new RegExp(`(?:(next|this) )?${DAY}`))
  if (weekday) {
    const distance = (DAYS.indexOf(weekday[2] as (typeof DAYS)[number]) - local.weekday + 7) % 7
    const isNext = weekday[1] === "next" && distance === 0
    return { ...shifted(local, isNext ? 7 : distance), rolls: "week" }
  }
  const date = dateIn(spoken)
  if (!date) return undefined
  return date.year === undefined
    ? { ...date, year: local.year, rolls: "year" }
    : { ...date, year: date.year, rolls: false }
}

function dateIn(
  spoken: Spoken,
): { readonly year?: number; readonly month: number; readonly day: number } | undefined {
  const iso = spoken.take(/(\d{4})-(\d\d)-(\d\d)/)
  if (iso) return { year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) }
  const dotted = spoken.take(/(\d{1,2})\.(\d{1,2})\.(\d{4})?/)
  if (dotted) return { ...yearOf(dotted[3]), month: Number(dotted[2]), day: Number(dotted[1]) }
  const named =
    spoken.take(new RegExp(`(?:the )?(\\d{1,2})(?:st|nd|rd|th)?\\.? (?:of )?${MONTH}(?: (\\d{4}))?`)) ??
    swapped(
      spoken.take(
        new RegExp(`${MONTH} (?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?: (\\d{4}))?(?! ?[ap]\\.?m)(?!:)`),
      ),
    )
  if (!named) return undefined
  const month = MONTHS.indexOf(named[2] as (typeof MONTHS)[number]) + 1
  return { ...yearOf(named[3]), month, day: Number(named[1]) }
}

const swapped = (found: readonly string[] | undefined): readonly string[] | undefined =>
  found && [found[0] ?? "", found[2] ?? "", found[1] ?? "", found[3] ?? ""]

const yearOf = (year: string | undefined): { readonly year?: number } => (year ? { year: Number(year) } : {})

function timeIn(spoken: Spoken): Time | undefined {
  const clock =
    spoken.take(
      /(?:at )?(half|quarter|\d{1,2}(?: minutes?)?) (?:past|after) (\d{1,2})()(?: ?([ap])\.?m\.?)?/,
    ) ??
    spoken.take(/(?:at )?(quarter|\d{1,2}(?: minutes?)?) (?:to|before) (\d{1,2})()(?: ?([ap])\.?m\.?)?()/) ??
    spoken.take(/(?:at )?()(\d{1,2})[:.h](\d\d)(?: ?([ap])\.?m\.?)?/) ??
    spoken.take(/(?:at )?()(\d{1,2})() ?([ap])\.?m\.?/) ??
    spoken.take(/at ()(\d{1,2})()(?: o'?clock)?/) ??
    spoken.take(/()(\d{1,2})()(?: o'?clock)?/)
  const part = spoken.take(
    /(?:in the |at |this )?(morning|noon|midday|afternoon|evening|tonight|night|midnight)/,
  )?.[1]
  if (!clock) return part === undefined ? undefined : PARTS[part]
  const [whole = "", offset = "", hourText = "", minuteText = "", half = ""] = clock
  const around = offset === "half" ? 30 : offset === "quarter" ? 15 : Number.parseInt(offset, 10) || 0
  const minutes = / (?:to|before) /.test(whole) ? -around : around
  let hour = Number(hourText)
  if (half === "a" && hour === 12) hour = 0
  const isLater =
    half === "p" ||
    (half === "" &&
      (part === "afternoon" ||
        part === "evening" ||
        part === "tonight" ||
        part === "night" ||
        part === "noon"))
  if (isLater && hour < 12) hour += 12
  const total = hour * 60 + Number(minuteText) + minutes
  const isTime = hour < 24 && Number(minuteText) < 60 && !(half !== "" && Number(hourText) > 12)
  return isTime
    ? { hour: Math.floor(((total + 1440) % 1440) / 60), minute: (total + 1440) % 60 }
    : { hour: 99, minute: 0 }
}

function localAt(now: number, timezone: string): Local {
  const format = new Intl.DateTimeFormat("en-US-u-hc-h23", {
    timeZone: timezone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    weekday: "short",
  })
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]))
  const number = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name))
  const weekday = (parts.get("weekday") ?? "").toLowerCase().slice(0, 3) as (typeof DAYS)[number]
  return {
    year: number("year"),
    month: number("month"),
    day: number("day"),
    hour: number("hour"),
    minute: number("minute"),
    weekday: DAYS.indexOf(weekday),
  }
}

/** So many days later by the calendar. */
function shifted({ year, month, day }: Local, days: number): Omit<Day, "rolls"> {
  const date = new Date(Date.UTC(year, month - 1, day + days))
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}

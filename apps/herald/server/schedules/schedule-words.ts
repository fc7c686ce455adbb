import type { Schedule } from "@orra/cron"

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
const SHORT = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
const UNITS = [
  ["week", 7 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const

/** A schedule as a person would say it: "Every weekday at 08:00". What has no short name is shown as it is. */
export function scheduleWords(schedule: Schedule): string {
  switch (schedule.type) {
    case "at":
      return `Once, ${new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short", ...(schedule.timezone !== undefined && { timeZone: schedule.timezone }) }).format(Date.parse(schedule.datetime))}`
    case "every":
      return everyWords(schedule.interval_ms)
    case "cron":
      return cronWords(schedule.expression) ?? schedule.expression
  }
}

function everyWords(ms: number): string {
  const [name, size] = UNITS.find(([, size]) => ms % size === 0) ?? ["ms", 1]
  const count = ms / size
  return count === 1 ? `Every ${name}` : `Every ${count} ${name}${name === "ms" ? "" : "s"}`
}

function cronWords(expression: string): string | undefined {
  const [minute = "", hour = "", date = "", month = "", day = "", ...more] = expression
    .toUpperCase()
    .split(/\s+/)
  if (more.length > 0 || !/^\d+$/.test(minute) || !/^\d+$/.test(hour)) return undefined
  const days = daysOf(date, month, day)
  return days === undefined ? undefined : `${days} at ${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`
}

function daysOf(date: string, month: string, day: string): string | undefined {
  if (day === "*" && month === "*") {
    if (date === "*") return "Every day"
    if (date === "L") return "On the last day of every month"
    return /^\d+$/.test(date) ? `On the ${ordinal(Number(date))} of every month` : undefined
  }
  if (day === "*" && /^\d+$/.test(date) && /^\d+$/.test(month)) {
    const name = new Intl.DateTimeFormat("en-GB", { month: "long", timeZone: "UTC" }).format(
      Date.UTC(2000, Number(month) - 1),
    )
    return `Every year on ${date} ${name}`
  }
  if (date !== "*" || month !== "*") return undefined
  if (day === "MON-FRI" || day === "1-5") return "Every weekday"
  if (["SAT,SUN", "SUN,SAT", "6,0", "0,6", "6,7"].includes(day)) return "Every Saturday and Sunday"
  const [, nthDay, which] = /^(\w+)#(\d|L)$/.exec(day) ?? []
  if (nthDay !== undefined) {
    const name = dayWord(nthDay)
    return name && `On the ${which === "L" ? "last" : ordinal(Number(which))} ${name} of every month`
  }
  const names = day.split(",").map(dayWord)
  if (!names.every((name) => name !== undefined)) return undefined
  return `Every ${new Intl.ListFormat("en-GB").format(names)}`
}

const dayWord = (day: string): string | undefined =>
  DAYS[/^[0-7]$/.test(day) ? Number(day) : SHORT.indexOf(day)]

function ordinal(value: number): string {
  const suffix = { one: "st", two: "nd", few: "rd" }[
    new Intl.PluralRules("en", { type: "ordinal" }).select(value) as "one"
  ]
  return `${value}${suffix ?? "th"}`
}

import { Cron } from "croner"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { checkedSchedule, nextRun, type Schedule } from "./schedule.ts"

const FULL = Boolean(process.env["ORRA_TEST_FULL"])
const NOW = Date.UTC(2026, 0, 1)
const limits = { now: NOW, timezone: "UTC", minIntervalMs: 1_000 }
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString()

const cron = (expression: string, timezone = "UTC"): Schedule =>
  checkedSchedule({ type: "cron", expression, timezone }, limits)

/** The times of ours that are not croner's, one after the other, from a time to another one. */
function differences(
  expression: string,
  timezone: string,
  from: number,
  to: number,
  most = Number.POSITIVE_INFINITY,
) {
  const schedule = cron(expression, timezone)
  const oracle = new Cron(expression, { timezone, mode: "5-or-6-parts" })
  for (let at = from, count = 0; at < to && count < most; count++) {
    const theirs = oracle.nextRun(new Date(at))?.getTime()
    const ours = nextRun(schedule, at, 0)
    if (ours !== theirs) return [expression, timezone, iso(at), iso(ours), iso(theirs)]
    if (ours === undefined) return undefined
    at = ours
  }
  return undefined
}

const ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]

describe("the next run", () => {
  test.each(ZONES)("is croner's, minute by minute around the days on which clocks change, in %s", (zone) => {
    for (const days of [
      [2026, 2, 7],
      [2026, 2, 28],
      [2026, 3, 3],
      [2026, 9, 2],
      [2026, 9, 23],
      [2026, 9, 31],
    ]) {
      const [year = 0, month = 0, day = 0] = days
      const from = Date.UTC(year, month, day)
      expect(
        differences("* * * * *", zone, from, from + 3 * 86_400_000, FULL ? undefined : 500),
      ).toBeUndefined()
      for (const expression of [
        "30 2 * * *",
        "0 3 * * *",
        "*/20 1-3 * * *",
        "30 2,14 * * *",
        "15 30 1 * * *",
      ])
        expect(differences(expression, zone, from, from + 3 * 86_400_000)).toBeUndefined()
    }
  })

  test.runIf(FULL).each(ZONES)(
    "is croner's for each minute of a year in %s",
    { timeout: 900_000 },
    (zone) => {
      expect(differences("* * * * *", zone, NOW, Date.UTC(2027, 0))).toBeUndefined()
      const schedules = ["30 2 * * *", "0 0 * * SUN", "5 4 L * *", "0 9 1 * MON", "*/7 1-3 * * *"]
      for (const expression of schedules) {
        const schedule = cron(expression, zone)
        const oracle = new Cron(expression, { timezone: zone })
        for (let minute = NOW; minute < Date.UTC(2027, 0); minute += 60_000)
          if (nextRun(schedule, minute, 0) !== oracle.nextRun(new Date(minute))?.getTime())
            expect.unreachable(`${expression} after ${iso(minute)}`)
      }
    },
  )

  test("is croner's for any expression, in any zone", () => {
    const list = (least: number, most: number) => {
      const one = fc.integer({ min: least, max: most })
      const range = fc.tuple(one, one, fc.integer({ min: 1, max: 7 })).map(([a, b, step]) => {
        const text = `${Math.min(a, b)}-${Math.max(a, b)}`
        return step > most - least || step === 1 ? text : `${text}/${step}`
      })
      const parts = fc.oneof(one.map(String), range)
      return fc.oneof(
        { weight: 3, arbitrary: fc.constant("*") },
        { weight: 1, arbitrary: fc.integer({ min: 2, max: Math.min(most, 20) }).map((step) => `*/${step}`) },
        { weight: 3, arbitrary: one.map(String) },
        { weight: 2, arbitrary: fc.array(parts, { minLength: 1, maxLength: 3 }).map((all) => all.join(",")) },
      )
    }
    const days = fc.oneof(
      { weight: 6, arbitrary: list(1, 28) },
      { weight: 3, arbitrary: fc.constantFrom("L", "LW", "15W", "1W", "31W", "29,L", "13") },
    )
    const weekdays = fc.oneof(
      { weight: 5, arbitrary: fc.constant("*") },
      { weight: 3, arbitrary: list(0, 7) },
      {
        weight: 3,
        arbitrary: fc.constantFrom("MON-FRI", "FRI#2", "5L", "SUN", "1#1,3#3", "+MON", "TUE#5", "FRI#L"),
      },
    )
    const months = fc.oneof(list(1, 12), fc.constantFrom("JAN", "MAR-OCT", "feb,jul"))
    const expressions = fc
      .tuple(fc.option(list(0, 59)), list(0, 59), list(0, 23), days, months, weekdays)
      .map((fields) => fields.filter((field) => field !== null).join(" "))
    const zones = fc.constantFrom("UTC", "Africa/Casablanca", "Asia/Kolkata", "Antarctica/Troll", ...ZONES)
    const from = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) })
    fc.assert(
      fc.property(expressions, zones, from, (expression, zone, at) => {
        const oracle = new Cron(expression, { timezone: zone })
        const schedule: Schedule = { type: "cron", expression, timezone: zone }
        const wanted = oracle.nextRuns(3, new Date(at)).map((date) => date.toISOString())
        const found: (string | undefined)[] = []
        for (let last: number | undefined = at; found.length < wanted.length && last !== undefined; ) {
          last = nextRun(schedule, last, 0)
          found.push(iso(last))
        }
        expect(found).toEqual(wanted)
      }),
      { numRuns: FULL ? 50_000 : 500 },
    )
  })
})

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

/** The first of our times that is not croner's, from a time to another one. */
function differences(expression: string, timezone: string, from: number, to: number) {
  const schedule = cron(expression, timezone)
  const oracle = new Cron(expression, { timezone, mode: "5-or-6-parts" })
  for (let at = from; at < to; ) {
    const theirs = oracle.nextRun(new Date(at))?.getTime()
    const ours = nextRun(schedule, at, 0)
    if (ours !== theirs) return [expression, timezone, iso(at), iso(ours), iso(theirs)]
    if (ours === undefined) return undefined
    at = ours
  }
  return undefined
}

/** Zones, and when their clocks change in 2026. */
const CHANGES = [
  ["Europe/Berlin", "2026-03-29T01:00Z", "2026-10-25T01:00Z"],
  ["America/New_York", "2026-03-08T07:00Z", "2026-11-01T06:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00Z", "2026-10-03T15:30Z"],
] as const
const ZONES = CHANGES.map(([zone]) => zone)
const HOUR = 3_600_000
const DAY = 24 * HOUR

describe("the next run", () => {
  test.each(CHANGES)("is croner's, minute by minute, where clocks change in %s", (zone, ...changes) => {
    for (const change of changes.map(Date.parse)) {
      expect(differences("* * * * *", zone, change - 2 * HOUR, change + 2 * HOUR)).toBeUndefined()
      for (const expression of [
        "30 2 * * *",
        "0 3 * * *",
        "*/20 1-3 * * *",
        "30 2,14 * * *",
        "15 30 1 * * *",
      ])
        expect(differences(expression, zone, change - 2 * DAY, change + 2 * DAY)).toBeUndefined()
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
      { numRuns: FULL ? 20_000 : 150 },
    )
  })
})

describe("a schedule that is made", () => {
  const refused: readonly [unknown, string][] = [
    [undefined, "schedule_invalid"],
    [[], "schedule_invalid"],
    ["* * * * *", "schedule_invalid"],
    [{}, "schedule_invalid"],
    [{ type: "CRON", expression: "* * * * *" }, "schedule_invalid"],
    ...[
      "",
      "*",
      "* * * *",
      "* * * * * * *",
      "@reboot",
      "@every",
      "99 * * * *",
      "* * 32 * *",
      "* * * 13 *",
      "* * * * 8",
    ]
      .concat([
        "0-200000000 * * * *",
        "0-4294967295 * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "* * * * MONDAY",
        "x",
        "\u0000",
      ])
      .concat(["2026-01-01T00:00:00", "* * * * *\n* * * * *", `${"1,".repeat(5_000)}1 * * * *`])
      .map((expression): [unknown, string] => [{ type: "cron", expression }, "schedule_invalid"]),
    [{ type: "cron", expression: 5 }, "schedule_invalid"],
    [{ type: "cron", expression: "0 0 30 2 *" }, "schedule_never"],
    [{ type: "cron", expression: "0 0 31 4,6,9,11 *" }, "schedule_never"],
    [{ type: "cron", expression: "0 0 31 2 +MON" }, "schedule_never"],
    [{ type: "cron", expression: "@daily", timezone: "Mars/Olympus" }, "timezone_unknown"],
    [{ type: "cron", expression: "@daily", timezone: "" }, "timezone_unknown"],
    [{ type: "cron", expression: "@daily", timezone: 1 }, "timezone_unknown"],
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63, "60000", undefined].map(
      (interval_ms): [unknown, string] => [{ type: "every", interval_ms }, "schedule_invalid"],
    ),
    ...[1, 999].map((interval_ms): [unknown, string] => [
      { type: "every", interval_ms },
      "schedule_too_often",
    ]),
    ...["", "tomorrow", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-02", "2026-01-02T24:00:00Z"]
      .concat(["2026-01-02T00:00:00+25:00", "1767312000000", "2026-01-02T00:00:00Z[Europe/Oslo]"])
      .map((datetime): [unknown, string] => [{ type: "at", datetime }, "schedule_invalid"]),
    [{ type: "at", datetime: 1_800_000_000_000 }, "schedule_invalid"],
    [{ type: "at", datetime: "2026-01-01T00:00:00Z" }, "schedule_past"],
    [{ type: "at", datetime: "1999-12-31T23:59:59+14:00" }, "schedule_past"],
  ]
  test.each(refused)("%j is refused: %s", (schedule, code) => {
    expect(() => checkedSchedule(schedule, limits)).toThrow(expect.objectContaining({ code }))
  })

  test("is refused where it fires more often than the application allows", () => {
    const strict = { ...limits, minIntervalMs: 600_000 }
    const made = (expression: string) => () => checkedSchedule({ type: "cron", expression }, strict)
    for (const expression of ["* * * * *", "*/10 * * * * *", "0,9 3 * * *", "59,0 * * * *", "0,1 0 0 1 1 *"])
      expect(made(expression), expression).toThrow(expect.objectContaining({ code: "schedule_too_often" }))
    for (const expression of ["*/10 * * * *", "@daily", "0 0 29 2 *"]) expect(made(expression)).not.toThrow()
  })

  test.each([
    ["2026-07-01T09:00:00", "Europe/Oslo", "2026-07-01T07:00:00.000Z"],
    ["2026-07-01 09:00", "Europe/Oslo", "2026-07-01T07:00:00.000Z"],
    ["2026-07-01T09:00:00.250Z", "Europe/Oslo", "2026-07-01T09:00:00.000Z"],
    ["2026-07-01T09:00:00-0330", "Europe/Oslo", "2026-07-01T12:30:00.000Z"],
    ["2026-03-29T02:30:00", "Europe/Oslo", "2026-03-29T01:00:00.000Z"],
    ["2026-10-25T02:30:00", "Europe/Oslo", "2026-10-25T00:30:00.000Z"],
    ["2028-02-29T00:00:00", "Pacific/Kiritimati", "2028-02-28T10:00:00.000Z"],
  ])("%s in %s is %s", (datetime, timezone, instant) => {
    const schedule = checkedSchedule({ type: "at", datetime, timezone }, limits)
    expect(schedule).toEqual({ type: "at", datetime: instant, timezone })
    expect(iso(nextRun(schedule, NOW, 0))).toBe(instant)
    expect(nextRun(schedule, Date.parse(instant), 0)).toBeUndefined()
  })

  test("F8: is kept with the zone it was meant in, by its name", () => {
    const oslo = { ...limits, timezone: "Europe/Oslo" }
    expect(checkedSchedule({ type: "cron", expression: " @daily " }, oslo)).toEqual({
      type: "cron",
      expression: "@daily",
      timezone: "Europe/Oslo",
    })
    expect(
      checkedSchedule({ type: "cron", expression: "@daily", timezone: "europe/berlin" }, oslo),
    ).toMatchObject({
      timezone: "Europe/Berlin",
    })
  })

  test("29 February comes when it comes, and intervals are counted from their start", () => {
    expect(iso(nextRun(cron("0 0 29 2 *"), Date.UTC(2097, 0), 0))).toBe("2104-02-29T00:00:00.000Z")
    expect(iso(nextRun(cron("0 0 29 2 +MON"), NOW, 0))).toBe("2044-02-29T00:00:00.000Z")
    const every: Schedule = { type: "every", interval_ms: 7_000 }
    fc.assert(
      fc.property(fc.integer({ min: -50_000, max: 10 ** 12 }), (after) => {
        const next = nextRun(every, after, 1_000) ?? 0
        expect(next).toBeGreaterThan(after)
        expect((next - 1_000) % 7_000).toBe(0)
        expect(next - Math.max(after, 1_000)).toBeLessThanOrEqual(7_000)
      }),
    )
  })
})

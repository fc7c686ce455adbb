import { expect, test } from "vitest"
import { describeTime } from "./current-time.ts"

const date = new Date("2026-11-21T10:15:02Z")

test("gives day, time, zone and offset", () => {
  expect(describeTime(date, "Europe/Paris")).toBe(
    "Saturday, 21 November 2026, 11:15:02 in Europe/Paris (UTC+01:00)",
  )
  expect(describeTime(date, "America/St_Johns")).toContain("06:45:02 in America/St_Johns (UTC-03:30)")
  expect(describeTime(new Date("2026-11-21T00:00:00Z"), "UTC")).toContain("00:00:00 in UTC (UTC+00:00)")
})

test("refuses what is not a zone, for the model to mend", () => {
  expect(() => describeTime(date, "Paris")).toThrow("use a name such as Europe/Paris")
})

import { MemoryStore, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { jobRights, Scheduler } from "@orra/cron"
import { scriptedProvider } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { readWhen } from "./read-when.ts"
import { scheduleWords } from "./schedule-words.ts"

const ZONE = "Europe/Oslo"
/** A Wednesday, 14:30 in Oslo. */
const NOW = Date.UTC(2026, 2, 11, 13, 30)

const policies = new PolicyRegistry()
const store = Object.assign(new MemoryStore(), { now: async () => NOW })
const runtime = new Runtime({ provider: scriptedProvider([]), store, policies, rights: jobRights(policies) })
const scheduler = new Scheduler(runtime, { prefix: Namespace.of("web"), timezone: ZONE })

/** What is understood, and the next time as clocks show it there. */
async function understood(text: string): Promise<string> {
  const { schedule, problem } = readWhen(text, NOW, ZONE)
  if (!schedule) return `? ${problem}`
  const { schedule: kept, times } = await scheduler.preview(schedule)
  const next = new Date(times[0] ?? 0).toLocaleString("sv-SE", {
    timeZone: ZONE,
    dateStyle: "short",
    timeStyle: "short",
  })
  return `${scheduleWords(kept)} | ${next}`
}

describe("once", () => {
  test.each([
    ["tomorrow at nine", "2026-03-12 09:00"],
    ["remind me tomorrow at 9:15 pm", "2026-03-12 21:15"],
    ["Tomorrow evening at 7", "2026-03-12 19:00"],
    ["tomorrow", "2026-03-12 09:00"],
    ["tomorrow morning", "2026-03-12 09:00"],
    ["at 17:30", "2026-03-11 17:30"],
    ["at 9", "2026-03-12 09:00"],
    ["5pm", "2026-03-11 17:00"],
    ["noon", "2026-03-12 12:00"],
    ["at midnight", "2026-03-12 00:00"],
    ["tonight", "2026-03-11 20:00"],
    ["tonight at 8", "2026-03-11 20:00"],
    ["8 tonight", "2026-03-11 20:00"],
    ["half past eight in the evening", "2026-03-11 20:30"],
    ["quarter to 4 pm", "2026-03-11 15:45"],
    ["today at 23:59", "2026-03-11 23:59"],
    ["this evening", "2026-03-11 18:00"],
    ["friday", "2026-03-13 09:00"],
    ["on Friday at noon", "2026-03-13 12:00"],
    ["next friday at ten", "2026-03-13 10:00"],
    ["wednesday at 9", "2026-03-18 09:00"],
    ["wednesday at 15:00", "2026-03-11 15:00"],
    ["next wednesday at 15:00", "2026-03-18 15:00"],
    ["the day after tomorrow at 8", "2026-03-13 08:00"],
    ["in three days at 8", "2026-03-14 08:00"],
    ["in a week", "2026-03-18 09:00"],
    ["next week at 10", "2026-03-18 10:00"],
    ["24 december at 18:00", "2026-12-24 18:00"],
    ["December 24th at 6pm", "2026-12-24 18:00"],
    ["on the 3rd of march at 8", "2027-03-03 08:00"],
    ["24.12. 18:00", "2026-12-24 18:00"],
    ["2027-01-05 at 7", "2027-01-05 07:00"],
    ["2027-01-05 07:30", "2027-01-05 07:30"],
    ["in 20 minutes", "2026-03-11 14:50"],
    ["in twenty-five minutes", "2026-03-11 14:55"],
    ["in an hour", "2026-03-11 15:30"],
    ["in an hour and a half", "2026-03-11 16:00"],
    ["in half an hour", "2026-03-11 15:00"],
    ["in 2 hours and 15 minutes", "2026-03-11 16:45"],
    ["in 2h", "2026-03-11 16:30"],
  ])("%s: %s", async (text, time) => {
    const said = await understood(text)
    expect(said).toMatch(/^Once, /)
    expect(said.split(" | ")[1]).toBe(time)
  })
})

describe("again and again", () => {
  test.each([
    ["every weekday at 8", "Every weekday at 08:00 | 2026-03-12 08:00"],
    ["weekdays at 8:30", "Every weekday at 08:30 | 2026-03-12 08:30"],
    ["every day at six", "Every day at 06:00 | 2026-03-12 06:00"],
    ["daily at 21.15", "Every day at 21:15 | 2026-03-11 21:15"],
    ["every morning", "Every day at 09:00 | 2026-03-12 09:00"],
    ["every evening at 7", "Every day at 19:00 | 2026-03-11 19:00"],
    ["every monday at 8", "Every Monday at 08:00 | 2026-03-16 08:00"],
    ["every monday and thursday at 7pm", "Every Monday and Thursday at 19:00 | 2026-03-12 19:00"],
    ["every mon, wed, fri at 7", "Every Monday, Wednesday and Friday at 07:00 | 2026-03-13 07:00"],
    ["Tuesdays at noon", "Every Tuesday at 12:00 | 2026-03-17 12:00"],
    ["weekly on sunday at 10", "Every Sunday at 10:00 | 2026-03-15 10:00"],
    ["at 8 every weekday", "Every weekday at 08:00 | 2026-03-12 08:00"],
    ["every weekend at 10", "Every Saturday and Sunday at 10:00 | 2026-03-14 10:00"],
    ["every month on the 15th at 10", "On the 15th of every month at 10:00 | 2026-03-15 10:00"],
    ["on the 1st of every month", "On the 1st of every month at 09:00 | 2026-04-01 09:00"],
    ["the first monday of every month at 9", "On the 1st Monday of every month at 09:00 | 2026-04-06 09:00"],
    ["last friday of the month at 16:00", "On the last Friday of every month at 16:00 | 2026-03-27 16:00"],
    ["on the last day of every month at 20:00", "On the last day of every month at 20:00 | 2026-03-31 20:00"],
    ["every year on 24 december at 18:00", "Every year on 24 December at 18:00 | 2026-12-24 18:00"],
    ["every 20 minutes", "Every 20 minutes | 2026-03-11 14:50"],
    ["every hour", "Every hour | 2026-03-11 15:30"],
    ["every other day", "Every 2 days | 2026-03-13 14:30"],
    ["every two weeks", "Every 2 weeks | 2026-03-25 14:30"],
    ["30 9 * * MON-FRI", "Every weekday at 09:30 | 2026-03-12 09:30"],
    ["*/15 8-17 * * *", "*/15 8-17 * * * | 2026-03-11 14:45"],
  ])("%s: %s", async (text, said) => {
    expect(await understood(text)).toBe(said)
  })
})

test.each([
  ["", "It does not say when"],
  ["soon", "It does not say when"],
  ["tomorrow at nine or ten", '"or 10" is not understood'],
  ["every 2 days at 9", "counted from now"],
  ["every week", "Say the day as well"],
  ["yearly", "Say the day as well"],
  ["when it rains at 9", '"when it rains" is not understood'],
  ["24/7", "It does not say when"],
])("%j is not guessed at", async (text, problem) => {
  expect(await understood(text)).toMatch(/^\? /)
  expect(await understood(text)).toContain(problem)
})

test.each([
  ["morgen um neun", "It does not say when"],
  ["jeden Montag um 8", '"jeden montag um" is not understood'],
  ["mañana a las 9", '"mañana las" is not understood'],
  ["mardi à 9:00", '"mardi à" is not understood'],
  ["每天 8", '"每天" is not understood'],
])("%j is no English, and the answer is how to say it, or where", async (text, problem) => {
  const said = await understood(text)
  expect(said).toContain(problem)
  expect(said).toMatch(/in English, like "tomorrow at nine".* fields; .* in a chat, in any language\.$/)
})

test.each(["tomorrow at 25:00", "at 13pm", "30 february at 9", "every day at 12:75"])(
  "%j is no time there is",
  async (text) => {
    await expect(understood(text)).rejects.toMatchObject({ code: expect.stringMatching(/^schedule_/) })
  },
)

test("whatever is written, the answer is a schedule or what to write instead", () => {
  const word = fc.constantFrom(
    ..."every each day at on the in 9 nine 15th 1st mon friday month week of and hour minutes tomorrow last half past to noon 12:30 2 24 december . am 99 0 : # * -1 2026-02-30".split(
      " ",
    ),
  )
  const text = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
    fc.string({ unit: "binary", maxLength: 200 }),
  )
  fc.assert(
    fc.property(text, (said) => {
      const { schedule, problem } = readWhen(said, NOW, ZONE)
      expect(schedule === undefined).toBe(typeof problem === "string" && problem !== "")
    }),
  )
})

test("a time of day is that of the clocks there, in whatever zone and on whatever day", async () => {
  const zone = fc.constantFrom(
    "Europe/Oslo",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
  )
  const time = fc.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) })
  const day = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) })
  fc.assert(
    fc.property(zone, time, day, (timezone, { hour, minute }, now) => {
      const clock = `${hour}:${String(minute).padStart(2, "0")}`
      const today = new Date(now).toLocaleDateString("sv-SE", { timeZone: timezone })
      const tomorrow = new Date(Date.parse(today) + 86_400_000).toISOString().slice(0, 10)
      const datetime = `${tomorrow}T${clock.padStart(5, "0")}:00`
      expect(readWhen(`tomorrow at ${clock}`, now, timezone)).toEqual({
        schedule: { type: "at", datetime, timezone },
      })
    }),
  )
  // Clocks are put forward in the night to 29 March there.
  const saturday = Date.UTC(2026, 2, 28, 12)
  const { schedule } = readWhen("tomorrow at nine", saturday, ZONE)
  const { times } = await scheduler.preview(schedule ?? { type: "every", interval_ms: 1 })
  expect(times).toEqual([Date.UTC(2026, 2, 29, 7)])
})

import { expect, test } from "vitest"
import type { SessionSummary } from "../api/types.ts"
import { groupsOf } from "./groups.ts"

const session = (namespace: string, updatedAt: number): SessionSummary => ({
  namespace,
  version: 1,
  createdAt: updatedAt,
  updatedAt,
  messages: 1,
  metadata: {},
})

test("chats are grouped by calendar days, newest first, also around midnight", () => {
  const now = new Date(2026, 10, 21, 0, 30).getTime()
  const days = (count: number, hour = 12) => new Date(2026, 10, 21 - count, hour).getTime()
  const groups = groupsOf(
    [
      session("old", new Date(2026, 5, 3).getTime()),
      session("late", days(1, 23)),
      session("now", now - 60_000),
      session("week", days(6)),
      session("month", days(20)),
      session("future", now + 3_600_000),
    ],
    now,
  )
  expect(groups.map(({ label, sessions }) => [label, sessions.map(({ namespace }) => namespace)])).toEqual([
    ["Today", ["future", "now"]],
    ["Yesterday", ["late"]],
    ["Previous 7 days", ["week"]],
    ["Previous 30 days", ["month"]],
    [expect.stringMatching(/2026/), ["old"]],
  ])
})

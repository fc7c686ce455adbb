import type { SessionSummary } from "../api/types.ts"
import { daysBetween, formatMonth, t } from "../i18n/index.ts"

export interface Group {
  readonly label: string
  readonly sessions: readonly SessionSummary[]
}

/** The chats by when they were last used, newest first. */
export function groupsOf(sessions: readonly SessionSummary[], now: number): readonly Group[] {
  const groups = new Map<string, SessionSummary[]>()
  for (const session of [...sessions].sort((a, b) => b.updatedAt - a.updatedAt)) {
    const label = labelOf(session.updatedAt, now)
    const group = groups.get(label) ?? []
    group.push(session)
    groups.set(label, group)
  }
  return [...groups].map(([label, members]) => ({ label, sessions: members }))
}

function labelOf(at: number, now: number): string {
  const days = daysBetween(at, now)
  if (days <= 0) return t.today
  if (days === 1) return t.yesterday
  if (days <= 7) return t.previousWeek
  if (days <= 30) return t.previousMonth
  return formatMonth(at)
}

import { words } from "../i18n/en-schedules.ts"
import { formatDay, formatTime } from "../i18n/index.ts"

/** The zone that this browser is in. */
export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** A moment to come or gone, as this browser shows time: "tomorrow, 09:00". */
export function formatMoment(iso: string, now: number): string {
  const at = Date.parse(iso)
  const tomorrow = new Date(now).setHours(24, 0, 0, 0)
  const isTomorrow = at >= tomorrow && at < new Date(tomorrow).setHours(24, 0, 0, 0)
  return `${isTomorrow ? words.tomorrow : formatDay(at, now)}, ${formatTime(at)}`
}

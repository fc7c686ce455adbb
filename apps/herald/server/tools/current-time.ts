import { InvalidInput, type Namespace, type Tool, tool } from "@orra/core"

/**
 * The time now, in any zone. The system prompt has only the date, so that it stays the same for a day and the
 * provider's cache of it stays warm.
 */
export function currentTime(options: {
  /** Where somebody is. */
  readonly zoneOf: (session: Namespace) => string
  readonly now?: () => Date
}): Tool {
  const { zoneOf, now = () => new Date() } = options
  return tool<{ readonly zone?: string }>({
    name: "current_time",
    description: "The date and time now. Without a zone: where the person is.",
    input: {
      type: "object",
      properties: {
        zone: { type: "string", description: "IANA time zone, such as Europe/Paris or America/New_York." },
      },
      additionalProperties: false,
    },
    risk: "read",
    execute: ({ zone }, { namespace }) => describeTime(now(), zone?.trim() || zoneOf(namespace)),
  })
}

/** `Saturday, 21 November 2026, 11:15:02 in Europe/Paris (UTC+01:00)`. @throws InvalidInput for no such zone. */
export function describeTime(date: Date, zone: string): string {
  try {
    const {
      hour,
      minute,
      second,
      timeZoneName = "",
    } = parts(date, zone, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "longOffset",
    })
    // "GMT" alone, in some releases of ICU, is no offset at all.
    const offset = timeZoneName.replace("GMT", "UTC").replace(/^UTC$/, "UTC+00:00")
    return `${describeDay(date, zone)}, ${hour}:${minute}:${second} in ${zone} (${offset})`
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new InvalidInput(`"${zone}" is not an IANA time zone: use a name such as Europe/Paris or UTC.`)
  }
}

/** `Saturday, 21 November 2026`. @throws RangeError for no such zone. */
export function describeDay(date: Date, zone: string): string {
  const { weekday, day, month, year } = parts(date, zone, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  })
  return `${weekday}, ${day} ${month} ${year}`
}

/** Put together here, because the punctuation of formatted dates changes between releases of ICU. */
const parts = (
  date: Date,
  zone: string,
  options: Intl.DateTimeFormatOptions,
): Partial<Record<string, string>> =>
  Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options })
      .formatToParts(date)
      .map(({ type, value }) => [type, value]),
  )

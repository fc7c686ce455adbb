import { InvalidInput, type Namespace } from "@orra/core"
import type { Scheduler } from "@orra/cron"
import { cronTool, isScheduled } from "@orra/cron"
import { placeOf, placeText } from "../schedules/places.ts"
import type { ToolFamily } from "./tools.ts"

/** The jobs of everybody, as the tool needs them. */
export interface CronHost {
  /** The scheduler that does the jobs of a session's person. @throws NotFound where nothing is scheduled. */
  of(session: Namespace): Scheduler
  /** Where a session's jobs are: what all sessions of the person share. */
  homeOf(session: Namespace): Namespace
  /** The time zone of a session's person, as far as it is known. */
  zoneOf(session: Namespace): string | undefined
}

/**
 * Jobs from a chat: "remind me tomorrow at nine". They are the person's, seen in all their chats, and what comes of them is
 * told where they were made. Writing to a channel in Discord is asked about, as with the tool that does it at once.
 */
export function heraldCron(schedules: CronHost): ToolFamily {
  const tool = cronTool((session) => schedules.of(session), {
    home: ({ namespace }) => schedules.homeOf(namespace),
    timezone: ({ namespace }) => schedules.zoneOf(namespace),
    to: {
      description:
        'Where the result goes. Leave it out for this conversation; "own" for a chat of its own, "channel:<id>" for a Discord channel.',
      of: (asked, { namespace }) => {
        const home = schedules.homeOf(namespace)
        if (asked === undefined) return hereOf(namespace)
        const place = placeOf(asked)
        if (!place || (place.type === "chat" && !home.contains(place.namespace)))
          throw new InvalidInput('`to` is "own", "channel:<id>", or left out for this conversation.')
        return placeText(place)
      },
    },
  })
  const name = tool.definition.name
  return {
    tools: [tool],
    policy: {
      ask: [{ tool: name, arguments: { "/to": { prefix: "channel:" } } }],
      allow: [name],
    },
  }
}

/** The conversation: in what a job or another agent does for somebody, a chat of the job's own. */
const hereOf = (session: Namespace): string =>
  isScheduled(session) || session.segments.some((segment) => segment.startsWith("~"))
    ? "own"
    : placeText({ type: "chat", namespace: session })

import { everyItem, type JsonObject, type Records } from "@orra/core"
import { type NewJob, nextRun } from "@orra/cron"
import { OWNER } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import type { Logger } from "../log/log.ts"
import { OWN, type Place, placeOf, placeText } from "./places.ts"
import { scheduleWords } from "./schedule-words.ts"
import type { Schedules } from "./schedules.ts"

export type FileJob = Config["scheduler"]["jobs"][number]

const KEY = "job "

/** Where the result of a job of the file goes: a Discord channel or a chat where it names one, else a chat of its own. */
export function filePlace({ channel }: FileJob): Place {
  const chat = channel.includes(":") ? placeOf(`chat:${channel}`) : undefined
  return placeOf(channel) ?? placeOf(`channel:${channel}`) ?? chat ?? OWN
}

const newJob = (job: FileJob): NewJob => ({
  name: job.name,
  schedule: {
    type: "cron",
    expression: job.schedule,
    ...(job.timezone !== undefined && { timezone: job.timezone }),
  },
  payload: { type: "agent_turn", prompt: job.message },
  to: placeText(filePlace(job)),
})

/**
 * Makes the jobs of the configuration what they say now: new ones are made, changed ones changed, and those that are gone
 * deleted. One that was paused stays paused.
 */
export async function addFileJobs(parts: {
  readonly schedules: Schedules
  readonly config: Config
  readonly records: Records
  readonly logger: Logger
}): Promise<void> {
  const { schedules, config, records, logger } = parts
  const scheduler = schedules.of(OWNER)
  const wanted = new Map(
    config.scheduler.enabled ? config.scheduler.jobs.map((job) => [job.name, newJob(job)]) : [],
  )
  for await (const { key, value } of everyItem((page) => records.list(OWNER, page))) {
    if (!key.startsWith(KEY) || wanted.has(key.slice(KEY.length))) continue
    await scheduler.delete(OWNER, String((value as JsonObject)["id"]))
    await records.delete(OWNER, key)
  }
  for (const [name, job] of wanted) {
    const text = JSON.stringify(job)
    const known = (await records.get(OWNER, KEY + name))?.value as JsonObject | undefined
    const before = known && (await scheduler.get(OWNER, String(known["id"])))
    if (before && known["text"] === text) continue
    try {
      const { id } = before
        ? await scheduler.update(OWNER, before.id, job)
        : await scheduler.create(OWNER, job)
      await records.put(OWNER, KEY + name, { id, text })
    } catch (error) {
      logger.error({ err: error }, `the job "${name}" of the configuration cannot be done`)
    }
  }
}

/** The jobs of the file for a person, one line each, with when they come next. */
export function fileJobLines({ scheduler }: Config, now: number): readonly string[] {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone
  return scheduler.jobs.map((job) => {
    const { schedule } = newJob({ ...job, timezone: job.timezone ?? here })
    const next = scheduler.enabled ? nextRun(schedule, now, now) : undefined
    const time =
      next === undefined ? "off, as scheduler.enabled is false" : `next ${new Date(next).toISOString()}`
    return `${job.name}: ${scheduleWords(schedule)}, ${time}, to ${placeText(filePlace(job))}`
  })
}

/** The ids of the jobs that the configuration has made. */
export async function fileJobIds(records: Records): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for await (const { key, value } of everyItem((page) => records.list(OWNER, page)))
    if (key.startsWith(KEY)) ids.add(String((value as JsonObject)["id"]))
  return ids
}

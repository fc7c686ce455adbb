import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { errorMessage, isObject, type Records } from "@orra/core"
import { jobPatch, type NewJob } from "@orra/cron"
import { OWNER } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import type { Logger } from "../log/log.ts"
import { MIN_INTERVAL_MS } from "./limits.ts"
import { OWN, type Place, placeFrom, placeOf, placeText } from "./places.ts"
import type { Schedules } from "./schedules.ts"

const DONE = "imported"
const MAX_NAME = 100

/**
 * Takes over the jobs of the original Herald, once: they go on at the same times, which were UTC. Those that are over are
 * left, and the file is not changed. What needed no approval there waits for one here.
 */
export async function importOriginal(parts: {
  readonly schedules: Schedules
  readonly config: Config
  /** Absolute. */
  readonly dataDir: string
  readonly records: Records
  readonly logger: Logger
}): Promise<void> {
  const { schedules, config, dataDir, records, logger } = parts
  const file = resolve(dataDir, config.cron.path)
  if (await records.get(OWNER, DONE)) return
  let jobs: unknown
  try {
    jobs = JSON.parse(await readFile(file, "utf8"))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      logger.warn(`${file} is not read: ${errorMessage(error)}`)
    return
  }
  if (!Array.isArray(jobs)) return logger.warn(`${file} is no list of jobs: it is left as it is.`)
  const scheduler = schedules.of(OWNER)
  let count = 0
  for (const job of jobs.filter(isObject)) {
    const { id, name, status } = job
    if (status === "completed") continue
    try {
      const made = await scheduler.create(
        OWNER,
        originalJob(job),
        {},
        { idempotencyKey: `original:${String(id)}` },
      )
      if (status === "paused") await scheduler.pause(OWNER, made.id)
      count++
    } catch (error) {
      logger.warn(`The job ${JSON.stringify(name)} of ${file} is not taken over: ${errorMessage(error)}`)
    }
  }
  await records.put(OWNER, DONE, { file, count })
  logger.info(`${count} jobs of ${file} were taken over.`)
}

/** A job of the original as it is here. What it lacks is found when it is made. */
export function originalJob(job: Readonly<Record<string, unknown>>): NewJob {
  const { delivery: _, ...patch } = jobPatch(job)
  const name = String(job["name"] ?? "")
  return {
    ...(patch as NewJob),
    name: [...name].slice(0, MAX_NAME).join("").trim() || "Job",
    schedule: originalSchedule(job["schedule"]) as NewJob["schedule"],
    to: placeText(originalPlace(job["namespace"])),
  }
}

function originalSchedule(schedule: unknown): unknown {
  if (!isObject(schedule)) return schedule
  const { type, interval_ms: interval, expression } = schedule
  // It looked every half a minute.
  if (type === "every" && typeof interval === "number")
    return { type, interval_ms: Math.max(interval, MIN_INTERVAL_MS) }
  if (type === "cron" && typeof expression === "string")
    return { type, expression: originalExpression(expression), timezone: "UTC" }
  return schedule
}

/**
 * An expression of the original in the words of today: its steps went by the number itself, and where a day of the month
 * and a day of the week are given both had to be.
 */
export function originalExpression(expression: string): string {
  const [minute = "", hour = "", date = "", month = "", day = "", ...more] = expression.trim().split(/\s+/)
  const byNumber = (field: string, last: number): string =>
    field.replace(/(?<![\d-])\*\/(\d+)/g, (whole, step) =>
      Number(step) > 1 ? `${step}-${last}/${step}` : whole,
    )
  const isBoth = date !== "*" && day !== "*"
  return [minute, hour, byNumber(date, 31), byNumber(month, 12), isBoth ? `+${day}` : day, ...more].join(" ")
}

/** Where its results would be seen: what it kept in sessions that nobody saw is told in a chat of its own. */
function originalPlace(namespace: unknown): Place {
  if (typeof namespace !== "string") return OWN
  const channel = /^discord:(?:\w+:)?(\d{15,21})(?::|$)/.exec(namespace)?.[1]
  if (channel !== undefined) return placeFrom({ type: "channel", id: channel }) ?? OWN
  return (namespace.startsWith("web:") && placeOf(`chat:${namespace}`)) || OWN
}

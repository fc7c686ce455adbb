import { errorMessage } from "@orra/core"
import { nextRun } from "@orra/cron"
import { filePlace } from "../schedules/file-jobs.ts"
import type { Reading } from "./read.ts"
import type { Config } from "./settings.ts"

/** Each job of the file has a name of its own and a time that comes. */
export function checkJobs({ scheduler }: Config, { problems, notices, line }: Reading): void {
  const names = new Set<string>()
  scheduler.jobs.forEach((job, index) => {
    const where = `scheduler.jobs[${index}]`
    const at = (key: string) => line(["scheduler", "jobs", index, key])
    const { name, schedule, timezone = "UTC", channel } = job
    if (name !== "" && names.has(name))
      problems.push({
        line: at("name"),
        message: `${where}.name "${name}" is used twice: give each job a name of its own`,
      })
    names.add(name)
    if (schedule !== "") {
      try {
        if (nextRun({ type: "cron", expression: schedule, timezone }, Date.now(), 0) === undefined)
          problems.push({
            line: at("schedule"),
            message: `${where}.schedule "${schedule}" never comes: no day matches it`,
          })
      } catch (error) {
        const key =
          error instanceof Error && "code" in error && error.code === "timezone_unknown"
            ? "timezone"
            : "schedule"
        problems.push({ line: at(key), message: `${where}.${key}: ${errorMessage(error)}` })
      }
    }
    if (channel !== "" && channel !== "own" && filePlace(job).type === "own") {
      notices.push({
        line: at("channel"),
        message: `${where}.channel "${channel}" is no id of a channel in Discord and no chat: what comes of it is told in a chat of its own`,
      })
    }
  })
}

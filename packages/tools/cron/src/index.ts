export { isScheduled } from "./desk.ts"
export type { Once } from "./edit.ts"
export { CronError, type CronErrorCode } from "./errors.ts"
export {
  type Delivery,
  type Job,
  type JobPatch,
  type JobStatus,
  jobJson,
  jobPatch,
  type Missed,
  type NewJob,
  type PauseReason,
  type Payload,
} from "./job.ts"
export type { Deliver, Notice } from "./notices.ts"
export type { SchedulerOptions } from "./options.ts"
export { type Creator, jobRights } from "./rights.ts"
export type { Delivered, JobRun } from "./run-log.ts"
export { nextRun, type Schedule } from "./schedule.ts"
export { Scheduler } from "./scheduler.ts"
export { type CronToolOptions, cronTool } from "./tool.ts"

export { CronError, type CronErrorCode } from "./errors.ts"
export type { Schedule } from "./schedule.ts"

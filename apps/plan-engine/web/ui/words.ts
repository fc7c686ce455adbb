import type { RunStatus, TaskStatus } from "../api/types.ts"

export const RUN_STATUS: Readonly<Record<RunStatus, string>> = {
  pending: "Planning",
  processing: "Running",
  completed: "Completed",
  failed: "Failed",
  aborted: "Aborted",
  cancelled: "Cancelled",
  not_actionable: "Not possible",
}

export const TASK_STATUS: Readonly<Record<TaskStatus, string>> = {
  pending: "Waiting",
  processing: "Running",
  paused: "Paused",
  completed: "Completed",
  failed: "Failed",
  aborted: "Aborted",
}

/** How undoing a task stands. */
export const UNDOING: Readonly<Record<string, string>> = {
  processing: "Undoing",
  completed: "Undone",
  partial: "Undone in part",
  failed: "Not undone",
  expired: "Too late to undo",
}

const NANO = 1_000_000

/** `420 ms`, `3.2 s`, `4 min 10 s`, from nanoseconds. */
export function durationText(nanoseconds: number): string {
  const ms = nanoseconds / NANO
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })

/** Today only the time of day. */
export function timeText(timestamp: string | number): string {
  const date = new Date(timestamp)
  const isToday = date.toDateString() === new Date().toDateString()
  return (isToday ? CLOCK : DAY).format(date)
}

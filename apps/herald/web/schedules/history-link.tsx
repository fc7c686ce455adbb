import type { ReactElement } from "react"
import { navigate, pathOf } from "../app/router.ts"
import { words } from "../i18n/en-schedules.ts"
import type { Job } from "./schedules-api.ts"

/** The way to what a job has done; without a job, back to all of them. */
export function HistoryLink({ job }: { readonly job?: Job }): ReactElement {
  const to = { type: "screen", screen: "schedules", part: job?.id } as const
  return (
    <a
      href={pathOf(to)}
      aria-label={job && words.historyOf(job.name)}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        navigate(to)
      }}
    >
      {job ? words.history : words.all}
    </a>
  )
}

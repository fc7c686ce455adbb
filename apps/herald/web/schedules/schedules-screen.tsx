import { useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { ApiError } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import type { ScreenProps } from "../app/screens.tsx"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-schedules.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { JobCard } from "./job-card.tsx"
import { JobForm } from "./job-form.tsx"
import { JobHistory } from "./job-history.tsx"
import { type Job, schedulesApi } from "./schedules-api.ts"
import "../styles/records.css"
import "../styles/schedules.css"

const BUSY_MS = 2_000
const CALM_MS = 30_000

/** What is done by itself, for whoever is logged in: when next, what came of it, and what can be done about it. */
export default function SchedulesScreen({ part }: ScreenProps): ReactElement {
  const { assistant } = useShared()
  const client = useQueryClient()
  /** The job that is edited, or that there is to be. */
  const [editing, setEditing] = useState<string | "new">()
  /** Whose form was closed last: the focus goes back to where it was opened. */
  const [closed, setClosed] = useState<string>()
  const close = (): void => {
    setClosed(editing)
    setEditing(undefined)
  }
  const found = useQuery({
    queryKey: ["schedules"],
    queryFn: ({ signal }) => schedulesApi.list(signal),
    refetchInterval: ({ state }) => (state.data?.jobs.some(({ running }) => running > 0) ? BUSY_MS : CALM_MS),
  })
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ["schedules"] })
  const fail = (error: Error): void => toast(error.message)

  if (found.error instanceof ApiError && found.error.status === 404)
    return <p className="note quiet-note">{words.off}</p>
  if (found.error && !found.data) {
    const code = found.error instanceof ApiError ? found.error.code : "other"
    return <ErrorNote code={code} message={found.error.message} onRetry={() => void found.refetch()} />
  }
  if (!found.data) return <p className="muted">{t.loading}</p>
  const { jobs } = found.data
  if (part !== undefined) return <JobHistory job={jobs.find(({ id }) => id === part)} id={part} />

  const done = async (text: string): Promise<void> => {
    close()
    await refresh()
    toast(text)
  }
  const act = (job: Job, action: "pause" | "resume" | "run"): void => {
    schedulesApi.act(job.id, action).then(async () => {
      await refresh()
      if (action === "run") toast(words.begun(job.name))
    }, fail)
  }
  const remove = (job: Job): void => {
    schedulesApi.remove(job.id).then(async () => {
      await refresh()
      toast(words.removed(job.name), {
        label: t.undo,
        run: () => {
          schedulesApi.act(job.id, "restore").then(() => done(words.back(job.name)), fail)
        },
      })
    }, fail)
  }
  const form = (job: Job | undefined): ReactElement => (
    <JobForm
      job={job}
      schedules={found.data}
      onDone={(saved) => done(job ? words.saved : words.created(saved.name))}
      onCancel={close}
    />
  )
  return (
    <>
      <p className="muted">{words.lead(assistant)}</p>
      {editing !== "new" && jobs.length > 0 && (
        <p>
          <Button onClick={() => setEditing("new")}>
            <Icon name="plus" size={18} />
            {words.add}
          </Button>
        </p>
      )}
      {editing === "new" && <div className="record">{form(undefined)}</div>}
      {jobs.length === 0 && editing !== "new" && <Nothing onAdd={() => setEditing("new")} />}
      {jobs.length > 0 && (
        <ul className="records" aria-label={words.list}>
          {[...jobs].sort(byNext).map((job) => (
            <li key={job.id} className="record">
              {editing === job.id ? (
                form(job)
              ) : (
                <JobCard
                  job={job}
                  wasEdited={closed === job.id}
                  onAct={(action) => act(job, action)}
                  onEdit={() => setEditing(job.id)}
                  onRemove={() => remove(job)}
                />
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

/** What comes next stands first; what is paused or over comes after it. */
const byNext = (one: Job, other: Job): number =>
  order(one).localeCompare(order(other)) || one.name.localeCompare(other.name)

const order = ({ status, next_run: next = "" }: Job): string =>
  status === "active" ? `0${next}` : status === "paused" ? "1" : "2"

const Nothing = ({ onAdd }: { readonly onAdd: () => void }): ReactElement => (
  <section className="records-empty">
    <h2>{words.emptyTitle}</h2>
    <p>{words.emptyLead}</p>
    <ul>
      {words.examples.map((example) => (
        <li key={example}>{example}</li>
      ))}
    </ul>
    <div className="form-foot">
      <Button look="primary" onClick={onAdd}>
        {words.add}
      </Button>
      <Button look="quiet" onClick={() => navigate({ type: "new" })}>
        {words.newChat}
      </Button>
    </div>
  </section>
)

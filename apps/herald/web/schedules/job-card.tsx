import { type ReactElement, useEffect, useRef } from "react"
import { useShared } from "../app/context.ts"
import { PlaceLink } from "../app/place-link.tsx"
import { useNow } from "../app/use-now.ts"
import { words } from "../i18n/en-schedules.ts"
import { formatFullTime } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import { RecordAction } from "../ui/record-action.tsx"
import type { Job } from "./schedules-api.ts"
import { browserZone, formatMoment } from "./times.ts"

/** One job: when it is done, what came of it last, and what can be done about it. */
export function JobCard({
  job,
  wasEdited,
  onAct,
  onEdit,
  onRemove,
}: {
  readonly job: Job
  /** Its form was there before it. */
  readonly wasEdited: boolean
  readonly onAct: (action: "pause" | "resume" | "run") => void
  readonly onEdit: () => void
  readonly onRemove: () => void
}): ReactElement {
  const { name, status, running, from_file: isFromFile, payload, paused_because: why } = job
  const edit = useRef<HTMLButtonElement>(null)
  // When it comes, and not again.
  useEffect(() => {
    if (wasEdited) edit.current?.focus()
  }, [])
  const text = payload.type === "agent_turn" ? payload.prompt : payload.message
  return (
    <>
      <div className="record-body">
        <h2 className="job-name" dir="auto">
          {name}
          {running > 0 && <span className="job-mark working">{words.working}</span>}
          {status === "paused" && <span className="job-mark">{words.paused}</span>}
          {status === "completed" && <span className="job-mark">{words.over}</span>}
          {isFromFile && (
            <span className="job-mark" title={words.fromFileHint}>
              {words.fromFile}
            </span>
          )}
        </h2>
        <p className="job-text" dir="auto">
          {text}
        </p>
        <When job={job} />
        {why && (
          <p className="record-warning">
            <Icon name="warning" size={14} />
            {words.pausedBecause(why.message)}
          </p>
        )}
        <Last job={job} />
      </div>
      <div className="record-actions">
        <RecordAction
          icon="play"
          label={words.runNow}
          whole={words.runNowOf(name)}
          disabled={running > 0}
          onAct={() => onAct("run")}
        />
        {status === "active" && (
          <RecordAction
            icon="pause"
            label={words.pause}
            whole={words.pauseOf(name)}
            onAct={() => onAct("pause")}
          />
        )}
        {status === "paused" && (
          <RecordAction
            icon="clock"
            label={words.resume}
            whole={words.resumeOf(name)}
            onAct={() => onAct("resume")}
          />
        )}
        {!isFromFile && (
          <>
            <RecordAction
              ref={edit}
              icon="edit"
              label={words.edit}
              whole={words.editOf(name)}
              onAct={onEdit}
            />
            <RecordAction icon="trash" label={words.remove} whole={words.removeOf(name)} onAct={onRemove} />
          </>
        )}
      </div>
    </>
  )
}

function When({
  job: { schedule, words: said, next_run: next, status },
}: {
  readonly job: Job
}): ReactElement {
  const now = useNow(60_000)
  const zone = schedule.type === "every" ? undefined : schedule.timezone
  return (
    <p className="record-facts">
      {(schedule.type !== "at" || status !== "active") && (
        <span>
          {said}
          {zone !== undefined && zone !== browserZone() && ` ${words.inZone(zone)}`}
        </span>
      )}
      {next !== undefined && status === "active" && (
        <time dateTime={next} title={formatFullTime(Date.parse(next))}>
          {words.next(formatMoment(next, now))}
        </time>
      )}
    </p>
  )
}

function Last({ job }: { readonly job: Job }): ReactElement {
  const now = useNow(60_000)
  const { last } = job
  if (!last) return <p className="record-facts">{words.never}</p>
  const { outcome, delivery, finished_at: at } = last
  const isLate = delivery.state === "failed" || delivery.state === "dead"
  return (
    <p className="record-facts">
      <span className={outcome === "completed" ? "" : "record-warning"}>
        {words.last(words.outcomes[outcome], formatMoment(at, now))}
      </span>
      {isLate && (
        <span className="record-warning" title={delivery.error}>
          {words.delivery}: {words.deliveries[delivery.state]}
        </span>
      )}
      <PlaceLink
        to={{ type: "screen", screen: "schedules", part: job.id }}
        aria-label={words.historyOf(job.name)}
      >
        {words.history}
      </PlaceLink>
      <Where job={job} />
    </p>
  )
}

/** Where what came of it is. */
function Where({ job: { id, name, to } }: { readonly job: Job }): ReactElement {
  const { me } = useShared()
  if (to.type === "channel") return <span>{words.inDiscord}</span>
  const namespace = to.type === "chat" ? to.namespace : `${me.namespace}:job-${id}`
  return (
    <PlaceLink to={{ type: "chat", namespace }} aria-label={words.chatOf(name)}>
      {words.chat}
    </PlaceLink>
  )
}

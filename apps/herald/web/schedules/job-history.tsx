import { useInfiniteQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { PlaceLink } from "../app/place-link.tsx"
import { useNow } from "../app/use-now.ts"
import { words } from "../i18n/en-schedules.ts"
import { formatDuration, t } from "../i18n/index.ts"
import { ShowMore } from "../ui/show-more.tsx"
import { type Job, type JobRun, schedulesApi } from "./schedules-api.ts"
import { formatMoment } from "./times.ts"

/** What a job has done, the newest first: how it ended, and, apart from that, whether anybody was told. */
export function JobHistory({
  job,
  id,
}: {
  readonly job: Job | undefined
  readonly id: string
}): ReactElement {
  const found = useInfiniteQuery({
    queryKey: ["schedules", "runs", id],
    queryFn: ({ pageParam, signal }) => schedulesApi.runs(id, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor,
    enabled: job !== undefined,
    refetchInterval: job && job.running > 0 ? 2_000 : 30_000,
  })
  const runs = found.data?.pages.flatMap((page) => page.runs) ?? []
  return (
    <>
      <p>
        <PlaceLink to={{ type: "screen", screen: "schedules", part: undefined }}>{words.all}</PlaceLink>
      </p>
      {!job && <p className="note quiet-note">{words.gone}</p>}
      {job && <h2 className="job-title">{words.historyOf(job.name)}</h2>}
      {job && found.isPending && <p className="muted">{t.loading}</p>}
      {found.isSuccess && runs.length === 0 && <p className="muted">{words.noRuns}</p>}
      {runs.length > 0 && (
        <ol className="records" aria-label={words.history}>
          {runs.map((run) => (
            <Run key={run.id} run={run} />
          ))}
        </ol>
      )}
      <ShowMore found={found} label={words.more} />
    </>
  )
}

function Run({ run }: { readonly run: JobRun }): ReactElement {
  const now = useNow(60_000)
  const { due, started_at: from, finished_at: to, outcome, error, text, delivery, session, cost } = run
  const isToldLate = delivery.state === "failed" || delivery.state === "dead"
  return (
    <li className="record">
      <div className="record-body">
        <h3 className="job-name">
          <time dateTime={due}>{formatMoment(due, now)}</time>
        </h3>
        {text !== "" && (
          <p className="record-content" dir="auto">
            {text}
          </p>
        )}
        <dl className="job-ends">
          <dt>{words.result}</dt>
          <dd className={outcome === "completed" ? "" : "record-warning"}>
            {words.outcomes[outcome]}
            {outcome === "missed" ? "" : ` ${words.took(formatDuration(Date.parse(to) - Date.parse(from)))}`}
            {error && `: ${error.message}`}
            {cost !== null && cost > 0 && `, ${money.format(cost)}`}
          </dd>
          <dt>{words.delivery}</dt>
          <dd className={isToldLate ? "record-warning" : ""}>
            {words.deliveries[delivery.state]}
            {isToldLate && delivery.error !== undefined && `: ${delivery.error}`}
          </dd>
        </dl>
        {session?.includes(":~cron:") && (
          <p className="record-facts">
            <PlaceLink to={{ type: "chat", namespace: session }}>{words.open}</PlaceLink>
          </p>
        )}
      </div>
    </li>
  )
}

const money = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 4,
})

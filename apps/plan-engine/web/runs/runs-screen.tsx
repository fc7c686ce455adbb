import { type ReactElement, useState } from "react"
import { usePages } from "../api/hooks.ts"
import type { RunItem, RunStatus } from "../api/types.ts"
import { More } from "../ui/list.tsx"
import { Button, Empty, Failure, Time } from "../ui/parts.tsx"
import { Status } from "../ui/status.tsx"
import { RUN_STATUS } from "../ui/words.ts"
import { NewRun } from "./new-run.tsx"

const STATUSES = Object.keys(RUN_STATUS) as readonly RunStatus[]

/** Every run of the project, those that changed last first. */
export function RunsScreen(): ReactElement {
  const [status, choose] = useState<RunStatus>()
  const [isNew, setNew] = useState(false)
  const runs = usePages<RunItem>("runs", "/orchestrations", { status: status ?? "" })
  const shown = runs.data?.pages.flatMap(({ items }) => items)
  return (
    <>
      <header className="screen-head">
        <h1>Runs</h1>
        <div className="head-actions">
          <label className="filter">
            <span>Status</span>
            <select
              value={status ?? ""}
              onChange={({ target }) => choose(STATUSES.find((each) => each === target.value))}
            >
              <option value="">All</option>
              {STATUSES.map((each) => (
                <option key={each} value={each}>
                  {RUN_STATUS[each]}
                </option>
              ))}
            </select>
          </label>
          <Button look="primary" aria-expanded={isNew} onClick={() => setNew(!isNew)}>
            New run
          </Button>
        </div>
      </header>
      {isNew && <NewRun onClose={() => setNew(false)} />}
      {runs.error && <Failure error={runs.error} onRetry={() => void runs.refetch()} />}
      {shown?.length === 0 &&
        (status === undefined ? <NoRuns /> : <p className="muted">No run has this status now.</p>)}
      {shown && shown.length > 0 && (
        <ul className="rows">
          {shown.map((run) => (
            <Row key={run.id} run={run} />
          ))}
        </ul>
      )}
      <More of={runs} />
    </>
  )
}

const Row = ({ run }: { readonly run: RunItem }): ReactElement => (
  <li>
    <a className="row" href={`#/runs/${run.id}`}>
      <span className="row-main">
        <span className="row-title">{run.action}</span>
        <span className="row-more muted">{more(run)}</span>
      </span>
      <Status of={run.status} />
      <span className="muted row-time">
        <Time at={run.timestamp} />
      </span>
    </a>
  </li>
)

function more({ id, error, compensation }: RunItem): string {
  if (compensation && compensation.total > 0) {
    const { completed, total, failed } = compensation
    return `${completed} of ${total} undone${failed > 0 ? `, ${failed} could not be` : ""}`
  }
  return typeof error === "string" ? error : id
}

const NoRuns = (): ReactElement => (
  <Empty title="No runs yet">
    <p>
      An application says what it wants in words and data; the engine makes a plan of the services that are
      connected, proves it, and carries it out. Each of them appears here while it runs.
    </p>
    <p>With a service connected, start one with the button above, or from a terminal:</p>
    <pre className="value">{`curl -X POST ${location.origin}/orchestrations \\
  -H "Authorization: Bearer $ORRA_KEY" \\
  -d '{"action":{"content":"Echo this"},"data":[{"field":"message","value":"Hello"}]}'`}</pre>
  </Empty>
)

import { type FormEvent, type ReactElement, useState } from "react"
import { useAction, useAnswer } from "../api/hooks.ts"
import type { FailedCompensation } from "../api/types.ts"
import { Listed } from "../ui/list.tsx"
import { Button, Empty, Failure, Time, Value } from "../ui/parts.tsx"

/** What came of trying again is no news of the engine: it is looked for. */
const LOOK_MS = 3_000

/** What could not be undone, until a person has seen to it. */
export function FailuresScreen(): ReactElement {
  const failures = useAnswer<readonly FailedCompensation[]>(["failures"], "/compensation-failures", LOOK_MS)
  return (
    <>
      <header className="screen-head">
        <h1>Compensations</h1>
      </header>
      <p className="lead">
        What was done and could not be undone. See to it by hand and resolve it, ignore it, or have the
        service try again.
      </p>
      <Listed
        of={failures}
        empty={
          <Empty title="Nothing to see to">
            <p>
              When a run fails or aborts, what it did is undone: last first, ten attempts each. What can still
              not be undone appears here, with all that its service needs for it.
            </p>
          </Empty>
        }
      >
        {(failed) => <Card key={failed.id} failed={failed} />}
      </Listed>
    </>
  )
}

const STATES = { pending: "Waiting for you", resolved: "Resolved", ignored: "Ignored" } as const

function Card({ failed }: { readonly failed: FailedCompensation }): ReactElement {
  const { resolutionState: state, resolution, compensationData } = failed
  return (
    <li className="card">
      <header className="panel-head">
        <h2>
          {failed.serviceName}, {failed.taskId}
        </h2>
        <span className="status" data-status={state === "pending" ? "failed" : "completed"}>
          {STATES[state]}
        </span>
      </header>
      <p>
        {failed.status === "expired"
          ? "The time in which it could be undone had passed."
          : (failed.failure ?? "It failed.")}
      </p>
      <p className="muted card-facts">
        <Time at={failed.timestamp} />
        {failed.attemptsMade > 0 && (
          <span>
            {failed.attemptsMade} {failed.attemptsMade === 1 ? "attempt" : "attempts"}
          </span>
        )}
        <a href={`#/runs/${failed.orchestrationId}`}>Its run</a>
      </p>
      <details>
        <summary>What the service was to undo</summary>
        <Value label="Compensation data" of={compensationData.data} />
      </details>
      {state === "pending" ? (
        <Settle key={failed.attemptsMade} failed={failed} />
      ) : (
        <p className="muted">
          {STATES[state]} <Time at={failed.resolvedAt} />
          {resolution && `: ${resolution}`}
        </p>
      )}
    </li>
  )
}

function Settle({ failed }: { readonly failed: FailedCompensation }): ReactElement {
  const act = useAction("failures")
  const again = useAction("failures")
  const error = act.error ?? again.error
  const [reason, setReason] = useState("")
  const path = `/compensation-failures/${failed.id}`
  const settle = (as: "resolve" | "ignore"): void =>
    act.mutate({ method: "POST", path: `${path}/${as}`, body: { reason: reason.trim() } })
  const resolve = (event: FormEvent): void => {
    event.preventDefault()
    settle("resolve")
  }
  return (
    <form className="card-form" onSubmit={resolve}>
      <label className="field">
        <span>What was done about it</span>
        <input value={reason} onChange={({ target }) => setReason(target.value)} required maxLength={1_000} />
      </label>
      <div className="actions">
        <Button type="submit" look="primary" disabled={act.isPending}>
          Resolve
        </Button>
        <Button disabled={act.isPending || reason.trim() === ""} onClick={() => settle("ignore")}>
          Ignore
        </Button>
        {failed.status === "failed" && (
          <Button
            disabled={again.isPending || again.isSuccess}
            onClick={() => again.mutate({ method: "POST", path: `${path}/retry` })}
          >
            {again.isSuccess ? "Being tried again…" : "Try again"}
          </Button>
        )}
      </div>
      {error && <Failure error={error} />}
    </form>
  )
}

import { type ReactElement, useState } from "react"
import { hasEnded, useAction, useRun } from "../api/hooks.ts"
import type { Inspection, Json } from "../api/types.ts"
import { Button, Failure, Time, Value } from "../ui/parts.tsx"
import { Status } from "../ui/status.tsx"
import { GIVEN, Graph } from "./graph.tsx"
import { Log } from "./log.tsx"
import { PlanPanel } from "./plan-panel.tsx"
import { GivenPanel, TaskPanel } from "./task-panel.tsx"

/** One run: its plan as a graph, and everything about the task that is chosen in it. */
export function RunScreen({ id }: { readonly id: string }): ReactElement {
  const run = useRun(id)
  if (run.error) return <Failure error={run.error} onRetry={() => void run.refetch()} />
  if (!run.data) return <p className="muted">Loading…</p>
  return <Run run={run.data} />
}

function Run({ run }: { readonly run: Inspection }): ReactElement {
  const [chosen, choose] = useState<string>()
  const { tasks = [], taskZero = {} } = run
  const shown = chosen ?? tasks.find(({ status }) => status === "failed" || status === "aborted")?.id ?? GIVEN
  const task = tasks.find(({ id }) => id === shown)
  return (
    <>
      <a className="back" href="#/runs">
        ← Runs
      </a>
      <header className="screen-head">
        <div>
          <h1>{run.action}</h1>
          <p className="muted run-facts">
            <Status of={run.status} /> <Time at={run.timestamp} /> <code>{run.id}</code>
          </p>
        </div>
        {!hasEnded(run.status) && <Cancel id={run.id} />}
      </header>
      <Reason run={run} />
      {tasks.length > 0 && (
        <>
          <Graph tasks={tasks} given={taskZero} chosen={shown} onChoose={choose} />
          <div className="run-parts">
            {task ? <TaskPanel task={task} /> : <GivenPanel given={taskZero} />}
            {run.resultsByTask && <Results of={run.resultsByTask} />}
            <Log id={run.id} nameOf={(task) => tasks.find(({ id }) => id === task)?.serviceName || task} />
            <PlanPanel id={run.id} origin={run.planning} />
          </div>
        </>
      )}
      {tasks.length === 0 && run.status === "pending" && <p className="muted">The plan is being made.</p>}
    </>
  )
}

function Reason({ run }: { readonly run: Inspection }): ReactElement | null {
  const { error, abortInfo, status, tasks = [] } = run
  if (status === "processing" && tasks.some(({ compensation }) => compensation))
    return (
      <p className="note" role="status">
        It cannot come to its end: what was done is being undone.
      </p>
    )
  if (abortInfo)
    return (
      <div className="note" role="status">
        <strong>{abortInfo.serviceName} aborted it.</strong> What was done before was undone where that is
        possible.
        {abortInfo.payload !== undefined && <Value label="Reason" of={abortInfo.payload} />}
      </div>
    )
  if (error === undefined) return null
  return (
    <div className="note danger" role="status">
      {typeof error === "string" ? error : <Value label="Error" of={error} />}
    </div>
  )
}

const Results = ({ of }: { readonly of: { readonly [task: string]: Json } }): ReactElement => (
  <section className="panel" aria-label="Result">
    <h2>Result</h2>
    {Object.entries(of).map(([task, value]) => (
      <div key={task}>
        <h3>{task}</h3>
        <Value label={`Result of ${task}`} of={value} />
      </div>
    ))}
  </section>
)

function Cancel({ id }: { readonly id: string }): ReactElement {
  const cancel = useAction("run")
  return (
    <div className="head-actions">
      <Button
        look="danger"
        disabled={cancel.isPending || cancel.isSuccess}
        onClick={() => cancel.mutate({ method: "POST", path: `/orchestrations/${id}/cancel` })}
      >
        {cancel.isSuccess ? "Cancelling…" : "Cancel run"}
      </Button>
      {cancel.error && <Failure error={cancel.error} />}
    </div>
  )
}

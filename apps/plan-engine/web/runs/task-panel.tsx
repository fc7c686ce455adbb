import type { ReactElement } from "react"
import type { Json, Task } from "../api/types.ts"
import { Time, Value } from "../ui/parts.tsx"
import { StatusOfTask } from "../ui/status.tsx"
import { durationText, TASK_STATUS, UNDOING } from "../ui/words.ts"

export const GivenPanel = ({ given }: { readonly given: Json }): ReactElement => (
  <section className="panel" aria-label="Request">
    <h2>Request</h2>
    <p className="muted">What was known before anything was done.</p>
    <Value label="Data" of={given} />
  </section>
)

/** All that is known of one task. */
export function TaskPanel({ task }: { readonly task: Task }): ReactElement {
  const { id, serviceName, serviceId, status, input, output, error, abortPayload } = task
  const attempts = task.statusHistory.filter((each) => each.status === "processing").length
  return (
    <section className="panel" aria-label={`Task ${id}`}>
      <header className="panel-head">
        <h2>{serviceName || serviceId}</h2>
        <StatusOfTask of={status} />
      </header>
      <dl className="facts">
        <dt>Task</dt>
        <dd>{id}</dd>
        <dt>Waits for</dt>
        <dd>{task.needs.join(", ") || "nothing"}</dd>
        <dt>Took</dt>
        <dd>{task.statusHistory.length > 1 ? durationText(task.duration) : "–"}</dd>
        <dt>Attempts</dt>
        <dd>{attempts}</dd>
        <dt>Can be undone</dt>
        <dd>{task.isRevertible ? "yes" : "no"}</dd>
      </dl>
      {error !== undefined && <p className="failure-text">{error}</p>}
      <h3>Input</h3>
      <Value label="Input" of={input} />
      {output !== undefined && (
        <>
          <h3>Output</h3>
          <Value label="Output" of={output} />
        </>
      )}
      {abortPayload !== undefined && (
        <>
          <h3>Aborted with</h3>
          <Value label="Aborted with" of={abortPayload} />
        </>
      )}
      {task.interimResults && (
        <>
          <h3>Progress</h3>
          <ol className="steps">
            {task.interimResults.map((each) => (
              <li key={each.id}>
                <Time at={each.timestamp} /> <code>{JSON.stringify(each.data)}</code>
              </li>
            ))}
          </ol>
        </>
      )}
      {task.statusHistory.length > 0 && (
        <>
          <h3>History</h3>
          <ol className="steps">
            {task.statusHistory.map((each) => (
              <li key={each.id}>
                <Time at={each.timestamp} /> {TASK_STATUS[each.status]}
                {each.error !== undefined && `: ${each.error}`}
              </li>
            ))}
          </ol>
        </>
      )}
      {task.compensationHistory && (
        <>
          <h3>Undoing it</h3>
          <ol className="steps">
            {task.compensationHistory.map((each) => (
              <li key={each.id}>
                <Time at={each.timestamp} /> attempt {each.attempt}: {UNDOING[each.status] ?? each.status}
                {each.error !== undefined && `, ${each.error}`}
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  )
}

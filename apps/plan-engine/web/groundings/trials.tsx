import type { ReactElement } from "react"
import type { GroundingTrial } from "../api/types.ts"
import { Value } from "../ui/parts.tsx"

/** What the plans of a grounding's use cases would be now, with the services there are. Nothing was carried out. */
export const Trials = ({ of }: { readonly of: readonly GroundingTrial[] }): ReactElement => (
  <section className="trials" aria-label="Test">
    <h3>Planned with its examples; nothing was carried out</h3>
    <ul>
      {of.map(({ useCase, action, isPlanned, tasks = [], error }) => (
        <li key={useCase}>
          <span className="status" data-status={isPlanned ? "completed" : "failed"}>
            {isPlanned ? "Can be planned" : "Cannot be planned"}
          </span>{" "}
          <strong>{action}</strong>
          {error !== undefined && <p className="failure-text">{error}</p>}
          {tasks.length > 0 && (
            <details>
              <summary>{tasks.map(({ service_name: name }) => name).join(", then ")}</summary>
              <Value
                label={`Plan of ${action}`}
                of={tasks.map(({ id, service_name, input }) => ({ id, service_name, input }))}
              />
            </details>
          )}
        </li>
      ))}
    </ul>
  </section>
)

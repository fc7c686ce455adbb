import { type ReactElement, useState } from "react"
import { useAction, usePages } from "../api/hooks.ts"
import type { Delivery } from "../api/types.ts"
import { More } from "../ui/list.tsx"
import { Button, Failure, Time } from "../ui/parts.tsx"

const STATES: Readonly<Record<Delivery["state"], string>> = {
  pending: "Being told",
  delivered: "Heard",
  dead: "Given up",
  dropped: "Webhook removed",
}

/** As whose status each is shown. */
const TONES: Readonly<Record<Delivery["state"], string>> = {
  pending: "processing",
  delivered: "completed",
  dead: "failed",
  dropped: "cancelled",
}

/** What was told, and how that went: what nobody heard can be told again. */
export function Deliveries(): ReactElement {
  const [state, choose] = useState("")
  const deliveries = usePages<Delivery>("deliveries", "/webhooks/deliveries", { state })
  const shown = deliveries.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <section className="panel" aria-label="Deliveries">
      <header className="panel-head">
        <h2>Deliveries</h2>
        <label className="filter">
          <span>State</span>
          <select value={state} onChange={({ target }) => choose(target.value)}>
            <option value="">All</option>
            {Object.entries(STATES).map(([each, label]) => (
              <option key={each} value={each}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </header>
      {deliveries.error && <Failure error={deliveries.error} onRetry={() => void deliveries.refetch()} />}
      {deliveries.data && shown.length === 0 && (
        <p className="muted">
          {state === ""
            ? "Nobody was told anything yet. It happens when a run ends."
            : "None is in this state."}
        </p>
      )}
      <ul>
        {shown.map((delivery) => (
          <Line key={delivery.id} delivery={delivery} />
        ))}
      </ul>
      <More of={deliveries} />
    </section>
  )
}

function Line({ delivery }: { readonly delivery: Delivery }): ReactElement {
  const again = useAction("deliveries")
  const { id, url, event, orchestrationId, state, tried, attempts, updatedAt } = delivery
  return (
    <li className="line">
      <details>
        <summary>
          {event}{" "}
          <span className="status" data-status={TONES[state]}>
            {STATES[state]}
          </span>{" "}
          <span className="muted">
            <Time at={updatedAt} />
          </span>
        </summary>
        <p>
          <code>{url}</code>, {tried} {tried === 1 ? "attempt" : "attempts"},{" "}
          <a href={`#/runs/${orchestrationId}`}>its run</a>
        </p>
        <ol className="steps">
          {attempts.map(({ timestamp, ms, answered, error }) => (
            <li key={timestamp}>
              <Time at={timestamp} />{" "}
              {answered === undefined ? (error ?? "no answer") : `answered ${answered}`} after {ms} ms
            </li>
          ))}
        </ol>
      </details>
      {state !== "pending" && (
        <Button
          disabled={again.isPending}
          onClick={() => again.mutate({ method: "POST", path: `/webhooks/deliveries/${id}/redeliver` })}
        >
          Tell it again
        </Button>
      )}
      {again.error && <Failure error={again.error} />}
    </li>
  )
}

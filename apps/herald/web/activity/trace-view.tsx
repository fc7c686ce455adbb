import { useQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { ApiError } from "../api/http.ts"
import { PlaceLink } from "../app/place-link.tsx"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-activity.ts"
import { formatDuration, formatFullTime, formatNumber, t } from "../i18n/index.ts"
import { activityApi, type Trace, type TraceStep } from "./activity-api.ts"
import { type FactRows, Facts } from "./facts.tsx"
import { costWords, isBad, outcomeWords, toolTitle } from "./phrases.ts"
import { type Traced, traceAt } from "./place.ts"

const BUSY_MS = 2_000

/** A run step by step: what took how long, what it cost, who decided. */
export function TraceView({ traced }: { readonly traced: Traced }): ReactElement {
  const found = useQuery({
    queryKey: ["trace", traced],
    queryFn: ({ signal }) => activityApi.trace(traced, signal),
    refetchInterval: ({ state }) => (state.data && state.data.ended_at === undefined ? BUSY_MS : false),
  })
  const { data, error } = found
  return (
    <>
      <p>
        <PlaceLink to={{ type: "screen", screen: "activity", part: undefined }}>{words.back}</PlaceLink>
      </p>
      {error && !data && (
        <ErrorNote
          code={error instanceof ApiError ? error.code : "other"}
          message={error.message}
          onRetry={() => void found.refetch()}
        />
      )}
      {!error && !data && <p className="muted">{t.loading}</p>}
      {data && <Shown trace={data} seenAt={found.dataUpdatedAt} />}
    </>
  )
}

function Shown({ trace, seenAt }: { readonly trace: Trace; readonly seenAt: number }): ReactElement {
  const { agent, steps, chat, namespace, seq, started_at: start } = trace
  // By the server's clock, as far as it is known: that of the browser may be another.
  const known = steps.flatMap(({ started_at, ended_at = started_at }) => [started_at, ended_at])
  const end = trace.ended_at ?? Math.max(start, seenAt, ...known)
  const { facts } = words
  const rows: FactRows = [
    [facts.when, formatFullTime(start)],
    [facts.chat, trace.title],
    [facts.whose, trace.person],
    [facts.asker, trace.by],
    [facts.model, trace.model],
    [facts.outcome, outcomeWords(trace.outcome ?? "running")],
    [facts.error, trace.error],
    [facts.duration, formatDuration(end - start)],
    [facts.tokens, words.tokens(formatNumber(trace.input_tokens), formatNumber(trace.output_tokens))],
    [facts.cost, costWords(trace.cost)],
  ]
  return (
    <>
      <h2 className="trace-title">{agent === undefined ? words.traceOf : words.traceTitle(agent)}</h2>
      <Facts rows={rows} />
      {chat !== undefined && (
        <p className="activity-links">
          <PlaceLink to={{ type: "chat", namespace: chat, ...(chat === namespace && { seq }) }}>
            {chat === namespace ? words.openMessage : words.openChat}
          </PlaceLink>
        </p>
      )}
      {steps.length === 0 ? (
        <p className="muted">{words.noSteps}</p>
      ) : (
        <ol className="trace" aria-label={words.steps}>
          {steps.map((step, index) => (
            <Step key={index} step={step} start={start} end={end} isOver={trace.ended_at !== undefined} />
          ))}
        </ol>
      )}
      {trace.more && <p className="muted">{words.moreSteps}</p>}
    </>
  )
}

function Step({
  step,
  start,
  end,
  isOver,
}: {
  readonly step: TraceStep
  readonly start: number
  readonly end: number
  readonly isOver: boolean
}): ReactElement {
  const { type, started_at: from, ended_at: to, below } = step
  const total = Math.max(1, end - start)
  const percent = (ms: number): string => `${Math.min(100, Math.max(0, (ms / total) * 100))}%`
  const offset = formatDuration(Math.max(0, from - start))
  const isBadStep = isBad({ kind: "tool", ...(step.status !== undefined && { status: step.status }) })
  const status = to === undefined ? (isOver ? "unknown" : undefined) : step.status
  return (
    <li className={`trace-step ${type}${isBadStep ? " bad" : ""}`}>
      <div className="trace-words">
        <span className="trace-name" dir="auto">
          {nameOf(step)}
        </span>
        <span className="trace-facts">
          {to === undefined ? words.open(offset) : words.after(offset, formatDuration(to - from))}
          {status !== undefined && type !== "model" && `, ${outcomeWords(status)}`}
          {step.by !== undefined && `, ${step.by}`}
          {step.input_tokens !== undefined &&
            `, ${words.tokens(formatNumber(step.input_tokens), formatNumber(step.output_tokens ?? 0))}`}
          {step.cost !== undefined && `, ${costWords(step.cost)}`}
        </span>
        {step.reason !== undefined && (
          <span className="trace-facts" dir="auto">
            {words.facts.rule}: {step.reason}
          </span>
        )}
        {below && (
          <PlaceLink to={traceAt(below)}>
            {below.agent === undefined ? words.belowUnknown : words.below(below.agent)}
          </PlaceLink>
        )}
      </div>
      <div className="trace-line" aria-hidden="true">
        <span
          className="trace-bar"
          style={{ insetInlineStart: percent(from - start), width: percent((to ?? end) - from) }}
        />
      </div>
    </li>
  )
}

function nameOf({ type, model, tool, status }: TraceStep): string {
  switch (type) {
    case "model":
      return model === undefined ? words.aModelCall : words.modelCall(model)
    case "tool":
      return toolTitle(tool)
    case "approval":
      return words.approvalOf(toolTitle(tool))
    case "wait":
      return words.waiting
    case "budget":
      return (words.budgets as Readonly<Record<string, string>>)[status ?? ""] ?? words.kinds.budget
  }
}

import { type ReactElement, useLayoutEffect, useRef } from "react"
import { useLiveLog } from "../api/live.ts"
import type { LogEntry, UndoOutcome } from "../api/types.ts"
import { Time } from "../ui/parts.tsx"

/** Everything that was written of a run, while it is written. */
export function Log({
  id,
  nameOf,
}: {
  readonly id: string
  readonly nameOf: (task: string) => string
}): ReactElement {
  const entries = useLiveLog(id)
  const list = useRef<HTMLOListElement>(null)
  const isAtEnd = useRef(true)
  // Who looks at the end keeps seeing it; who has gone back is left there.
  useLayoutEffect(() => {
    if (isAtEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight
  }, [entries])
  return (
    <section className="panel" aria-label="Log">
      <h2>Log</h2>
      {entries.length === 0 && <p className="muted">Nothing has been written yet.</p>}
      <ol
        ref={list}
        className="steps log"
        aria-live="polite"
        aria-label="Log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled with the keyboard
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < 8
        }}
      >
        {entries.map((entry) => (
          <li key={entry.number} data-kind={kindOf(entry)}>
            <Time at={entry.at} />
            <span>{sentence(entry, nameOf)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function kindOf(entry: LogEntry): "bad" | "good" | "plain" {
  if (entry.type === "task_failed" || entry.type === "undo_failed" || entry.type === "halted") return "bad"
  if (entry.type === "undone" && entry.outcome.status !== "completed") return "bad"
  if (entry.type === "finished") return entry.status === "completed" ? "good" : "plain"
  return entry.type === "task_done" ? "good" : "plain"
}

function sentence(entry: LogEntry, nameOf: (task: string) => string): string {
  switch (entry.type) {
    case "task_sent":
      return `${nameOf(entry.task)} was asked${again(entry.attempt)}`
    case "task_progress":
      return `${nameOf(entry.task)} goes on: ${JSON.stringify(entry.data)}`
    case "task_done":
      return `${nameOf(entry.task)} is done`
    case "task_failed":
      return `${nameOf(entry.task)} failed: ${entry.error}`
    case "halted":
      return halted(entry.halt, nameOf)
    case "undo_sent":
      return `${nameOf(entry.task)} was asked to undo${again(entry.attempt)}`
    case "undo_failed":
      return `${nameOf(entry.task)} could not undo: ${entry.error}`
    case "undone":
      return `${nameOf(entry.task)} ${undone(entry.outcome)}`
    case "finished":
      return `The run has ended: ${entry.status}`
  }
}

const again = (attempt: number): string => (attempt > 1 ? `, attempt ${attempt}` : "")

function halted(
  { reason, task, error }: Extract<LogEntry, { type: "halted" }>["halt"],
  nameOf: (task: string) => string,
): string {
  if (reason === "cancelled") return "It was cancelled; what was done is undone"
  const why = `${task === undefined ? "A task" : nameOf(task)} ${reason}`
  return `${why}; nothing more is begun${error === undefined ? "" : `: ${error}`}`
}

function undone(outcome: UndoOutcome): string {
  switch (outcome.status) {
    case "completed":
      return "is undone"
    case "partial":
      return `is undone in part; left: ${JSON.stringify(outcome.remaining)}`
    case "failed":
      return `could not be undone: ${outcome.error}`
    case "expired":
      return "could not be undone any more: its time had passed"
  }
}

import { type ReactElement, useId, useState } from "react"
import { inPlace } from "../chat/hold-in-place.ts"
import { words } from "../i18n/en-todo.ts"
import { formatNumber } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import type { Step } from "./steps.ts"
import "../styles/todo.css"

/** How far the assistant's work is: its steps, folded when all are done. */
export default function StepsCard({
  steps,
  isLive,
}: {
  readonly steps: readonly Step[]
  /** The one who works at them is at it. */
  readonly isLive: boolean
}): ReactElement {
  const id = useId()
  const done = steps.filter(({ status }) => status === "done").length
  const isDone = done === steps.length
  // What somebody chose holds until the work is done, or begins anew.
  const [chosen, setChosen] = useState<{ readonly isOpen: boolean; readonly whenDone: boolean }>()
  const isOpen = chosen?.whenDone === isDone ? chosen.isOpen : !isDone
  const count = formatNumber(steps.length)
  const said = isDone
    ? steps.length === 1
      ? words.oneDone
      : words.allDone(count)
    : words.progress(formatNumber(done), count)
  return (
    <section className="steps-card" aria-label={words.title}>
      <button
        type="button"
        className="tool-head"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={inPlace(() => setChosen({ isOpen: !isOpen, whenDone: isDone }))}
      >
        <Icon name={isDone ? "check" : "list"} size={18} />
        <span className="tool-summary">
          <span className="tool-title">{isDone ? said : words.title}</span>
          {!isDone && <span className="tool-status">{said}</span>}
        </span>
        <Icon name="down" size={14} />
      </button>
      <ol id={id} className="steps" hidden={!isOpen}>
        {steps.map(({ text, status }, index) => {
          const shown = status === "running" && !isLive ? "stopped" : status
          return (
            <li
              key={index}
              className={`step ${shown}`}
              aria-current={shown === "running" ? "step" : undefined}
            >
              <Mark status={shown} />
              <span className="step-text" dir="auto">
                {text}
              </span>
              <span className="off-screen">{words.status[shown]}</span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}

const Mark = ({ status }: { readonly status: keyof typeof words.status }): ReactElement => {
  if (status === "running") return <span className="spinner" aria-hidden="true" />
  if (status === "done") return <Icon name="check" size={16} />
  if (status === "stopped") return <Icon name="pause" size={16} />
  return <span className="step-open" aria-hidden="true" />
}

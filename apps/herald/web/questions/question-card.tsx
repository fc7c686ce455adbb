import { type ReactElement, useId, useState } from "react"
import { type AnswerTo, api } from "../api/api.ts"
import type { Call } from "../chat/items.ts"
import { isUnanswered } from "../chat/open-question.ts"
import { ToolCard, type ToolCardProps } from "../chat/tool-card.tsx"
import { words } from "../i18n/en-questions.ts"
import { formatList } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import "../styles/questions.css"

/** A question that the assistant asks, in the place of its call: to be answered, or with what was answered. */
export default function QuestionCard({
  runId,
  ...card
}: ToolCardProps & { readonly runId: string }): ReactElement {
  const { part, call, isOpenRun, namespace } = card
  const args = part.arguments ?? call?.intent?.arguments
  const { question } = args ?? {}
  const isOpen = isOpenRun && isUnanswered(call)
  const answer = answerOf(call)
  // It is still being written, or nobody could be asked.
  if (typeof question !== "string" || (!isOpen && answer === undefined && call?.result))
    return <ToolCard {...card} />
  return (
    <section className="question-card" aria-label={question}>
      <h3 className="question-text" dir="auto">
        <Icon name="chat" size={18} />
        {question}
      </h3>
      {isOpen ? (
        <AnswerForm
          options={textsIn(args?.["options"])}
          isMultiple={args?.["multiple"] === true}
          onAnswer={(given) => api.answer(namespace, { run: runId, call: part.id, answer: given })}
        />
      ) : (
        <p className="question-answer" dir="auto">
          {answer ? (
            <>
              <span className="muted">{words.youSaid}</span> {formatList(answer)}
            </>
          ) : (
            <span className="muted">{answer === null ? words.skipped : words.unanswered}</span>
          )}
        </p>
      )}
    </section>
  )
}

function AnswerForm({
  options,
  isMultiple,
  onAnswer,
}: {
  readonly options: readonly string[]
  readonly isMultiple: boolean
  readonly onAnswer: (answer: AnswerTo["answer"]) => Promise<unknown>
}): ReactElement {
  const id = useId()
  const [isSending, setSending] = useState(false)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [text, setText] = useState("")
  const own = text.trim()
  const answer = own === "" ? chosen : [...chosen, own]
  const send = (given: AnswerTo["answer"]): void => {
    setSending(true)
    onAnswer(given).catch((error: Error) => {
      setSending(false)
      toast(error.message)
    })
  }
  return (
    <form
      className="question-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (answer.length > 0) send(answer)
      }}
    >
      {isMultiple && options.length > 0 && (
        <fieldset className="question-options">
          <legend className="muted">{words.several}</legend>
          {options.map((option) => (
            <label key={option} className="question-option">
              <input
                type="checkbox"
                checked={chosen.includes(option)}
                onChange={({ target }) =>
                  setChosen((now) =>
                    target.checked ? [...now, option] : now.filter((each) => each !== option),
                  )
                }
              />
              <span dir="auto">{option}</span>
            </label>
          ))}
        </fieldset>
      )}
      {!isMultiple && options.length > 0 && (
        <div className="question-options">
          {options.map((option) => (
            <button
              key={option}
              type="button"
              className="question-option"
              dir="auto"
              disabled={isSending}
              onClick={() => send([option])}
            >
              {option}
            </button>
          ))}
        </div>
      )}
      <label className={options.length > 0 ? "muted" : "off-screen"} htmlFor={id}>
        {options.length > 0 ? words.other : words.yourAnswer}
      </label>
      <div className="question-foot">
        <input
          id={id}
          className="question-own"
          dir="auto"
          autoComplete="off"
          maxLength={4_000}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <Button look="primary" type="submit" disabled={isSending || answer.length === 0}>
          {words.send}
        </Button>
        <Button look="quiet" disabled={isSending} onClick={() => send(null)}>
          {words.skip}
        </Button>
      </div>
    </form>
  )
}

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? [...new Set(value.filter((each) => typeof each === "string"))] : []

/** What was said; null when somebody would not say, undefined while nothing is known. */
function answerOf(call: Call | undefined): readonly string[] | null | undefined {
  const structured: unknown = call?.result?.part.structured
  if (typeof structured !== "object" || structured === null || !("answer" in structured)) return undefined
  return structured.answer === null ? null : textsIn(structured.answer)
}

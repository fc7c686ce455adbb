import { type ReactElement, useState } from "react"
import type { Decision } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { formatFullTime, t } from "../i18n/index.ts"
import { CodeBlock } from "../markdown/code-block.tsx"
import { Button } from "../ui/button.tsx"
import type { Question } from "./items.ts"
import { plainly } from "./plainly.ts"

/** Longer arguments are folded, and have to be unfolded before they can be allowed. */
const LONG = 1_500

/** The question whether a call may run, with all that it is given. */
export function Approval({
  name,
  question,
  onDecide,
}: {
  readonly name: string
  readonly question: Question
  readonly onDecide: (decision: Decision) => Promise<boolean>
}): ReactElement {
  const { me } = useShared()
  const [isSending, setSending] = useState(false)
  const [note, setNote] = useState<string>()
  const whole = plainly(JSON.stringify(question.arguments, null, 2))
  const [isWhole, setWhole] = useState(whole.length <= LONG)
  const decide = async (decision: Decision): Promise<void> => {
    setSending(true)
    if (!(await onDecide(decision))) setSending(false)
  }
  const isOff = isSending || !isWhole
  const words = t.approval
  return (
    <section className="approval" aria-label={words.title(name)}>
      <h3>{words.title(name)}</h3>
      <CodeBlock code={isWhole ? whole : `${whole.slice(0, LONG)}…`} language="json" isGrowing={false} />
      {!isWhole && <Button onClick={() => setWhole(true)}>{words.showAll(whole.length)}</Button>}
      <p className="approval-rule">
        {words.rule} {plainly(question.reason)}. {words.until(formatFullTime(question.expiresAt))}
      </p>
      {!me.permissions.includes("approve") ? (
        <p>{words.notYours}</p>
      ) : note === undefined ? (
        <div className="approval-actions">
          <Button look="primary" disabled={isOff} onClick={() => void decide({ decision: "approve" })}>
            {words.allow}
          </Button>
          <Button
            disabled={isOff}
            onClick={() => void decide({ decision: "approve", remember: "arguments" })}
          >
            {words.always}
          </Button>
          <Button look="danger" disabled={isSending} onClick={() => setNote("")}>
            {words.refuse}
          </Button>
        </div>
      ) : (
        <form
          className="approval-actions"
          onSubmit={(event) => {
            event.preventDefault()
            void decide({ decision: "deny", ...(note.trim() !== "" && { note: note.trim() }) })
          }}
        >
          <input
            aria-label={words.why}
            placeholder={words.why}
            value={note}
            maxLength={2_000}
            // biome-ignore lint/a11y/noAutofocus: the person has just asked to refuse
            autoFocus
            onChange={(event) => setNote(event.target.value)}
          />
          <Button look="danger" type="submit" disabled={isSending}>
            {words.refuse}
          </Button>
          <Button look="quiet" onClick={() => setNote(undefined)}>
            {t.cancel}
          </Button>
        </form>
      )}
    </section>
  )
}

import { type ReactElement, useEffect, useRef, useState } from "react"
import { t } from "../i18n/index.ts"
import { markdownOf } from "./answer.tsx"
import { errorTitle } from "./error-note.tsx"
import { isAsked } from "./items.ts"
import { openQuestion } from "./open-question.ts"
import type { ChatView } from "./view.ts"

/** The tool that waits until somebody allows it. */
function askedTool({ openRun, items }: ChatView): string | undefined {
  const last = items.at(-1)
  if (openRun === undefined || last?.type !== "answer") return undefined
  const parts = last.messages.flatMap(({ parts }) => parts)
  const asked = parts.find((part) => part.type === "tool_call" && isAsked(last.calls[part.id]))
  return asked?.type === "tool_call" ? asked.name : undefined
}

/**
 * Says once that an answer begins, and once what it was or what went wrong. Both regions exist before there is
 * anything to say, which is what makes screen readers listen to them.
 */
export function Announcer({ view }: { readonly view: ChatView }): ReactElement {
  const [polite, setPolite] = useState("")
  const [urgent, setUrgent] = useState("")
  const running = useRef(view.openRun)
  const asking = askedTool(view)
  const question = openQuestion(view)?.question
  useEffect(() => {
    if (asking !== undefined) setUrgent(t.approval.announced(asking))
    else if (question !== undefined) setUrgent(t.chat.asks(question))
  }, [asking, question])
  useEffect(() => {
    const before = running.current
    running.current = view.openRun
    if (view.openRun !== undefined && before !== view.openRun) {
      setUrgent("")
      setPolite(t.chat.answerStarted)
    } else if (view.openRun === undefined && before !== undefined) {
      const last = view.items.at(-1)
      if (last?.type !== "answer") return
      if (last.end?.error) setUrgent(`${errorTitle(last.end.error.code)} ${last.end.error.message}`)
      else {
        const said = last.end?.outcome === "stopped" ? t.chat.answerStopped : t.chat.answerFinished
        setPolite(`${said} ${markdownOf(last)}`)
      }
    }
  }, [view])
  return (
    <>
      <div className="off-screen" role="status" aria-live="polite" data-announcer="polite">
        {polite}
      </div>
      <div className="off-screen" role="alert" aria-live="assertive" data-announcer="urgent">
        {urgent}
      </div>
    </>
  )
}

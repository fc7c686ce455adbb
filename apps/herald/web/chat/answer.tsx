import type { Fork } from "@orra/core"
import { lazy, memo, type ReactElement, useRef, useState } from "react"
import { isSame, useAgents } from "../agents/use-agents.ts"
import { useNow } from "../app/use-now.ts"
import { formatDuration, formatFullTime, formatTime, t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Button, IconButton } from "../ui/button.tsx"
import { CopyButton } from "../ui/copy-button.tsx"
import { Icon } from "../ui/icons.tsx"
import { AnswerParts } from "./answer-parts.tsx"
import { Branches } from "./branches.tsx"
import type { ChatStore } from "./chat-store.ts"
import { Details } from "./details.tsx"
import { ErrorNote } from "./error-note.tsx"
import type { AnswerItem, AnswerMessage } from "./items.ts"
import { MessageMenu } from "./message-menu.tsx"
import { RegenerateMenu } from "./regenerate-menu.tsx"

const ReadAloud = lazy(() => import("../voice/read-aloud.tsx"))
const Traces = lazy(() => import("../documents/traces.tsx"))

export interface AnswerProps {
  readonly answer: AnswerItem
  readonly store: ChatStore
  readonly fork: Fork | undefined
  readonly isLast: boolean
  /** The call that has the newest list of steps, in this answer or another. */
  readonly steps: string | undefined
  /** Its run is going on. */
  readonly isLive: boolean
  /** Some run of the chat is going on. */
  readonly isBusy: boolean
  readonly progress: Readonly<Record<string, string>>
  readonly retryAttempt: number | undefined
  readonly onProvider: (() => void) | undefined
}

export const markdownOf = ({ messages }: AnswerItem): string =>
  messages
    .flatMap(({ parts }) => parts.flatMap((part) => (part.type === "text" ? [part.text] : [])))
    .join("\n\n")

/** An answer: its thoughts, text and tools in the order they came, then what became of it and what one can do. */
export const Answer = memo(function Answer(props: AnswerProps): ReactElement {
  const { answer, isLive } = props
  const last = answer.messages.at(-1)
  const isSilent =
    isLive && (last?.status !== "writing" || last.parts.length === 0) && !hasRunningCall(answer)
  const { agents, default: standard } = useAgents()
  const name = answer.agent ?? t.chat.assistant
  // Where there is one only, everybody knows who it is.
  const isNamed =
    agents.length > 1 || (answer.agent !== undefined && agents.length > 0 && !isSame(name, standard))
  return (
    <article className="message answer" aria-label={name} aria-busy={isLive}>
      <h2 className={isNamed ? "answer-by" : "off-screen"}>{name}</h2>
      <AnswerParts {...props} />
      {isSilent && <Waiting since={answer.at} attempt={props.retryAttempt} />}
      {!isLive && <Outcome {...props} />}
      {!isLive && hasTraces(answer) && (
        <Lazily without={null}>
          <Traces answer={answer} />
        </Lazily>
      )}
      {!isLive && <Footer {...props} />}
    </article>
  )
})

/** Tools that find something, or change what is remembered. */
const TRACED = /^(?:search_documents|read_document|web_fetch|read_url|remember|recall|forget)$/

const hasTraces = ({ calls }: AnswerItem): boolean =>
  Object.values(calls).some(
    ({ intent, result }) => result?.part.status === "ok" && TRACED.test(intent?.name ?? ""),
  )

const hasRunningCall = ({ messages, calls }: AnswerItem): boolean =>
  messages.some(({ parts }) => parts.some((part) => part.type === "tool_call" && !calls[part.id]?.result))

/** There is nothing to read yet. After a while it says how long. */
export function Waiting({
  since,
  attempt,
}: {
  readonly since: number
  readonly attempt?: number | undefined
}): ReactElement {
  const now = useNow(1_000)
  const ms = Math.floor((now - since) / 1_000) * 1_000
  return (
    <div className="waiting">
      <span className="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className={ms >= 4_000 || attempt !== undefined ? "waiting-text" : "off-screen"}>
        {attempt !== undefined
          ? t.chat.retrying(attempt)
          : ms >= 4_000
            ? t.chat.waitingFor(formatDuration(ms))
            : t.chat.working}
      </span>
    </div>
  )
}

function Outcome({ answer, store, isLast, isBusy, onProvider }: AnswerProps): ReactElement | null {
  const { end, messages } = answer
  const author = useAuthor(answer)
  const last = messages.at(-1)
  const canGoOn = isLast && !isBusy
  if (end?.error) {
    const isAboutService = /^provider_(?:auth|not_configured|quota|model_not_found)$/.test(end.error.code)
    return (
      <ErrorNote
        code={end.error.code}
        message={end.error.message}
        details={{ runId: answer.runId, model: answer.model, retryable: end.error.retryable }}
        onRetry={canGoOn ? () => void store.resume(author) : undefined}
      >
        {isAboutService && onProvider && <Button onClick={onProvider}>{t.errorActions.changeModel}</Button>}
      </ErrorNote>
    )
  }
  const note = noteOf(answer, last)
  if (!note) return null
  return (
    <p className="note quiet-note">
      <span>{note}</span>
      {canGoOn && end?.outcome !== "completed" && (
        <Button onClick={() => void store.resume(author)}>
          <Icon name="play" size={14} />
          {t.chat.continue}
        </Button>
      )}
    </p>
  )
}

function noteOf({ end, messages }: AnswerItem, last: AnswerMessage | undefined): string | undefined {
  if (end?.outcome === "stopped") return t.chat.stopped
  if (end?.outcome === "interrupted" || last?.status === "interrupted") return t.chat.interrupted
  if (end?.outcome === "max_turns") return t.chat.maxTurns
  if (last?.finishReason === "max_tokens") return t.chat.cutOff
  if (last?.finishReason === "refusal") return t.chat.refused
  if (end?.outcome === "completed" && messages.every(({ parts }) => parts.length === 0))
    return t.chat.emptyAnswer
  return undefined
}

/** By whom something is done again that an answer was about: whoever wrote it, while there is that one. */
function useAuthor({ agent }: AnswerItem): string | undefined {
  const { find } = useAgents()
  return agent === undefined ? undefined : find(agent)?.name
}

function Footer({ answer, store, fork, isLast, isBusy }: AnswerProps): ReactElement {
  const author = useAuthor(answer)
  const [isWorking, setWorking] = useState(false)
  const foot = useRef<HTMLElement>(null)
  const regenerate = (model?: string): void => {
    setWorking(true)
    // The run's own entry will do when no call of it was recorded.
    const seq = answer.messages.at(-1)?.seq ?? answer.seq
    void store.regenerate(seq, model, author).finally(() => setWorking(false))
  }
  return (
    <footer ref={foot} className="message-foot">
      {fork && <Branches fork={fork} isDisabled={isBusy} onSwitch={(tip) => void store.switchBranch(tip)} />}
      <CopyButton
        text={() => markdownOf(answer)}
        html={() => htmlOf(foot.current)}
        label={t.chat.copyMessage}
      />
      <Lazily without={null}>
        <ReadAloud text={() => markdownOf(answer)} />
      </Lazily>
      <IconButton
        icon="retry"
        size={18}
        label={t.chat.regenerate}
        disabled={isWorking || isBusy}
        onClick={() => regenerate()}
      />
      <RegenerateMenu isDisabled={isWorking || isBusy} onChoose={regenerate} />
      <Details answer={answer} namespace={store.namespace} />
      <MessageMenu
        store={store}
        seq={answer.seq}
        text={() => markdownOf(answer)}
        canFork={answer.end !== undefined}
        canUndo={isLast && !isBusy}
      />
      <time
        className="message-time"
        dateTime={new Date(answer.at).toISOString()}
        title={formatFullTime(answer.at)}
      >
        {formatTime(answer.end?.at ?? answer.at)}
      </time>
    </footer>
  )
}

/** What is shown of the answer's text, without the buttons in it. */
function htmlOf(foot: HTMLElement | null): string {
  const texts = [...(foot?.closest("article")?.querySelectorAll(":scope > .markdown") ?? [])]
  return texts
    .map((text) => {
      const copy = text.cloneNode(true) as HTMLElement
      for (const button of copy.querySelectorAll("figcaption, button")) button.remove()
      return copy.innerHTML
    })
    .join("")
}

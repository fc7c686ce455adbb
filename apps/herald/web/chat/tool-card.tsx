import { type ReactElement, useState } from "react"
import type { Decision } from "../api/types.ts"
import { useNow } from "../app/use-now.ts"
import { formatDuration, t } from "../i18n/index.ts"
import { CodeBlock } from "../markdown/code-block.tsx"
import { Icon } from "../ui/icons.tsx"
import { Approval } from "./approval.tsx"
import { inPlace } from "./hold-in-place.ts"
import { type AnswerPart, type Call, isAsked } from "./items.ts"
import { toolWords } from "./tool-words.ts"

type CallPart = Extract<AnswerPart, { readonly type: "tool_call" }>
type Status = "pending" | "running" | "asking" | "ok" | "error" | "denied" | "cancelled" | "unknown"

export interface ToolCardProps {
  readonly part: CallPart
  readonly call: Call | undefined
  readonly progress: string | undefined
  /** The chat. */
  readonly namespace: string
  /** Who answers in it. */
  readonly agent: string | undefined
  /** False once the run has ended: then a call without a result never gets one. */
  readonly isOpenRun: boolean
  readonly onDecide: (approvalId: string, decision: Decision) => Promise<boolean>
}

/** One tool call: what it was for, how it goes, and on request everything that went in and came out. */
export function ToolCard({
  part,
  call,
  progress,
  namespace,
  agent,
  isOpenRun,
  onDecide,
}: ToolCardProps): ReactElement {
  const [isOpen, setOpen] = useState(false)
  const status = statusOf(call, isOpenRun)
  const isBusy = status === "running" || status === "pending"
  const { intent, result, question } = call ?? {}
  const args = part.arguments ?? intent?.arguments
  const { icon, title } = toolWords(part.name, args ?? parsed(part.draft))
  return (
    <div className={`tool-card ${status}`}>
      <button
        type="button"
        className="tool-head"
        aria-expanded={isOpen}
        onClick={inPlace(() => setOpen(!isOpen))}
      >
        <Icon name={icon} size={18} />
        <span className="tool-summary">
          <span className="tool-title">{title}</span>
          <span className="tool-name">{part.name}</span>
          <span className="tool-status">
            <StatusMark status={status} />
            {t.tools[status]}
            {isBusy && intent && <Elapsed since={intent.at} />}
            {!isBusy && result?.durationMs !== undefined && ` · ${formatDuration(result.durationMs)}`}
          </span>
        </span>
        <Icon name="down" size={14} />
      </button>
      {isBusy && progress && <p className="tool-progress">{progress}</p>}
      {status === "asking" && question && (
        <Approval
          key={question.approvalId}
          waiting={{
            namespace,
            tool: part.name,
            ...question,
            ...(agent !== undefined && { agent }),
            ...(intent?.tainted && { tainted: true }),
          }}
          onDecide={(decision) => onDecide(question.approvalId, decision)}
        />
      )}
      {status === "unknown" && <p className="tool-progress">{t.tools.unknownHint}</p>}
      {isOpen && (
        <div className="tool-panel">
          {question?.decision && (
            <>
              <h3>{t.approval.decided}</h3>
              <p>
                {t.approval.by(question.decision.decision, question.decision.by)}
                {question.decision.note !== undefined && ` ${question.decision.note}`}
              </p>
            </>
          )}
          {intent && intent.decision !== "allow" && (
            <>
              <h3>{t.tools.policy}</h3>
              <p>{intent.reason}</p>
            </>
          )}
          <h3>{t.tools.arguments}</h3>
          {part.invalid !== undefined ? (
            <>
              <p>{t.tools.invalid}</p>
              <CodeBlock code={part.invalid} language="" isGrowing={false} />
            </>
          ) : (
            <CodeBlock
              code={args ? JSON.stringify(args, null, 2) : (part.draft ?? "")}
              language="json"
              isGrowing={!args}
            />
          )}
          {result && (
            <>
              <h3>{t.tools.result}</h3>
              <Result part={result.part} />
            </>
          )}
        </div>
      )}
    </div>
  )
}

function statusOf(call: Call | undefined, isOpenRun: boolean): Status {
  if (call?.result) return call.result.part.status
  if (call?.intent?.decision === "deny") return "denied"
  if (isOpenRun && isAsked(call)) return "asking"
  if (!isOpenRun) return call?.intent ? "unknown" : "cancelled"
  return call?.intent ? "running" : "pending"
}

const StatusMark = ({ status }: { readonly status: Status }): ReactElement => {
  if (status === "running" || status === "pending") return <span className="spinner" aria-hidden="true" />
  if (status === "asking") return <Icon name="warning" size={14} />
  return <Icon name={status === "ok" ? "check" : status === "unknown" ? "warning" : "close"} size={14} />
}

function Elapsed({ since }: { readonly since: number }): ReactElement {
  const now = useNow(1_000)
  return <> · {formatDuration(Math.max(1_000, Math.floor((now - since) / 1_000) * 1_000))}</>
}

const Result = ({ part }: { readonly part: NonNullable<Call["result"]>["part"] }): ReactElement => {
  if (part.content.length === 0) return <p>{t.tools.noResult}</p>
  return (
    <>
      {part.content.map((piece, index) =>
        piece.type === "text" ? (
          <CodeBlock
            key={index}
            code={piece.text}
            language={looksLikeJson(piece.text) ? "json" : ""}
            isGrowing={false}
          />
        ) : (
          <img
            key={index}
            className="attached-image"
            alt={t.chat.image}
            src={`data:${piece.mediaType};base64,${piece.data}`}
          />
        ),
      )}
    </>
  )
}

const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text) && /[\]}]\s*$/.test(text)

function parsed(draft: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(draft ?? "")
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

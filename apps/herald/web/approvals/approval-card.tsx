import { plainly } from "@orra/core"
import { type KeyboardEvent, type ReactElement, useState } from "react"
import type { Decision } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { words } from "../i18n/en-approvals.ts"
import { formatFullTime, formatNumber } from "../i18n/index.ts"
import { CodeBlock } from "../markdown/code-block.tsx"
import { Button } from "../ui/button.tsx"
import { SendOrCancel } from "../ui/form-foot.tsx"
import { Icon } from "../ui/icons.tsx"
import type { Waiting } from "./approvals-api.ts"
import { KeepRule } from "./keep-rule.tsx"
import { type Origin, originOf } from "./origin.ts"
import "../styles/approvals.css"

/** Longer arguments are folded, and have to be unfolded before they can be allowed. */
const LONG = 1_500

export interface ApprovalCardProps {
  readonly waiting: Omit<Waiting, "requestedAt">
  /** @returns false when it did not count. */
  readonly onDecide: (decision: Decision) => Promise<boolean>
}

/** The question whether a call may run, with all that it is given and whoever wants it. */
export default function ApprovalCard({ waiting, onDecide }: ApprovalCardProps): ReactElement {
  const { me } = useShared()
  const { tool, expiresAt, tainted } = waiting
  const [isSending, setSending] = useState(false)
  const [asking, setAsking] = useState<"refuse" | "chat" | "always">()
  const whole = plainly(JSON.stringify(waiting.arguments, null, 2))
  const [isWhole, setWhole] = useState(whole.length <= LONG)
  const now = useNow(1_000)
  const isLate = now >= expiresAt
  const mayDecide = me.permissions.includes("approve")
  const isOff = isSending || !isWhole
  const origin = originOf(waiting.namespace, me.namespace)
  const decide = async (decision: Decision): Promise<void> => {
    setSending(true)
    if (!(await onDecide(decision))) setSending(false)
  }
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const { key, target, repeat, ctrlKey, metaKey, altKey, nativeEvent } = event
    if (ctrlKey || metaKey || altKey || repeat || nativeEvent.isComposing || asking) return
    if (target instanceof HTMLInputElement || !mayDecide || isLate || isSending) return
    if (key.toLowerCase() === "d") setAsking("refuse")
    else if (key.toLowerCase() === "a" && isWhole) void decide({ decision: "approve" })
    else return
    event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would hold fieldsets
    <div
      role="group"
      className="approval"
      aria-label={words.title(plainly(tool))}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys are for whoever stands on it
      tabIndex={0}
      aria-keyshortcuts="A D"
      title={mayDecide ? words.shortcuts : undefined}
      onKeyDown={onKeyDown}
    >
      <h3>{words.title(plainly(tool))}</h3>
      {tainted && (
        <p className="approval-taint">
          <Icon name="warning" size={16} />
          {words.tainted}
        </p>
      )}
      <CodeBlock code={isWhole ? whole : `${whole.slice(0, LONG)}…`} language="json" isGrowing={false} />
      {!isWhole && (
        <Button onClick={() => setWhole(true)}>{words.showAll(formatNumber(whole.length))}</Button>
      )}
      <dl className="approval-facts">
        <dt>{words.askedBy}</dt>
        <dd>{whoAsks(waiting, origin.type, me.name)}</dd>
        <dt>{words.rule}</dt>
        <dd>{plainly(waiting.reason)}</dd>
        <dt>{words.ends}</dt>
        <dd>{isLate ? words.late : words.endsIn(roughly(expiresAt - now), formatFullTime(expiresAt))}</dd>
      </dl>
      {isLate ? null : !mayDecide ? (
        <p>{words.notYours}</p>
      ) : asking === "refuse" ? (
        <Refusal
          isOff={isSending}
          onRefuse={(note) => void decide({ decision: "deny", ...(note !== "" && { note }) })}
          onCancel={() => setAsking(undefined)}
        />
      ) : asking ? (
        <KeepRule
          tool={plainly(tool)}
          where={asking === "always" ? "always" : origin.type}
          isOff={isOff}
          onKeep={(remember) =>
            void decide({
              decision: "approve",
              remember,
              scope: asking === "always" ? me.namespace : origin.scope,
            })
          }
          onCancel={() => setAsking(undefined)}
        />
      ) : (
        <div className="approval-actions">
          <Button look="primary" disabled={isOff} onClick={() => void decide({ decision: "approve" })}>
            {words.once}
          </Button>
          <Button disabled={isOff} onClick={() => setAsking("chat")}>
            {origin.type === "job" ? words.inJob : words.inChat}
          </Button>
          {origin.type !== "channel" && (
            <Button disabled={isOff} onClick={() => setAsking("always")}>
              {words.always}
            </Button>
          )}
          <Button look="danger" disabled={isSending} onClick={() => setAsking("refuse")}>
            {words.refuse}
          </Button>
        </div>
      )}
    </div>
  )
}

const distances = new Intl.RelativeTimeFormat(navigator.language)

/** "in 3 hours": whole hours, minutes in the last of them, seconds in the last minute. */
function roughly(ms: number): string {
  if (ms < 60_000) return distances.format(Math.ceil(ms / 1_000), "second")
  if (ms < 3_600_000) return distances.format(Math.floor(ms / 60_000), "minute")
  return distances.format(Math.round(ms / 3_600_000), "hour")
}

function whoAsks(
  { agent, delegatedBy = [], principal }: ApprovalCardProps["waiting"],
  type: Origin["type"],
  me: string,
): string {
  const who = agent === undefined ? words.assistant : words.agent(plainly(agent), delegatedBy.map(plainly))
  const forWhom = principal === undefined || principal === me ? "" : ` ${words.for(plainly(principal))}`
  return `${who}${forWhom}${type === "job" ? `, ${words.job}` : ""}`
}

function Refusal({
  isOff,
  onRefuse,
  onCancel,
}: {
  readonly isOff: boolean
  readonly onRefuse: (note: string) => void
  readonly onCancel: () => void
}): ReactElement {
  const [note, setNote] = useState("")
  return (
    <form
      className="approval-actions"
      onSubmit={(event) => {
        event.preventDefault()
        onRefuse(note.trim())
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
      <SendOrCancel label={words.refuse} look="danger" isOff={isOff} onCancel={onCancel} />
    </form>
  )
}

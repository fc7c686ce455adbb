import { plainly } from "@orra/core"
import { useQueryClient } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { ApiError } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { PlaceLink } from "../app/place-link.tsx"
import { useNow } from "../app/use-now.ts"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-approvals.ts"
import { formatDay, formatFullTime, formatTime, t } from "../i18n/index.ts"
import { titleOf, useSessions } from "../sessions/use-sessions.ts"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import ApprovalCard from "./approval-card.tsx"
import { approvalsApi, type StandingRule, type Waiting } from "./approvals-api.ts"
import { originOf } from "./origin.ts"
import { APPROVALS, useApprovals, useDecide } from "./use-approvals.ts"
import "../styles/records.css"

/** Everything that waits for whoever is logged in, and what they have allowed for longer. */
export default function ApprovalsScreen(): ReactElement {
  const { assistant } = useShared()
  const client = useQueryClient()
  const now = useNow(30_000)
  const found = useApprovals()
  const decide = useDecide()
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: APPROVALS })
  const fail = (error: Error): void => toast(error.message)
  const restore = (rule: StandingRule): void => void approvalsApi.restore(rule).then(refresh, fail)
  const revoke = (rule: StandingRule): void => {
    approvalsApi.revoke(rule).then(async () => {
      await refresh()
      // What holds for a while is allowed anew.
      const undo = rule.type === "everything" ? undefined : { label: t.undo, run: () => restore(rule) }
      toast(words.revoked, undo)
    }, fail)
  }
  if (found.error) {
    const code = found.error instanceof ApiError ? found.error.code : "other"
    return <ErrorNote code={code} message={found.error.message} onRetry={() => void found.refetch()} />
  }
  if (!found.data) return <p className="muted">{t.loading}</p>
  const { rules, approvals } = found.data
  const waiting = approvals
    .filter(({ expiresAt }) => expiresAt > now)
    .toSorted((a, b) => a.requestedAt - b.requestedAt)
  const standing = rules.filter(({ until = Number.POSITIVE_INFINITY }) => until > now)
  return (
    <>
      <p className="muted">{words.lead(assistant)}</p>
      {waiting.length === 0 ? (
        <div className="records-empty">
          <h2>{words.none}</h2>
          <p>{words.noneLead}</p>
        </div>
      ) : (
        <section>
          <h2 className="off-screen">{words.waiting}</h2>
          <ul className="records">
            {waiting.map((each) => (
              <li key={each.approvalId} className="asked">
                <Place waiting={each} />
                <ApprovalCard waiting={each} onDecide={(decision) => decide(each, decision)} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className="standing" aria-label={words.ruleTitle}>
        <h2>{words.ruleTitle}</h2>
        {standing.length === 0 ? (
          <p className="muted">{words.noRules}</p>
        ) : (
          <ul className="records">
            {standing.map((rule) => (
              <Rule key={`${rule.namespace} ${rule.ruleId}`} rule={rule} onRevoke={() => revoke(rule)} />
            ))}
          </ul>
        )}
      </section>
    </>
  )
}

/** Where and since when something waits. */
function Place({ waiting: { namespace, requestedAt } }: { readonly waiting: Waiting }): ReactElement {
  const { me } = useShared()
  const { chat, type } = originOf(namespace, me.namespace)
  return (
    <p className="record-facts">
      <time dateTime={new Date(requestedAt).toISOString()} title={formatFullTime(requestedAt)}>
        {formatDay(requestedAt, Date.now())} {formatTime(requestedAt)}
      </time>
      {chat !== undefined && <ChatLink namespace={chat} />}
      {type !== "chat" && <span>{type === "job" ? words.job : words.channel(plainly(namespace))}</span>}
    </p>
  )
}

function ChatLink({ namespace }: { readonly namespace: string }): ReactElement {
  const { data } = useSessions("")
  const chat = data?.pages.flatMap(({ sessions }) => sessions).find((each) => each.namespace === namespace)
  return <PlaceLink to={{ type: "chat", namespace }}>{(chat && titleOf(chat)) ?? words.openChat}</PlaceLink>
}

function Rule({
  rule,
  onRevoke,
}: {
  readonly rule: StandingRule
  readonly onRevoke: () => void
}): ReactElement {
  const { me } = useShared()
  const { namespace, type, at, by, until, tool = "" } = rule
  const { chat, type: kind } = originOf(namespace, me.namespace)
  const what = type === "everything" ? words.ruleOf.everything : words.ruleOf[type](plainly(tool))
  return (
    <li className="record">
      <div className="record-body">
        <p className="record-content">{what}</p>
        {type === "arguments" && (
          <pre className="rule-arguments">{plainly(JSON.stringify(rule.arguments, null, 2))}</pre>
        )}
        <p className="record-facts">
          <span>{namespace === me.namespace ? words.where.person : words.where[kind]}</span>
          {chat !== undefined && <ChatLink namespace={chat} />}
          <span>{words.by(plainly(by), formatDay(at, Date.now()))}</span>
          {until !== undefined && <span>{words.until(formatTime(until))}</span>}
        </p>
      </div>
      <Button aria-label={words.revokeOf(what)} onClick={onRevoke}>
        {words.revoke}
      </Button>
    </li>
  )
}

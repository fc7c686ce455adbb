import type { ReactElement } from "react"
import type { SessionSummary } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { originOf } from "../approvals/origin.ts"
import { useApprovals } from "../approvals/use-approvals.ts"
import { words } from "../i18n/en-sidebar.ts"
import { t } from "../i18n/index.ts"

/** Whether a chat waits for what its person says: to a question, or to what it may do. */
const isAsking = ({ waiting, metadata }: SessionSummary): boolean =>
  waiting !== undefined && (waiting.approvals > 0 || metadata["asks"] === true)

/** Tells of chats whether they wait for the person, also in what they have handed on. */
export function useAsking(): (session: SessionSummary) => boolean {
  const { me } = useShared()
  const { data } = useApprovals()
  const below = new Set(data?.approvals.map(({ namespace }) => originOf(namespace, me.namespace).chat))
  return (session) => isAsking(session) || below.has(session.namespace)
}

/** What goes on in a chat of the list, most urgent first; nothing where nothing does. */
export function SessionMark({
  isAsking,
  isRunning,
  isUnread,
}: {
  readonly isAsking: boolean
  readonly isRunning: boolean
  readonly isUnread: boolean
}): ReactElement | null {
  const [look, says] = isAsking
    ? ["asking-mark", words.asks]
    : isRunning
      ? ["running", t.sessions.running]
      : ["unread-mark", t.sessions.unread]
  if (!isAsking && !isRunning && !isUnread) return null
  return (
    <span className={look} title={says}>
      <span className="off-screen">{says}</span>
    </span>
  )
}

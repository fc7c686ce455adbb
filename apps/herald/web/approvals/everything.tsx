import { type ReactElement, useState } from "react"
import { useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { words } from "../i18n/en-approvals.ts"
import { IconButton } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuItem } from "../ui/menu.tsx"
import { toast } from "../ui/toast.tsx"
import { approvalsApi } from "./approvals-api.ts"
import "../styles/approvals.css"

const MINUTES = [5, 15, 60, 240] as const

/** The switch that approves everything in a chat for a while, and while it is on the time that is left. */
export default function Everything({
  namespace,
  until,
}: {
  readonly namespace: string
  /** ms since 1970, or undefined when everything is asked about. */
  readonly until: number | undefined
}): ReactElement | null {
  const { me } = useShared()
  const [isSending, setSending] = useState(false)
  const now = useNow(1_000, until !== undefined)
  const mayApprove = me.permissions.includes("approve")
  const change = (work: () => Promise<unknown>): void => {
    setSending(true)
    work()
      .catch((error: Error) => toast(error.message))
      .finally(() => setSending(false))
  }
  if (until !== undefined && until > now) {
    const left = countdown(until - now)
    return (
      <button
        type="button"
        className="everything-on"
        disabled={isSending || !mayApprove}
        aria-label={words.everythingLeft(left)}
        data-tip={words.askAgain}
        onClick={() => change(() => approvalsApi.revoke({ namespace, ruleId: "everything" }))}
      >
        <Icon name="warning" size={16} />
        <span className="everything-word">{words.everythingOn}</span>
        <span role="timer">{left}</span>
        <Icon name="close" size={14} />
      </button>
    )
  }
  if (!mayApprove) return null
  return (
    <Menu trigger={<IconButton icon="shield" label={words.everything} disabled={isSending} />}>
      <div className="menu-group">{words.everythingNote}</div>
      {MINUTES.map((minutes) => (
        <MenuItem
          key={minutes}
          label={words.everythingFor[minutes]}
          onSelect={() => change(() => approvalsApi.everything(namespace, minutes))}
        />
      ))}
    </Menu>
  )
}

/** `4:05`, and `1:04:05` from an hour on. */
function countdown(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  const two = (value: number): string => String(value).padStart(2, "0")
  const minutes = Math.floor(seconds / 60)
  const rest = two(seconds % 60)
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`
}

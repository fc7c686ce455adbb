import { type ReactElement, useState } from "react"
import { useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { words } from "../i18n/en-approvals.ts"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { approvalsApi } from "./approvals-api.ts"
import "../styles/approvals.css"

/** While everything is approved in a chat: the time that is left, and the way back. */
export default function Everything({
  namespace,
  until,
}: {
  readonly namespace: string
  /** ms since 1970. */
  readonly until: number
}): ReactElement | null {
  const { me } = useShared()
  const [isSending, setSending] = useState(false)
  const now = useNow(1_000)
  if (until <= now) return null
  const left = countdown(until - now)
  const askAgain = (): void => {
    setSending(true)
    approvalsApi
      .askAgain(namespace)
      .catch((error: Error) => toast(error.message))
      .finally(() => setSending(false))
  }
  return (
    <button
      type="button"
      className="everything-on"
      disabled={isSending || !me.permissions.includes("approve")}
      aria-label={words.everythingLeft(left)}
      data-tip={words.askAgain}
      onClick={askAgain}
    >
      <Icon name="warning" size={16} />
      <span className="everything-word">{words.everythingOn}</span>
      <span role="timer">{left}</span>
      <Icon name="close" size={14} />
    </button>
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

import type { ReactElement } from "react"
import { useWaiting } from "../approvals/use-approvals.ts"
import { t } from "../i18n/index.ts"
import { IconButton } from "../ui/button.tsx"

/** The way to the chats while they are hidden. It shows what waits there for a decision. */
export function MenuButton({ onClick }: { readonly onClick: () => void }): ReactElement {
  const waits = useWaiting()
  return (
    <span className="menu-button">
      <IconButton icon="menu" label={t.sessions.open} onClick={onClick} />
      {waits > 0 && (
        <span className="badge">
          {waits}
          <span className="off-screen"> {t.screens.waiting}</span>
        </span>
      )}
    </span>
  )
}

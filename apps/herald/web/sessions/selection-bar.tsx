import { lazy, type ReactElement, useState } from "react"
import type { SessionSummary } from "../api/types.ts"
import { words } from "../i18n/en-sidebar.ts"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { IconButton } from "../ui/button.tsx"
import type { SessionActions } from "./actions.ts"

const MoveDialog = lazy(() => import("./move-dialog.tsx"))

/** What is done with several chats at once. */
export function SelectionBar({
  sessions,
  actions,
  onDone,
}: {
  readonly sessions: readonly SessionSummary[]
  readonly actions: SessionActions
  readonly onDone: () => void
}): ReactElement {
  const [isMoving, setMoving] = useState(false)
  const act = (work: () => Promise<void>): void => {
    void work()
    onDone()
  }
  const isOff = sessions.length === 0
  return (
    <div className="selection" role="toolbar" aria-label={t.sessions.selected(sessions.length)}>
      <span role="status">{t.sessions.selected(sessions.length)}</span>
      <IconButton
        icon="folder"
        size={18}
        label={words.move}
        disabled={isOff}
        onClick={() => setMoving(true)}
      />
      <IconButton
        icon="archive"
        size={18}
        label={t.sessions.archive}
        disabled={isOff}
        onClick={() => act(() => actions.mark(sessions, { archived: true }))}
      />
      <IconButton
        icon="trash"
        size={18}
        label={t.sessions.delete}
        disabled={isOff}
        onClick={() => act(() => actions.remove(sessions))}
      />
      <IconButton icon="close" size={18} label={t.cancel} onClick={onDone} />
      {isMoving && (
        <Lazily without={null}>
          <MoveDialog sessions={sessions} onMove={onDone} onClose={() => setMoving(false)} />
        </Lazily>
      )}
    </div>
  )
}

import { type ReactElement, useDeferredValue, useMemo, useState } from "react"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import { ScreenList } from "../app/screen-list.tsx"
import { useNow } from "../app/use-now.ts"
import { t } from "../i18n/index.ts"
import { SettingsMenu } from "../settings/settings-menu.tsx"
import { Button, IconButton } from "../ui/button.tsx"
import { Icon, Mark } from "../ui/icons.tsx"
import { groupsOf } from "./groups.ts"
import { SessionRow } from "./session-row.tsx"
import { useSessions } from "./use-sessions.ts"

export interface SidebarProps {
  readonly current: string | undefined
  readonly onHide: () => void
  /** Called when a chat or a screen was chosen: a drawer closes then. */
  readonly onChoose: () => void
  readonly onShortcuts: () => void
}

/** All chats, a way to find one and to begin another. */
export function Sidebar({ current, onHide, onChoose, onShortcuts }: SidebarProps): ReactElement {
  const { assistant } = useShared()
  const [query, setQuery] = useState("")
  const wanted = useDeferredValue(query.trim())
  const { data, isError, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useSessions(wanted)
  const today = new Date(useNow(60_000)).setHours(0, 0, 0, 0)
  const groups = useMemo(
    () => groupsOf(data?.pages.flatMap((page) => page.sessions) ?? [], today),
    [data, today],
  )
  return (
    <nav className="sidebar" aria-label={t.sessions.label} id="sidebar">
      <header className="sidebar-head">
        <Mark size={26} />
        <span className="brand">{assistant}</span>
        <IconButton icon="panel" label={t.sessions.hide} onClick={onHide} />
      </header>
      <div className="sidebar-tools">
        <Button
          className="new-chat"
          onClick={() => {
            navigate({ type: "new" })
            onChoose()
          }}
        >
          <Icon name="plus" size={18} />
          {t.sessions.new}
        </Button>
        <ScreenList onChoose={onChoose} />
        <div className="search">
          <Icon name="search" size={16} />
          <input
            type="search"
            value={query}
            placeholder={t.sessions.search}
            aria-label={t.sessions.search}
            onChange={(event) => setQuery(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape" && query !== "") {
                event.stopPropagation()
                setQuery("")
              }
            }}
          />
        </div>
      </div>
      <div className="session-list">
        {groups.map(({ label, sessions }) => (
          <section key={label} aria-label={label}>
            <h2 className="group-label">{label}</h2>
            <ul>
              {sessions.map((session) => (
                <li key={session.namespace}>
                  <SessionRow session={session} isOpen={session.namespace === current} onOpen={onChoose} />
                </li>
              ))}
            </ul>
          </section>
        ))}
        {data && groups.length === 0 && (
          <p className="list-note">{wanted === "" ? t.sessions.none : t.sessions.noMatch(wanted)}</p>
        )}
        {isError && (
          <div className="list-note">
            <p>{t.sessions.failed}</p>
            <Button onClick={() => void refetch()}>{t.retry}</Button>
          </div>
        )}
        {hasNextPage && (
          <Button look="quiet" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t.sessions.more}
          </Button>
        )}
      </div>
      <footer className="sidebar-foot">
        <SettingsMenu onChoose={onChoose} onShortcuts={onShortcuts} />
      </footer>
    </nav>
  )
}

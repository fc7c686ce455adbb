import { type ReactElement, useDeferredValue, useMemo, useState } from "react"
import type { SessionSummary } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import { ScreenList } from "../app/screen-list.tsx"
import { useNow } from "../app/use-now.ts"
import { t } from "../i18n/index.ts"
import { SettingsMenu } from "../settings/settings-menu.tsx"
import { Button, IconButton } from "../ui/button.tsx"
import { Icon, Mark } from "../ui/icons.tsx"
import { useSessionActions } from "./actions.ts"
import { groupsOf } from "./groups.ts"
import { SessionRow } from "./session-row.tsx"
import { useMarked, useSessions } from "./use-sessions.ts"

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
  const actions = useSessionActions(current)
  const pinned = useMarked("pinned")
  const [isArchiveOpen, setArchiveOpen] = useState(false)
  const archived = useMarked("archived", isArchiveOpen)
  const [selected, setSelected] = useState<ReadonlyMap<string, SessionSummary>>()
  const groups = useMemo(() => {
    const all = data?.pages.flatMap((page) => page.sessions) ?? []
    const isListed = ({ metadata }: SessionSummary): boolean => wanted !== "" || metadata["pinned"] !== true
    const first = wanted === "" && pinned.length > 0 ? [{ label: t.sessions.pinned, sessions: pinned }] : []
    return [...first, ...groupsOf(all.filter(isListed), today)]
  }, [data, pinned, wanted, today])
  const row = (session: SessionSummary): ReactElement => (
    <li key={session.namespace}>
      <SessionRow
        session={session}
        isOpen={session.namespace === current}
        actions={actions}
        isSelected={selected?.has(session.namespace)}
        onSelect={(isSelected) => {
          const next = new Map(selected)
          if (isSelected) next.set(session.namespace, session)
          else next.delete(session.namespace)
          setSelected(next)
        }}
        onOpen={onChoose}
      />
    </li>
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
      {selected && (
        <div className="selection" role="toolbar" aria-label={t.sessions.selected(selected.size)}>
          <span role="status">{t.sessions.selected(selected.size)}</span>
          <IconButton
            icon="archive"
            size={18}
            label={t.sessions.archive}
            disabled={selected.size === 0}
            onClick={() => {
              void actions.mark([...selected.values()], { archived: true })
              setSelected(undefined)
            }}
          />
          <IconButton
            icon="trash"
            size={18}
            label={t.sessions.delete}
            disabled={selected.size === 0}
            onClick={() => {
              void actions.remove([...selected.values()])
              setSelected(undefined)
            }}
          />
          <IconButton icon="close" size={18} label={t.cancel} onClick={() => setSelected(undefined)} />
        </div>
      )}
      <div className="session-list">
        {groups.map(({ label, sessions }) => (
          <section key={label} aria-label={label}>
            <h2 className="group-label">{label}</h2>
            <ul>{sessions.map(row)}</ul>
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
        {isArchiveOpen && (
          <section aria-label={t.sessions.archived}>
            <h2 className="group-label">{t.sessions.archived}</h2>
            {archived.length === 0 ? (
              <p className="list-note">{t.sessions.noneArchived}</p>
            ) : (
              <ul>{archived.map(row)}</ul>
            )}
          </section>
        )}
        {hasNextPage && (
          <Button look="quiet" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t.sessions.more}
          </Button>
        )}
        {wanted === "" && data && (
          <Button
            look="quiet"
            className="archive-button"
            aria-expanded={isArchiveOpen}
            onClick={() => setArchiveOpen(!isArchiveOpen)}
          >
            <Icon name="archive" size={16} />
            {t.sessions.archived}
          </Button>
        )}
      </div>
      <footer className="sidebar-foot">
        <SettingsMenu onChoose={onChoose} onShortcuts={onShortcuts} />
      </footer>
    </nav>
  )
}

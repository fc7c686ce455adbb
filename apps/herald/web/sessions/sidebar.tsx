import { lazy, type ReactElement, useDeferredValue, useMemo, useState } from "react"
import type { SessionSummary } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import { ScreenList } from "../app/screen-list.tsx"
import { useNow } from "../app/use-now.ts"
import { words } from "../i18n/en-sidebar.ts"
import { t } from "../i18n/index.ts"
import { SettingsMenu } from "../settings/settings-menu.tsx"
import { Lazily } from "../ui/boundary.tsx"
import { Button, IconButton } from "../ui/button.tsx"
import { Icon, Mark } from "../ui/icons.tsx"
import { useSessionActions } from "./actions.ts"
import { useFolderActions } from "./folder-actions.ts"
import { FolderSection } from "./folder-section.tsx"
import type { Folder } from "./folders-api.ts"
import { type Group, groupsOf } from "./groups.ts"
import { SelectionBar } from "./selection-bar.tsx"
import { useAsking } from "./session-mark.tsx"
import { SessionRow } from "./session-row.tsx"
import { useDrop } from "./use-drop.ts"
import { folderIdOf, useClosedFolders, useFolders } from "./use-folders.ts"
import { useMarked, useSessions } from "./use-sessions.ts"

const FolderDialog = lazy(() => import("./folder-dialog.tsx"))

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
  const folders = useShownFolders(wanted)
  const folderActions = useFolderActions()
  const [closed, setClosed] = useClosedFolders()
  const [isMakingFolder, setMakingFolder] = useState(false)
  const [dragged, setDragged] = useState<readonly SessionSummary[]>([])
  const isAsking = useAsking()
  const groups = useMemo(() => {
    const all = data?.pages.flatMap((page) => page.sessions) ?? []
    const filed = new Set(folders.flatMap(({ chats }) => chats.map(({ namespace }) => namespace)))
    const isListed = ({ namespace, metadata }: SessionSummary): boolean =>
      !filed.has(namespace) && (wanted !== "" || metadata["pinned"] !== true)
    return groupsOf(all.filter(isListed), today)
  }, [data, wanted, today, folders])
  const pinnedGroup =
    wanted === "" && pinned.length > 0 ? [{ label: t.sessions.pinned, sessions: pinned }] : []
  const canTakeOut = dragged.some((session) =>
    folders.some(({ folder }) => folder.id === folderIdOf(session)),
  )
  const drop = (to: Folder | undefined): void => {
    void folderActions.move(dragged, to)
    // A row that is somewhere else now does not say that it is dragged no longer.
    setDragged([])
  }
  const { isOver: isOverRest, ...outDrop } = useDrop(canTakeOut ? () => drop(undefined) : undefined)
  const row = (session: SessionSummary): ReactElement => (
    <li key={session.namespace}>
      <SessionRow
        session={session}
        isOpen={session.namespace === current}
        isAsking={isAsking(session)}
        actions={actions}
        isSelected={selected?.has(session.namespace)}
        onSelect={(isSelected) => {
          const next = new Map(selected)
          if (isSelected) next.set(session.namespace, session)
          else next.delete(session.namespace)
          setSelected(next)
        }}
        onOpen={onChoose}
        onDrag={(isDragged) =>
          setDragged(!isDragged ? [] : selected?.has(session.namespace) ? [...selected.values()] : [session])
        }
      />
    </li>
  )
  const section = ({ label, sessions }: Group): ReactElement => (
    <section key={label} aria-label={label}>
      <h2 className="group-label">{label}</h2>
      <ul>{sessions.map(row)}</ul>
    </section>
  )
  return (
    <nav className="sidebar" aria-label={t.sessions.label} id="sidebar">
      <header className="sidebar-head">
        <Mark size={26} />
        <span className="brand">{assistant}</span>
        <IconButton icon="panel" label={t.sessions.hide} onClick={onHide} />
      </header>
      <div className="sidebar-tools">
        <div className="new-row">
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
          <IconButton icon="folderPlus" label={words.newFolder} onClick={() => setMakingFolder(true)} />
        </div>
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
        <SelectionBar
          sessions={[...selected.values()]}
          actions={actions}
          onDone={() => setSelected(undefined)}
        />
      )}
      <div className="session-list">
        {pinnedGroup.map(section)}
        {folders.map(({ folder, chats }) => {
          const isOpen = wanted !== "" || !closed.has(folder.id)
          const isTarget = dragged.some((session) => folderIdOf(session) !== folder.id)
          return (
            <FolderSection
              key={folder.id}
              folder={folder}
              count={chats.length}
              isOpen={isOpen}
              isAsking={chats.some(isAsking)}
              actions={folderActions}
              onToggle={() => setClosed(folder.id, isOpen)}
              onDrop={isTarget ? () => drop(folder) : undefined}
              onChoose={onChoose}
            >
              <ul>{chats.map(row)}</ul>
            </FolderSection>
          )
        })}
        <div className={isOverRest ? "unfiled over" : "unfiled"} {...outDrop}>
          {groups.map(section)}
          {canTakeOut && <p className="list-note">{words.out}</p>}
        </div>
        {data && groups.length + pinnedGroup.length + folders.length === 0 && (
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
      {isMakingFolder && (
        <Lazily without={null}>
          <FolderDialog folder={undefined} onClose={() => setMakingFolder(false)} />
        </Lazily>
      )}
      <footer className="sidebar-foot">
        <SettingsMenu onChoose={onChoose} onShortcuts={onShortcuts} />
      </footer>
    </nav>
  )
}

/** The folders with their chats, the most recently used first; of a search, those that are called so. */
function useShownFolders(wanted: string) {
  const { folders, chats } = useFolders()
  return useMemo(() => {
    const isWanted = (name: string): boolean => name.toLowerCase().includes(wanted.toLowerCase())
    const newest = [...chats].sort((a, b) => b.updatedAt - a.updatedAt)
    return folders
      .filter(({ name }) => isWanted(name))
      .map((folder) => ({ folder, chats: newest.filter((session) => folderIdOf(session) === folder.id) }))
  }, [folders, chats, wanted])
}

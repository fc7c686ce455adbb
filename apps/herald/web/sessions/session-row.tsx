import { type HTMLAttributes, lazy, type MouseEvent, type ReactElement, useState } from "react"
import type { SessionSummary } from "../api/types.ts"
import { navigate, pathOf } from "../app/router.ts"
import { words } from "../i18n/en-sidebar.ts"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuItem, MenuLine } from "../ui/menu.tsx"
import type { SessionActions } from "./actions.ts"
import { SessionMark } from "./session-mark.tsx"
import { TitleField } from "./title-field.tsx"
import { useUnread } from "./unread.ts"
import { titleOf } from "./use-sessions.ts"

const MoveDialog = lazy(() => import("./move-dialog.tsx"))
const ShareDialog = lazy(() => import("./share-dialog.tsx"))

interface SessionRowProps {
  readonly session: SessionSummary
  readonly isOpen: boolean
  /** It waits for the person. */
  readonly isAsking: boolean
  readonly actions: SessionActions
  /** Undefined while chats are not being selected. */
  readonly isSelected: boolean | undefined
  readonly onSelect: (isSelected: boolean) => void
  readonly onOpen: () => void
  /** It begins to be dragged, or is no longer; among those that are selected they all are. */
  readonly onDrag: (isDragged: boolean) => void
}

/** A chat in the list: open it, or choose it among others. */
export function SessionRow(props: SessionRowProps): ReactElement {
  const { session, isSelected, onSelect } = props
  const [isRenaming, setRenaming] = useState(false)
  const title = titleOf(session) ?? t.sessions.untitled
  if (isSelected !== undefined) {
    return (
      <label className="session session-choice" {...dragged(title, props.onDrag)}>
        <input type="checkbox" checked={isSelected} onChange={(event) => onSelect(event.target.checked)} />
        <span className="session-title" dir="auto">
          {title}
        </span>
      </label>
    )
  }
  if (isRenaming) {
    return (
      <TitleField
        label={t.sessions.renameLabel}
        title={title}
        maxLength={200}
        onDone={(next) => {
          setRenaming(false)
          void props.actions.rename(session, next)
        }}
        onCancel={() => setRenaming(false)}
      />
    )
  }
  return <SessionLink {...props} title={title} onRename={() => setRenaming(true)} />
}

function SessionLink({
  session,
  isOpen,
  isAsking,
  actions,
  title,
  onSelect,
  onOpen,
  onDrag,
  onRename,
}: SessionRowProps & { readonly title: string; readonly onRename: () => void }): ReactElement {
  const isUnread = useUnread(session, isOpen)
  const [isSharing, setSharing] = useState(false)
  const [isMoving, setMoving] = useState(false)
  const { namespace, metadata } = session
  const [isPinned, isArchived] = [metadata["pinned"] === true, metadata["archived"] === true]
  const place = { type: "chat", namespace } as const
  const open = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    navigate(place)
    onOpen()
  }
  return (
    <div
      className={`session${isOpen ? " open" : ""}${isUnread ? " unread" : ""}`}
      {...dragged(title, onDrag)}
    >
      <a
        href={pathOf(place)}
        className="session-link"
        aria-current={isOpen ? "page" : undefined}
        title={title}
        onClick={open}
        onDoubleClick={onRename}
      >
        <span className="session-title" dir="auto">
          {title}
        </span>
        <SessionMark isAsking={isAsking} isRunning={session.openRun !== undefined} isUnread={isUnread} />
      </a>
      <Menu
        align="end"
        trigger={
          <button type="button" className="icon-button session-menu" aria-label={t.sessions.options(title)}>
            <Icon name="more" size={18} />
          </button>
        }
      >
        <MenuItem icon="edit" label={t.sessions.rename} onSelect={onRename} />
        <MenuItem
          icon="pin"
          label={isPinned ? t.sessions.unpin : t.sessions.pin}
          onSelect={() => void actions.mark([session], { pinned: !isPinned })}
        />
        <MenuItem
          icon="archive"
          label={isArchived ? t.sessions.unarchive : t.sessions.archive}
          onSelect={() => void actions.mark([session], { archived: !isArchived })}
        />
        <MenuItem icon="folder" label={words.move} onSelect={() => setMoving(true)} />
        <MenuItem icon="check" label={t.sessions.select} onSelect={() => onSelect(true)} />
        <MenuLine />
        <MenuItem icon="link" label={t.sessions.share} onSelect={() => setSharing(true)} />
        <MenuItem
          icon="download"
          label={t.sessions.markdown}
          onSelect={() => void actions.save(session, "md")}
        />
        <MenuItem
          icon="download"
          label={t.sessions.html}
          onSelect={() => void actions.save(session, "html")}
        />
        <MenuItem
          icon="download"
          label={t.sessions.json}
          onSelect={() => void actions.save(session, "json")}
        />
        <MenuLine />
        <MenuItem
          icon="trash"
          label={t.sessions.delete}
          isDanger
          onSelect={() => void actions.remove([session])}
        />
      </Menu>
      {isMoving && (
        <Lazily without={null}>
          <MoveDialog sessions={[session]} onClose={() => setMoving(false)} />
        </Lazily>
      )}
      {isSharing && (
        <Lazily without={null}>
          <ShareDialog namespace={namespace} title={title} onClose={() => setSharing(false)} />
        </Lazily>
      )}
    </div>
  )
}

/** What can be dragged onto a folder. */
const dragged = (
  title: string,
  onDrag: (isDragged: boolean) => void,
): Pick<HTMLAttributes<HTMLElement>, "draggable" | "onDragStart" | "onDragEnd"> => ({
  draggable: true,
  onDragStart({ dataTransfer }) {
    // A link would be dragged as its address.
    dataTransfer.clearData()
    dataTransfer.setData("text/plain", title)
    dataTransfer.effectAllowed = "move"
    onDrag(true)
  },
  onDragEnd: () => onDrag(false),
})

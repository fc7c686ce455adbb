import { lazy, type MouseEvent, type ReactElement, useEffect, useRef, useState } from "react"
import type { SessionSummary } from "../api/types.ts"
import { navigate, pathOf } from "../app/router.ts"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuItem, MenuLine } from "../ui/menu.tsx"
import type { SessionActions } from "./actions.ts"
import { useUnread } from "./unread.ts"
import { titleOf } from "./use-sessions.ts"

const ShareDialog = lazy(() => import("./share-dialog.tsx"))

interface SessionRowProps {
  readonly session: SessionSummary
  readonly isOpen: boolean
  readonly actions: SessionActions
  /** Undefined while chats are not being selected. */
  readonly isSelected: boolean | undefined
  readonly onSelect: (isSelected: boolean) => void
  readonly onOpen: () => void
}

/** A chat in the list: open it, or choose it among others. */
export function SessionRow(props: SessionRowProps): ReactElement {
  const { session, isSelected, onSelect } = props
  const [isRenaming, setRenaming] = useState(false)
  const title = titleOf(session) ?? t.sessions.untitled
  if (isSelected !== undefined) {
    return (
      <label className="session session-choice">
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
        title={title}
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
  actions,
  title,
  onSelect,
  onOpen,
  onRename,
}: SessionRowProps & { readonly title: string; readonly onRename: () => void }): ReactElement {
  const isUnread = useUnread(session, isOpen)
  const [isSharing, setSharing] = useState(false)
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
    <div className={`session${isOpen ? " open" : ""}${isUnread ? " unread" : ""}`}>
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
        {session.openRun !== undefined ? (
          <span className="running">
            <span className="off-screen">{t.sessions.running}</span>
          </span>
        ) : (
          isUnread && (
            <span className="unread-mark">
              <span className="off-screen">{t.sessions.unread}</span>
            </span>
          )
        )}
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
      {isSharing && (
        <Lazily without={null}>
          <ShareDialog namespace={namespace} title={title} onClose={() => setSharing(false)} />
        </Lazily>
      )}
    </div>
  )
}

function TitleField({
  title,
  onDone,
  onCancel,
}: {
  readonly title: string
  readonly onDone: (title: string) => void
  readonly onCancel: () => void
}): ReactElement {
  const field = useRef<HTMLInputElement>(null)
  const isOver = useRef(false)
  useEffect(() => field.current?.select(), [])
  const finish = (how: () => void): void => {
    // Leaving the field after Enter or Escape would count as a second answer.
    if (isOver.current) return
    isOver.current = true
    how()
  }
  return (
    <input
      ref={field}
      className="session-rename"
      aria-label={t.sessions.renameLabel}
      defaultValue={title}
      maxLength={200}
      onBlur={(event) => finish(() => onDone(event.target.value))}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return
        const { value } = event.currentTarget
        if (event.key === "Enter") finish(() => onDone(value))
        if (event.key === "Escape") {
          event.stopPropagation()
          finish(onCancel)
        }
      }}
    />
  )
}

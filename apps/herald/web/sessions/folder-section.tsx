import { lazy, type ReactElement, type ReactNode, useId, useState } from "react"
import { navigate } from "../app/router.ts"
import { words } from "../i18n/en-sidebar.ts"
import { formatNumber, t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuItem, MenuLine } from "../ui/menu.tsx"
import type { FolderActions } from "./folder-actions.ts"
import type { Folder } from "./folders-api.ts"
import { SessionMark } from "./session-mark.tsx"
import { TitleField } from "./title-field.tsx"
import { useDrop } from "./use-drop.ts"

const FolderDialog = lazy(() => import("./folder-dialog.tsx"))

/** Of a name, in characters. */
const MAX_NAME = 80

/** A folder in the list of chats: opened and closed, changed, and let chats go into. */
export function FolderSection({
  folder,
  count,
  isOpen,
  isAsking,
  actions,
  onToggle,
  onDrop,
  onChoose,
  children,
}: {
  readonly folder: Folder
  /** How many chats are in it. */
  readonly count: number
  readonly isOpen: boolean
  /** One of its chats waits for the person. */
  readonly isAsking: boolean
  readonly actions: FolderActions
  readonly onToggle: () => void
  /** Undefined while nothing is dragged that could be put here. */
  readonly onDrop: (() => void) | undefined
  /** Called when a chat is begun in it: a drawer closes then. */
  readonly onChoose: () => void
  /** Its chats. */
  readonly children: ReactNode
}): ReactElement {
  const [isRenaming, setRenaming] = useState(false)
  const [isChanging, setChanging] = useState(false)
  const { isOver, ...drop } = useDrop(onDrop)
  const id = useId()
  const { name } = folder
  return (
    <section className={isOver ? "folder over" : "folder"} aria-label={name} {...drop}>
      {isRenaming ? (
        <TitleField
          label={words.nameLabel}
          title={name}
          maxLength={MAX_NAME}
          onDone={(next) => {
            setRenaming(false)
            void actions.rename(folder, next)
          }}
          onCancel={() => setRenaming(false)}
        />
      ) : (
        <div className="session folder-head">
          <h2 className="folder-title">
            <button
              type="button"
              className="session-link"
              aria-expanded={isOpen}
              aria-controls={isOpen ? id : undefined}
              title={name}
              onClick={onToggle}
            >
              <Icon name={isOpen ? "down" : "right"} size={14} />
              <Icon name="folder" size={16} />
              <span className="session-title" dir="auto">
                {name}
              </span>
              {!isOpen && isAsking ? (
                <SessionMark isAsking isRunning={false} isUnread={false} />
              ) : (
                <span className="folder-count" aria-hidden="true">
                  {formatNumber(count)}
                </span>
              )}
            </button>
          </h2>
          <Menu
            align="end"
            trigger={
              <button
                type="button"
                className="icon-button session-menu"
                aria-label={t.sessions.options(name)}
              >
                <Icon name="more" size={18} />
              </button>
            }
          >
            <MenuItem
              icon="plus"
              label={words.newChat}
              onSelect={() => {
                navigate({ type: "new", folder: folder.id })
                onChoose()
              }}
            />
            <MenuItem icon="edit" label={t.sessions.rename} onSelect={() => setRenaming(true)} />
            <MenuItem icon="settings" label={words.change} onSelect={() => setChanging(true)} />
            <MenuLine />
            <MenuItem
              icon="trash"
              label={words.delete}
              isDanger
              onSelect={() => void actions.remove(folder)}
            />
          </Menu>
        </div>
      )}
      {isOpen && (
        <div id={id} className="folder-chats">
          {count === 0 ? <p className="list-note">{words.empty}</p> : children}
        </div>
      )}
      {isChanging && (
        <Lazily without={null}>
          <FolderDialog folder={folder} onClose={() => setChanging(false)} />
        </Lazily>
      )}
    </section>
  )
}

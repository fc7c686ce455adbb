import { lazy, type ReactElement, useEffect, useState } from "react"
import { api } from "../api/api.ts"
import { useChat } from "../chat/use-chat.ts"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { IconButton } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { useShared } from "./context.ts"
import { MenuButton } from "./menu-button.tsx"
import { navigate, TEMPORARY } from "./router.ts"

const DirectoryButton = lazy(() => import("../files/directory-button.tsx"))
const Everything = lazy(() => import("../approvals/everything.tsx"))

/** The chat's title, which is changed where it stands, and the way to the other chats. */
export function Header({
  namespace,
  isNew,
  hasSidebar,
  onSidebar,
  onRenamed,
}: {
  readonly namespace: string
  readonly isNew: boolean
  readonly hasSidebar: boolean
  readonly onSidebar: () => void
  readonly onRenamed: () => void
}): ReactElement {
  const { assistant } = useShared()
  const [, { view, status }] = useChat(namespace, isNew)
  const { title: stored, approvesUntil: until } = view.metadata
  const title = typeof stored === "string" && stored !== "" ? stored : undefined
  const [isRenaming, setRenaming] = useState(false)
  useEffect(() => {
    document.title = title === undefined ? assistant : `${title} · ${assistant}`
  }, [title, assistant])
  const rename = (next: string): void => {
    setRenaming(false)
    if (next.trim() === title || next.trim() === "") return
    api.rename(namespace, next).then(onRenamed, (error: Error) => toast(error.message))
  }
  return (
    <header className="header">
      {!hasSidebar && <MenuButton onClick={onSidebar} />}
      <h1 className="chat-title">
        {isRenaming ? (
          <input
            className="title-field"
            defaultValue={title}
            aria-label={t.sessions.renameLabel}
            maxLength={200}
            ref={(field) => field?.select()}
            onBlur={(event) => rename(event.target.value)}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return
              if (event.key === "Enter") event.currentTarget.blur()
              if (event.key === "Escape") {
                event.stopPropagation()
                setRenaming(false)
              }
            }}
          />
        ) : isNew || status !== "ready" ? (
          <span className="title-text">{isNew ? t.sessions.untitled : ""}</span>
        ) : (
          <button
            type="button"
            className="title-text"
            dir="auto"
            title={t.sessions.rename}
            onClick={() => setRenaming(true)}
          >
            {title ?? t.sessions.untitled}
          </button>
        )}
      </h1>
      {namespace.includes(TEMPORARY) && (
        <span className="temporary" title={t.chat.temporaryNote}>
          <Icon name="ghost" size={16} />
          {t.chat.temporary}
        </span>
      )}
      <Lazily without={null}>
        <DirectoryButton key={namespace} namespace={namespace} />
      </Lazily>
      {typeof until === "number" && (
        <Lazily without={null}>
          <Everything namespace={namespace} until={until} />
        </Lazily>
      )}
      {!hasSidebar && (
        <IconButton icon="plus" label={t.sessions.new} onClick={() => navigate({ type: "new" })} />
      )}
    </header>
  )
}

import { type ReactElement, useEffect } from "react"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { useShared } from "./context.ts"
import { MenuButton } from "./menu-button.tsx"
import type { ScreenName } from "./router.ts"
import { maySee, screens } from "./screens.tsx"

/** A screen beside the chats: its heading, and what it shows below it. */
export function Screen({
  name,
  part,
  hasSidebar,
  onSidebar,
}: {
  readonly name: ScreenName
  readonly part: string | undefined
  readonly hasSidebar: boolean
  readonly onSidebar: () => void
}): ReactElement {
  const { me, assistant } = useShared()
  const { label, Component } = screens[name]
  useEffect(() => {
    document.title = `${label} · ${assistant}`
  }, [label, assistant])
  return (
    <>
      <header className="header">
        {!hasSidebar && <MenuButton onClick={onSidebar} />}
        <h1 className="chat-title screen-title">{label}</h1>
      </header>
      <div className="screen">
        <div className="screen-body">
          {maySee(me, name) ? (
            <Lazily key={name} fallback={<p className="muted">{t.loading}</p>}>
              <Component part={part} />
            </Lazily>
          ) : (
            <p className="note quiet-note">{t.screens.notYours}</p>
          )}
        </div>
      </div>
    </>
  )
}

import type { ReactElement } from "react"
import { t } from "../i18n/index.ts"
import { Dialog } from "../ui/dialog.tsx"
import { SHORTCUT_NAMES, shortcutLabel } from "./shortcuts.ts"
import { enterSends, hasShortcuts } from "./storage.ts"

export const ShortcutsDialog = ({
  isOpen,
  onClose,
}: {
  readonly isOpen: boolean
  readonly onClose: () => void
}): ReactElement => {
  const own = SHORTCUT_NAMES.map((name) => [t.shortcuts[name], shortcutLabel(name)] as const)
  const rows: readonly (readonly [string, string])[] = [
    [t.shortcuts.send, enterSends() ? "Enter" : "Ctrl+Enter"],
    [t.shortcuts.newLine, enterSends() ? "Shift+Enter" : "Enter"],
    [t.shortcuts.editLast, "↑"],
    [t.shortcuts.stop, "Esc"],
    ...(hasShortcuts() ? own : []),
  ]
  return (
    <Dialog title={t.shortcuts.title} isOpen={isOpen} onClose={onClose}>
      <dl className="facts">
        {rows.map(([name, keys]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
      {!hasShortcuts() && <p className="muted">{t.shortcuts.off}</p>}
    </Dialog>
  )
}

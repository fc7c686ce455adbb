import type { ReactElement } from "react"
import { api } from "../api/api.ts"
import { navigate } from "../app/router.ts"
import { shortcutLabel } from "../app/shortcuts.ts"
import { forgetChats } from "../app/storage.ts"
import { t } from "../i18n/index.ts"
import { type Theme, useTheme } from "../theme/theme.ts"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuChoice, MenuItem, MenuLine } from "../ui/menu.tsx"

export function SettingsMenu({
  onChoose,
  onShortcuts,
}: {
  /** Called when a screen was chosen: a drawer closes then. */
  readonly onChoose: () => void
  readonly onShortcuts: () => void
}): ReactElement {
  const [theme, setTheme] = useTheme()
  return (
    <Menu
      side="top"
      align="start"
      trigger={
        <button type="button" className="button quiet settings-button">
          <Icon name="settings" size={18} />
          {t.menu.label}
        </button>
      }
    >
      <MenuChoice
        label={t.menu.theme}
        value={theme}
        onChange={(value) => setTheme(value as Theme)}
        options={[
          { value: "light", label: t.menu.light, icon: "sun" },
          { value: "dark", label: t.menu.dark, icon: "moon" },
          { value: "system", label: t.menu.system, icon: "system" },
        ]}
      />
      <MenuLine />
      <MenuItem
        icon="settings"
        label={t.menu.all}
        onSelect={() => {
          navigate({ type: "screen", screen: "settings", part: undefined })
          onChoose()
        }}
      />
      <MenuItem
        icon="keyboard"
        label={t.menu.shortcuts}
        hint={shortcutLabel("help")}
        onSelect={onShortcuts}
      />
      <MenuLine />
      <MenuItem
        icon="logout"
        label={t.menu.logout}
        onSelect={() => {
          forgetChats()
          void api.logout().finally(() => location.assign("/login"))
        }}
      />
    </Menu>
  )
}

import type { Me } from "../api/types.ts"
import { navigate, SCREENS } from "../app/router.ts"
import { maySee, screens } from "../app/screens.tsx"
import { type ShortcutName, shortcutLabel } from "../app/shortcuts.ts"
import { hasShortcuts } from "../app/storage.ts"
import { words } from "../i18n/en-palette.ts"
import type { Theme } from "../theme/theme.ts"
import type { IconName } from "../ui/icons.tsx"

/** What the page does when it is told to, in the palette or, after a `/`, in the message field. */
interface PageCommand {
  /** What follows the `/`. */
  readonly name: string
  readonly label: string
  readonly icon: IconName
  /** The keys that do the same. */
  readonly keys?: string
  /** Leads to a screen. */
  readonly isPlace: boolean
  readonly run: () => void
}

export function pageCommands({
  me,
  setTheme,
  onShortcuts,
}: {
  readonly me: Me
  readonly setTheme: (theme: Theme) => void
  readonly onShortcuts: () => void
}): readonly PageCommand[] {
  const command = (name: string, label: string, icon: IconName, run: () => void): PageCommand => ({
    name,
    label,
    icon,
    isPlace: false,
    run,
  })
  return [
    { ...command("new", words.newChat, "plus", () => navigate({ type: "new" })), ...keysOf("newChat") },
    command("temporary", words.temporary, "ghost", () => navigate({ type: "new", isTemporary: true })),
    { ...command("help", words.shortcuts, "keyboard", onShortcuts), ...keysOf("help") },
    command("light", words.light, "sun", () => setTheme("light")),
    command("dark", words.dark, "moon", () => setTheme("dark")),
    command("system", words.system, "system", () => setTheme("system")),
    ...SCREENS.filter((name) => maySee(me, name)).map((screen) => ({
      ...command(screen, screens[screen].label, screens[screen].icon, () =>
        navigate({ type: "screen", screen, part: undefined }),
      ),
      isPlace: true,
      ...(screen === "settings" && keysOf("settings")),
    })),
  ]
}

/** While the page has keys of its own. */
const keysOf = (name: ShortcutName): { readonly keys?: string } =>
  hasShortcuts() ? { keys: shortcutLabel(name) } : {}

import { useEffect, useRef } from "react"
import { type Keys, keysLabel, keysOf } from "./shortcut-keys.ts"
import { hasShortcuts, keep, recall } from "./storage.ts"

/** What keys are for, with those that they are at first: chosen so that no browser needs them for itself. */
const STANDARD = {
  focus: "shift+escape",
  newChat: "mod+shift+o",
  search: "mod+k",
  find: "mod+f",
  settings: "mod+.",
  sidebar: "mod+shift+s",
  copyAnswer: "mod+shift+c",
  copyCode: "mod+:",
  help: "mod+/",
} as const satisfies Readonly<Record<string, Keys>>

export type ShortcutName = keyof typeof STANDARD
export const SHORTCUT_NAMES = Object.keys(STANDARD) as readonly ShortcutName[]

export const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform)

/** Those that this browser has others for. */
function own(): Readonly<Partial<Record<ShortcutName, Keys>>> {
  try {
    const kept: unknown = JSON.parse(recall("keys") ?? "{}")
    if (typeof kept !== "object" || kept === null) return {}
    return Object.fromEntries(
      Object.entries(kept).filter(
        ([name, keys]) => Object.hasOwn(STANDARD, name) && typeof keys === "string",
      ),
    )
  } catch {
    return {}
  }
}

/** The keys of each: read when one is pressed, so that a change holds in every tab. */
const allKeys = (): Readonly<Record<ShortcutName, Keys>> => ({ ...STANDARD, ...own() })

export const shortcutKeys = (name: ShortcutName): Keys => allKeys()[name]

export const shortcutLabel = (name: ShortcutName): string => keysLabel(shortcutKeys(name), isMac)

export const isChanged = (name: ShortcutName): boolean => shortcutKeys(name) !== STANDARD[name]

/** What has these keys. */
export const shortcutOf = (keys: Keys): ShortcutName | undefined => {
  const all = allKeys()
  return SHORTCUT_NAMES.find((name) => all[name] === keys)
}

/** The keys that a shortcut is given back. */
export const standardKeys = (name: ShortcutName): Keys => STANDARD[name]

/** Keeps other keys in this browser. */
export function setShortcut(name: ShortcutName, keys: Keys): void {
  const { [name]: _, ...others } = own()
  const next = keys === STANDARD[name] ? others : { ...others, [name]: keys }
  keep("keys", Object.keys(next).length === 0 ? undefined : JSON.stringify(next))
}

/** All are as at first. */
export const resetShortcuts = (): void => keep("keys", undefined)

/** Calls what belongs to keys that were pressed anywhere on the page. */
export function useShortcuts(actions: Readonly<Record<ShortcutName, () => unknown>>): void {
  const current = useRef(actions)
  useEffect(() => {
    current.current = actions
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.isComposing) return
      const keys = keysOf(event, isMac)
      // Most keys are typed: they are looked for nowhere.
      if (keys === undefined || keys === event.key || !hasShortcuts()) return
      const name = shortcutOf(keys)
      // What the page has no use for just now is the browser's.
      if (name !== undefined && current.current[name]() !== false) event.preventDefault()
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
}

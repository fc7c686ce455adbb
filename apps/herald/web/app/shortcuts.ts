import { useEffect, useRef } from "react"
import { hasShortcuts } from "./storage.ts"

export type ShortcutName =
  | "newChat"
  | "search"
  | "focus"
  | "sidebar"
  | "help"
  | "copyAnswer"
  | "find"
  | "settings"
  | "copyCode"

interface Shortcut {
  readonly key: string
  readonly isMod?: boolean
  readonly isShift?: boolean
  readonly shown: string
}

/** ⌘ on a Mac, Ctrl elsewhere. Chosen so that no browser needs them for itself. */
const SHORTCUTS: Readonly<Record<ShortcutName, Shortcut>> = {
  newChat: { key: "o", isMod: true, isShift: true, shown: "⇧O" },
  search: { key: "k", isMod: true, shown: "K" },
  sidebar: { key: "s", isMod: true, isShift: true, shown: "⇧S" },
  copyAnswer: { key: "c", isMod: true, isShift: true, shown: "⇧C" },
  find: { key: "f", isMod: true, shown: "F" },
  settings: { key: ".", isMod: true, shown: "." },
  copyCode: { key: ":", isMod: true, isShift: true, shown: "⇧;" },
  help: { key: "/", isMod: true, shown: "/" },
  focus: { key: "escape", isShift: true, shown: "Shift+Esc" },
}

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform)

export function shortcutLabel(name: ShortcutName): string {
  const { isMod, shown } = SHORTCUTS[name]
  if (!isMod) return isMac ? shown.replace("Shift+", "⇧") : shown
  return isMac ? `⌘${shown}` : `Ctrl+${shown.replace("⇧", "Shift+")}`
}

/** Calls what belongs to a key that was pressed anywhere on the page. */
export function useShortcuts(actions: Readonly<Record<ShortcutName, () => unknown>>): void {
  const current = useRef(actions)
  useEffect(() => {
    current.current = actions
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.isComposing || !hasShortcuts()) return
      const isMod = isMac ? event.metaKey : event.ctrlKey
      for (const [name, shortcut] of Object.entries(SHORTCUTS)) {
        if (event.key.toLowerCase() !== shortcut.key || isMod !== Boolean(shortcut.isMod)) continue
        // On some keyboards "/" is typed with Shift.
        if (shortcut.key !== "/" && event.shiftKey !== Boolean(shortcut.isShift)) continue
        // What the page has no use for just now is the browser's.
        if (current.current[name as ShortcutName]() !== false) event.preventDefault()
        return
      }
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
}

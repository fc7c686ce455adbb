import { useState } from "react"
import { enterSends, hasShortcuts, keep, recall } from "./storage.ts"

/** What Enter does in the field for messages; `enterSends` says which. */
export type EnterKey = "send" | "newline"
export type TextSize = "small" | "normal" | "large" | "larger"

export function useEnterKey(): readonly [EnterKey, (key: EnterKey) => void] {
  const [key, setKey] = useState<EnterKey>(enterSends() ? "send" : "newline")
  return [
    key,
    (next) => {
      keep("enter", next === "send" ? undefined : next)
      setKey(next)
    },
  ]
}

/** Whether the page has keys of its own. Somebody's browser, or what reads it aloud, may need them. */
export function useHasShortcuts(): readonly [boolean, (has: boolean) => void] {
  const [has, setHas] = useState(hasShortcuts)
  return [
    has,
    (next) => {
      keep("shortcuts", next ? undefined : "off")
      setHas(next)
    },
  ]
}

/** The size of text. `public/theme.js` applies it before the page is painted. */
export function useTextSize(): readonly [TextSize, (size: TextSize) => void] {
  const [size, setSize] = useState<TextSize>(() => {
    const kept = recall("text")
    return kept === "small" || kept === "large" || kept === "larger" ? kept : "normal"
  })
  return [
    size,
    (next) => {
      keep("text", next === "normal" ? undefined : next)
      if (next === "normal") delete document.documentElement.dataset["text"]
      else document.documentElement.dataset["text"] = next
      setSize(next)
    },
  ]
}

import { useState } from "react"
import { keep, recall } from "../app/storage.ts"

export type Theme = "light" | "dark" | "system"

const read = (): Theme => {
  const value = recall("theme")
  return value === "light" || value === "dark" ? value : "system"
}

/** The chosen theme. `public/theme.js` applies it before the page is painted. */
export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(read)
  return [
    theme,
    (next) => {
      keep("theme", next === "system" ? undefined : next)
      if (next === "system") delete document.documentElement.dataset["theme"]
      else document.documentElement.dataset["theme"] = next
      setTheme(next)
    },
  ]
}

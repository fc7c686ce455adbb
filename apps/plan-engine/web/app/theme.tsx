import { type ReactElement, useState } from "react"

const THEMES = { system: "System", light: "Light", dark: "Dark" } as const
type Theme = keyof typeof THEMES

const NAME = "plan-engine.theme"

function recall(): Theme {
  const { theme } = document.documentElement.dataset
  return theme === "light" || theme === "dark" ? theme : "system"
}

/** `public/theme.js` applies what is chosen here before the page is painted. */
export function ThemeChoice(): ReactElement {
  const [chosen, setChosen] = useState(recall)
  const choose = (theme: Theme): void => {
    const { dataset } = document.documentElement
    if (theme === "system") delete dataset["theme"]
    else dataset["theme"] = theme
    setChosen(theme)
    try {
      if (theme === "system") localStorage.removeItem(NAME)
      else localStorage.setItem(NAME, theme)
    } catch {
      // Storage is switched off: it holds until the page is loaded again.
    }
  }
  return (
    <select
      aria-label="Colours"
      value={chosen}
      onChange={({ target }) =>
        choose((Object.keys(THEMES) as Theme[]).find((each) => each === target.value) ?? "system")
      }
    >
      {Object.entries(THEMES).map(([theme, label]) => (
        <option key={theme} value={theme}>
          {label}
        </option>
      ))}
    </select>
  )
}

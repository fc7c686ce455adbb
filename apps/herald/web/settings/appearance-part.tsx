import type { ReactElement } from "react"
import { words } from "../i18n/en-settings.ts"
import { t } from "../i18n/index.ts"
import { type Theme, useTheme } from "../theme/theme.ts"

const THEMES: readonly Theme[] = ["light", "dark", "system"]

/** How the page looks on this device. */
export function AppearancePart(): ReactElement {
  const [theme, setTheme] = useTheme()
  return (
    <form className="form">
      <fieldset className="choices">
        <legend>{t.menu.theme}</legend>
        {THEMES.map((value) => (
          <label key={value} className={theme === value ? "choice chosen" : "choice"}>
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme === value}
              onChange={() => setTheme(value)}
            />
            <span>
              <strong>{t.menu[value]}</strong>
            </span>
          </label>
        ))}
      </fieldset>
      <p className="hint">{words.thisDevice}</p>
    </form>
  )
}

import type { ReactElement } from "react"
import { type EnterKey, type TextSize, useEnterKey, useHasShortcuts, useTextSize } from "../app/device.ts"
import { words } from "../i18n/en-settings.ts"
import { t } from "../i18n/index.ts"
import { type Theme, useTheme } from "../theme/theme.ts"

const THEMES: readonly Theme[] = ["light", "dark", "system"]
const SIZES: readonly TextSize[] = ["small", "normal", "large", "larger"]
const KEYS: readonly EnterKey[] = ["send", "newline"]

/** How the page looks and is typed into on this device. */
export function AppearancePart(): ReactElement {
  const [theme, setTheme] = useTheme()
  const [size, setSize] = useTextSize()
  const [key, setKey] = useEnterKey()
  const [hasShortcuts, setHasShortcuts] = useHasShortcuts()
  return (
    <form className="form">
      <Choices
        legend={t.menu.theme}
        choices={THEMES.map((value) => ({ value, label: t.menu[value] }))}
        chosen={theme}
        onChoose={setTheme}
      />
      <Choices
        legend={words.textSize}
        choices={SIZES.map((value) => ({ value, label: words.textSizes[value] }))}
        chosen={size}
        onChoose={setSize}
      />
      <Choices
        legend={words.enter}
        choices={KEYS.map((value) => {
          const [label = "", hint] = words.enterKeys[value]
          return { value, label, hint }
        })}
        chosen={key}
        onChoose={setKey}
      />
      <Choices
        legend={words.shortcuts}
        choices={(["on", "off"] as const).map((value) => {
          const [label = "", hint] = words.shortcutKeys[value]
          return { value, label, hint }
        })}
        chosen={hasShortcuts ? "on" : "off"}
        onChoose={(value) => setHasShortcuts(value === "on")}
      />
      <p className="hint">{words.thisDevice}</p>
    </form>
  )
}

function Choices<V extends string>({
  legend,
  choices,
  chosen,
  onChoose,
}: {
  readonly legend: string
  readonly choices: readonly {
    readonly value: V
    readonly label: string
    readonly hint?: string | undefined
  }[]
  readonly chosen: V
  readonly onChoose: (value: V) => void
}): ReactElement {
  return (
    <fieldset className="choices narrow-choices">
      <legend>{legend}</legend>
      {choices.map(({ value, label, hint }) => (
        <label key={value} className={chosen === value ? "choice chosen" : "choice"}>
          <input
            type="radio"
            name={legend}
            value={value}
            checked={chosen === value}
            onChange={() => onChoose(value)}
          />
          <span>
            <strong>{label}</strong>
            {hint !== undefined && <small>{hint}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}

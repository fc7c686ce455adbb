import type { ReactElement } from "react"
import { useShared } from "../app/context.ts"
import { navigate, pathOf } from "../app/router.ts"
import type { ScreenProps } from "../app/screens.tsx"
import { words } from "../i18n/en-settings.ts"
import { parts } from "./parts.tsx"
import "../styles/settings.css"

/** The settings, one part at a time. */
export default function SettingsScreen({ part }: ScreenProps): ReactElement | null {
  const { me } = useShared()
  const shown = parts.filter(
    ({ permission }) => permission === undefined || me.permissions.includes(permission),
  )
  const current = shown.find(({ name }) => name === part) ?? shown[0]
  if (!current) return null
  return (
    <div className="settings">
      <nav className="settings-parts" aria-label={words.parts}>
        {shown.map(({ name, label }) => {
          const to = { type: "screen", screen: "settings", part: name } as const
          return (
            <a
              key={name}
              href={pathOf(to)}
              aria-current={current.name === name ? "page" : undefined}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return
                event.preventDefault()
                navigate(to)
              }}
            >
              {label}
            </a>
          )
        })}
      </nav>
      <section className="settings-part" aria-labelledby="settings-part">
        <h2 id="settings-part">{current.label}</h2>
        <current.Component />
      </section>
    </div>
  )
}

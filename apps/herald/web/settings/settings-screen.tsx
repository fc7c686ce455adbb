import type { ReactElement } from "react"
import { useShared } from "../app/context.ts"
import { PlaceLink } from "../app/place-link.tsx"
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
            <PlaceLink key={name} to={to} aria-current={current.name === name ? "page" : undefined}>
              {label}
            </PlaceLink>
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

import type { ReactElement } from "react"
import { useWaiting } from "../approvals/use-approvals.ts"
import { t } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import { useShared } from "./context.ts"
import { PlaceLink } from "./place-link.tsx"
import { SCREENS, usePlace } from "./router.ts"
import { maySee, screens } from "./screens.tsx"

/** The ways to the screens, above the chats. */
export function ScreenList({ onChoose }: { readonly onChoose: () => void }): ReactElement | null {
  const { me } = useShared()
  const place = usePlace()
  const listed = SCREENS.filter((name) => screens[name].isListed && maySee(me, name))
  const waits = useWaiting()
  if (listed.length === 0) return null
  return (
    <ul className="screen-list">
      {listed.map((screen) => {
        const to = { type: "screen", screen, part: undefined } as const
        return (
          <li key={screen}>
            <PlaceLink
              className="screen-link"
              to={to}
              aria-current={place.type === "screen" && place.screen === screen ? "page" : undefined}
              onGo={onChoose}
            >
              <Icon name={screens[screen].icon} size={18} />
              {screens[screen].label}
              {screen === "approvals" && waits > 0 && (
                <span className="badge">
                  {waits}
                  <span className="off-screen"> {t.screens.waiting}</span>
                </span>
              )}
            </PlaceLink>
          </li>
        )
      })}
    </ul>
  )
}

import { type ReactElement, useContext, useEffect, useRef } from "react"
import { useLiveRuns } from "../api/live.ts"
import { FailuresScreen } from "../failures/failures-screen.tsx"
import { GroundingsScreen } from "../groundings/groundings-screen.tsx"
import { KeysScreen } from "../project/keys-screen.tsx"
import { RunScreen } from "../runs/run-screen.tsx"
import { RunsScreen } from "../runs/runs-screen.tsx"
import { ServicesScreen } from "../services/services-screen.tsx"
import { Button } from "../ui/parts.tsx"
import { WebhooksScreen } from "../webhooks/webhooks-screen.tsx"
import { useRoute } from "./route.ts"
import { SessionContext } from "./session.ts"
import { ThemeChoice } from "./theme.tsx"

const SCREENS: Readonly<Record<string, { readonly label: string; readonly Screen: () => ReactElement }>> = {
  runs: { label: "Runs", Screen: RunsScreen },
  compensations: { label: "Compensations", Screen: FailuresScreen },
  services: { label: "Services", Screen: ServicesScreen },
  groundings: { label: "Groundings", Screen: GroundingsScreen },
  webhooks: { label: "Webhooks", Screen: WebhooksScreen },
  keys: { label: "Keys", Screen: KeysScreen },
}

/** What is around every screen: where one can go, and the way out. */
export function Frame(): ReactElement {
  const { open } = useContext(SessionContext)
  const { screen, item } = useRoute()
  useLiveRuns()
  const main = useRef<HTMLElement>(null)
  const { label, Screen } = SCREENS[screen] ?? { label: "Runs", Screen: RunsScreen }
  useEffect(() => {
    document.title = `${label} · Plan engine`
  }, [label])
  return (
    <div className="frame">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className="bar">
        <a className="brand" href="#/runs">
          Plan engine
        </a>
        <nav aria-label="Screens">
          {Object.entries(SCREENS).map(([path, each]) => (
            <a key={path} href={`#/${path}`} aria-current={path === screen ? "page" : undefined}>
              {each.label}
            </a>
          ))}
        </nav>
        <ThemeChoice />
        <Button look="quiet" onClick={() => open(undefined)}>
          Sign out
        </Button>
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        {screen === "runs" && item ? <RunScreen key={item} id={item} /> : <Screen />}
      </main>
    </div>
  )
}

import { type ReactElement, useContext, useEffect, useRef } from "react"
import { useLiveRuns } from "../api/live.ts"
import { AuditScreen } from "../audit/audit-screen.tsx"
import { FailuresScreen } from "../failures/failures-screen.tsx"
import { GroundingsScreen } from "../groundings/groundings-screen.tsx"
import { KeysScreen } from "../project/keys-screen.tsx"
import { ProjectsScreen } from "../project/projects-screen.tsx"
import { RunScreen } from "../runs/run-screen.tsx"
import { RunsScreen } from "../runs/runs-screen.tsx"
import { ServicesScreen } from "../services/services-screen.tsx"
import { intoView } from "../ui/into-view.ts"
import { Button } from "../ui/parts.tsx"
import { WebhooksScreen } from "../webhooks/webhooks-screen.tsx"
import { useRoute } from "./route.ts"
import { nameOf, SessionContext, useSession } from "./session.ts"
import { ThemeChoice } from "./theme.tsx"

type Screens = Readonly<Record<string, { readonly label: string; readonly Screen: () => ReactElement }>>

const SCREENS = {
  runs: { label: "Runs", Screen: RunsScreen },
  compensations: { label: "Compensations", Screen: FailuresScreen },
  services: { label: "Services", Screen: ServicesScreen },
  groundings: { label: "Groundings", Screen: GroundingsScreen },
  webhooks: { label: "Webhooks", Screen: WebhooksScreen },
  keys: { label: "Keys", Screen: KeysScreen },
  audit: { label: "Audit", Screen: AuditScreen },
} satisfies Screens

const ADMIN_SCREENS: Screens = { projects: { label: "Projects", Screen: ProjectsScreen } }

/** What is around every screen: where one can go, whose it is, and the way out. */
export function Frame(): ReactElement {
  const { type } = useSession()
  const { close } = useContext(SessionContext)
  const { screen, item } = useRoute()
  const main = useRef<HTMLElement>(null)
  const screens: Screens = type === "admin" ? ADMIN_SCREENS : SCREENS
  const [first = "runs"] = Object.keys(screens)
  const open = Object.hasOwn(screens, screen) ? screen : first
  const { label, Screen } = screens[open] ?? SCREENS.runs
  useEffect(() => {
    document.title = `${label} · Plan engine`
  }, [label])
  return (
    <div className="frame">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className="bar">
        <a className="brand" href={`#/${first}`}>
          Plan engine
        </a>
        <nav aria-label="Screens">
          {Object.entries(screens).map(([path, each]) => (
            <a
              key={path}
              href={`#/${path}`}
              aria-current={path === open ? "page" : undefined}
              ref={path === open ? intoView : null}
            >
              {each.label}
            </a>
          ))}
        </nav>
        <div className="bar-choices">
          <ProjectChoice />
          <ThemeChoice />
          <Button look="quiet" onClick={close}>
            Sign out
          </Button>
        </div>
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        {open === "runs" && item ? <RunScreen key={item} id={item} /> : <Screen />}
      </main>
      {type === "project" && <Live />}
    </div>
  )
}

const OTHER = "other"

function ProjectChoice(): ReactElement {
  const { sessions, open, ask } = useContext(SessionContext)
  return (
    <select
      aria-label="Project"
      value="0"
      onChange={({ target: { value } }) => {
        const chosen = sessions[Number(value)]
        if (chosen) open(chosen)
        else ask()
      }}
    >
      {sessions.map((session, index) => (
        <option key={session.key} value={index}>
          {nameOf(session)}
        </option>
      ))}
      <option value={OTHER}>Another…</option>
    </select>
  )
}

function Live(): null {
  useLiveRuns()
  return null
}

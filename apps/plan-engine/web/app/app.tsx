import { useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { Frame } from "./frame.tsx"
import { Login } from "./login.tsx"
import { type Session, SessionContext, type Sessions, savedSessions, saveSessions } from "./session.ts"

export function App(): ReactElement {
  const [sessions, setSessions] = useState(savedSessions)
  const [isAsking, setAsking] = useState(false)
  const client = useQueryClient()
  const change = (next: Sessions): void => {
    saveSessions(next)
    // Nothing of one project is shown in another.
    client.clear()
    setSessions(next)
    setAsking(false)
  }
  const open = (session: Session): void =>
    change([session, ...sessions.filter(({ key }) => key !== session.key)])
  const [shown] = sessions
  if (!shown || isAsking) return <Login onOpen={open} {...(shown && { onBack: () => setAsking(false) })} />
  const control = { sessions, open, ask: () => setAsking(true), close: () => change(sessions.slice(1)) }
  return (
    <SessionContext value={control}>
      <Frame key={shown.key} />
    </SessionContext>
  )
}

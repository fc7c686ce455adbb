import { useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { Frame } from "./frame.tsx"
import { Login } from "./login.tsx"
import { type Session, SessionContext, savedSession, saveSession } from "./session.ts"

export function App(): ReactElement {
  const [session, setSession] = useState(savedSession)
  const client = useQueryClient()
  const open = (next: Session | undefined): void => {
    saveSession(next)
    // Nothing of one project is shown in another.
    client.clear()
    setSession(next)
  }
  if (!session) return <Login onOpen={open} />
  return (
    <SessionContext value={{ session, open }}>
      <Frame />
    </SessionContext>
  )
}

import { createContext, useContext } from "react"

/** Who has logged in: a project by its key, or who may make projects. */
export interface Session {
  readonly type: "project" | "admin"
  /** Empty when whoever is at this machine may make projects. */
  readonly key: string
}

const NAME = "plan-engine.session"

/** The login of this tab; it ends when the tab is closed. */
export function savedSession(): Session | undefined {
  try {
    const text = sessionStorage.getItem(NAME)
    return text === null ? undefined : (JSON.parse(text) as Session)
  } catch {
    return undefined
  }
}

export function saveSession(session: Session | undefined): void {
  try {
    if (session) sessionStorage.setItem(NAME, JSON.stringify(session))
    else sessionStorage.removeItem(NAME)
  } catch {
    // Storage is switched off: the login lasts until the page is loaded again.
  }
}

export interface SessionControl {
  readonly session: Session
  readonly open: (session: Session | undefined) => void
}

export const SessionContext = createContext<SessionControl>({
  session: { type: "project", key: "" },
  open: () => {},
})

/** The key that this tab is logged in with. */
export const useKey = (): string => useContext(SessionContext).session.key

import { createContext, useContext } from "react"

/** Who has logged in: a project by a key of it, or whoever may make projects. */
export type Session =
  | {
      readonly type: "project"
      readonly key: string
      readonly name: string
      /** What its webhooks are signed with: only where it was made in this tab. */
      readonly webhookSecret?: string
    }
  | { readonly type: "admin"; readonly key: string }

/** All that are open in this tab; the first of them is shown. */
export type Sessions = readonly Session[]

const NAME = "plan-engine.sessions"

/** The logins of this tab; they end when the tab is closed. */
export function savedSessions(): Sessions {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "[]") as Sessions
  } catch {
    return []
  }
}

export function saveSessions(sessions: Sessions): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(sessions))
  } catch {
    // Storage is switched off: the logins last until the page is loaded again.
  }
}

/** What a person calls it. */
export const nameOf = (session: Session): string =>
  session.type === "admin" ? "All projects" : session.name || "Project without a name"

export interface SessionControl {
  readonly sessions: Sessions
  /** Shows this one, as well as those that are open. */
  readonly open: (session: Session) => void
  /** Asks for another key. */
  readonly ask: () => void
  /** Ends the one that is shown. */
  readonly close: () => void
}

export const SessionContext = createContext<SessionControl>({
  sessions: [],
  open: () => {},
  ask: () => {},
  close: () => {},
})

/** The login that is shown. */
export const useSession = (): Session => useContext(SessionContext).sessions[0] ?? { type: "admin", key: "" }

export const useKey = (): string => useSession().key

import { useEffect, useSyncExternalStore } from "react"
import type { SessionSummary } from "../api/types.ts"
import { keep, recall } from "../app/storage.ts"

/** Chats whose last change is remembered as seen. Of older ones only the newest change would tell. */
const KEPT = 300

interface Seen {
  /** When this browser began to look: what is older counts as seen. */
  readonly since: number
  /** When each chat had last changed when it was looked at, the latest look last. */
  readonly at: Readonly<Record<string, number>>
}

function read(): Seen {
  try {
    const { since, at } = JSON.parse(recall("seen") ?? "") as Seen
    if (typeof since === "number" && typeof at === "object") return { since, at }
  } catch {
    // Nothing was kept yet.
  }
  return { since: Date.now(), at: {} }
}

let seen = read()
const listeners = new Set<() => void>()

function look({ namespace, updatedAt }: SessionSummary): void {
  if ((seen.at[namespace] ?? 0) >= updatedAt) return
  const { [namespace]: _, ...others } = seen.at
  const at = Object.fromEntries([...Object.entries(others).slice(1 - KEPT), [namespace, updatedAt]])
  seen = { ...seen, at }
  keep("seen", JSON.stringify(seen))
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Whether something was said in a chat since this browser showed it. Showing it makes it seen. */
export function useUnread(session: SessionSummary, isOpen: boolean): boolean {
  const now = useSyncExternalStore(subscribe, () => seen)
  useEffect(() => {
    const onVisible = (): void => {
      if (isOpen && document.visibilityState === "visible") look(session)
    }
    onVisible()
    document.addEventListener("visibilitychange", onVisible)
    return () => document.removeEventListener("visibilitychange", onVisible)
  }, [session, isOpen])
  return !isOpen && session.updatedAt > (now.at[session.namespace] ?? now.since)
}

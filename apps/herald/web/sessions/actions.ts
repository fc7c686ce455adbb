import { useQueryClient } from "@tanstack/react-query"
import { api } from "../api/api.ts"
import type { SessionSummary } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import { t } from "../i18n/index.ts"
import { download, fileName } from "../ui/download.ts"
import { toast } from "../ui/toast.tsx"
import { dropSession, putSession, titleOf } from "./use-sessions.ts"

export type ExportFormat = "md" | "html" | "json"
const TYPES = { md: "text/markdown", html: "text/html", json: "application/json" } as const

interface Named {
  readonly namespace: string
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface SessionActions {
  readonly remove: (sessions: readonly SessionSummary[]) => Promise<void>
  readonly rename: (session: SessionSummary, title: string) => Promise<void>
  readonly mark: (
    sessions: readonly SessionSummary[],
    marks: { readonly pinned?: boolean; readonly archived?: boolean },
  ) => Promise<void>
  readonly save: (session: Named, format: ExportFormat) => Promise<void>
}

const named = (session: Named): string => titleOf(session) ?? t.sessions.untitled

/** What one can do with chats in the list. `current` is the one that is open. */
export function useSessionActions(current: string | undefined): SessionActions {
  const { chats } = useShared()
  const client = useQueryClient()
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: ["sessions"] })
    void client.invalidateQueries({ queryKey: ["marked"] })
  }
  const fail = (error: unknown): void => {
    toast(error instanceof Error ? error.message : (t.errors["other"] ?? ""))
    refresh()
  }
  const isOpen = ({ namespace }: SessionSummary): boolean => namespace === current
  return {
    async remove(sessions) {
      const [one] = sessions
      if (!one) return
      if (sessions.some(isOpen)) navigate({ type: "new" })
      try {
        for (const { namespace } of sessions) {
          dropSession(client, namespace)
          await api.remove(namespace)
          chats.forget(namespace)
        }
      } catch (error) {
        return fail(error)
      }
      const restore = async (): Promise<void> => {
        for (const { namespace } of sessions) putSession(client, await api.restore(namespace))
        if (sessions.some(isOpen) && current !== undefined) navigate({ type: "chat", namespace: current })
      }
      toast(
        sessions.length === 1 ? t.sessions.deleted(named(one)) : t.sessions.deletedMany(sessions.length),
        {
          label: t.undo,
          run: () => void restore().catch(fail),
        },
      )
    },
    async rename(session, title) {
      if (title.trim() === named(session)) return
      try {
        putSession(client, await api.rename(session.namespace, title))
        refresh()
      } catch (error) {
        fail(error)
      }
    },
    async mark(sessions, marks) {
      try {
        for (const { namespace } of sessions) putSession(client, await api.mark(namespace, marks))
        refresh()
      } catch (error) {
        return fail(error)
      }
      if (marks.archived !== true) return
      toast(t.sessions.archivedMany(sessions.length), {
        label: t.undo,
        run: () => {
          const back = sessions.map(({ namespace }) => api.mark(namespace, { archived: false }))
          Promise.all(back).then(refresh, fail)
        },
      })
    },
    async save(session, format) {
      try {
        // Seldom needed, so not part of what every visit loads.
        const { exportChat } = await import("../chat/export.ts")
        const title = named(session)
        download(await exportChat(session.namespace, title, format), fileName(title, format), TYPES[format])
      } catch (error) {
        fail(error)
      }
    },
  }
}

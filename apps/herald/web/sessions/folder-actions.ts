import { useQueryClient } from "@tanstack/react-query"
import type { SessionSummary } from "../api/types.ts"
import { words } from "../i18n/en-sidebar.ts"
import { t } from "../i18n/index.ts"
import { toast } from "../ui/toast.tsx"
import { type Folder, foldersApi } from "./folders-api.ts"
import { folderIdOf, refreshFolders } from "./use-folders.ts"
import { putSession } from "./use-sessions.ts"

export interface FolderActions {
  readonly rename: (folder: Folder, name: string) => Promise<void>
  readonly remove: (folder: Folder) => Promise<void>
  /** Moves chats into a folder; undefined: into none. */
  readonly move: (sessions: readonly SessionSummary[], to: Folder | undefined) => Promise<void>
}

/** What one can do with folders in the list of chats. All of it can be taken back. */
export function useFolderActions(): FolderActions {
  const client = useQueryClient()
  /** Does something about folders, and says when that failed. */
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      toast((error as Error).message)
    } finally {
      refreshFolders(client)
    }
  }
  const file = async (
    sessions: readonly SessionSummary[],
    idOf: (session: SessionSummary) => string | null,
  ) => {
    for (const session of sessions) {
      const id = idOf(session)
      await foldersApi.file(session.namespace, id)
      const { folder: _, ...others } = session.metadata
      putSession(client, { ...session, metadata: id === null ? others : { ...others, folder: id } })
    }
  }
  return {
    async rename(folder, name) {
      if (name.trim() === "" || name.trim() === folder.name) return
      await attempt(async () => void (await foldersApi.update(folder.id, { name })))
    },
    remove: (folder) =>
      attempt(async () => {
        await foldersApi.remove(folder.id)
        toast(words.deleted(folder.name), {
          label: t.undo,
          run: () => void attempt(async () => void (await foldersApi.restore(folder.id))),
        })
      }),
    async move(sessions, to) {
      const moved = sessions.filter((session) => folderIdOf(session) !== to?.id)
      if (moved.length === 0) return
      await attempt(async () => {
        await file(moved, () => to?.id ?? null)
        toast(to ? words.moved(moved.length, to.name) : words.movedOut(moved.length), {
          label: t.undo,
          run: () => void attempt(() => file(moved, (session) => folderIdOf(session) ?? null)),
        })
      })
    },
  }
}

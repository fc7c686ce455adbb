import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect, useState } from "react"
import type { SessionSummary } from "../api/types.ts"
import { keep, recall } from "../app/storage.ts"
import { type Folder, type FolderList, foldersApi } from "./folders-api.ts"

const FOLDERS = ["folders"]
const NONE: FolderList = { folders: [], chats: [] }

/** What the tabs of a browser tell one another, since no socket tells of folders. */
const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("herald.folders")

/** The id of the folder that a chat says it is in: the folder may be deleted. */
export const folderIdOf = ({ metadata }: Pick<SessionSummary, "metadata">): string | undefined =>
  typeof metadata["folder"] === "string" ? metadata["folder"] : undefined

export function useFolders(): FolderList & { readonly find: (id: string | undefined) => Folder | undefined } {
  const { data = NONE } = useQuery({
    queryKey: FOLDERS,
    queryFn: ({ signal }) => foldersApi.list(signal),
    staleTime: 60_000,
    // They are changed on other devices.
    refetchOnWindowFocus: true,
  })
  return { ...data, find: (id) => data.folders.find((folder) => folder.id === id) }
}

function lookAgain(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: FOLDERS })
  // A chat works in the directory of the folder it is in.
  void client.invalidateQueries({ queryKey: ["directory"] })
}

/** Folders were changed here: this tab looks again, and so do the others. */
export function refreshFolders(client: QueryClient): void {
  lookAgain(client)
  channel?.postMessage("changed")
}

/** Looks again when another tab has changed folders. */
export function useFolderChanges(): void {
  const client = useQueryClient()
  useEffect(() => {
    const again = (): void => lookAgain(client)
    channel?.addEventListener("message", again)
    return () => channel?.removeEventListener("message", again)
  }, [client])
}

/** A chat is like this now. */
export function putInFolders(client: QueryClient, session: SessionSummary): void {
  const id = folderIdOf(session)
  const known = client.getQueryData<FolderList>(FOLDERS)
  if (id !== undefined && known && !known.folders.some((folder) => folder.id === id))
    void client.invalidateQueries({ queryKey: FOLDERS })
  setChats(client, (chats) => {
    const others = chats.filter(({ namespace }) => namespace !== session.namespace)
    return id === undefined || session.metadata["archived"] === true ? others : [session, ...others]
  })
}

export const dropFromFolders = (client: QueryClient, namespace: string): void =>
  setChats(client, (chats) => chats.filter((session) => session.namespace !== namespace))

function setChats(client: QueryClient, change: (chats: FolderList["chats"]) => FolderList["chats"]): void {
  client.setQueryData<FolderList>(FOLDERS, (list) => list && { ...list, chats: change(list.chats) })
}

/** The ids of the folders that are closed in this browser. */
export function useClosedFolders(): readonly [ReadonlySet<string>, (id: string, isClosed: boolean) => void] {
  const [closed, setClosed] = useState<ReadonlySet<string>>(
    () => new Set((recall("folders.closed") ?? "").split(" ")),
  )
  return [
    closed,
    (id, isClosed) => {
      const next = new Set(closed)
      if (isClosed) next.add(id)
      else next.delete(id)
      keep("folders.closed", [...next].join(" "))
      setClosed(next)
    },
  ]
}

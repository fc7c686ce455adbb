import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { api } from "../api/api.ts"
import type { SessionSummary } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { dropFromFolders, putInFolders, useFolderChanges } from "./use-folders.ts"

interface SessionPage {
  readonly sessions: readonly SessionSummary[]
  readonly cursor?: string
}

type Pages = InfiniteData<SessionPage, string | undefined>

export const titleOf = ({
  metadata,
}: {
  readonly metadata: Readonly<Record<string, unknown>>
}): string | undefined => {
  const { title } = metadata
  return typeof title === "string" && title !== "" ? title : undefined
}

/** The chats, newest first, as far as they were asked for. Changes anywhere arrive through the socket. */
export function useSessions(query: string) {
  return useInfiniteQuery({
    queryKey: ["sessions", query],
    queryFn: ({ pageParam, signal }): Promise<SessionPage> =>
      api.sessions({ q: query, ...(pageParam !== undefined && { cursor: pageParam }) }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor,
    placeholderData: (before) => before,
    staleTime: 30_000,
  })
}

/** All chats with a mark, newest first. */
export function useMarked(mark: "pinned" | "archived", isWanted = true): readonly SessionSummary[] {
  const { data = [] } = useQuery({
    queryKey: ["marked", mark],
    queryFn: async ({ signal }) => (await api.marked(mark, signal)).sessions,
    enabled: isWanted,
    staleTime: 30_000,
  })
  return data
}

/** Keeps the lists of chats in step with the server. */
export function useSessionChanges(): void {
  const { connection } = useShared()
  const client = useQueryClient()
  useFolderChanges()
  useEffect(() => {
    let again: ReturnType<typeof setTimeout> | undefined
    const stop = connection.onFrame((frame) => {
      // What agents hand to one another belongs to the chat it was for.
      if (frame.type === "session" && frame.session.namespace.includes(":~")) return
      if (frame.type === "session") putSession(client, frame.session)
      else if (frame.type === "session_deleted") dropSession(client, frame.namespace)
      // What happened while there was no connection is not told again.
      else if (frame.type === "hello") {
        void client.invalidateQueries({ queryKey: ["marked"] })
        void client.invalidateQueries({ queryKey: ["folders"] })
        return void client.invalidateQueries({ queryKey: LISTS })
      }
      if (client.isFetching({ queryKey: LISTS }) === 0) return
      // A list on its way may be from before this change, and would undo it.
      clearTimeout(again)
      again = setTimeout(() => void client.invalidateQueries({ queryKey: LISTS }), SETTLE_MS)
    })
    return () => {
      clearTimeout(again)
      stop()
    }
  }, [connection, client])
}

const LISTS = ["sessions"]
const SETTLE_MS = 300

type Client = ReturnType<typeof useQueryClient>

export function putSession(client: Client, session: SessionSummary): void {
  putInFolders(client, session)
  for (const mark of ["pinned", "archived"]) {
    client.setQueryData<readonly SessionSummary[]>(["marked", mark], (before) => {
      const others = before?.filter(({ namespace }) => namespace !== session.namespace)
      return others && session.metadata[mark] === true ? [session, ...others] : others
    })
  }
  if (session.metadata["archived"] === true) {
    dropPage(client, session.namespace)
    return
  }
  client.setQueryData<Pages>(["sessions", ""], (pages) => {
    if (!pages) return pages
    const without = withoutSession(pages, session.namespace)
    const [first, ...rest] = without.pages
    if (!first) return pages
    return { ...without, pages: [{ ...first, sessions: [session, ...first.sessions] }, ...rest] }
  })
}

export function dropSession(client: Client, namespace: string): void {
  dropPage(client, namespace)
  dropFromFolders(client, namespace)
  client.setQueriesData<readonly SessionSummary[]>({ queryKey: ["marked"] }, (sessions) =>
    sessions?.filter((session) => session.namespace !== namespace),
  )
}

function dropPage(client: Client, namespace: string): void {
  client.setQueriesData<Pages>(
    { queryKey: ["sessions"] },
    (pages) => pages && withoutSession(pages, namespace),
  )
}

const withoutSession = (pages: Pages, namespace: string): Pages => ({
  ...pages,
  pages: pages.pages.map((page) => ({
    ...page,
    sessions: page.sessions.filter((session) => session.namespace !== namespace),
  })),
})

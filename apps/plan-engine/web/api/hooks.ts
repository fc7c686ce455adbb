import {
  type UseMutationResult,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query"
import { useKey } from "../app/session.ts"
import { type Asked, ask } from "./http.ts"
import type { Inspection, RunStatus } from "./types.ts"

/** How many items are shown at first, and more at each press. */
const PAGE = 30

export const hasEnded = (status: RunStatus): boolean => status !== "pending" && status !== "processing"

/** A list of the engine, page by page. `query` says which of its items. */
export function usePages<T>(name: string, path: string, query: Readonly<Record<string, string>> = {}) {
  const key = useKey()
  return useInfiniteQuery({
    queryKey: [name, query],
    queryFn: ({ pageParam, signal }) => {
      const all = new URLSearchParams({ ...query, limit: String(PAGE), cursor: pageParam })
      return ask<{ readonly items: readonly T[]; readonly cursor?: string }>(key, `${path}?${all}`, {
        signal,
      })
    },
    initialPageParam: "",
    getNextPageParam: ({ cursor }) => cursor,
  })
}

export const useRun = (id: string): UseQueryResult<Inspection> =>
  useAnswer(["run", id], `/orchestrations/inspections/${id}`)

/** What the engine says at a path, again every `everyMs` where it tells of no change by itself. */
export function useAnswer<T>(name: readonly string[], path: string, everyMs?: number): UseQueryResult<T> {
  const key = useKey()
  return useQuery({
    queryKey: name,
    queryFn: ({ signal }) => ask<T>(key, path, { signal }),
    ...(everyMs !== undefined && { refetchInterval: everyMs }),
  })
}

export interface Action extends Pick<Asked, "body" | "yaml"> {
  readonly method: "POST" | "DELETE"
  readonly path: string
}

/** Has the engine do something, and then shows anew what has that name. */
export function useAction<T = unknown>(changes: string): UseMutationResult<T, Error, Action> {
  const key = useKey()
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ path, ...asked }: Action) => ask<T>(key, path, asked),
    onSettled: () => client.invalidateQueries({ queryKey: [changes] }),
  })
}

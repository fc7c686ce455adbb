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
import type { Inspection, RunItem, RunStatus } from "./types.ts"

/** How many runs are shown at first, and more at each press. */
const PAGE = 30

export const hasEnded = (status: RunStatus): boolean => status !== "pending" && status !== "processing"

interface RunPage {
  readonly items: readonly RunItem[]
  readonly cursor?: string
}

/** The runs of a status, or all of them: those that changed last first. */
export function useRuns(status: RunStatus | undefined) {
  const key = useKey()
  return useInfiniteQuery({
    queryKey: ["runs", status ?? "all"],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: String(PAGE), cursor: pageParam, status: status ?? "" })
      return ask<RunPage>(key, `/orchestrations?${query}`, { signal })
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

export interface Action extends Pick<Asked, "body"> {
  readonly method: "POST" | "DELETE"
  readonly path: string
}

/** Has the engine do something, and then shows anew what has that name. */
export function useAction<T = unknown>(changes: string): UseMutationResult<T, Error, Action> {
  const key = useKey()
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ path, method, body }: Action) => ask<T>(key, path, { method, body }),
    onSettled: () => client.invalidateQueries({ queryKey: [changes] }),
  })
}

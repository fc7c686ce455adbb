import { type UseQueryResult, useQuery } from "@tanstack/react-query"
import { useKey } from "../app/session.ts"
import { ask } from "./http.ts"
import type { Inspection, RunItem, RunStatus } from "./types.ts"

/** What is asked for again by itself, until the engine tells of it. */
const LOOK_MS = 2_000

export const hasEnded = (status: RunStatus): boolean => status !== "pending" && status !== "processing"

/** All runs, those that changed last first. */
export function useRuns(): UseQueryResult<readonly RunItem[]> {
  const key = useKey()
  return useQuery({
    queryKey: ["runs"],
    queryFn: async ({ signal }) => {
      const groups = await ask<Readonly<Record<string, readonly RunItem[]>>>(key, "/orchestrations", {
        signal,
      })
      const all = Object.values(groups).flat()
      return all.toSorted((a, b) => b.timestamp.localeCompare(a.timestamp))
    },
    refetchInterval: LOOK_MS,
  })
}

export function useRun(id: string): UseQueryResult<Inspection> {
  const key = useKey()
  return useQuery({
    queryKey: ["run", id],
    queryFn: ({ signal }) => ask<Inspection>(key, `/orchestrations/inspections/${id}`, { signal }),
    refetchInterval: ({ state }) => (state.data && hasEnded(state.data.status) ? false : LOOK_MS),
  })
}

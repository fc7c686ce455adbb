import { useQuery } from "@tanstack/react-query"
import { api } from "../api/api.ts"
import type { Models } from "../api/types.ts"
import { useShared } from "../app/context.ts"

/** The models to choose from; none for somebody who may not choose. */
export function useModels(): {
  readonly standard: string
  readonly list: Models["models"]
  readonly canChoose: boolean
} {
  const { me } = useShared()
  const canChoose = me.permissions.includes("model")
  const { data } = useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => api.models(signal),
    enabled: canChoose,
    staleTime: 5 * 60_000,
  })
  return { standard: data?.default ?? "", list: data?.models ?? [], canChoose }
}

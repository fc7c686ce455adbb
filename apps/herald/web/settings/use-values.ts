import { type UseMutationResult, useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { type Changed, type ShownValue, settingsApi, type Values } from "./settings-api.ts"

const KEY = ["settings-values"]

/** The values of the configuration, by name. */
export function useValues(): {
  readonly data: Values | undefined
  readonly error: Error | null
  readonly value: (name: string) => ShownValue | undefined
} {
  const { data, error } = useQuery({ queryKey: KEY, queryFn: ({ signal }) => settingsApi.values(signal) })
  return { data, error, value: (name) => data?.values.find((each) => each.name === name) }
}

/** Changes values; what was shown is what the server answers. */
export function useSave(
  onSaved?: (changed: Changed) => void,
): UseMutationResult<Changed, Error, Readonly<Record<string, unknown>>> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: settingsApi.save,
    onSuccess: (answer) => {
      client.setQueryData(KEY, answer)
      void client.invalidateQueries({ queryKey: ["discord-status"] })
      onSaved?.(answer)
    },
  })
}

/** After something else has changed the configuration. */
export function useTakeValues(): (values: Values) => void {
  const client = useQueryClient()
  return (values) => {
    client.setQueryData(KEY, values)
    void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] })
  }
}

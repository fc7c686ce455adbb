import { useQuery } from "@tanstack/react-query"
import { request } from "../api/http.ts"

/** Whether this Herald listens and speaks. */
export const useVoice = (): boolean =>
  useQuery({
    queryKey: ["voice"],
    queryFn: ({ signal }) => request<{ readonly enabled: boolean }>("GET", "/api/voice", undefined, signal),
    staleTime: Number.POSITIVE_INFINITY,
  }).data?.enabled === true

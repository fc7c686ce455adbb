import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { request } from "../api/http.ts"
import { useShared } from "../app/context.ts"

/** A task that was handed on, as it travels. */
export interface Branch {
  /** Its session. */
  readonly namespace: string
  /** The session of the call that waits for it. */
  readonly parent: string | null
  readonly call_id: string | null
  readonly agent: string | null
  readonly helper: boolean
  readonly status: "running" | "waiting" | "completed" | "stopped" | "failed" | "interrupted" | "max_turns"
  readonly started_at: number
  readonly ended_at: number | null
  readonly input_tokens: number
  readonly output_tokens: number
  /** In USD; null where no price is known. */
  readonly cost: number | null
  /** The tools it may use. */
  readonly can: readonly string[]
}

/** Changes that come close together are looked at once, in ms. */
const SETTLE_MS = 250

/** What a run has handed on, at any depth, kept current. */
export function useDelegations(namespace: string, runId: string): readonly Branch[] {
  const { connection } = useShared()
  const client = useQueryClient()
  const { data } = useQuery({
    queryKey: ["delegations", namespace, runId],
    queryFn: ({ signal }) =>
      request<{ readonly branches: readonly Branch[] }>(
        "GET",
        `/api/sessions/${encodeURIComponent(namespace)}/delegations?run=${encodeURIComponent(runId)}`,
        undefined,
        signal,
      ),
  })
  useEffect(() => {
    let again: ReturnType<typeof setTimeout> | undefined
    const below = `${namespace}:~agents:${runId}:`
    const stop = connection.onFrame((frame) => {
      // What happened without a connection is not told again.
      const isNews =
        frame.type === "hello" || (frame.type === "session" && frame.session.namespace.startsWith(below))
      if (!isNews) return
      again ??= setTimeout(() => {
        again = undefined
        void client.invalidateQueries({ queryKey: ["delegations", namespace, runId] })
      }, SETTLE_MS)
    })
    return () => {
      clearTimeout(again)
      stop()
    }
  }, [connection, client, namespace, runId])
  return data?.branches ?? []
}

export interface Taken {
  readonly tokens: number
  /** Undefined where the price of some of it is not known. */
  readonly usd: number | undefined
  /** Tasks that it has handed on itself. */
  readonly below: number
}

/** What a branch took, with all that was handed on in it. */
export function takenBy(branch: Branch, all: readonly Branch[]): Taken {
  const below = all.filter(({ namespace }) => namespace.startsWith(`${branch.namespace}:`))
  const parts = [branch, ...below]
  return {
    tokens: parts.reduce((sum, part) => sum + part.input_tokens + part.output_tokens, 0),
    usd: parts.every(({ cost }) => cost !== null)
      ? parts.reduce((sum, { cost }) => sum + (cost ?? 0), 0)
      : undefined,
    below: below.length,
  }
}

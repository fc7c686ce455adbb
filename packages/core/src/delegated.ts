import { Namespace } from "./namespace.ts"
import { everyItem } from "./paging.ts"
import type { ListOptions, SessionStore } from "./store.ts"

/** What is delegated in a session lives below it, in sessions with this segment. */
const SEGMENT = "~agents"

/** True for the session of a delegated task: lists of what people have said can leave it out. */
export const isDelegated = (namespace: Namespace): boolean => namespace.segments.includes(SEGMENT)

/** A run that has handed on a task. */
export interface Caller {
  readonly namespace: Namespace
  readonly runId: string
}

/** By whom that was handed on which is done in a session; undefined where a person speaks. */
export function callerOf({ segments }: Namespace): Caller | undefined {
  const at = segments.lastIndexOf(SEGMENT)
  const runId = segments[at + 1]
  return at > 0 && runId !== undefined
    ? { namespace: Namespace.of(...segments.slice(0, at)), runId }
    : undefined
}

/** Where the sessions are of what was delegated in a session, at any depth. */
export const delegatedIn = (namespace: Namespace): Namespace => namespace.child(SEGMENT)

export async function sessionsBelow(
  store: SessionStore,
  prefix: Namespace,
  options: ListOptions,
): Promise<readonly Namespace[]> {
  const found: Namespace[] = []
  for await (const { namespace } of everyItem((page) => store.list(prefix, { ...options, ...page }))) {
    found.push(namespace)
  }
  return found
}

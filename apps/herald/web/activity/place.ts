import type { Place } from "../app/router.ts"

/** A run that can be traced. */
export interface Traced {
  readonly namespace: string
  readonly run: string
}

/** The address of a run's trace. */
export const traceAt = ({ namespace, run }: Traced): Place => ({
  type: "screen",
  screen: "activity",
  part: encodeURIComponent(`${namespace}/${run}`),
})

/** The run that a part of the screen's address names. */
export function tracedIn(part: string | undefined): Traced | undefined {
  if (part === undefined) return undefined
  try {
    const [, namespace, run] = /^(.+)\/([^/]+)$/.exec(decodeURIComponent(part)) ?? []
    return namespace !== undefined && run !== undefined ? { namespace, run } : undefined
  } catch {
    return undefined
  }
}

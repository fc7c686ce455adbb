import type { Namespace } from "@orra/core"
import { MemoryError } from "./errors.ts"

/** Whose memory it is, seen from whoever recalls it: its own, one of all above it, or one of somebody below. */
export type Standing = "own" | "above" | "below"

export interface Visible {
  readonly namespace: Namespace
  readonly standing: Standing
}

const MAX_CHILDREN = 32

/**
 * The namespaces whose memories this one may recall: its own, all above it, and of those below the ones that policy
 * names.
 *
 * @throws MemoryError (`memory_option_invalid`) when policy names one that is not below, or too many.
 */
export async function visibleTo(
  namespace: Namespace,
  children: ((namespace: Namespace) => readonly Namespace[] | Promise<readonly Namespace[]>) | undefined,
): Promise<readonly Visible[]> {
  const above = namespace.lineage
    .slice(0, -1)
    .map((each): Visible => ({ namespace: each, standing: "above" }))
  const named = new Map((await children?.(namespace))?.map((each) => [each.key, each]))
  for (const child of named.values()) {
    if (!namespace.contains(child) || namespace.equals(child)) {
      throw new MemoryError(
        "memory_option_invalid",
        `"children" names "${child}", which is not below "${namespace}".`,
      )
    }
  }
  if (named.size > MAX_CHILDREN)
    throw new MemoryError("memory_option_invalid", `"children" names more than ${MAX_CHILDREN} namespaces.`)
  return [
    { namespace, standing: "own" },
    ...above,
    ...[...named.values()].map((each): Visible => ({ namespace: each, standing: "below" })),
  ]
}

import type { Namespace, SessionStore } from "@orra/core"
import { MemoryError } from "./errors.ts"

export interface MemoriesOptions {
  /** How many memories a namespace may have. Default 10,000. */
  readonly maxMemories?: number
  /** How long a memory may be, in characters. Default 4,000. */
  readonly maxLength?: number
  /** How long a change can be undone, in ms; 0: not at all. Default 7 days. */
  readonly undoMs?: number
  /** How many changes of a namespace are kept: who did what, and what to undo. Default 1,000. */
  readonly maxChanges?: number
  /** The time in ms since 1970. Default: the store's clock where it has one, else `Date.now`. */
  readonly clock?: () => number
  /**
   * Policy: the namespaces below this one whose memories it may recall as well; 32 at most. Default: none. What is below
   * was told to others, and is marked as from outside.
   */
  readonly children?: (namespace: Namespace) => readonly Namespace[] | Promise<readonly Namespace[]>
}

export const DEFAULTS = {
  maxMemories: 10_000,
  maxLength: 4_000,
  undoMs: 7 * 24 * 3_600_000,
  maxChanges: 1_000,
} as const

type Limits = { readonly [Key in keyof typeof DEFAULTS]: number }

/** @throws MemoryError (`memory_option_invalid`). */
export function limitsOf(options: MemoriesOptions): Limits {
  return {
    maxMemories: whole("maxMemories", options.maxMemories ?? DEFAULTS.maxMemories, 1),
    maxLength: whole("maxLength", options.maxLength ?? DEFAULTS.maxLength, 1),
    undoMs: whole("undoMs", options.undoMs ?? DEFAULTS.undoMs, 0),
    maxChanges: whole("maxChanges", options.maxChanges ?? DEFAULTS.maxChanges, 1),
  }
}

/** @throws MemoryError (`memory_option_invalid`) unless it is a whole number in this range. */
export function whole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
  throw new MemoryError("memory_option_invalid", `"${name}" is a whole number, ${range}.`, { [name]: value })
}

export function clockOf(
  store: Pick<SessionStore, "now">,
  clock?: () => number,
): () => Promise<number> | number {
  if (clock) return clock
  return store.now ? () => store.now?.() ?? Date.now() : Date.now
}

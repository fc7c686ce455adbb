import type { Namespace } from "@orra/core"
import type { Embedder } from "@orra/search"
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
  /** To recall by meaning as well. Without one only words are looked for. */
  readonly embedder?: Embedder
  /** How long the embedder may take, in ms. What it did not manage is remembered without. Default 10,000. */
  readonly embedMs?: number
  /** Told when the embedder fails while something is remembered. */
  readonly onError?: (error: unknown) => void
  /**
   * How long the first recall after a start waits, in ms, while the memories of a namespace are read; then it answers
   * with the newest, and says so. Default 5,000.
   */
  readonly firstMs?: number
  /** Of how many namespaces the indexes are held in memory; the least recently used goes. Default 100. */
  readonly heldNamespaces?: number
  /** How many memories those have in all. Default 200,000. */
  readonly heldMemories?: number
}

const DEFAULTS = {
  maxMemories: 10_000,
  maxLength: 4_000,
  undoMs: 7 * 24 * 3_600_000,
  maxChanges: 1_000,
  embedMs: 10_000,
  firstMs: 5_000,
  heldNamespaces: 100,
  heldMemories: 200_000,
} as const

const MAY_BE_0: ReadonlySet<string> = new Set(["undoMs", "firstMs"])

export type Limits = { readonly [Key in keyof typeof DEFAULTS]: number }

/** @throws MemoryError (`memory_option_invalid`). */
export function limitsOf(options: MemoriesOptions): Limits {
  const limits = { ...DEFAULTS } as { -readonly [Key in keyof Limits]: number }
  for (const name of Object.keys(DEFAULTS) as (keyof Limits)[]) {
    limits[name] = whole(name, options[name] ?? DEFAULTS[name], MAY_BE_0.has(name) ? 0 : 1)
  }
  return limits
}

/** @throws MemoryError (`memory_option_invalid`) unless it is a whole number in this range. */
export function whole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
  throw new MemoryError("memory_option_invalid", `"${name}" is a whole number, ${range}.`, { [name]: value })
}

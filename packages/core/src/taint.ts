import type { EntryType, NewEntry } from "./session.ts"

const CARRY_TAINT: ReadonlySet<EntryType> = new Set<EntryType>([
  "run_started",
  "assistant",
  "tool_intent",
  "compaction",
])

/**
 * What is written after strangers' text was read carries the mark on, so that the end of the log is enough to know.
 * What follows a rewind belongs to another branch, whose own entries say whether it is tainted.
 */
export function tainted(entries: readonly NewEntry[]): readonly NewEntry[] {
  if (entries.some(({ type }) => type === "rewind")) return entries
  return entries.map((entry) =>
    CARRY_TAINT.has(entry.type) ? ({ ...entry, tainted: true } as NewEntry) : entry,
  )
}

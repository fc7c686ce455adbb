import type { Json } from "./json.ts"
import type { Entry } from "./session.ts"

/** What this release writes, and the newest it reads. */
export const EXPORT_VERSION = 1

/**
 * A line of an export: JSON, ended by a newline. The first is the header; then come the sessions, each with its entries
 * and its end; then the records; the last says how many there were. `path` is the way from the exported namespace down.
 */
export type ExportLine =
  | {
      readonly type: "header"
      readonly format: "orra-namespace"
      readonly version: number
      readonly namespace: string
      /** When it was made, ms since 1970. */
      readonly at: number
    }
  | {
      readonly type: "session"
      readonly path: readonly string[]
      /** The number of its last entry, which may be of a draft that is gone. */
      readonly version: number
      readonly createdAt: number
    }
  | { readonly type: "entry"; readonly entry: Entry }
  | { readonly type: "session_end"; readonly entries: number }
  | {
      readonly type: "record"
      readonly collection: string
      readonly path: readonly string[]
      readonly key: string
      readonly value: Json
    }
  | { readonly type: "end"; readonly sessions: number; readonly records: number }

/** Marks of sessions whose import is not complete. Not a part of what is exported. */
export const IMPORTS = "imports"

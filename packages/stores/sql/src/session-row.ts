import {
  describe,
  type Entry,
  foldedTitle,
  type JsonObject,
  type Namespace,
  type NewEntry,
  type SessionInfo,
} from "@orra/core"
import { fromJson, toJson } from "./json.ts"
import type { SessionRow } from "./schema.ts"

/** An entry and its JSON, made once before the transaction that may have to be repeated. */
export interface Draft {
  readonly entry: NewEntry
  readonly body: string
}

/** @throws InvalidInput when an entry is not JSON. */
export function drafts(entries: readonly NewEntry[]): readonly Draft[] {
  return entries.map((entry) => ({ entry, body: toJson(entry, "An entry") }))
}

/** The entries as they are stored after the version `expected`. */
export const numbered = (entries: readonly NewEntry[], expected: number): readonly Entry[] =>
  entries.map((entry, index) => ({ seq: expected + index + 1, ...entry }))

/** The summary after these entries follow the one before. */
export const described = (
  namespace: Namespace,
  entries: readonly Entry[],
  before: SessionInfo | undefined,
): SessionInfo | undefined =>
  entries.reduce<SessionInfo | undefined>((info, entry) => describe(namespace, info, entry), before)

export const toInfo = (
  row: Omit<SessionRow, "deleted" | "folded_title">,
  namespace: Namespace,
): SessionInfo => ({
  namespace,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  messages: row.messages,
  ...(row.open_run !== null && { openRun: fromColumn(row.open_run) }),
  ...(row.waiting !== null && { waiting: fromJson<NonNullable<SessionInfo["waiting"]>>(row.waiting) }),
  metadata: fromJson<JsonObject>(row.metadata),
})

/** No text of PostgreSQL holds it. */
export const withoutNul = (text: string): string => text.replaceAll("\0", "\ufffd")

/** Any text in a column of text: as it is, or as JSON where a database would not take it. */
export const toColumn = (text: string | undefined): string | null =>
  text === undefined ? null : /^"|\0/.test(text) || !text.isWellFormed() ? JSON.stringify(text) : text

const fromColumn = (text: string): string => (text.startsWith('"') ? fromJson<string>(text) : text)

export const toRow = (info: SessionInfo): SessionRow => ({
  ns: info.namespace.key,
  version: info.version,
  created_at: info.createdAt,
  updated_at: info.updatedAt,
  messages: info.messages,
  open_run: toColumn(info.openRun),
  waiting: info.waiting ? JSON.stringify(info.waiting) : null,
  deleted: "deletedAt" in info.metadata ? 1 : 0,
  folded_title: withoutNul(foldedTitle(info)),
  metadata: JSON.stringify(info.metadata),
})

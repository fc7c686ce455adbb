import { request } from "../api/http.ts"
import type { SessionSummary } from "../api/types.ts"

/** Chats that belong together. */
export interface Folder {
  readonly id: string
  /** What a change names: the one it is a change of. */
  readonly version: number
  readonly name: string
  /** What agents are told in its chats; empty for nothing. */
  readonly instructions: string
  /** Who answers in chats that begin in it; null for the default. */
  readonly agent: string | null
  /** Where tools work in chats that have chosen no directory themselves; null for the usual one. */
  readonly directory: string | null
}

export type FolderForm = Omit<Folder, "id" | "version">

export interface FolderList {
  /** By name. */
  readonly folders: readonly Folder[]
  /** All that are in one and not archived. */
  readonly chats: readonly SessionSummary[]
}

interface Answer {
  readonly folder: Folder
}

const folder = (id: string): string => `/api/folders/${encodeURIComponent(id)}`

export const foldersApi = {
  list: (signal: AbortSignal) => request<FolderList>("GET", "/api/folders", undefined, signal),
  create: (form: Partial<FolderForm>) => request<Answer>("POST", "/api/folders", form),
  update: (id: string, form: Partial<FolderForm>, version?: number) =>
    request<Answer>("PATCH", folder(id), { ...form, ...(version !== undefined && { version }) }),
  remove: (id: string) => request<unknown>("DELETE", folder(id)),
  restore: (id: string) => request<Answer>("POST", `${folder(id)}/restore`, {}),
  /** Puts a chat into a folder; null takes it out. One that has not begun begins there. */
  file: (namespace: string, id: string | null) =>
    request<unknown>("PUT", `/api/sessions/${encodeURIComponent(namespace)}/folder`, { folder: id }),
}

import { request } from "../api/http.ts"

export interface DocumentInfo {
  readonly id: string
  readonly title: string
  readonly lines: number
  readonly pages?: number
  /** It is from a folder. */
  readonly synced: boolean
  readonly byMeaning: boolean
  readonly updatedAt: number
}

export interface FolderInfo {
  readonly name: string
  readonly shared: boolean
  readonly documents: number
  readonly state: "waiting" | "reading" | "read" | "failed"
  readonly at?: number
  readonly path?: string
  readonly error?: string
  readonly failed?: readonly { readonly path: string; readonly error: string }[]
  readonly failedCount?: number
}

export interface DocumentsPage {
  readonly documents: readonly DocumentInfo[]
  readonly cursor?: string
  readonly folders: readonly FolderInfo[]
  /** Whether the assistant has the tools for it. */
  readonly searched: boolean
}

export interface Passage {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly lines: readonly [number, number]
  readonly page?: number
  readonly heading?: string
}

interface Uploaded {
  readonly replaced: boolean
  readonly warning?: string
  readonly failure?: string
}

const document = (id: string): string => `/api/documents/${encodeURIComponent(id)}`

export const documentsApi = {
  list: (folder: string | undefined, after: string | undefined, signal: AbortSignal) =>
    request<DocumentsPage>(
      "GET",
      `/api/documents?${new URLSearchParams({ ...(folder && { folder }), ...(after && { after }) })}`,
      undefined,
      signal,
    ),
  upload: (name: string, data: string) => request<Uploaded>("POST", "/api/documents", { name, data }),
  search: (query: string, signal: AbortSignal) =>
    request<{ readonly passages: readonly Passage[]; readonly failure?: string }>(
      "GET",
      `/api/documents/search?${new URLSearchParams({ q: query })}`,
      undefined,
      signal,
    ),
  text: (id: string, line: number, signal: AbortSignal) =>
    request<{ readonly document: DocumentInfo; readonly from: number; readonly lines: readonly string[] }>(
      "GET",
      `/api/documents/text?${new URLSearchParams({ id, line: String(line) })}`,
      undefined,
      signal,
    ),
  remove: (id: string) => request<unknown>("DELETE", document(id)),
  restore: (id: string) => request<unknown>("POST", `${document(id)}/restore`, {}),
  sync: () => request<unknown>("POST", "/api/documents/sync", {}),
}

import { request } from "../api/http.ts"

/** Something that is remembered, as it travels. */
export interface Memory {
  readonly id: string
  readonly content: string
  readonly tags: readonly string[]
  readonly source: {
    readonly outside: boolean
    readonly principal?: string
    readonly session?: string
    readonly agents?: readonly string[]
  }
  readonly createdAt: number
  readonly updatedAt: number
  readonly expiresAt?: number
}

export interface MemoryPage {
  readonly memories: readonly Memory[]
  readonly cursor?: string
}

export interface MemoryText {
  readonly content: string
  readonly tags: readonly string[]
}

interface Changed {
  readonly memory: Memory
  /** For `undo`; null when nothing was changed. */
  readonly change: number | null
}

const memory = (id: string): string => `/api/memory/${encodeURIComponent(id)}`

export const memoryApi = {
  list: (query: string, cursor: string | undefined, signal: AbortSignal) =>
    request<MemoryPage>(
      "GET",
      `/api/memory?${new URLSearchParams({ ...(query && { q: query }), ...(cursor && { cursor }) })}`,
      undefined,
      signal,
    ),
  add: (text: MemoryText) => request<Changed>("POST", "/api/memory", text),
  edit: (id: string, text: MemoryText) => request<Changed>("PATCH", memory(id), text),
  forget: (id: string) => request<{ readonly change: number }>("DELETE", memory(id)),
  undo: (change: number) => request<unknown>("POST", "/api/memory/undo", { change }),
}

import type { UserPart } from "@orra/core"
import { request, upload } from "./http.ts"
import type {
  ChatHit,
  ChatUsage,
  Decision,
  HistoryPage,
  Me,
  Mentioned,
  MessageHit,
  Models,
  Outgoing,
  ProviderForm,
  SessionSummary,
  Settings,
} from "./types.ts"

const session = (namespace: string): string => `/api/sessions/${encodeURIComponent(namespace)}`

/** Entries a page of history has. */
const PAGE = 120

/** The server's routes. Each throws ApiError. */
/** What a person says to a question of the assistant's; null when they would rather not. */
export interface AnswerTo {
  readonly run: string
  readonly call: string
  readonly answer: readonly string[] | null
}

export const api = {
  me: (signal?: AbortSignal) => request<Me>("GET", "/api/me", undefined, signal),
  login: (credential: { readonly token: string } | { readonly key: string }) =>
    request<Me>("POST", "/api/login", credential),
  printLink: () => request<unknown>("POST", "/api/login/link", {}),
  logout: () => request<unknown>("POST", "/api/logout", {}),

  settings: (signal?: AbortSignal) => request<Settings>("GET", "/api/settings", undefined, signal),
  saveProvider: (form: ProviderForm) => request<Settings>("PUT", "/api/settings/provider", form),
  detectProvider: () => request<Settings>("POST", "/api/settings/provider/detect", {}),
  forgetProvider: () => request<Settings>("DELETE", "/api/settings/provider"),
  models: (signal?: AbortSignal) => request<Models>("GET", "/api/models", undefined, signal),

  sessions: (options: { readonly q?: string; readonly cursor?: string }, signal?: AbortSignal) => {
    const query = new URLSearchParams({ limit: "60" })
    if (options.q) query.set("q", options.q)
    if (options.cursor) query.set("cursor", options.cursor)
    return request<{ readonly sessions: readonly SessionSummary[]; readonly cursor?: string }>(
      "GET",
      `/api/sessions?${query}`,
      undefined,
      signal,
    )
  },
  history: (namespace: string, before?: number, limit = PAGE, signal?: AbortSignal) =>
    request<HistoryPage>(
      "GET",
      `${session(namespace)}?limit=${limit}${before === undefined ? "" : `&before=${before}`}`,
      undefined,
      signal,
    ),
  /** Chats in which all the words were said. */
  search: (q: string, signal?: AbortSignal) =>
    request<{ readonly chats: readonly ChatHit[] }>(
      "GET",
      `/api/search?${new URLSearchParams({ q })}`,
      undefined,
      signal,
    ),
  findIn: (namespace: string, q: string, signal?: AbortSignal) =>
    request<{ readonly hits: readonly MessageHit[] }>(
      "GET",
      `${session(namespace)}/search?${new URLSearchParams({ q })}`,
      undefined,
      signal,
    ),
  /** A chat of its own with what was said up to the answer that `seq` is of. */
  fork: (namespace: string, seq: number) =>
    request<{ readonly namespace: string }>("POST", `${session(namespace)}/fork`, { seq }),
  /** Takes the newest message and its answer back. `redo` is where they are. */
  undo: (namespace: string) => request<{ readonly redo: number }>("POST", `${session(namespace)}/undo`, {}),
  usage: (namespace: string, signal?: AbortSignal) =>
    request<ChatUsage>("GET", `${session(namespace)}/usage`, undefined, signal),
  /** Documents, and files of the chat's folder, with this in their names. */
  mentions: (namespace: string, q: string, signal?: AbortSignal) =>
    request<{ readonly found: readonly Mentioned[] }>(
      "GET",
      `${session(namespace)}/mentions?${new URLSearchParams({ q })}`,
      undefined,
      signal,
    ),
  compact: (namespace: string) =>
    request<{ readonly compacted: boolean }>("POST", `${session(namespace)}/compact`, {}),
  mark: (namespace: string, marks: { readonly pinned?: boolean; readonly archived?: boolean }) =>
    request<SessionSummary>("PATCH", session(namespace), marks),
  marked: (view: "pinned" | "archived", signal?: AbortSignal) =>
    request<{ readonly sessions: readonly SessionSummary[] }>(
      "GET",
      `/api/sessions?view=${view}`,
      undefined,
      signal,
    ),
  rename: (namespace: string, title: string) =>
    request<SessionSummary>("PATCH", session(namespace), { title }),
  remove: (namespace: string) => request<unknown>("DELETE", session(namespace)),
  restore: (namespace: string) => request<SessionSummary>("POST", `${session(namespace)}/restore`, {}),

  /** `onProgress` is told how much of what is attached has gone. */
  send: (namespace: string, message: Outgoing, onProgress?: (share: number) => void) =>
    onProgress
      ? upload(`${session(namespace)}/messages`, message, onProgress)
      : request<unknown>("POST", `${session(namespace)}/messages`, message),
  edit: (namespace: string, seq: number, message: string | readonly UserPart[], model?: string) =>
    request<unknown>("POST", `${session(namespace)}/edit`, { seq, message, ...(model && { model }) }),
  regenerate: (namespace: string, seq: number, model?: string, agent?: string) =>
    request<unknown>("POST", `${session(namespace)}/regenerate`, {
      seq,
      ...(model && { model }),
      ...(agent && { agent }),
    }),
  resume: (namespace: string, agent?: string) =>
    request<unknown>("POST", `${session(namespace)}/resume`, { ...(agent && { agent }) }),
  chooseAgent: (namespace: string, agent: string | undefined) =>
    request<unknown>("PUT", `${session(namespace)}/agent`, { name: agent ?? null }),
  tellZone: (zone: string, language: string) => request<unknown>("PUT", "/api/me/zone", { zone, language }),
  stop: (namespace: string) => request<unknown>("POST", `${session(namespace)}/stop`, {}),
  decide: (namespace: string, approvalId: string, decision: Decision) =>
    request<unknown>("POST", `${session(namespace)}/approvals/${encodeURIComponent(approvalId)}`, decision),
  answer: (namespace: string, answer: AnswerTo) =>
    request<unknown>("POST", `${session(namespace)}/answers`, answer),
  switchBranch: (namespace: string, tip: number) =>
    request<unknown>("POST", `${session(namespace)}/branch`, { tip }),
  cancelInput: (namespace: string, inputId: string) =>
    request<unknown>("DELETE", `${session(namespace)}/inputs/${encodeURIComponent(inputId)}`),
}

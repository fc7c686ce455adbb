import { request } from "../api/http.ts"

/** A value of the configuration, as `GET /api/settings/values` gives it. */
export interface ShownValue {
  readonly name: string
  /** Of a secret true when there is one. */
  readonly value: unknown
  readonly isSecret: boolean
  readonly origin: "default" | "page" | "file"
  readonly where: string | null
}

export interface Values {
  readonly file: string | null
  readonly values: readonly ShownValue[]
  /** What a restart is needed for. */
  readonly waiting: readonly string[]
  readonly notices: readonly string[]
}

export interface Changed extends Values {
  readonly changed: readonly string[]
}

export interface DiscordStatus {
  readonly state: "off" | "disconnected" | "connecting" | "connected" | "reconnecting" | "failed"
  readonly code: string | null
  readonly message: string | null
  readonly invite: string | null
}

export interface McpServer {
  readonly name: string
  readonly enabled: boolean
  readonly command: string | null
  readonly args: readonly string[]
  readonly host: string | null
  readonly env: readonly string[]
  readonly headers: readonly string[]
  readonly tools: readonly string[]
  readonly allow: readonly string[]
  /** Where in the file it is; null for one of the page. */
  readonly where: string | null
  readonly state: "off" | "connecting" | "connected" | "failed"
  readonly message: string | null
  readonly present: readonly string[]
}

/** What is said of a server that is added or changed. */
export interface McpChange {
  readonly enabled?: boolean
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly tools?: readonly string[]
  readonly allow?: readonly string[]
}

export interface OfferedTool {
  readonly name: string
  readonly description: string
}

export interface Update {
  readonly current: string
  readonly version: string
  readonly isNewer: boolean
  readonly notes: string
  readonly command: string
}

export interface About {
  readonly version: string
  readonly node: string
  readonly file: string | null
  readonly data: string
  readonly bytes: number
  readonly started_at: number
}

/** How a limit stands; `limit` and `left` are null where it is only counted. */
export interface LimitState {
  readonly per: "day" | "month"
  readonly unit: string
  readonly limit: number | null
  readonly spent: number
  readonly renews_at: number | null
  readonly unpriced: boolean
}

/** Somebody whose money it is. */
export interface Spender {
  readonly name: string
  readonly namespace: string
  readonly limits: readonly LimitState[]
}

interface Usage {
  readonly people: readonly Spender[]
}

export interface Servers {
  readonly servers: readonly McpServer[]
}

const server = (name: string): string => `/api/settings/mcp/${encodeURIComponent(name)}`

/** The settings; but for `usage` only the owner is answered. Documented in docs/herald/api.md. */
export const settingsApi = {
  values: (signal: AbortSignal) => request<Values>("GET", "/api/settings/values", undefined, signal),
  save: (changes: Readonly<Record<string, unknown>>) =>
    request<Changed>("PUT", "/api/settings/values", changes),
  reload: () => request<Changed>("POST", "/api/settings/reload", {}),
  discord: (signal: AbortSignal) => request<DiscordStatus>("GET", "/api/settings/discord", undefined, signal),
  connectDiscord: () => request<DiscordStatus>("POST", "/api/settings/discord/connect", {}),
  servers: (signal: AbortSignal) => request<Servers>("GET", "/api/settings/mcp", undefined, signal),
  putServer: (name: string, change: McpChange) => request<Servers>("PUT", server(name), change),
  testServer: (name: string, change: McpChange) =>
    request<{ readonly tools: readonly OfferedTool[] }>("POST", `${server(name)}/test`, change),
  removeServer: (name: string) => request<Servers>("DELETE", server(name), {}),
  restoreServer: (name: string) => request<Servers>("POST", `${server(name)}/restore`, {}),
  checkUpdate: () => request<Update>("POST", "/api/settings/updates/check", {}),
  usage: (signal: AbortSignal) => request<Usage>("GET", "/api/usage", undefined, signal),
  grant: (namespace: string, per: LimitState["per"], usd: number) =>
    request<Usage>("POST", "/api/usage/grants", { namespace, per, usd }),
  about: (signal: AbortSignal) => request<About>("GET", "/api/settings/about", undefined, signal),
}

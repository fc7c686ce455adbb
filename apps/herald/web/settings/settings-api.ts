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

/** Another Herald. */
export interface Peer {
  readonly name: string
  readonly url: string | null
  readonly health: "unknown" | "healthy" | "unreachable" | "refused" | "asks"
  readonly error: string | null
  readonly agents: readonly { readonly name: string; readonly personality: string }[]
  readonly checked_at: number | null
}

export interface PeerList {
  readonly enabled: boolean
  readonly instance: string | null
  readonly url: string | null
  readonly error: string | null
  readonly peers: readonly Peer[]
  readonly found: readonly { readonly name: string; readonly url: string }[]
}

interface PeerChatList {
  readonly sessions: readonly {
    readonly namespace: string
    readonly title: string | null
    readonly updated_at: number
  }[]
}

interface PeerTranscript {
  readonly messages: readonly {
    readonly role: "user" | "assistant"
    readonly text: string
    readonly at: number
  }[]
}

/** How a limit stands; `limit` and `left` are null where it is only counted. */
export interface LimitState {
  readonly per: "day" | "month"
  readonly unit: string
  readonly limit: number | null
  readonly spent: number
  /** Null where something is only counted. */
  readonly left: number | null
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

const peerChat = (peer: string, namespace: string): string =>
  `/api/peers/${encodeURIComponent(peer)}/sessions/${encodeURIComponent(namespace)}`

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
  peers: (signal: AbortSignal) => request<PeerList>("GET", "/api/peers", undefined, signal),
  lookAtPeers: () => request<PeerList>("POST", "/api/peers/look", {}),
  peerChats: (peer: string, signal: AbortSignal) =>
    request<PeerChatList>("GET", `/api/peers/${encodeURIComponent(peer)}/sessions`, undefined, signal),
  peerChat: (peer: string, namespace: string, signal: AbortSignal) =>
    request<PeerTranscript>("GET", peerChat(peer, namespace), undefined, signal),
  sayToPeer: (peer: string, namespace: string, message: string) =>
    request<unknown>("POST", `${peerChat(peer, namespace)}/chat`, { message }),
  about: (signal: AbortSignal) => request<About>("GET", "/api/settings/about", undefined, signal),
}

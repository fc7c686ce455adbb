import { OrraError } from "@orra/core"
import { guardedPost, WebError } from "@orra/web"
import type { PushKeys } from "./keys.ts"
import type { Subscription } from "./subscriptions.ts"

/** What is sent to a browser. */
export interface Push {
  /** What its service worker is told. */
  readonly payload: string
  /** So many seconds the push service keeps it for a browser that is off. */
  readonly ttl: number
  readonly isUrgent: boolean
}

export interface SendOptions {
  readonly keys: PushKeys
  /** Whom a push service may write to. */
  readonly contact: string
  /** The origin of a push service that may be on this machine: for tests. */
  readonly local: string | undefined
  readonly signal?: AbortSignal
}

/** What became of it: taken; there is no such subscription any more; not now; not at all. */
export type Sent = "taken" | "gone" | "later" | "refused"

const TIMEOUT_MS = 15_000
/** No push service is there. */
const NOWHERE: ReadonlySet<string> = new Set(["address_refused", "url_invalid"])

/** Sends a push, encrypted for its browser alone (RFC 8291), to the public internet and nowhere else. */
export async function send(
  { endpoint, p256dh, auth }: Subscription,
  { payload, ttl, isUrgent }: Push,
  { keys, contact, local, signal }: SendOptions,
): Promise<{ readonly sent: Sent; readonly error?: OrraError }> {
  const { default: webPush } = await import("web-push")
  try {
    const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, payload, {
      TTL: ttl,
      urgency: isUrgent ? "high" : "normal",
      vapidDetails: { subject: contact, ...keys },
    })
    const { status } = await guardedPost(endpoint, {
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      body,
      maxBytes: 4_096,
      timeoutMs: TIMEOUT_MS,
      ...permitted(endpoint, local),
      ...(signal && { signal }),
    })
    return answered(status, new URL(endpoint).host)
  } catch (error) {
    if (!(error instanceof WebError)) throw error
    if (NOWHERE.has(error.code)) return { sent: "gone", error }
    const { host } = new URL(endpoint)
    const message = `${host} cannot be reached from this machine: it has to be at port 443.`
    return { sent: "later", error: new OrraError("push_unreachable", message, { host }, error) }
  }
}

function permitted(endpoint: string, local: string | undefined) {
  const { origin, hostname, port } = new URL(endpoint)
  return origin === local ? { allow: [hostname], ports: [Number(port)] } : { ports: [443] }
}

function answered(status: number, host: string): { readonly sent: Sent; readonly error?: OrraError } {
  if (status >= 200 && status < 300) return { sent: "taken" }
  const error = new OrraError("push_refused", `${host} did not take the notification (${status}).`, {
    status,
  })
  if (status === 404 || status === 410) return { sent: "gone", error }
  return { sent: status === 429 || status >= 500 ? "later" : "refused", error }
}

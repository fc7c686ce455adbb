import { ApiError, request } from "../api/http.ts"
import { keep, recall } from "../app/storage.ts"

/** How it is with notifications on this device. */
export type DeviceState =
  /** This browser has none, or not for a page without https; on iPhone and iPad only an installed page has them. */
  | { readonly type: "unsupported" | "insecure" | "not-installed" }
  /** The configuration says so. */
  | { readonly type: "not-here" }
  /** The person has told the browser so. */
  | { readonly type: "blocked" }
  | { readonly type: "off"; readonly key: string }
  /** `id`: by which Herald knows this browser. */
  | { readonly type: "on"; readonly id: string }

interface Offer {
  readonly enabled: boolean
  /** Of this Herald, for its push service. */
  readonly key?: string
}

/** What this browser remembers of it. */
const KEPT = "push"
const WORKER = "/sw.js"

export async function deviceState(signal: AbortSignal): Promise<DeviceState> {
  if (!isSecureContext) return { type: "insecure" }
  if (!("PushManager" in window) || !("serviceWorker" in navigator))
    return { type: isPhoneOrPad() ? "not-installed" : "unsupported" }
  const { key } = await request<Offer>("GET", "/api/push", undefined, signal)
  if (key === undefined) return { type: "not-here" }
  if (Notification.permission === "denied") return { type: "blocked" }
  const isOn = recall(KEPT) === "on" && Notification.permission === "granted"
  return isOn ? { type: "on", id: await subscribed(key) } : { type: "off", key }
}

/** Asks for the permission, which only a click may do, and has this browser told. False when it is refused. */
export async function switchOn(key: string): Promise<boolean> {
  if ((await Notification.requestPermission()) !== "granted") return false
  await subscribed(key)
  keep(KEPT, "on")
  return true
}

export async function switchOff(id: string): Promise<void> {
  keep(KEPT, undefined)
  const registration = await navigator.serviceWorker.getRegistration(WORKER)
  await (await registration?.pushManager.getSubscription())?.unsubscribe()
  try {
    await request("DELETE", `/api/push/subscriptions/${id}`)
  } catch (error) {
    // It had ended by itself.
    if (!(error instanceof ApiError && error.status === 404)) throw error
  }
}

export const sendTest = (id: string): Promise<unknown> =>
  request("POST", `/api/push/subscriptions/${id}/test`, {})

/** Has Herald know this browser, whose address may be another one by now, and by which login it belongs to whom. */
async function subscribed(key: string): Promise<string> {
  await navigator.serviceWorker.register(WORKER, { updateViaCache: "none" })
  const { pushManager } = await navigator.serviceWorker.ready
  const before = await pushManager.getSubscription()
  const isOurs = before !== null && base64url(before.options.applicationServerKey) === key
  if (!isOurs) await before?.unsubscribe()
  const subscription = isOurs
    ? before
    : await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  const { id } = await request<{ readonly id: string }>(
    "PUT",
    "/api/push/subscription",
    subscription.toJSON(),
  )
  return id
}

const base64url = (bytes: ArrayBuffer | null): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes ?? [])))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")

/** An iPad says that it is a Mac, of which none can be touched. */
const isPhoneOrPad = (): boolean =>
  /\b(?:iPhone|iPad)\b/.test(navigator.userAgent) ||
  (/\bMacintosh\b/.test(navigator.userAgent) && navigator.maxTouchPoints > 1)

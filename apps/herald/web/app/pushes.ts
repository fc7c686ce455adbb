import { useEffect } from "react"
import { follow } from "./router.ts"
import { recall } from "./storage.ts"

/**
 * Goes where a notification leads that was chosen, closes them where Herald is opened, and has Herald know this browser while
 * they are switched on.
 */
export function usePushes(): void {
  useEffect(() => {
    // Pages without https have none.
    const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer }
    if (!serviceWorker) return
    const controller = new AbortController()
    const { signal } = controller
    const onMessage = ({ data }: MessageEvent<{ readonly type: string; readonly url: string }>): void => {
      if (data.type === "open") follow(data.url)
    }
    serviceWorker.addEventListener("message", onMessage, { signal })
    serviceWorker.startMessages()
    // Whoever opens Herald sees here what they were told.
    const clear = async (): Promise<void> => {
      if (document.visibilityState !== "visible") return
      const registration = await serviceWorker.getRegistration("/sw.js")
      for (const shown of (await registration?.getNotifications()) ?? []) shown.close()
    }
    document.addEventListener("visibilitychange", () => void clear(), { signal })
    void clear()
    // What comes of it can be seen in the settings.
    if (recall("push") === "on")
      import("../push/device.ts").then(({ deviceState }) => deviceState(signal)).catch(() => undefined)
    return () => controller.abort()
  }, [])
}

import { useSyncExternalStore } from "react"

/** Where the page is. A chat's address is `/c/<namespace>`. */
export type Place =
  | { readonly type: "new" }
  | { readonly type: "chat"; readonly namespace: string }
  | { readonly type: "login"; readonly token: string }

function placeOf(path: string, hash: string): Place {
  if (path === "/login") return { type: "login", token: hash.slice(1) }
  const found = /^\/c\/(.+)$/.exec(path)
  if (!found?.[1]) return { type: "new" }
  try {
    return { type: "chat", namespace: decodeURIComponent(found[1]) }
  } catch {
    return { type: "new" }
  }
}

/** A ":" may stand in a path as it is, which keeps the address readable. */
export const pathOf = (place: Place): string =>
  place.type === "chat" ? `/c/${encodeURIComponent(place.namespace).replaceAll("%3A", ":")}` : "/"

let place = placeOf(location.pathname, location.hash)
const listeners = new Set<() => void>()

function update(): void {
  place = placeOf(location.pathname, location.hash)
  for (const listener of listeners) listener()
}

window.addEventListener("popstate", update)

export function navigate(to: Place, options: { readonly replace?: boolean } = {}): void {
  const path = pathOf(to)
  if (path === location.pathname && to.type !== "new") return
  if (options.replace) history.replaceState(null, "", path)
  else history.pushState(null, "", path)
  update()
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const usePlace = (): Place => useSyncExternalStore(subscribe, () => place)

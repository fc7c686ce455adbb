import { useSyncExternalStore } from "react"

/** What there is beside the chats. Each has its address: `/settings`, and `/settings/<part>` for a part of it. */
export const SCREENS = [
  "approvals",
  "memory",
  "documents",
  "agents",
  "schedules",
  "activity",
  "settings",
] as const
export type ScreenName = (typeof SCREENS)[number]

/** Where the page is. A chat's address is `/c/<namespace>`. */
export type Place =
  | {
      readonly type: "new"
      readonly isTemporary?: true
      /** The id of the folder that it will be in: `/#folder-<id>`. */
      readonly folder?: string
    }
  | { readonly type: "screen"; readonly screen: ScreenName; readonly part: string | undefined }
  | {
      readonly type: "chat"
      readonly namespace: string
      /** The entry of the message that is meant: `/c/<namespace>#<seq>`. */
      readonly seq?: number
      /** What of all that it wrote is open beside the chat, from 1 on: `/c/<namespace>#<seq>.<block>`. */
      readonly block?: number
    }
  | { readonly type: "login"; readonly token: string }

function placeOf(path: string, hash: string): Place {
  if (path === "/login") return { type: "login", token: hash.slice(1) }
  const [, first, part] = path.split("/")
  const screen = SCREENS.find((name) => name === first)
  if (screen) return { type: "screen", screen, part: part || undefined }
  if (hash === "#temporary") return { type: "new", isTemporary: true }
  const [, folder] = /^#folder-([\w-]{1,64})$/.exec(hash) ?? []
  if (path === "/" && folder !== undefined) return { type: "new", folder }
  const found = /^\/c\/(.+)$/.exec(path)
  if (!found?.[1]) return { type: "new" }
  try {
    const [, seq, block] = /^#([1-9]\d{0,14})(?:\.([1-9]\d{0,5}))?$/.exec(hash) ?? []
    return {
      type: "chat",
      namespace: decodeURIComponent(found[1]),
      ...(seq !== undefined && { seq: Number(seq) }),
      ...(block !== undefined && { block: Number(block) }),
    }
  } catch {
    return { type: "new" }
  }
}

export function pathOf(place: Place): string {
  if (place.type === "screen") return place.part ? `/${place.screen}/${place.part}` : `/${place.screen}`
  // A ":" may stand in a path as it is, which keeps the address readable.
  if (place.type === "new" && place.isTemporary) return "/#temporary"
  if (place.type === "new" && place.folder !== undefined) return `/#folder-${place.folder}`
  if (place.type !== "chat") return "/"
  const chat = `/c/${encodeURIComponent(place.namespace).replaceAll("%3A", ":")}`
  if (place.seq === undefined) return chat
  return place.block === undefined ? `${chat}#${place.seq}` : `${chat}#${place.seq}.${place.block}`
}

/** What stands between whose it is and the name of a chat that is stored nowhere. */
export const TEMPORARY = ":~temporary:"

let place = placeOf(location.pathname, location.hash)
const listeners = new Set<() => void>()

function update(): void {
  place = placeOf(location.pathname, location.hash)
  for (const listener of listeners) listener()
}

window.addEventListener("popstate", update)

export function navigate(to: Place, options: { readonly replace?: boolean } = {}): void {
  const path = pathOf(to)
  // Whoever asks for the same message again has scrolled away from it.
  if (path === location.pathname + location.hash && to.type !== "new") {
    update()
    return
  }
  if (options.replace) history.replaceState(null, "", path)
  else history.pushState(null, "", path)
  update()
}

/** Says of an entry of the browser's history that the chat alone is the one before it. */
const OPENED = "opened"

/** Opens something beside its chat; going back closes it. It takes the place of what was open. */
export function openBeside(to: {
  readonly namespace: string
  readonly seq: number
  readonly block: number
}): void {
  const path = pathOf({ type: "chat", ...to })
  if (place.type === "chat" && place.block !== undefined) history.replaceState(history.state, "", path)
  else history.pushState(OPENED, "", path)
  update()
}

/** Closes what is open beside a chat. */
export function closeBeside(namespace: string): void {
  if (history.state === OPENED) history.back()
  else navigate({ type: "chat", namespace }, { replace: true })
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const usePlace = (): Place => useSyncExternalStore(subscribe, () => place)

/** Goes to an address of this page. */
export function follow(path: string): void {
  history.pushState(null, "", path)
  update()
}

import { useSyncExternalStore } from "react"

const query = matchMedia("(max-width: 50rem)")

const subscribe = (listener: () => void): (() => void) => {
  query.addEventListener("change", listener)
  return () => query.removeEventListener("change", listener)
}

/** True where there is no room for the chats beside the conversation. */
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => query.matches)

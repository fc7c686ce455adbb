import { useSyncExternalStore } from "react"

function watched(media: string): () => boolean {
  const query = matchMedia(media)
  const subscribe = (listener: () => void): (() => void) => {
    query.addEventListener("change", listener)
    return () => query.removeEventListener("change", listener)
  }
  return () => useSyncExternalStore(subscribe, () => query.matches)
}

/** True where there is no room for the chats beside the conversation. */
export const useNarrow = watched("(max-width: 50rem)")

/** True where there is no room for anything else beside it. */
export const useSheet = watched("(max-width: 62rem)")

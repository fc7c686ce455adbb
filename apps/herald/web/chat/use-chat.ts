import { useEffect, useSyncExternalStore } from "react"
import { useConnectionStatus, useShared } from "../app/context.ts"
import type { ChatState, ChatStore } from "./chat-store.ts"

/** A chat's state, followed while it is shown. */
export function useChat(namespace: string, isNew: boolean): readonly [ChatStore, ChatState] {
  const { chats } = useShared()
  const store = chats.get(namespace, isNew)
  const state = useSyncExternalStore(store.subscribe, store.state)
  const { state: connection } = useConnectionStatus()
  useEffect(() => store.open(), [store])
  useEffect(() => {
    if (connection === "online") store.recover()
  }, [store, connection])
  return [store, state]
}

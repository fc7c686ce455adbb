import { useEffect, useSyncExternalStore } from "react"
import { useConnectionStatus, useShared } from "../app/context.ts"
import type { ChatState, ChatStore } from "./chat-store.ts"

/** A chat's state, followed while it is shown. */
export function useChat(namespace: string, isNew: boolean): readonly [ChatStore, ChatState] {
  const { chats, connection: socket } = useShared()
  const store = chats.get(namespace, isNew)
  const state = useSyncExternalStore(store.subscribe, store.state)
  const { state: connection } = useConnectionStatus()
  useEffect(() => store.open(), [store])
  useEffect(
    () =>
      socket.onFrame((frame) => {
        // Deleted or brought back, here or in another tab.
        if (frame.type === "session_deleted" && frame.namespace === namespace) store.leave()
        else if (frame.type === "session" && frame.session.namespace === namespace) store.comeBack()
      }),
    [socket, store, namespace],
  )
  useEffect(() => {
    if (connection === "online") store.recover()
  }, [store, connection])
  return [store, state]
}

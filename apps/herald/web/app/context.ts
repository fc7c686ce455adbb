import { createContext, useContext, useSyncExternalStore } from "react"
import type { Me } from "../api/types.ts"
import { ChatStore } from "../chat/chat-store.ts"
import type { Connection, ConnectionStatus } from "../connection/socket.ts"

/** What everything on the page shares once somebody is logged in. */
export interface Shared {
  readonly me: Me
  readonly connection: Connection
  readonly chats: Chats
  readonly assistant: string
}

const SharedContext = createContext<Shared | undefined>(undefined)
export const SharedProvider = SharedContext.Provider

export function useShared(): Shared {
  const shared = useContext(SharedContext)
  if (!shared) throw new Error("Used outside of the logged-in page.")
  return shared
}

export function useConnectionStatus(): ConnectionStatus {
  const { connection } = useShared()
  return useSyncExternalStore(connection.onStatus, connection.status)
}

/** Chats kept in memory, so that going back to one shows it at once. */
const KEPT = 8

export class Chats {
  readonly #connection: Connection
  readonly #open = new Map<string, ChatStore>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get(namespace: string, isNew = false): ChatStore {
    const known = this.#open.get(namespace)
    const store = known ?? new ChatStore(namespace, this.#connection, isNew)
    this.#open.delete(namespace)
    this.#open.set(namespace, store)
    for (const key of this.#open.keys()) {
      if (this.#open.size <= KEPT) break
      this.#open.delete(key)
    }
    return store
  }

  forget(namespace: string): void {
    this.#open.delete(namespace)
  }
}

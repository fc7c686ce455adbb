import type { SessionStore } from "@orra/core"
import { postgresStore, sqliteStore } from "./index.ts"

/** A store by its URL or path: for processes of a test. */
export const openAt = (place: string): Promise<SessionStore> =>
  place.startsWith("postgres:")
    ? postgresStore({ url: place, maxConnections: 4 })
    : sqliteStore({ path: place })

import type { SessionStore } from "@orra/core"
import { postgresStore, sqliteStore } from "./index.ts"

/** A store by its path, or by its URL with the schema behind a "#": for processes of a test. */
export async function openAt(place: string): Promise<SessionStore> {
  if (!place.startsWith("postgres:")) return await sqliteStore({ path: place })
  const [url = "", schema = "orra"] = place.split("#")
  return await postgresStore({ url, schema, maxConnections: 4 })
}

// The process that the kill test kills: appends to several sessions at once and tells what was acknowledged.

import { Namespace } from "@orra/core"
import { say } from "@orra/testing/process"
import { postgresStore } from "./postgres-store.ts"
import { sqliteStore } from "./sqlite-store.ts"

/** A line of its output: the session and the number of an entry that is durable. */
export type Acknowledged = readonly [key: string, seq: number]

export const SESSIONS = ["a", "b", "c", "d"].map((name) => Namespace.of("kill", name))

/** `place` is a file, or the URL of a server. */
async function main(place: string): Promise<void> {
  const store = place.startsWith("postgres:")
    ? await postgresStore({ url: place, maxConnections: 4 })
    : await sqliteStore({ path: place })
  await Promise.all(
    SESSIONS.map(async (ns) => {
      const lease = await store.acquire(ns, "appender", 3_600_000)
      if (!lease) throw new Error("The lease of a dead process of the same owner must be free.")
      for (let expected = (await store.info(ns))?.version ?? 0; ; expected++) {
        const pieces = [{ type: "text", text: `${expected + 1}` }] as const
        const delta = { type: "delta", at: 1, runId: "r", messageId: "m", pieces } as const
        const [entry] = await store.append(ns, [delta], { expected, lease })
        if (entry) await say([ns.key, entry.seq] satisfies Acknowledged)
      }
    }),
  )
}

const [, script, place] = process.argv
if (script === import.meta.filename && place !== undefined) await main(place)

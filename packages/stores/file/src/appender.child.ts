// The process that the kill test kills: turns in several sessions at once, and records, told when they are acknowledged.

import { Namespace, type NewEntry, userMessage } from "@orra/core"
import { say } from "@orra/testing/process"
import { fileStore } from "./file-store.ts"

/** A line of its output: the session, the number of its last durable entry, and of durable turns counted in a record. */
export type Acknowledged = readonly [key: string, seq: number, turns: number]

export const SESSIONS = ["a", "b", "c", "d"].map((name) => Namespace.of("kill", name))

/** A question with two pieces of an answer, which is then written whole in their place. */
export const QUESTION: readonly NewEntry[] = [
  { type: "user", at: 1, message: userMessage("ä".repeat(50)) },
  ...["1", "2"].map(
    (text): NewEntry => ({
      type: "delta",
      at: 1,
      runId: "r",
      messageId: "m",
      pieces: [{ type: "text", text }],
    }),
  ),
]
export const ANSWER: NewEntry = {
  type: "assistant",
  at: 1,
  runId: "r",
  messageId: "m",
  message: { role: "assistant", parts: [{ type: "text", text: "12" }] },
  status: "complete",
}

async function main(path: string): Promise<void> {
  const store = await fileStore({ path })
  const counts = store.records("counts")
  await Promise.all(
    SESSIONS.map(async (ns) => {
      const lease = await store.acquire(ns, "appender", 3_600_000)
      if (!lease) throw new Error("Nobody else can hold the lease.")
      let version = (await store.info(ns))?.version ?? 0
      let turns = Number((await counts.get(ns, "turns"))?.value ?? 0)
      for (;;) {
        // The process before may have stopped between the question and the answer.
        const pieces = await store.read(ns, { types: ["delta"] })
        if (pieces.length === 0) {
          version += (await store.append(ns, QUESTION, { expected: version, lease })).length
          await say([ns.key, version, turns] satisfies Acknowledged)
        }
        const dropDeltas = { from: version - 1, to: version }
        version += (await store.append(ns, [ANSWER], { expected: version, lease, dropDeltas })).length
        await counts.put(ns, "turns", ++turns)
        await say([ns.key, version, turns] satisfies Acknowledged)
      }
    }),
  )
}

const [, script, path] = process.argv
if (script === import.meta.filename && path !== undefined) await main(path)

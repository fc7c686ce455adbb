import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Namespace, type NewEntry } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"

const PARAGRAPH =
  "A paragraph of an answer with **some** emphasis and `code`, as long as such paragraphs are. "

/** Writes a chat of `messages` messages into the data of a Herald that is not running. */
export async function writeLongChat(folder: string, messages: number): Promise<string> {
  const data = join(folder, "data")
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const store = await sqliteStore({ path: join(data, "herald.db") })
  const namespace = Namespace.of("web", "long")
  const lease = await store.acquire(namespace, "seed", 60_000)
  if (!lease) throw new Error("The store is in use.")
  const start = Date.now() - messages * 60_000
  let version = 0
  let batch: NewEntry[] = [{ type: "meta", at: start, patch: { title: "A long chat" } }]
  const flush = async () => {
    await store.append(namespace, batch, { expected: version, lease })
    version += batch.length
    batch = []
  }
  for (let turn = 1; turn <= messages / 2; turn++) {
    const at = start + turn * 120_000
    const runId = `run-${turn}`
    batch.push(
      { type: "user", at, message: { role: "user", parts: [{ type: "text", text: `Question ${turn}?` }] } },
      { type: "run_started", at, runId },
      {
        type: "assistant",
        at,
        runId,
        messageId: `m-${turn}`,
        status: "complete",
        finishReason: "stop",
        message: {
          role: "assistant",
          parts: [{ type: "text", text: `Answer ${turn}.\n\n${PARAGRAPH.repeat(1 + (turn % 7))}` }],
        },
      },
      {
        type: "run_finished",
        at,
        runId,
        outcome: "completed",
        usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
      },
    )
    if (batch.length >= 1_000) await flush()
  }
  await flush()
  await store.release(lease)
  await store.close()
  return namespace.key
}

import { join } from "node:path"
import {
  charEstimator,
  Namespace,
  type NewEntry,
  NO_USAGE,
  pin,
  Runtime,
  type SessionStore,
  type Tokenizer,
  userMessage,
} from "@orra/core"
import { scriptedProvider, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { testFolder } from "./fixture.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

const TURN = 10

/** A turn with a tool call, as a run writes it, and what else a session has: ten entries. */
function turn(n: number): readonly NewEntry[] {
  const runId = `run-${n}`
  const at = n
  const call = { id: `call-${n}`, name: "look", arguments: { n } }
  const text = `${n} `.padEnd(200, "words ")
  return [
    { type: "input", at, inputId: `input-${n}`, mode: "queue", message: userMessage(text) },
    { type: "user", at, inputId: `input-${n}`, message: userMessage(text) },
    { type: "run_started", at, runId },
    {
      type: "assistant",
      at,
      runId,
      messageId: `asks-${n}`,
      status: "complete",
      message: { role: "assistant", parts: [{ type: "tool_call", ...call }] },
    },
    {
      type: "tool_intent",
      at,
      runId,
      callId: call.id,
      name: call.name,
      arguments: call.arguments,
      decision: "allow",
      reason: "",
      idempotencyKey: `${n}`,
    },
    {
      type: "tool_result",
      at,
      runId,
      callId: call.id,
      result: {
        type: "tool_result",
        callId: call.id,
        name: call.name,
        status: "ok",
        content: [{ type: "text", text }],
      },
    },
    {
      type: "assistant",
      at,
      runId,
      messageId: `answers-${n}`,
      status: "complete",
      message: { role: "assistant", parts: [{ type: "text", text }] },
    },
    { type: "run_finished", at, runId, outcome: "completed", usage: NO_USAGE },
    { type: "meta", at, patch: { seen: n } },
    { type: "meta", at, patch: { title: `Turn ${n}` } },
  ]
}

async function fill(store: SessionStore, ns: Namespace, entries: number): Promise<void> {
  const lease = await store.acquire(ns, "filler", 600_000)
  if (!lease) throw new Error("The lease is taken.")
  for (let version = 0; version < entries; ) {
    const batch: NewEntry[] = []
    while (batch.length < 5_000 && version + batch.length < entries)
      batch.push(...turn((version + batch.length) / TURN))
    await store.append(ns, batch, { expected: version, lease })
    version += batch.length
  }
  await store.release(lease)
}

interface Cost {
  readonly counted: number
  readonly reads: number
  readonly entries: number
}

/** What it takes to open a session of so many entries and answer in it, and what each answer after that takes. */
async function costs(entries: number): Promise<{ readonly cold: Cost; readonly warm: readonly Cost[] }> {
  const inner = await sqliteStore({ path: join(folder, `${entries}.db`) })
  const ns = Namespace.of("tenant", "acme", `${entries}`)
  await fill(inner, ns, entries)
  const store = watchedStore(inner)
  let counted = 0
  const tokenizer: Tokenizer = {
    count: (text) => {
      counted++
      return charEstimator.count(text)
    },
  }
  const start = () =>
    new Runtime({
      provider: scriptedProvider([], { otherwise: "answer" }),
      store,
      tokenizer,
      systemPrompt: "You are here.",
      context: { maxTokens: 1_000, reservedForOutput: 0 },
    })
  // Something old that the model has to see all the same.
  await pin(start(), ns, 2)
  expect((await inner.info(ns))?.version).toBe(entries + 1)
  const runtime = start()
  const measured = async (): Promise<Cost> => {
    counted = 0
    store.reset()
    await runtime.run(ns, "one more")
    return { counted, reads: store.calls.read, entries: store.entriesRead }
  }
  const cold = await measured()
  const warm = [await measured(), await measured(), await measured()]
  await runtime.close()
  await inner.close()
  return { cold, warm }
}

describe("a turn in a session of 100,000 entries", { timeout: 300_000 }, () => {
  test("counts, reads and asks for exactly what one of 1,000 does, opened anew or open, and hardly more than one of 100", async () => {
    const [hundred, thousand, many] = [await costs(100), await costs(1_000), await costs(100_000)]
    expect(many).toEqual(thousand)
    expect(many.warm).toEqual(hundred.warm)
    // In what is open only the new message, its answer and the system text are counted, and nothing is read.
    for (const { counted, entries } of many.warm) {
      expect(counted).toBeLessThanOrEqual(4)
      expect(entries).toBe(0)
    }
    // A session that is opened is read back in pages, as far as the model's view goes.
    expect(many.cold.entries).toBeLessThan(100 + 2 * 200 + 10)
    // Each message of the view is counted once: it has no more than twenty-five of them.
    expect(many.cold.counted).toBeLessThan(40)
  })
})

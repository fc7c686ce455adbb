import { call, say, scriptedProvider, wait, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { charEstimator } from "./context.ts"
import { readHistory } from "./history.ts"
import {
  type Entry,
  MemoryStore,
  Namespace,
  type NewEntry,
  type RunEvent,
  Runtime,
  type SessionStore,
  tool,
  userMessage,
} from "./index.ts"
import { SessionLog } from "./session-log.ts"

const ns = Namespace.of("tenant", "acme", "chat")

interface Opened {
  readonly log: SessionLog
  readonly announced: Entry[]
}

async function open(store: SessionStore, viewTokens = 10_000): Promise<Opened> {
  const announced: Entry[] = []
  const log = await SessionLog.open(ns, store, {
    tokenizer: charEstimator,
    viewTokens,
    maxResultTokens: viewTokens * 0.3,
    onAppend: (_, entries) => announced.push(...entries),
    onDeleted: () => {},
  })
  return { log, announced }
}

const title = (text: string): NewEntry => ({ type: "meta", at: 1, patch: { title: text } })
const input = (inputId: string): NewEntry => ({
  type: "input",
  at: 1,
  inputId,
  mode: "queue",
  message: userMessage(inputId),
})

/** Writes as the holder of the lease, like a run would. */
async function write(store: SessionStore, entries: readonly NewEntry[]): Promise<void> {
  const lease = await store.acquire(ns, "writer", 60_000)
  if (!lease) throw new Error("The lease is taken.")
  const version = (await store.info(ns))?.version ?? 0
  await store.append(ns, entries, { expected: version, lease })
  await store.release(lease)
}

const turn = (text: string): NewEntry[] => [
  { type: "user", at: 1, message: userMessage(text) },
  { type: "run_started", at: 1, runId: text },
  {
    type: "assistant",
    at: 1,
    runId: text,
    messageId: text,
    status: "complete",
    message: { role: "assistant", parts: [{ type: "text", text: `re ${text}` }] },
  },
  {
    type: "run_finished",
    at: 1,
    runId: text,
    outcome: "completed",
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  },
]

describe("several writers", () => {
  test("on one store conflict, catch up and lose nothing", async () => {
    const store = new MemoryStore()
    const { log: one } = await open(store)
    const { log: two } = await open(store)
    const titles = Array.from({ length: 40 }, (_, index) => `${index}`)
    await Promise.all(titles.map((text, index) => (index % 2 ? one : two).append([title(text)])))
    const written = (await store.read(ns)).map((entry) => (entry.type === "meta" ? entry.patch["title"] : ""))
    expect(written.toSorted()).toEqual(titles.toSorted())
    await one.refresh()
    await two.refresh()
    expect(one.info).toEqual(two.info)
    expect(one.version).toBe(40)
  })

  test("each log announces every entry once and in order, also those of the other", async () => {
    const store = new MemoryStore()
    await write(store, [title("start")])
    const one = await open(store)
    const two = await open(store)
    for (let index = 0; index < 10; index++) await (index % 3 ? one : two).log.append([title(`${index}`)])
    await one.log.refresh()
    await two.log.refresh()
    for (const { announced } of [one, two]) {
      expect(announced.map((entry) => entry.seq)).toEqual(Array.from({ length: 10 }, (_, index) => index + 2))
    }
  })

  test("what is built is built again after a conflict, from the state that is", async () => {
    const store = new MemoryStore()
    const { log } = await open(store)
    await log.append([input("a")])
    await store.append(ns, [{ type: "input_cancelled", at: 1, inputId: "a" }], { expected: 1 })
    const cancelled = await log.append(() =>
      log.inputs.length > 0 ? [{ type: "input_cancelled", at: 1, inputId: "a" }] : undefined,
    )
    expect(cancelled).toEqual([])
    expect((await store.info(ns))?.version).toBe(2)
  })

  test("what is written while the log is being read does not show in what was there before", async () => {
    const inner = new MemoryStore()
    await write(inner, turn("one"))
    let writing = true
    const store = watchedStore(inner, {
      after: async (method) => {
        if (method !== "info" || !writing) return
        writing = false
        await write(inner, [{ type: "rewind", at: 1, to: 0 }, ...turn("two")])
      },
    })
    const { log } = await open(store)
    expect(log.version).toBe(4)
    expect(log.view.map((item) => item.seq)).toEqual([1, 3])
    await log.refresh()
    expect(log.view.map((item) => item.seq)).toEqual([6, 8])
  })
})

describe("a session deleted by somebody else", () => {
  test("takes its queue and the ids seen with it", async () => {
    const store = new MemoryStore()
    const { log } = await open(store)
    await write(store, [{ type: "user", at: 1, message: userMessage("a"), inputId: "a" }, input("b")])
    await log.refresh()
    expect([log.hasSeen("a"), log.hasSeen("b"), log.inputs.length]).toEqual([true, true, 1])
    await store.delete(ns)
    await log.refresh()
    expect([log.hasSeen("a"), log.hasSeen("b"), log.inputs.length]).toEqual([false, false, 0])
    expect(log.view).toEqual([])
  })

  test("gets nothing of what was meant for it", async () => {
    const store = new MemoryStore()
    const { log } = await open(store)
    await log.append([title("old")])
    const { incarnation } = log
    await store.delete(ns)
    await expect(log.append([title("late")], { incarnation })).rejects.toMatchObject({
      code: "store_session_deleted",
    })
    expect(await store.info(ns)).toBeUndefined()
    await log.append([title("new")])
    expect((await store.info(ns))?.metadata).toEqual({ title: "new" })
  })

  test("while it runs ends the run, and leaves nothing of it in the log", async () => {
    const store = new MemoryStore()
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[say("So"), wait(gate.promise), say(" far")], "fresh"])
    const runtime = new Runtime({ provider, store, deltaIntervalMs: 0, onError: () => {} })
    const events: RunEvent[] = []
    for await (const event of runtime.stream(ns, "Hi")) {
      events.push(event)
      if (event.type !== "delta") continue
      await store.delete(ns)
      // Reading makes the log notice; the run must notice all the same.
      await readHistory(runtime, ns)
      gate.resolve()
    }
    expect(events.at(-1)).toMatchObject({ type: "failure", failure: { code: "store_session_deleted" } })
    expect(await store.info(ns)).toBeUndefined()
    expect((await runtime.run(ns, "New")).text).toBe("fresh")
    expect((await store.read(ns))[0]).toMatchObject({ seq: 1, type: "user" })
  })

  test("is not brought back by a change of its title", async () => {
    const inner = new MemoryStore()
    let gone = false
    const store = watchedStore(inner, {
      before: async (method) => {
        if (method === "append" && gone) await inner.delete(ns)
      },
    })
    const runtime = new Runtime({ provider: scriptedProvider(["ok"]), store })
    await runtime.run(ns, "Hi")
    gone = true
    await expect(runtime.update(ns, { title: "x" })).rejects.toMatchObject({ code: "not_found" })
    expect(await inner.info(ns)).toBeUndefined()
  })
})

test("while the log is read anew, whoever asks is told what was known", async () => {
  const inner = new MemoryStore()
  await write(inner, [...turn("one"), { type: "user", at: 1, message: userMessage("two") }])
  await write(inner, [{ type: "run_started", at: 1, runId: "two", tainted: true }])
  await write(inner, [input("three")])
  const seen: unknown[] = []
  const look = (): void => {
    seen.push([log.view.length, log.openRun?.runId, log.tainted, log.inputs.length])
  }
  const store = watchedStore(inner, {
    before: (method) => {
      if (method === "read" && seen.length > 0) look()
    },
  })
  const { log } = await open(store)
  look()
  await write(inner, [{ type: "rewind", at: 1, to: 6 }])
  await log.refresh()
  expect(seen.length).toBeGreaterThan(3)
  for (const state of seen) expect(state).toEqual([3, "two", true, 1])
})

describe("a store that fails while the log is read", () => {
  test("leaves nothing half read: the next look reads it all", async () => {
    const inner = new MemoryStore()
    await write(inner, [...turn("one"), ...turn("two")])
    let failing: string | undefined
    const store = watchedStore(inner, {
      before: (method) => {
        if (method === failing) throw new Error("not now")
      },
    })
    const { log } = await open(store)
    const whole = log.view
    expect(whole).toHaveLength(4)
    await write(inner, [{ type: "rewind", at: 1, to: 8 }, title("x")])
    failing = "read"
    await expect(log.refresh()).rejects.toThrow("not now")
    failing = undefined
    await log.refresh()
    expect(log.view).toEqual(whole)
    expect(log.stale).toBe(false)
  })

  test("does not make the model forget the conversation", async () => {
    const inner = new MemoryStore()
    let reads = 0
    let failAt = 0
    const store = watchedStore(inner, {
      before: (method) => {
        if (method === "read" && ++reads === failAt) throw new Error("not now")
      },
    })
    for (const offset of [1, 2, 3, 4]) {
      await inner.delete(ns)
      reads = 0
      failAt = 0
      const provider = scriptedProvider([], { otherwise: "ok" })
      const runtime = new Runtime({ provider, store, onError: () => {} })
      await runtime.run(ns, "one")
      const tip = (await runtime.info(ns))?.version ?? 0
      failAt = reads + offset
      await runtime.switchBranch(ns, tip).catch(() => {})
      await runtime.run(ns, "two").catch(() => {})
      failAt = 0
      await runtime.run(ns, "three")
      const sent = provider.requests.at(-1)?.messages.map((message) => message.parts[0])
      expect(sent?.[0], `read ${offset}`).toMatchObject({ text: "one" })
      await runtime.close()
    }
  })
})

describe("branches", () => {
  test("one that leaves a run in its middle does not close that run again", async () => {
    const store = new MemoryStore()
    const look = tool({
      name: "look",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => "x",
    })
    const provider = scriptedProvider([call("look"), "done"], { otherwise: "other" })
    const runtime = new Runtime({ provider, store, tools: [look] })
    await runtime.run(ns, "Look")
    const middle = (await store.read(ns)).find((found) => found.type === "tool_result")
    await runtime.switchBranch(ns, middle?.seq ?? 0)
    expect((await runtime.run(ns, "Other")).text).toBe("other")
    const ends = (await store.read(ns)).filter((entry) => entry.type === "run_finished")
    expect(ends.map((end) => end.outcome)).toEqual(["completed", "completed"])
  })
})

describe("the view", () => {
  test("of a fresh log is that of the one that wrote it, also with results that are shortened", async () => {
    const store = new MemoryStore()
    const { log } = await open(store, 2_000)
    const lease = await store.acquire(ns, "me", 60_000)
    for (let index = 0; index < 6; index++) {
      const [user, started, , end] = turn(`turn ${index}`)
      if (!user || !started || !end) throw new Error("unreachable")
      const runId = `turn ${index}`
      await log.append(
        [
          user,
          started,
          {
            type: "assistant",
            at: 1,
            runId,
            messageId: runId,
            status: "complete",
            message: {
              role: "assistant",
              parts: [{ type: "tool_call", id: "1", name: "big", arguments: {} }],
            },
          },
          {
            type: "tool_result",
            at: 1,
            runId,
            callId: "1",
            result: {
              type: "tool_result",
              callId: "1",
              name: "big",
              status: "ok",
              content: [{ type: "text", text: "x".repeat(100_000) }],
            },
          },
          end,
        ],
        { lease },
      )
    }
    const { log: fresh } = await open(store, 2_000)
    expect(fresh.view.length).toBeGreaterThan(3)
    expect(fresh.viewTokens).toBeGreaterThan(2_000)
    expect(log.view.slice(-fresh.view.length)).toEqual(fresh.view)
  })

  test("costs a turn the same whatever came before: what is read of the store does not grow", async () => {
    const cost = async (messages: number) => {
      const inner = new MemoryStore()
      for (let index = 0; index < messages / 2; index++) await write(inner, turn(`${index}`))
      const store = watchedStore(inner)
      const provider = scriptedProvider([], { otherwise: "ok" })
      const runtime = new Runtime({ provider, store, context: { maxTokens: 5_000, reservedForOutput: 100 } })
      await runtime.run(ns, "warm")
      store.reset()
      await runtime.run(ns, "measured")
      await runtime.close()
      return { calls: { ...store.calls }, entries: store.entriesRead }
    }
    const [few, many] = [await cost(10), await cost(5_000)]
    expect(many).toEqual(few)
  })
})

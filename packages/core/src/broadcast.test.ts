import { hang, say, scriptedProvider, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { Broadcast } from "./broadcast.ts"
import {
  type Entry,
  isEntry,
  MemoryStore,
  Namespace,
  type NewEntry,
  type RunEvent,
  Runtime,
  type SessionChange,
  type SessionStore,
  StoreError,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const title = (index: number): NewEntry => ({ type: "meta", at: 1, patch: { title: `${index}` } })

/** Numbers from a seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

async function write(store: SessionStore, broadcast: Broadcast | undefined, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const expected = (await store.info(ns))?.version ?? 0
    const entries = await store.append(ns, [title(index)], { expected })
    const info = await store.info(ns)
    if (info) broadcast?.entries(ns, entries, info)
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

describe("subscribers", () => {
  test("that come and go at random see every entry once and in order, however slow they are", async () => {
    const store = new MemoryStore()
    const broadcast = new Broadcast(store)
    const total = 3_000
    const readers = upTo(25).map(async (seed) => {
      const next = random(seed)
      const seen: number[] = []
      while (seen.length < total) {
        const stop = new AbortController()
        const leaveAfter = Math.floor(next() * 400)
        let taken = 0
        for await (const event of broadcast.subscribe(ns, { after: seen.at(-1) ?? 0, signal: stop.signal })) {
          if (isEntry(event)) seen.push(event.seq)
          if (seen.length === total) break
          if (++taken > leaveAfter) {
            if (next() < 0.5) break
            stop.abort()
          }
          if (next() < 0.01) await new Promise((resolve) => setImmediate(resolve))
        }
      }
      return seen
    })
    await write(store, broadcast, total)
    for (const seen of await Promise.all(readers)) expect(seen).toEqual(upTo(total))
  })

  test("that lag far behind read the log instead, and are still told of a failure", async () => {
    const store = new MemoryStore()
    const broadcast = new Broadcast(store)
    const events: RunEvent[] = []
    const gate = Promise.withResolvers<void>()
    const reading = (async () => {
      for await (const event of broadcast.subscribe(ns, {})) {
        events.push(event)
        if (events.length === 1) await gate.promise
        // All of the entries, and the failure that found the mailbox full.
        if (events.length === 2_501) break
      }
    })()
    await new Promise((resolve) => setImmediate(resolve))
    await write(store, broadcast, 2_500)
    broadcast.notice(ns, {
      type: "failure",
      runId: "r",
      failure: { code: "store_full", message: "", retryable: false },
    })
    gate.resolve()
    await reading
    expect(events.filter((event) => event.type === "failure")).toHaveLength(1)
    expect(events.filter(isEntry).map((event) => event.seq)).toEqual(upTo(2_500))
  })

  test("that read an entry in the log before they were told of it are not given it again", async () => {
    const store = new MemoryStore()
    const broadcast = new Broadcast(store)
    const first = await store.append(ns, [title(0)], { expected: 0 })
    const reader = broadcast.subscribe(ns, { after: 0 })
    expect((await reader.next()).value).toMatchObject({ seq: 1 })
    const info = await store.info(ns)
    if (info) broadcast.entries(ns, first, info)
    const next = reader.next()
    await write(store, broadcast, 1)
    expect((await next).value).toMatchObject({ seq: 2 })
    await reader.return()
  })

  test("get what another process wrote in between, in its place", async () => {
    const store = new MemoryStore()
    const broadcast = new Broadcast(store)
    const seqs: number[] = []
    const reading = (async () => {
      for await (const event of broadcast.subscribe(ns, { after: 0 })) {
        if (isEntry(event)) seqs.push(event.seq)
        if (seqs.length === 9) break
      }
    })()
    await write(store, broadcast, 2)
    await write(store, undefined, 5)
    await write(store, broadcast, 2)
    await reading
    expect(seqs).toEqual(upTo(9))
  })

  test("hear of a run that died without a word in the log, also when they were not there yet", async () => {
    let appends = 0
    const store = watchedStore(new MemoryStore(), {
      before: (method) => {
        if (method === "append" && ++appends > 1) throw new StoreError("store_full", "The disk is full.")
      },
    })
    const runtime = new Runtime({ provider: scriptedProvider(["x"]), store, onError: () => {} })
    const { cursor } = await runtime.submit(ns, "Hi")
    await expect.poll(() => runtime.isRunning(ns)).toBe(false)
    const types: string[] = []
    for await (const event of runtime.subscribe(ns, { after: cursor })) {
      types.push(event.type)
      if (event.type === "failure") break
    }
    expect(types).toEqual(["user", "run_started", "failure"])
  })

  test("go on with the new session when theirs was deleted, whatever their cursor", async () => {
    const provider = scriptedProvider([], { otherwise: "ok" })
    const runtime = new Runtime({ provider })
    await runtime.run(ns, "1")
    await runtime.run(ns, "2")
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of runtime.subscribe(ns)) {
        if (isEntry(event)) seen.push(`${event.seq} ${event.type}`)
        if (event.type === "run_finished") break
      }
    })()
    await new Promise((resolve) => setImmediate(resolve))
    await runtime.delete(ns)
    await runtime.run(ns, "new")
    await reading
    expect(seen.filter((entry) => !entry.endsWith("delta"))).toEqual([
      "1 user",
      "2 run_started",
      expect.stringContaining("assistant"),
      expect.stringContaining("run_finished"),
    ])
    for await (const event of runtime.subscribe(ns, { after: 1_000 })) {
      expect(event).toMatchObject({ seq: 1 })
      break
    }
  })

  test("end when the runtime closes, with all that happened", async () => {
    const provider = scriptedProvider([[say("So far"), hang()]])
    const runtime = new Runtime({ provider, deltaIntervalMs: 0 })
    const events: RunEvent[] = []
    const reading = (async () => {
      for await (const event of runtime.stream(ns, "Hi")) events.push(event)
    })()
    const watching = (async () => {
      for await (const _ of runtime.watch(Namespace.of("tenant")));
    })()
    await runtime.submit(ns, "waits").catch(() => {})
    await provider.request(1)
    await runtime.close()
    await Promise.all([reading, watching])
    expect(events.at(-1)).toMatchObject({ type: "run_finished", outcome: "stopped" })
    for await (const _ of runtime.watch(ns)) throw new Error("unreachable")
  })
})

describe("watchers", () => {
  test("of a prefix hear of every session below it and of no other; a slow one of its last state", async () => {
    const provider = scriptedProvider([], { otherwise: "ok" })
    const runtime = new Runtime({ provider })
    const changes: SessionChange[] = []
    const stop = new AbortController()
    const watching = (async () => {
      for await (const change of runtime.watch(Namespace.of("a"), { signal: stop.signal }))
        changes.push(change)
    })()
    await new Promise((resolve) => setImmediate(resolve))
    await runtime.run(Namespace.of("a", "1"), "x")
    await runtime.run(Namespace.of("b", "1"), "x")
    await runtime.run(Namespace.of("a", "2"), "x")
    await runtime.delete(Namespace.of("a", "1"))
    await expect.poll(() => changes.at(-1)).toMatchObject({ type: "session_deleted" })
    stop.abort()
    await watching
    const keys = changes.map(
      (change) => (change.type === "session" ? change.info.namespace : change.namespace).key,
    )
    expect(new Set(keys)).toEqual(new Set(["a:1", "a:2"]))
    const last = changes.findLast(
      (change) => change.type === "session" && change.info.namespace.key === "a:2",
    )
    expect(last).toMatchObject({ info: { messages: 2 } })
  })
})

describe("two tenants with the same ids", () => {
  test("never see a word of each other, in requests or in events", async () => {
    const canary = { a: "canary-of-a", b: "canary-of-b" }
    const provider = scriptedProvider([], {
      otherwise: ({ messages }) => {
        const part = messages.at(-1)?.parts[0]
        return `answer to ${part?.type === "text" ? part.text : ""}`
      },
    })
    const runtime = new Runtime({ provider, deltaIntervalMs: 0 })
    const sides = (["a", "b"] as const).map((side) => ({
      side,
      other: side === "a" ? canary.b : canary.a,
      chat: Namespace.of(side, "chat"),
    }))
    const heard = new Map(sides.map(({ side }) => [side, [] as unknown[]]))
    const stop = new AbortController()
    const listening = sides.flatMap(({ side, chat }) => [
      (async () => {
        for await (const event of runtime.subscribe(chat, { after: 0, signal: stop.signal }))
          heard.get(side)?.push(event)
      })(),
      (async () => {
        for await (const change of runtime.watch(Namespace.of(side), { signal: stop.signal }))
          heard.get(side)?.push(change)
      })(),
    ])
    const work = upTo(10).flatMap((index) =>
      sides.map(async ({ side, chat }) => {
        await runtime.run(chat, `${canary[side]} ${index}`, { inputId: `same-${index}` })
        await runtime.update(chat, { title: `${canary[side]} title` })
      }),
    )
    await Promise.all(work)
    const runs = (await runtime.store.read(Namespace.of("a", "chat"), {
      types: ["run_finished"],
    })) as readonly Entry<"run_finished">[]
    // An id of one tenant is no id at all to the other.
    await expect(runtime.result(Namespace.of("b", "chat"), runs[0]?.runId ?? "")).rejects.toMatchObject({
      code: "not_found",
    })
    stop.abort()
    await Promise.all(listening)
    for (const { side, other } of sides) {
      expect(heard.get(side)?.length).toBeGreaterThan(30)
      expect(JSON.stringify(heard.get(side))).not.toContain(other)
    }
    expect(provider.requests).toHaveLength(20)
    for (const { messages } of provider.requests) {
      const text = JSON.stringify(messages)
      expect(text.includes(canary.a) && text.includes(canary.b)).toBe(false)
    }
  })
})

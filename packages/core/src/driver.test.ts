import { getEventListeners } from "node:events"
import { call, fail, hang, say, scriptedProvider, wait, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { readHistory } from "./history.ts"
import {
  MemoryStore,
  Namespace,
  type RunEvent,
  Runtime,
  type RuntimeOptions,
  type SessionStore,
  StoreError,
  tool,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const full = () => new StoreError("store_full", "The disk is full: free some space.")

const runtimeWith = (options: Partial<RuntimeOptions> & Pick<RuntimeOptions, "provider">): Runtime =>
  new Runtime({ deltaIntervalMs: 0, onError: () => {}, ...options })

const users = async (store: SessionStore): Promise<string[]> =>
  (await store.read(ns, { types: ["user"] })).flatMap((entry) =>
    entry.type === "user" ? entry.message.parts.map((part) => (part.type === "text" ? part.text : "")) : [],
  )

describe("the caller's signal", () => {
  test("stops the run also when it has begun", async () => {
    const provider = scriptedProvider([[say("So far"), hang()]])
    const stop = new AbortController()
    const runtime = runtimeWith({ provider })
    const running = runtime.run(ns, "Hi", { signal: stop.signal })
    await provider.request(1)
    stop.abort()
    expect(await running).toMatchObject({ outcome: "stopped" })
  })

  test("that fired before stops it before the model is asked", async () => {
    const provider = scriptedProvider(["never"])
    const result = await runtimeWith({ provider }).run(ns, "Hi", { signal: AbortSignal.abort() })
    expect(result).toMatchObject({ outcome: "stopped" })
    expect(provider.requests).toHaveLength(0)
  })

  test("of one message does not stop the one after it", async () => {
    const stop = new AbortController()
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider(["one", [wait(gate.promise), say("two")]])
    const runtime = runtimeWith({ provider })
    await runtime.run(ns, "1", { signal: stop.signal })
    const second = runtime.run(ns, "2")
    await provider.request(2)
    stop.abort()
    gate.resolve()
    expect(await second).toMatchObject({ outcome: "completed", text: "two" })
  })
})

describe("the queue", () => {
  test("runs each message with what its own sender asked for, and nobody else's", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(gate.promise), say("1")]], { otherwise: "ok" })
    const runtime = runtimeWith({ provider, model: "usual" })
    await runtime.submit(ns, "1", { model: "large" })
    const answers = [runtime.run(ns, "2", { model: "small" }), runtime.run(ns, "3")]
    await expect.poll(async () => (await readHistory(runtime, ns))?.queued.length).toBe(2)
    gate.resolve()
    await Promise.all(answers)
    expect(provider.requests.map((request) => request.model)).toEqual(["large", "small", "usual"])
  })

  test("obeys the signal of a message: taken back while it waits, stopped while it runs", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider(
      [
        [wait(gate.promise), say("1")],
        [say("2"), hang()],
      ],
      { otherwise: "ok" },
    )
    const runtime = runtimeWith({ provider })
    const [takeBack, stop] = [new AbortController(), new AbortController()]
    const first = runtime.run(ns, "1")
    await provider.request(1)
    const taken = runtime.run(ns, "taken back", { signal: takeBack.signal })
    const stopped = runtime.run(ns, "2", { signal: stop.signal })
    await expect.poll(async () => (await readHistory(runtime, ns))?.queued.length).toBe(2)
    takeBack.abort()
    await expect(taken).rejects.toMatchObject({ code: "input_cancelled" })
    gate.resolve()
    expect((await first).outcome).toBe("completed")
    await provider.request(2)
    stop.abort()
    expect((await stopped).outcome).toBe("stopped")
    expect(await users(runtime.store)).toEqual(["1", "2"])
    await expect.poll(() => getEventListeners(stop.signal, "abort")).toHaveLength(0)
  })

  test("takes the same message sent twice at the same moment once", async () => {
    const provider = scriptedProvider([], { otherwise: "ok" })
    const store = new MemoryStore()
    const [one, two] = [runtimeWith({ provider, store }), runtimeWith({ provider, store })]
    await readHistory(two, ns)
    const answers = await Promise.all([1, 2, 3].map(() => one.run(ns, "Hi", { inputId: "same" })))
    // The other process has not looked at the session since.
    answers.push(await two.run(ns, "Hi", { inputId: "same" }))
    expect(new Set(answers.map((answer) => answer.runId)).size).toBe(1)
    expect(await users(store)).toEqual(["Hi"])
    expect(provider.requests).toHaveLength(1)
  })

  test("comes before one that is sent later, also where a process that knows only that one takes over", async () => {
    let now = 1_000
    const store = new MemoryStore({ now: () => now })
    const dying = scriptedProvider([[say("1"), hang()]])
    const provider = scriptedProvider([], { otherwise: "ok" })
    const [one, two] = [runtimeWith({ provider: dying, store }), runtimeWith({ provider, store })]
    await readHistory(two, ns)
    await one.submit(ns, "1")
    await dying.request(1)
    expect((await one.submit(ns, "2")).status).toBe("queued")
    now += 3_600_000
    // The other process has not looked at the session since.
    await two.run(ns, "3")
    expect(await users(store)).toEqual(["1", "2", "3"])
  })

  test("is passed by messages that interrupt, each stopping the one before it", async () => {
    const provider = scriptedProvider([[say("1"), hang()]], { otherwise: "ok" })
    const runtime = runtimeWith({ provider })
    await runtime.submit(ns, "1")
    await provider.request(1)
    const results = await Promise.all(
      ["2", "3", "4"].map((text) => runtime.run(ns, text, { whenBusy: "interrupt" })),
    )
    expect(results.at(-1)?.outcome).toBe("completed")
    expect((await users(runtime.store)).toSorted()).toEqual(["1", "2", "3", "4"])
    expect((await readHistory(runtime, ns))?.queued).toEqual([])
  })

  test("goes on after a run that failed: nobody who waits is left without an answer", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(gate.promise), fail("overloaded")], "second", "third"])
    const runtime = runtimeWith({ provider })
    const first = runtime.run(ns, "1")
    await provider.request(1)
    const waiting = [runtime.run(ns, "2"), runtime.run(ns, "3")]
    await expect.poll(async () => (await readHistory(runtime, ns))?.queued.length).toBe(2)
    gate.resolve()
    await expect(first).rejects.toMatchObject({ code: "provider_overloaded" })
    expect((await Promise.all(waiting)).map((result) => result.text)).toEqual(["second", "third"])
  })

  test("loses no message between the end of a run and the look at the queue: each is answered once, in order", async () => {
    const provider = scriptedProvider([], {
      otherwise: ({ messages }) => {
        const last = messages.at(-1)?.parts[0]
        return `re ${last?.type === "text" ? last.text : ""}`
      },
    })
    const store = new MemoryStore()
    const runtime = runtimeWith({ provider, store })
    const expected = Array.from({ length: 150 }, (_, index) => `${index}`)
    const answers: Promise<string>[] = []
    for (const [index, text] of expected.entries()) {
      answers.push(runtime.run(ns, text).then((result) => result.text))
      // Let the runs come to every point of their life while more arrives.
      for (let turn = 0; turn < index % 23; turn++) await Promise.resolve()
      if (index % 7 === 0) await answers[index]
    }
    expect(await Promise.all(answers)).toEqual(expected.map((text) => `re ${text}`))
    expect(await users(store)).toEqual(expected)
    expect(provider.requests).toHaveLength(expected.length)
    await expect.poll(() => runtime.isRunning(ns)).toBe(false)
  })
})

describe("a store that fails", () => {
  test("in the middle of a run: who watches is told, and the session is usable afterwards", async () => {
    let broken = false
    const store = watchedStore(new MemoryStore(), {
      before: (method) => {
        if (broken && method === "append") throw full()
      },
    })
    const begun = Promise.withResolvers<void>()
    const provider = scriptedProvider([
      [say("So far"), { type: "wait", until: begun.promise }, say(" and on")],
      "Fine again.",
    ])
    const runtime = runtimeWith({ provider, store })
    const events: RunEvent[] = []
    for await (const event of runtime.stream(ns, "Hi")) {
      events.push(event)
      if (event.type !== "run_started") continue
      broken = true
      begun.resolve()
    }
    expect(events.at(-1)).toMatchObject({ type: "failure", failure: { code: "store_full" } })
    expect(runtime.isRunning(ns)).toBe(false)
    broken = false
    expect((await runtime.run(ns, "Again")).text).toBe("Fine again.")
    const history = await readHistory(runtime, ns)
    const ends = history?.entries.filter((entry) => entry.type === "run_finished")
    expect(ends?.map((entry) => entry.outcome)).toEqual(["interrupted", "completed"])
    expect(history?.info.openRun).toBeUndefined()
  })

  test("at the first write: submit fails, and the next one works", async () => {
    let broken = true
    const store = watchedStore(new MemoryStore(), {
      before: (method) => {
        if (broken && method === "append") throw full()
      },
    })
    const runtime = runtimeWith({ provider: scriptedProvider(["ok"]), store })
    await expect(runtime.run(ns, "1")).rejects.toMatchObject({ code: "store_full" })
    broken = false
    expect((await runtime.run(ns, "2")).text).toBe("ok")
    expect(await users(store)).toEqual(["2"])
  })

  test("at any single append of a run leaves a session that answers the next message", async () => {
    const look = tool({
      name: "look",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => "seen",
    })
    for (let at = 1; at <= 8; at++) {
      for (const when of ["before", "after"] as const) {
        let appends = 0
        const store = watchedStore(new MemoryStore(), {
          [when]: (method: string) => {
            if (method === "append" && ++appends === at) throw full()
          },
        })
        const provider = scriptedProvider([[say("hm"), call("look")], "done"], { otherwise: "done" })
        const runtime = runtimeWith({ provider, store, tools: [look] })
        const first = await runtime.run(ns, "1").catch((error: unknown) => error)
        if (first instanceof Error) expect(first).toMatchObject({ code: "store_full" })
        const second = await runtime.run(ns, "2")
        expect(second, `${when} append ${at}`).toMatchObject({ outcome: "completed", text: "done" })
        expect((await store.info(ns))?.openRun).toBeUndefined()
      }
    }
  })

  test("does not swallow a message that arrives while the failed run lets go of the session", async () => {
    let second: Promise<unknown> | undefined
    let appends = 0
    const store = watchedStore(new MemoryStore(), {
      before: async (method) => {
        if (method === "append" && ++appends === 2) throw full()
        if (method !== "release" || second) return
        second = runtime.run(ns, "2")
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      },
    })
    const runtime = runtimeWith({ provider: scriptedProvider([], { otherwise: "ok" }), store })
    await expect(runtime.run(ns, "1")).rejects.toMatchObject({ code: "store_full" })
    await expect.poll(() => second).toBeDefined()
    expect(await second).toMatchObject({ text: "ok" })
  })

  test("does not leave those who wait in the queue without word", async () => {
    let broken = false
    const gate = Promise.withResolvers<void>()
    const store = watchedStore(new MemoryStore(), {
      before: (method) => {
        if (broken && method === "append") throw full()
      },
    })
    const provider = scriptedProvider([[wait(gate.promise), say("one")]], { otherwise: "later" })
    const runtime = runtimeWith({ provider, store })
    const answers = [runtime.run(ns, "1"), runtime.run(ns, "2")]
    await expect.poll(async () => (await readHistory(runtime, ns))?.queued.length).toBe(1)
    broken = true
    gate.resolve()
    const ends = await Promise.allSettled(answers)
    expect(ends.map((end) => end.status)).toEqual(["rejected", "rejected"])
    broken = false
    expect((await runtime.run(ns, "3")).text).toBe("later")
    expect(await users(store)).toEqual(["1", "2", "3"])
  })
})

describe("two processes on one store", () => {
  test("a message queued while the other one lets go of the session is not lost", async () => {
    const inner = new MemoryStore()
    const releasing = Promise.withResolvers<void>()
    const queued = Promise.withResolvers<void>()
    const store = watchedStore(inner, {
      before: async (method) => {
        if (method !== "release") return
        releasing.resolve()
        await queued.promise
      },
    })
    const provider = scriptedProvider([], { otherwise: "ok" })
    const one = runtimeWith({ provider, store })
    const two = runtimeWith({ provider, store: inner })
    await one.run(ns, "1")
    await releasing.promise
    // The other process cannot get the lease: it writes its message to the queue, as it would for a session in use.
    const info = await inner.info(ns)
    await inner.append(
      ns,
      [
        {
          type: "input",
          at: Date.now(),
          inputId: "x",
          mode: "queue",
          message: { role: "user", parts: [{ type: "text", text: "2" }] },
        },
      ],
      { expected: info?.version ?? 0 },
    )
    await expect(two.submit(ns, "3", { whenBusy: "interrupt" })).rejects.toMatchObject({
      code: "session_busy",
    })
    queued.resolve()
    await expect.poll(() => users(inner)).toEqual(["1", "2"])
  })

  test("messages and changes of title written at the same time by both are all kept, each once", async () => {
    const store = new MemoryStore()
    const provider = scriptedProvider([], { otherwise: "ok" })
    const runtimes = [runtimeWith({ provider, store }), runtimeWith({ provider, store })]
    await runtimes[0]?.run(ns, "first")
    const work: Promise<unknown>[] = []
    for (let index = 0; index < 20; index++) {
      for (const [side, runtime] of runtimes.entries()) {
        work.push(runtime.update(ns, { [`key-${side}-${index}`]: index }))
        const inputId = `input-${side}-${index}`
        // The one that does not hold the lease may be refused, and says so; it then sends again.
        const send = async (): Promise<unknown> =>
          runtime.submit(ns, inputId, { inputId }).catch((error: { code?: string }) => {
            expect(error.code).toBe("session_busy")
            return new Promise((resolve) => setImmediate(resolve)).then(send)
          })
        work.push(send())
      }
    }
    await Promise.all(work)
    const sent = runtimes.flatMap((_, side) =>
      Array.from({ length: 20 }, (_, index) => `input-${side}-${index}`),
    )
    await expect.poll(async () => (await users(store)).length).toBe(41)
    expect((await users(store)).toSorted()).toEqual([...sent, "first"].toSorted())
    expect(Object.keys((await store.info(ns))?.metadata ?? {})).toHaveLength(40)
    const seqs = (await store.read(ns)).filter((entry) => entry.type !== "delta").map((entry) => entry.seq)
    expect(new Set(seqs).size).toBe(seqs.length)
  })

  test("the one that lost its lease writes nothing any more and says so", async () => {
    const inner = new MemoryStore()
    let stolen = false
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[say("one"), wait(gate.promise), say("two")]])
    const runtime = runtimeWith({ provider, store: inner, owner: "same" })
    const events: RunEvent[] = []
    const reading = (async () => {
      for await (const event of runtime.stream(ns, "Hi")) {
        events.push(event)
        if (event.type === "delta" && !stolen) {
          stolen = true
          await inner.acquire(ns, "same", 60_000)
          gate.resolve()
        }
      }
    })()
    await reading
    expect(events.at(-1)).toMatchObject({ type: "failure", failure: { code: "lease_lost" } })
    const types = (await inner.read(ns)).map((entry) => entry.type)
    expect(types).toEqual(["user", "run_started", "delta"])
  })

  test("switching a branch and a message that arrives meanwhile do not take the lease from one another", async () => {
    let slow = false
    const acquiring = Promise.withResolvers<void>()
    const store = watchedStore(new MemoryStore(), {
      before: async (method) => {
        if (method !== "acquire" || !slow) return
        slow = false
        acquiring.resolve()
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      },
    })
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider(["one", [say("t"), wait(gate.promise), say("wo")]])
    const runtime = runtimeWith({ provider, store })
    await runtime.run(ns, "1")
    await expect.poll(() => runtime.isRunning(ns)).toBe(false)
    const tip = (await runtime.info(ns))?.version ?? 0
    slow = true
    const switching = runtime.switchBranch(ns, tip)
    await acquiring.promise
    const running = runtime.run(ns, "2")
    await switching
    gate.resolve()
    expect((await running).text).toBe("two")
  })
})

describe("close", () => {
  test("stops what runs, leaves the queue for later, and starts nothing more", async () => {
    const store = new MemoryStore()
    const provider = scriptedProvider([[say("one"), hang()]], { otherwise: "more" })
    const runtime = runtimeWith({ provider, store })
    const { runId = "" } = await runtime.submit(ns, "1")
    await runtime.submit(ns, "2")
    await provider.request(1)
    await runtime.close()
    expect(await runtime.result(ns, runId)).toMatchObject({ outcome: "stopped" })
    expect((await readHistory(runtime, ns))?.queued).toHaveLength(1)
    expect(provider.requests).toHaveLength(1)
    await expect(runtime.submit(ns, "3")).rejects.toMatchObject({ code: "closed" })
  })

  test("does not wait for what was asked for before it and would begin after it", async () => {
    const provider = scriptedProvider([[say("one"), hang()]], { otherwise: hang() })
    const runtime = runtimeWith({ provider })
    const { cursor } = await runtime.submit(ns, "1")
    await provider.request(1)
    const again = runtime.regenerate(ns, cursor + 1)
    const refused = expect(again).rejects.toMatchObject({ code: "closed" })
    await runtime.close()
    await refused
    expect(runtime.isRunning(ns)).toBe(false)
    expect(provider.requests).toHaveLength(1)
  })
})

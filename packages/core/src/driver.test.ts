import { call, fail, hang, say, scriptedProvider, wait, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
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
  test("goes on after a run that failed: nobody who waits is left without an answer", async () => {
    const gate = Promise.withResolvers<void>()
    const provider = scriptedProvider([[wait(gate.promise), fail("overloaded")], "second", "third"])
    const runtime = runtimeWith({ provider })
    const first = runtime.run(ns, "1")
    await provider.request(1)
    const waiting = [runtime.run(ns, "2"), runtime.run(ns, "3")]
    await expect.poll(async () => (await runtime.history(ns))?.queued.length).toBe(2)
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
    const provider = scriptedProvider([
      [
        say("So far"),
        {
          type: "wait",
          until: new Promise((resolve) => {
            queueMicrotask(() => resolve(undefined))
          }),
        },
        say(" and on"),
      ],
      "Fine again.",
    ])
    const runtime = runtimeWith({ provider, store })
    const events: RunEvent[] = []
    for await (const event of runtime.stream(ns, "Hi")) {
      events.push(event)
      if (event.type === "run_started") broken = true
    }
    expect(events.at(-1)).toMatchObject({ type: "failure", failure: { code: "store_full" } })
    expect(runtime.isRunning(ns)).toBe(false)
    broken = false
    expect((await runtime.run(ns, "Again")).text).toBe("Fine again.")
    const history = await runtime.history(ns)
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
        expect(await store.info(ns)).not.toHaveProperty("openRun")
      }
    }
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
    await expect.poll(async () => (await runtime.history(ns))?.queued.length).toBe(1)
    broken = true
    gate.resolve()
    const ends = await Promise.allSettled(answers)
    expect(ends.map((end) => end.status)).toEqual(["rejected", "rejected"])
    broken = false
    expect((await runtime.run(ns, "3")).text).toBe("later")
    expect(await users(store)).toEqual(["1", "2", "3"])
  })
})

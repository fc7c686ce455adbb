import { call, fail, hang, say, scriptedProvider, watchedStore } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { readHistory } from "./history.ts"
import {
  type Entry,
  MemoryStore,
  Namespace,
  pin,
  Runtime,
  type SessionStore,
  tool,
  unpin,
  userMessage,
} from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const look = tool<{ n: number }>({
  name: "look",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: ({ n }) => `seen ${n} ${"s".repeat(150)}`,
})

/** Room for about ten turns of the size below. */
const context = { maxTokens: 1_000, reservedForOutput: 0 }
const filler = "f".repeat(200)

interface Chat {
  readonly provider: ReturnType<typeof scriptedProvider>
  readonly runtime: Runtime
  readonly store: SessionStore
  turns(n: number): Promise<void>
  entries(): Promise<readonly Entry[]>
  /** The text of the last request. */
  sent(): string
}

function chat(store: SessionStore = new MemoryStore()): Chat {
  const provider = scriptedProvider([], { otherwise: filler })
  const runtime = new Runtime({ provider, store, tools: [look], context })
  return {
    provider,
    runtime,
    store,
    async turns(n) {
      for (let turn = 0; turn < n; turn++) await runtime.run(ns, `turn ${turn} ${filler}`)
    },
    entries: () => store.read(ns),
    sent: () => JSON.stringify(provider.requests.at(-1)?.messages),
  }
}

const seqOf = async (one: Chat, type: Entry["type"]): Promise<number> =>
  (await one.entries()).find((entry) => entry.type === type)?.seq ?? 0

describe("a pinned message", () => {
  test("stays in the model's sight through every cut, also for whoever opens the session anew", async () => {
    const one = chat()
    await one.runtime.run(ns, "The door code is 4711.")
    await one.turns(2)
    await pin(one.runtime, ns, await seqOf(one, "user"))
    await one.turns(30)
    expect((await one.entries()).filter(({ type }) => type === "compaction").length).toBeGreaterThan(2)
    expect(one.sent()).toContain("4711")
    expect(one.sent()).not.toContain("turn 1 ")
    const other = chat(one.store)
    await other.turns(1)
    expect(other.sent()).toContain("4711")
  })

  test("that is one of a step keeps the whole step, whichever of its entries was named", async () => {
    for (const type of ["assistant", "tool_result"] as const) {
      const one = chat()
      one.provider.push([call("look", { n: 1 }, "a"), call("look", { n: 2 }, "b")])
      await one.runtime.run(ns, "Look")
      await pin(one.runtime, ns, await seqOf(one, type))
      await one.turns(20)
      const [first, step, results] = one.provider.requests.at(-1)?.messages ?? []
      expect(first).toMatchObject({ role: "user", origin: { kind: "host" } })
      expect(step?.parts.map((part) => part.type)).toEqual(["tool_call", "tool_call"])
      expect(results?.parts).toMatchObject([{ callId: "a" }, { callId: "b" }])
      expect(JSON.stringify(results)).toContain("seen 2")
    }
  })

  test("of what was cut away long ago comes back, and goes again with its pin", async () => {
    const one = chat()
    await one.runtime.run(ns, "The door code is 4711.")
    await one.turns(20)
    expect(one.sent()).not.toContain("4711")
    const seq = await seqOf(one, "user")
    await pin(one.runtime, ns, seq)
    await one.turns(1)
    expect(one.sent()).toContain("4711")
    expect(await readHistory(one.runtime, ns)).toMatchObject({ pins: [{ seqs: [seq] }] })
    expect(await unpin(one.runtime, ns, seq)).toBe(true)
    expect(await unpin(one.runtime, ns, seq)).toBe(false)
    await one.turns(1)
    expect(one.sent()).not.toContain("4711")
  })

  test("can be pinned while a run goes on, twice, and by two at the same time", async () => {
    const one = chat()
    await one.runtime.run(ns, "The door code is 4711.")
    one.provider.push("", [say("so"), hang()])
    const events = one.runtime.stream(ns, "Hi")
    for await (const event of events) if (event.type === "delta") break
    const other = chat(one.store)
    const [first = 0, second = 0] = (await one.entries())
      .filter(({ type }) => type === "user" || type === "assistant")
      .map(({ seq }) => seq)
    await Promise.all([
      pin(one.runtime, ns, first),
      pin(other.runtime, ns, second),
      pin(one.runtime, ns, first),
    ])
    expect(await one.runtime.stop(ns)).toBe(true)
    const pinned = (await readHistory(one.runtime, ns))?.pins.flatMap(({ seqs }) => seqs)
    expect(pinned?.toSorted()).toEqual([first, second])
  })

  test("is refused when pins would take more than their share, and nothing is written", async () => {
    const one = chat()
    await one.turns(6)
    const users = (await one.entries()).filter(({ type }) => type === "user").map(({ seq }) => seq)
    const [a = 0, b = 0, c = 0, d = 0] = users
    for (const seq of [a, b, c]) await pin(one.runtime, ns, seq)
    const { version } = (await one.runtime.info(ns)) ?? {}
    await expect(pin(one.runtime, ns, d)).rejects.toMatchObject({ code: "pins_full" })
    expect((await one.runtime.info(ns))?.version).toBe(version)
    await unpin(one.runtime, ns, a)
    await pin(one.runtime, ns, d)
  })

  test("must be one: what is no message, of another session or branch, is not found", async () => {
    const one = chat()
    await one.runtime.run(ns, "Hi")
    for (const seq of [0, -1, 1.5, Number.NaN, 2, 99]) {
      await expect(pin(one.runtime, ns, seq), `${seq}`).rejects.toMatchObject({ code: "not_found" })
    }
    await expect(pin(one.runtime, ns.child("other"), 1)).rejects.toMatchObject({ code: "not_found" })
    await one.runtime.edit(ns, 1, "Hello")
    await expect(pin(one.runtime, ns, 1)).rejects.toMatchObject({ code: "not_found" })
  })

  test("that waits for the results of its calls cannot be pinned yet", async () => {
    const gate = Promise.withResolvers<string>()
    const slow = tool({
      name: "slow",
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => gate.promise,
    })
    const provider = scriptedProvider([[call("slow"), call("slow")]], { otherwise: "ok" })
    const runtime = new Runtime({ provider, tools: [slow] })
    for await (const event of runtime.stream(ns, "Go")) {
      if (event.type !== "tool_intent") continue
      await expect(pin(runtime, ns, event.seq - 1)).rejects.toMatchObject({ code: "invalid_input" })
      gate.resolve("done")
      break
    }
    await runtime.run(ns, "And?")
    const answer = (await runtime.store.read(ns, { types: ["assistant"] }))[0]
    await pin(runtime, ns, answer?.seq ?? 0)
    const [pinned] = (await readHistory(runtime, ns))?.pins ?? []
    expect(pinned?.seqs).toHaveLength(3)
  })

  test("of another branch is not shown on this one, and is there again on its own", async () => {
    const one = chat()
    await one.runtime.run(ns, "The door code is 4711.")
    const seq = await seqOf(one, "user")
    await pin(one.runtime, ns, seq)
    await one.turns(12)
    const tip = (await one.runtime.info(ns))?.version ?? 0
    const edited = await one.runtime.edit(ns, seq, "The door is open.")
    for await (const _ of one.runtime.follow(edited));
    expect(one.sent()).not.toContain("4711")
    await one.runtime.switchBranch(ns, tip)
    await one.turns(1)
    expect(one.sent()).toContain("4711")
  })

  test("costs one read each where it is older than what is loaded, and nothing where it is not", async () => {
    const watched = watchedStore(new MemoryStore())
    const one = chat(watched)
    await one.runtime.run(ns, "The door code is 4711.")
    await one.turns(20)
    const readsOf = async (): Promise<number> => {
      const other = chat(watched)
      watched.reset()
      await readHistory(other.runtime, ns, { limit: 1 })
      return watched.calls.read
    }
    const before = await readsOf()
    await pin(one.runtime, ns, await seqOf(one, "user"))
    expect(await readsOf()).toBe(before + 1)
  })
})

test("a session whose pins and newest message are too long together says what to do", async () => {
  const one = chat()
  await one.turns(3)
  const users = (await one.entries()).filter(({ type }) => type === "user").map(({ seq }) => seq)
  for (const seq of users.slice(0, 3)) await pin(one.runtime, ns, seq)
  await expect(one.runtime.run(ns, "x".repeat(3_600))).rejects.toThrow(/unpin/)
  await expect(one.runtime.run(ns, "short")).resolves.toMatchObject({ outcome: "completed" })
})

test("a model that refuses the length gets a shorter request, with what is pinned in it", async () => {
  const one = chat()
  await one.runtime.run(ns, "The door code is 4711.")
  await pin(one.runtime, ns, await seqOf(one, "user"))
  await one.turns(4)
  const refusing = scriptedProvider([fail("context_length"), "ok"])
  const runtime = new Runtime({ provider: refusing, store: one.store, context })
  await runtime.run(ns, "Again")
  const [first, second] = refusing.requests.map(({ messages }) => messages)
  expect(second?.length).toBeLessThan(first?.length ?? 0)
  expect(second).toContainEqual(userMessage("The door code is 4711."))
})

test("a step whose result comes while it is being pinned is not pinned by half", async () => {
  const session = Namespace.of("race")
  const result = Promise.withResolvers<string>()
  let isArmed = false
  let reads = 0
  const inner = new MemoryStore()
  const store = watchedStore(inner, {
    after: async (method) => {
      // The first read finds the answer, the second what follows it.
      if (method !== "read" || !isArmed || ++reads < 2) return
      // What was read is the answer alone: its first result is written before anything is made of it.
      isArmed = false
      result.resolve("seen")
      await expect.poll(async () => (await inner.read(session, { types: ["tool_result"] })).length).toBe(1)
    },
  })
  const gate = Promise.withResolvers<string>()
  const answers = [result.promise, gate.promise]
  const look = tool({
    name: "look",
    description: "",
    input: { type: "object" },
    risk: "read",
    execute: () => answers.shift() ?? "seen",
  })
  const provider = scriptedProvider([[call("look", {}, "a"), call("look", {}, "b")], "Done."])
  const runtime = new Runtime({ provider, store, tools: [look], parallelTools: 1 })
  const running = runtime.run(session, "Go.")
  await provider.request(1)
  await expect.poll(async () => (await inner.read(session, { types: ["tool_intent"] })).length).toBe(2)
  const [answer] = await inner.read(session, { types: ["assistant"] })
  isArmed = true
  await expect(pin(runtime, session, answer?.seq ?? 0)).rejects.toMatchObject({ code: "invalid_input" })
  gate.resolve("seen")
  await running
  await pin(runtime, session, answer?.seq ?? 0)
  expect((await readHistory(runtime, session))?.pins[0]?.seqs).toHaveLength(3)
})

test("what was cut away is pinned while a tool runs: the run goes on", async () => {
  const store = new MemoryStore()
  const chat = Namespace.of("tenant", "acme", "late")
  const memo = tool({
    name: "memo",
    description: "Pins the first message.",
    input: { type: "object" },
    risk: "read",
    execute: async () => {
      await pin(runtime, chat, 1)
      // Somebody looks at the session, which is read anew for that.
      await readHistory(runtime, chat)
      return "pinned"
    },
  })
  const long = "word ".repeat(120)
  const runtime = new Runtime({
    provider: scriptedProvider([long, long, long, long, long, [call("memo", {})], "Done."]),
    store,
    tools: [memo],
    context: { maxTokens: 400, reservedForOutput: 0 },
  })
  for (const text of ["First", "Second", "Third", "Fourth", "Fifth"]) await runtime.run(chat, text)
  const { outcome, text } = await runtime.run(chat, "Pin it")
  await runtime.close()
  expect([outcome, text]).toEqual(["completed", "Done."])
})

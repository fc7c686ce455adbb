import { expect, onTestFinished, test } from "vitest"
import { MemoryStore } from "./memory-store.ts"
import { Namespace } from "./namespace.ts"
import { Outbox, type OutboxMessage, type OutboxOptions } from "./outbox.ts"

const ns = Namespace.of("household", "ada")
const other = Namespace.of("household", "bob")
const top = Namespace.of("household")

/** An outbox on a clock of the test's own. What `fails` says is not delivered. */
function fixture(options: Partial<OutboxOptions> = {}) {
  const store = new MemoryStore()
  const clock = { now: 1_000 }
  const arrived: string[] = []
  const outbox = new Outbox(Object.assign(store, { now: async () => clock.now }), {
    deliver: async ({ namespace, key }) => void arrived.push(`${namespace.segments[1]} ${key}`),
    ...options,
  })
  return { store, clock, arrived, outbox, records: store.records("outbox") }
}

const failing =
  (fails: (message: OutboxMessage) => boolean, arrived: string[]): OutboxOptions["deliver"] =>
  async (message) => {
    if (fails(message)) throw new Error("The receiver is down.")
    arrived.push(message.key)
  }

test("messages arrive in the order they were added, and leave nothing behind", async () => {
  const { outbox, arrived, records } = fixture()
  for (const key of ["c", "a", "b"]) expect(await outbox.add(ns, key, { key })).toBe(true)
  await outbox.add(other, "x", 1)
  expect((await outbox.list(ns)).map(({ key }) => key)).toEqual(["c", "a", "b"])
  expect(await outbox.deliver(ns)).toBeUndefined()
  expect(arrived).toEqual(["ada c", "ada a", "ada b"])
  expect(await outbox.deliver(top)).toBeUndefined()
  expect(arrived.at(-1)).toBe("bob x")
  expect((await records.list(top, { below: true })).items).toEqual([])
  expect(await outbox.add(ns, "c", 2)).toBe(true)
})

test("a key waits once, also where many add it at once, and is another namespace's own", async () => {
  const { outbox, arrived } = fixture()
  const added = await Promise.all([1, 2, 3].map((value) => outbox.add(ns, "k", value)))
  expect(added.filter(Boolean)).toHaveLength(1)
  expect(await outbox.add(other, "k", 1)).toBe(true)
  const many = Array.from({ length: 20 }, (_, index) => `m${index}`)
  await Promise.all(many.map((key) => outbox.add(ns, key, 1)))
  await outbox.deliver(top)
  expect(arrived.toSorted()).toEqual(["ada k", ...many.map((key) => `ada ${key}`), "bob k"].toSorted())
})

test("a failed message is tried again after pauses that double, and those behind it wait", async () => {
  const arrived: string[] = []
  const errors: unknown[] = []
  const { outbox, clock } = fixture({
    deliver: failing(({ key, attempts }) => key === "a" && attempts < 4, arrived),
    maxPauseMs: 3_000,
    onError: (error, { attempts }) => errors.push([String(error), attempts]),
  })
  await outbox.add(ns, "a", 1)
  await outbox.add(ns, "b", 1)
  for (const pause of [1_000, 2_000, 3_000]) {
    expect(await outbox.deliver(top)).toBe(pause)
    expect(arrived).toEqual([])
    clock.now += pause - 1
    expect(await outbox.deliver(top)).toBe(1)
    clock.now += 1
  }
  expect(await outbox.deliver(top)).toBeUndefined()
  expect(arrived).toEqual(["a", "b"])
  expect(errors).toEqual([1, 2, 3].map((attempts) => ["Error: The receiver is down.", attempts]))
})

test("after so many failures a message is dead, and the others go on", async () => {
  const arrived: string[] = []
  let down = true
  const deliver = failing(({ key }) => down && key === "a", arrived)
  const { outbox, clock, records } = fixture({ deliver, maxAttempts: 2 })
  await outbox.add(ns, "a", 1)
  await outbox.add(ns, "b", 1)
  expect(await outbox.deliver(top)).toBe(1_000)
  clock.now += 1_000
  expect(await outbox.deliver(top)).toBeUndefined()
  expect(arrived).toEqual(["b"])
  expect(await outbox.list(top)).toEqual([
    { namespace: ns, key: "a", value: 1, attempts: 2, error: "The receiver is down.", dead: true },
  ])
  expect(await outbox.add(ns, "a", 2)).toBe(false)
  expect(await outbox.add(ns, "c", 2)).toBe(true)
  await outbox.deliver(top)
  down = false
  expect(await outbox.revive(ns, "a")).toBe(true)
  expect(await outbox.revive(other, "a")).toBe(false)
  await outbox.deliver(top)
  expect(arrived).toEqual(["b", "c", "a"])
  expect((await records.list(top, { below: true })).items).toEqual([])
})

test("a message can be given up", async () => {
  const { outbox, arrived, records } = fixture()
  await outbox.add(ns, "a", 1)
  await outbox.add(ns, "b", 1)
  expect(await outbox.remove(ns, "a")).toBe(true)
  expect(await outbox.remove(ns, "a")).toBe(false)
  await outbox.deliver(top)
  expect(arrived).toEqual(["ada b"])
  expect((await records.list(top, { below: true })).items).toEqual([])
})

test("of two that deliver at once one tries a message, and the other when its time is over", async () => {
  const hangs = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const {
    store,
    clock,
    outbox: slow,
  } = fixture({
    attemptMs: 3_600_000,
    deliver: () => {
      started.resolve()
      return hangs.promise
    },
  })
  const arrived: OutboxMessage[] = []
  const quick = new Outbox(store, { deliver: async (message) => void arrived.push(message) })
  await slow.add(ns, "a", 1)
  await slow.add(ns, "b", 1)
  const first = slow.deliver(top)
  await started.promise
  expect(await quick.deliver(top)).toBe(3_600_000)
  expect(arrived).toEqual([])
  clock.now += 3_600_000
  expect(await quick.deliver(top)).toBeUndefined()
  expect(arrived.map(({ key, attempts }) => [key, attempts])).toEqual([
    ["a", 2],
    ["b", 1],
  ])
  // It ends late, and changes nothing of what others did meanwhile.
  await quick.add(ns, "c", 1)
  hangs.resolve()
  expect(await first).toBe(3_600_000)
  expect((await quick.list(top)).map(({ key }) => key)).toEqual(["c"])
})

test("an attempt that takes too long has failed, and is told so", async () => {
  let signal: AbortSignal | undefined
  const { outbox } = fixture({
    attemptMs: 5,
    deliver: (_, given) => {
      signal = given
      return new Promise(() => {})
    },
  })
  await outbox.add(ns, "a", 1)
  expect(await outbox.deliver(top)).toBe(1_000)
  expect(signal?.aborted).toBe(true)
  expect((await outbox.list(top))[0]?.error).toContain("in time")
})

test("runs until it is told to stop, and notices what is added meanwhile", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const controller = new AbortController()
  onTestFinished(() => controller.abort())
  const { outbox } = fixture({ deliver: async ({ key }) => void (key === "b" && resolve()) })
  const running = outbox.run(top, { signal: controller.signal, pollMs: 3_600_000 })
  await outbox.add(ns, "a", 1)
  await outbox.add(ns, "b", 1)
  await promise
  controller.abort()
  await running
})

test("a key is needed, and a namespace", async () => {
  const { outbox } = fixture()
  await expect(outbox.add(ns, "", 1)).rejects.toMatchObject({ code: "invalid_input" })
  await expect(outbox.add(undefined as never, "a", 1)).rejects.toMatchObject({ code: "namespace_invalid" })
})

test("outboxes of different names know nothing of each other", async () => {
  const { store, outbox, arrived } = fixture()
  const others: string[] = []
  const mail = new Outbox(store, { name: "mail", deliver: async ({ key }) => void others.push(key) })
  await mail.add(ns, "letter", 1)
  await outbox.add(ns, "note", 1)
  await outbox.deliver(top)
  expect([arrived, others]).toEqual([["ada note"], []])
  await mail.deliver(top)
  expect(others).toEqual(["letter"])
})

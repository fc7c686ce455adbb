import { Namespace, VersionConflict } from "@orra/core"
import { watchedStore } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import {
  ada,
  bob,
  byAda,
  byStranger,
  newMemories,
  newStore,
  recalled,
  stores,
  wordEmbedder,
} from "./fixture.ts"
import { Memories } from "./index.ts"
import { packed, unpacked } from "./vector.ts"

const house = Namespace.of("house")

test("a namespace sees its own memories and those of all above it, and no other", async () => {
  const { memories } = await newMemories()
  for (const [namespace, content] of [
    [house, "The house has a garden."],
    [ada, "Ada's garden has roses."],
    [bob, "Bob hates gardens. And the garden."],
    [ada.child("chat"), "This chat is about the garden."],
    [Namespace.of("house", "adam"), "Adam's garden."],
    [Namespace.of("other"), "Another garden."],
  ] as const)
    await memories.remember(namespace, { content, source: byAda })
  expect([...(await recalled(memories, ada, "garden"))].sort()).toEqual([
    "Ada's garden has roses.",
    "The house has a garden.",
  ])
  expect(await recalled(memories, house, "garden")).toEqual(["The house has a garden."])
  expect(await recalled(memories, ada, "garden", { within: house })).toEqual(["The house has a garden."])
  for (const within of [bob, ada.child("chat"), Namespace.of("nowhere")])
    await expect(memories.recall(ada, "garden", { within })).rejects.toMatchObject({
      code: "memory_namespace_refused",
    })
})

test("what is seen of those below is what policy names, and says so", async () => {
  const { memories } = await newMemories("memory", {
    children: (namespace) => (namespace.equals(house) ? [ada] : []),
  })
  await memories.remember(ada, { content: "Ada's garden.", source: byAda })
  await memories.remember(bob, { content: "Bob's garden.", source: byAda })
  const { memories: found } = await memories.recall(house, "garden")
  expect(found).toMatchObject([{ memory: { namespace: ada, content: "Ada's garden." }, standing: "below" }])
  expect(await recalled(memories, bob, "garden")).toEqual(["Bob's garden."])
  for (const wrong of [bob, house, Namespace.of("household")]) {
    const { memories: careless } = await newMemories("memory", { children: () => [wrong] })
    await expect(careless.recall(ada, "garden")).rejects.toMatchObject({ code: "memory_option_invalid" })
  }
})

const segments = fc.array(fc.constantFrom("a", "b", "a:b", "ab"), { minLength: 1, maxLength: 4 })
const namespace = segments.map((all) => Namespace.of(...all))

test("whatever is remembered wherever, what is seen is what lies on the way from the root, and what policy adds", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(namespace, { maxLength: 12 }),
      namespace,
      fc.array(segments, { maxLength: 3 }),
      async (places, viewer, below) => {
        const named = below.map((each) => viewer.child(...each))
        const { memories } = await newMemories("memory", { children: () => named })
        for (const [at, place] of places.entries())
          await memories.remember(place, { content: `garden number${at}`, source: byAda })
        const seen = new Set([...viewer.lineageKeys, ...named.map(({ key }) => key)])
        const expected = places.flatMap(({ key }, at) => (seen.has(key) ? [`garden number${at}`] : []))
        expect([...(await recalled(memories, viewer, "garden"))].sort()).toEqual(expected.sort())
      },
    ),
    { numRuns: 60 },
  )
})

test("the best of all namespaces comes first, as if they were one", async () => {
  const { memories } = await newMemories()
  for (let at = 0; at < 40; at++)
    await memories.remember(ada, { content: `Note ${at} about the weather in town.`, source: byAda })
  await memories.remember(house, { content: "The wifi password hangs in the hall.", source: byAda })
  expect((await recalled(memories, ada, "what was the wifi weather"))[0]).toContain("wifi")
})

test("tags count as words, and narrow", async () => {
  const { memories } = await newMemories()
  await memories.remember(ada, { content: "Nuts.", tags: ["allergy", "food"], source: byAda })
  await memories.remember(ada, { content: "Nuts and bolts.", tags: ["tools"], source: byAda })
  expect(await recalled(memories, ada, "allergy")).toEqual(["Nuts."])
  expect(await recalled(memories, ada, "nuts", { tags: ["tools"] })).toEqual(["Nuts and bolts."])
  expect(await recalled(memories, ada, "nuts", { tags: ["food", "tools"] })).toEqual([])
})

describe.each(stores())("in the %s store", (name) => {
  test("by words, by meaning, and by both", async () => {
    const embedder = wordEmbedder()
    const { memories, store, options } = await newMemories(name, { embedder })
    for (const content of ["The cat sleeps.", "The dog barks.", "Feline food is expensive."])
      await memories.remember(ada, { content, source: byAda })
    const other = new Memories(store, options)
    expect(await recalled(other, ada, "feline", { mode: "keyword" })).toEqual(["Feline food is expensive."])
    expect(await recalled(other, ada, "feline", { mode: "vector" })).toEqual([
      "The cat sleeps.",
      "Feline food is expensive.",
    ])
    expect((await recalled(other, ada, "feline"))[0]).toBe("Feline food is expensive.")
    expect(await other.recall(ada, "feline")).toMatchObject({ mode: "hybrid", isWhole: true })
  })

  test("an embedder that is down costs no memory and no recall; what it missed is embedded later", async () => {
    const embedder = wordEmbedder()
    const errors: unknown[] = []
    const { memories } = await newMemories(name, { embedder, onError: (error) => errors.push(error) })
    embedder.down = true
    const { memory } = await memories.remember(ada, { content: "The cat sleeps.", source: byAda })
    await memories.edit(ada, memory.id, { content: "The cat purrs." }, { source: byAda })
    expect(errors).toHaveLength(2)
    embedder.down = false
    expect(await recalled(memories, ada, "feline", { mode: "vector" })).toEqual([])
    expect(await memories.embedMissing(ada)).toBe(1)
    expect(await memories.embedMissing(ada)).toBe(0)
    expect(await recalled(memories, ada, "feline", { mode: "vector" })).toEqual(["The cat purrs."])
    embedder.down = true
    const found = await memories.recall(ada, "cat")
    expect(found).toMatchObject({ mode: "keyword", failure: { message: "The service is down." } })
    expect(found.memories.map(({ memory }) => memory.content)).toEqual(["The cat purrs."])
    await expect(memories.embedMissing(ada)).resolves.toBe(0)
  })
})

test("vectors of another embedder, or of another length, are like none until they are made anew", async () => {
  const { memories, store, options } = await newMemories("memory", { embedder: wordEmbedder("old") })
  await memories.remember(ada, { content: "The cat sleeps.", source: byAda })
  const other = new Memories(store, { ...options, embedder: wordEmbedder("new") })
  expect(await other.recall(ada, "cat")).toMatchObject({ mode: "keyword" })
  expect(await other.embedMissing(ada)).toBe(1)
  expect(await other.recall(ada, "cat")).toMatchObject({ mode: "hybrid" })
  const longer = new Memories(store, { ...options, embedder: wordEmbedder("new", 128) })
  const found = await longer.recall(ada, "cat")
  expect(found.failure).toMatchObject({ code: "embedding_dimension" })
  expect(found.memories).toHaveLength(1)
  await longer.remember(ada, { content: "Another cat.", source: byAda })
  expect(await recalled(longer, ada, "cat", { mode: "keyword" })).toHaveLength(2)
})

test("a vector as it is kept points where it pointed", () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 64, maxLength: 64, min: -1, max: 1, noNaN: true }), (vector) => {
      const kept = unpacked(packed(vector))
      const [length, keptLength] = [Math.hypot(...vector), Math.hypot(...kept)]
      // So small a number that its square is none has no direction either.
      fc.pre(length > 1e-18)
      const cosine = vector.reduce((sum, each, at) => sum + each * (kept[at] ?? 0), 0) / (length * keptLength)
      expect(cosine).toBeGreaterThan(0.999)
    }),
  )
})

test("a second recall reads no more than what is new", async () => {
  const { store: inner } = await newStore("memory")
  const store = watchedStore(inner)
  const [memories, other] = [new Memories(store), new Memories(store)]
  for (let at = 0; at < 30; at++) await other.remember(ada, { content: `Fact ${at}.`, source: byAda })
  await memories.recall(ada, "fact")
  store.reset()
  expect(await recalled(memories, ada, "fact 7", { limit: 1 })).toEqual(["Fact 7."])
  // The two heads, and the one memory.
  expect(store.calls).toMatchObject({ "records.get": 3, "records.list": 0 })
  await other.remember(ada, { content: "Fact 100.", source: byAda })
  store.reset()
  expect(await recalled(memories, ada, "100")).toEqual(["Fact 100."])
  expect(store.calls["records.list"]).toBe(0)
  expect(store.calls["records.get"]).toBeLessThan(10)
})

test("so many namespaces are held, and so many memories; whoever was let go is read again", async () => {
  const { store: inner } = await newStore("memory")
  const store = watchedStore(inner)
  const memories = new Memories(store, { heldNamespaces: 2, heldMemories: 5 })
  const places = ["a", "b", "c"].map((name) => Namespace.of(name))
  for (const place of places)
    for (const fact of ["one", "two"]) await memories.remember(place, { content: fact, source: byAda })
  const lists = async (place: Namespace | undefined): Promise<number> => {
    if (!place) throw new Error("No such place.")
    const before = store.calls["records.list"]
    expect(await recalled(memories, place, "one")).toEqual(["one"])
    return store.calls["records.list"] - before
  }
  const [a, b, c] = places
  expect([await lists(a), await lists(b), await lists(a)]).toEqual([1, 1, 0])
  // b was used longest ago.
  expect([await lists(c), await lists(a), await lists(b)]).toEqual([1, 0, 1])
  for (let fact = 0; fact < 6; fact++)
    await memories.remember(Namespace.of("d"), { content: `${fact} one`, source: byAda })
  await memories.recall(Namespace.of("d"), "one")
  expect([await lists(b), await lists(b)]).toEqual([1, 0])
  memories.release(Namespace.of("b"))
  expect(await lists(b)).toBe(1)
})

test("the first recall after a start waits so long and then answers with the newest, and says so", async () => {
  const { memories: writer, store: inner, clock } = await newMemories()
  for (let at = 0; at < 600; at++) {
    await writer.remember(ada, { content: `Fact number${at}.`, source: byAda })
    clock.advance(1)
  }
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  onTestFinished(() => void vi.useRealTimers())
  const gate = Promise.withResolvers<void>()
  let pages = 0
  const store = watchedStore(inner, {
    before: async (method) => {
      if (method !== "records.list" || ++pages !== 2) return
      // The first page has been read, and the time is up.
      vi.advanceTimersByTime(5_000)
      await gate.promise
    },
  })
  const memories = new Memories(store, { clock: clock.now })
  const first = await memories.recall(ada, "number599 number0")
  expect(first.isWhole).toBe(false)
  expect(first.memories.map(({ memory }) => memory.content)).toEqual(["Fact number599."])
  gate.resolve()
  const patient = new Memories(store, { clock: clock.now })
  expect(await patient.recall(ada, "number0")).toMatchObject({
    isWhole: true,
    memories: [{ standing: "own" }],
  })
})

test("whoever stops while a namespace is read waits no longer", async () => {
  const { memories: writer, store: inner } = await newMemories()
  await writer.remember(ada, { content: "Fact.", source: byAda })
  const controller = new AbortController()
  const store = watchedStore(inner, {
    before: async (method) => {
      if (method !== "records.list") return
      controller.abort(new Error("stopped"))
      await new Promise(() => {})
    },
  })
  const { signal } = controller
  // However long it may wait otherwise.
  const memories = new Memories(store, { firstMs: 600_000 })
  await expect(memories.recall(ada, "fact", { signal })).rejects.toThrow("stopped")
})

test("another history of the namespace is read from its beginning, whatever its numbers say", async () => {
  const { memories, store, options } = await newMemories()
  const other = new Memories(store, options)
  const kept = async (): Promise<void> => {
    for (const fact of ["one", "two", "three"]) await memories.remember(ada, { content: fact, source: byAda })
  }
  await kept()
  await other.recall(ada, "one")
  const records = store.records("memories")
  for (const { key } of (await records.list(ada, { limit: 500 })).items) await records.delete(ada, key)
  expect(await recalled(other, ada, "one two three")).toEqual([])
  await other.recall(ada, "one")
  await kept()
  await memories.remember(ada, { content: "four", source: byAda })
  await other.recall(ada, "one")
  const { items } = await records.list(ada, { limit: 500 })
  await memories.remember(ada, { content: "five", source: byAda })
  await other.recall(ada, "five")
  // As it was before, and then something else: the number is the same.
  for (const { key } of (await records.list(ada, { limit: 500 })).items) await records.delete(ada, key)
  for (const { key, value } of items) await records.put(ada, key, value)
  await memories.remember(ada, { content: "six", source: byAda })
  expect(await recalled(other, ada, "five six")).toEqual(["six"])
})

test("whoever is always slower than others is not told so, but tries again", async () => {
  const { store: inner } = await newStore("memory")
  let conflicts = 3
  const store = watchedStore(inner, {
    before: (method) => {
      if (method === "records.write" && conflicts-- > 0) throw new VersionConflict(1, 2)
    },
  })
  const memories = new Memories(store)
  expect(await memories.remember(ada, { content: "one", source: byStranger })).toMatchObject({
    outcome: "added",
  })
  expect(store.calls["records.write"]).toBe(4)
})

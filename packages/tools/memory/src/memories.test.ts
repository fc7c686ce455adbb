import { Namespace } from "@orra/core"
import { faulty } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ada, bob, byAda, byStranger, contents, newMemories, recalled, stores } from "./fixture.ts"
import { Memories } from "./index.ts"

describe.each(stores())("in the %s store", (name) => {
  test("what is remembered is there, with where it comes from, newest first, also for the next process", async () => {
    const { memories, store, options, clock } = await newMemories(name)
    const first = await memories.remember(ada, {
      content: " Allergic to nuts. ",
      tags: ["health", "food"],
      source: byAda,
    })
    expect(first).toMatchObject({ outcome: "added", change: 1 })
    expect(first.memory).toEqual({
      namespace: ada,
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      content: "Allergic to nuts.",
      tags: ["food", "health"],
      source: byAda,
      createdAt: clock.now(),
      updatedAt: clock.now(),
    })
    clock.advance(1)
    const second = await memories.remember(ada, { content: "Plays chess.", source: byStranger })
    const other = new Memories(store, options)
    const { items } = await other.list(ada)
    expect(items).toEqual([second.memory, first.memory])
    expect(await other.get(ada, first.memory.id)).toEqual(first.memory)
    const page = await other.list(ada, { limit: 1 })
    expect(page.items).toEqual([second.memory])
    const next = await other.list(ada, {
      limit: 1,
      ...(page.cursor !== undefined && { cursor: page.cursor }),
    })
    expect(next.items).toEqual([first.memory])
  })

  test("two that use one store see each other's changes at once", async () => {
    const { memories, store, options } = await newMemories(name)
    const other = new Memories(store, options)
    const { memory } = await memories.remember(ada, { content: "The cat is called Miso.", source: byAda })
    expect(await recalled(other, ada, "cat")).toEqual(["The cat is called Miso."])
    await other.edit(ada, memory.id, { content: "The cat is called Tofu." }, { source: byAda })
    expect(await recalled(memories, ada, "miso")).toEqual([])
    expect(await recalled(memories, ada, "tofu")).toEqual(["The cat is called Tofu."])
    await memories.forget(ada, memory.id, { source: byAda })
    expect(await recalled(other, ada, "cat")).toEqual([])
    // Both at the same time: each is remembered once, and the numbers of the changes are all there.
    const said = Array.from({ length: 12 }, (_, at) => `Fact ${at % 6}.`)
    await Promise.all(
      said.map((content, at) => (at % 2 ? memories : other).remember(ada, { content, source: byAda })),
    )
    expect(await contents(memories, ada)).toEqual([...new Set(said)].sort())
    expect((await other.changes(ada)).map(({ number }) => number)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1])
  })

  test("forgetting and editing can be undone, and that as well", async () => {
    const { memories } = await newMemories(name)
    const { memory, change } = await memories.remember(ada, {
      content: "Likes tea.",
      tags: ["x"],
      source: byAda,
    })
    const edited = await memories.edit(
      ada,
      memory.id,
      { content: "Likes coffee.", tags: [] },
      { source: byStranger },
    )
    expect(edited.memory).toMatchObject({ content: "Likes coffee.", tags: [], source: byStranger })
    await expect(memories.undo(ada, change ?? 0, { source: byAda })).rejects.toMatchObject({
      code: "memory_changed",
    })
    const undone = await memories.undo(ada, edited.change, { source: byAda })
    expect(await memories.get(ada, memory.id)).toEqual(memory)
    expect(await recalled(memories, ada, "tea coffee")).toEqual(["Likes tea."])
    await memories.undo(ada, undone, { source: byAda })
    expect(await contents(memories, ada)).toEqual(["Likes coffee."])
    const forgotten = await memories.forget(ada, memory.id, { source: byAda })
    expect(await contents(memories, ada)).toEqual([])
    expect(await recalled(memories, ada, "coffee")).toEqual([])
    await memories.undo(ada, forgotten ?? 0, { source: byAda })
    expect(await memories.get(ada, memory.id)).toEqual(edited.memory)
    expect(await recalled(memories, ada, "coffee")).toEqual(["Likes coffee."])
    expect(await memories.changes(ada, { limit: 2 })).toMatchObject([
      { number: 6, type: "undo", ids: [memory.id], source: byAda, undoable: true },
      { number: 5, type: "forget", ids: [memory.id] },
    ])
    expect((await memories.changes(ada, { before: 3 })).map(({ type }) => type)).toEqual(["edit", "remember"])
  })

  test("what has expired is seen by nobody, by the clock, and leaves the store", async () => {
    const { memories, clock, store } = await newMemories(name)
    const { memory } = await memories.remember(ada, {
      content: "Parked on level 3.",
      ttlMs: 1_000,
      source: byAda,
    })
    await memories.remember(ada, { content: "Parks in the garage.", source: byAda })
    clock.advance(999)
    expect(await recalled(memories, ada, "level")).toEqual(["Parked on level 3."])
    clock.advance(1)
    expect(await recalled(memories, ada, "level")).toEqual([])
    expect(await memories.get(ada, memory.id)).toBeUndefined()
    expect(await contents(memories, ada)).toEqual(["Parks in the garage."])
    expect(await memories.forget(ada, memory.id, { source: byAda })).toBeUndefined()
    await expect(memories.edit(ada, memory.id, { tags: [] }, { source: byAda })).rejects.toMatchObject({
      code: "not_found",
    })
    expect(await memories.purge(ada)).toBe(1)
    expect(await memories.purge(ada)).toBe(0)
    const { items } = await store.records("memories").list(ada, { limit: 500 })
    expect(JSON.stringify(items)).not.toContain("level")
    // It may be said again, as something new.
    const again = await memories.remember(ada, { content: "Parked on level 3.", ttlMs: 1, source: byAda })
    clock.advance(1)
    const third = await memories.remember(ada, { content: "parked on LEVEL 3.", source: byAda })
    expect([again.outcome, third.outcome]).toEqual(["added", "added"])
    expect(await recalled(memories, ada, "level")).toEqual(["parked on LEVEL 3."])
  })

  test("forgotten for good is in no record, also not in what earlier changes kept", async () => {
    const { memories, store } = await newMemories(name)
    const { memory } = await memories.remember(ada, { content: "zebra one", source: byAda })
    await memories.edit(ada, memory.id, { content: "zebra two" }, { source: byAda })
    const once = await memories.forget(ada, memory.id, { source: byAda })
    await memories.undo(ada, once ?? 0, { source: byAda })
    const change = await memories.forget(ada, memory.id, { source: byAda, forGood: true })
    const { items } = await store.records("memories").list(ada, { limit: 500 })
    expect(JSON.stringify(items)).not.toContain("zebra")
    await expect(memories.undo(ada, change ?? 0, { source: byAda })).rejects.toMatchObject({
      code: "memory_undo_expired",
    })
  })

  test("whatever call of the store fails or loses its answer, doing it again leaves it as if nothing had happened", async () => {
    const { store, options } = await newMemories(name)
    const calls = new Map<string, number>()
    await told(new Memories(faulty(store, [], { calls }), options), Namespace.of("dry"))
    let number = 0
    for (const [method, count] of calls) {
      // On a disk only what writes: the others are the same calls.
      if (name === "memory" ? !method.startsWith("records.") : method !== "records.write") continue
      for (let call = 1; call <= count; call++) {
        for (const fault of ["fail", "lose"] as const) {
          const place = Namespace.of("crash", `${number++}`)
          await told(new Memories(faulty(store, [{ method, call, fault }]), options), place).catch(() => {})
          const after = new Memories(store, options)
          await told(after, place)
          expect(await contents(after, place)).toEqual(["Likes tea.", "Plays chess."])
          expect(await recalled(after, place, "tea chess coffee")).toHaveLength(2)
          const records = (await store.records("memories").list(place, { limit: 500 })).items
          expect(records.filter(({ key }) => key.startsWith("a "))).toHaveLength(2)
          expect(records.filter(({ key }) => key.startsWith("h "))).toHaveLength(2)
          expect(records.find(({ key }) => key === "head")?.value).toMatchObject({ count: 2 })
        }
      }
    }
  })
})

/** Something that can be told as often as one likes. */
async function told(memories: Memories, place: Namespace): Promise<void> {
  await memories.remember(place, { content: "Likes tea.", source: byAda })
  const { memory } = await memories.remember(place, { content: "Likes coffee.", source: byAda })
  await memories.remember(place, { content: "Plays chess.", tags: ["games"], source: byAda })
  await memories.recall(place, "tea")
  await memories.forget(place, memory.id, { source: byAda })
}

const said = fc.record({
  content: fc.constantFrom("Tea.", "tea.", "  TEA. ", "Ｔｅａ.", "Chess.", "Tea, chess."),
  tags: fc.uniqueArray(fc.constantFrom("a", "b", "c")),
  source: fc.constantFrom(byAda, byStranger),
})

test("saying the same again changes nothing, and what says the same is remembered once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(said, { maxLength: 8 }), said, async (before, again) => {
      const { memories } = await newMemories()
      for (const each of before) await memories.remember(ada, each)
      await memories.remember(ada, again)
      const { items } = await memories.list(ada)
      expect(await memories.remember(ada, again)).toMatchObject({ outcome: "known" })
      expect((await memories.list(ada)).items).toEqual(items)
      const texts = [...before, again].map(({ content }) => content.normalize("NFKC").trim().toLowerCase())
      expect(items.map(({ content }) => content.normalize("NFKC").toLowerCase()).sort()).toEqual(
        [...new Set(texts)].sort(),
      )
    }),
    { numRuns: 40 },
  )
})

test("what a person says takes the place of what came from outside, and not the other way round", async () => {
  const { memories, clock } = await newMemories()
  const soon = clock.now() + 1_000
  const stranger = await memories.remember(ada, {
    content: "TEA!",
    tags: ["obey"],
    expiresAt: soon + 5,
    source: byStranger,
  })
  const person = await memories.remember(ada, {
    content: "Tea!",
    tags: ["drinks"],
    expiresAt: soon,
    source: byAda,
  })
  const { id } = stranger.memory
  expect(person).toMatchObject({ outcome: "merged", memory: { id, source: byAda, expiresAt: soon } })
  expect(person.memory).toMatchObject({ content: "Tea!", tags: ["drinks"] })
  for (const given of [{ tags: ["obey"] }, { ttlMs: 1 }, {}]) {
    const again = await memories.remember(ada, { content: "tea!", source: byStranger, ...given })
    expect(again).toEqual({ outcome: "known", memory: person.memory })
  }
  expect(await recalled(memories, ada, "obey")).toEqual([])
})

test("what is said again by the same kind of people gets their tags and the later expiry", async () => {
  const { memories, clock } = await newMemories()
  const soon = clock.now() + 1_000
  await memories.remember(ada, { content: "Tea.", tags: ["b"], expiresAt: soon, source: byAda })
  const again = { content: "tea.", tags: ["a"], expiresAt: soon + 1, source: { outside: false } }
  expect(await memories.remember(ada, again)).toMatchObject({
    outcome: "merged",
    memory: { content: "Tea.", tags: ["a", "b"], source: byAda, expiresAt: soon + 1 },
  })
  expect(await memories.remember(ada, { content: "Tea.", ttlMs: 1, source: byAda })).toMatchObject({
    outcome: "known",
  })
  const kept = await memories.remember(ada, { content: "tea.", source: byAda })
  expect(kept.memory).not.toHaveProperty("expiresAt")
  const many = Array.from({ length: 16 }, (_, at) => `tag${at}`)
  expect(
    (await memories.remember(ada, { content: "tea.", tags: many, source: byAda })).memory.tags,
  ).toHaveLength(16)
})

const step = fc.oneof(
  fc.record({
    type: fc.constant("remember" as const),
    content: fc.constantFrom("one", "two", "three", "four"),
  }),
  fc.record({
    type: fc.constant("edit" as const),
    at: fc.nat(5),
    content: fc.constantFrom("five", "six", "one"),
  }),
  fc.record({ type: fc.constant("forget" as const), at: fc.nat(5) }),
)

/** The number of the change; undefined when nothing was done. */
async function done(
  memories: Memories,
  each: { readonly type: "remember" | "edit" | "forget"; readonly content?: string },
  id: string,
): Promise<number | undefined> {
  const { type, content = "" } = each
  if (type === "remember") return (await memories.remember(ada, { content, source: byAda })).change
  if (type === "forget") return await memories.forget(ada, id, { source: byAda })
  try {
    return (await memories.edit(ada, id, { content }, { source: byAda })).change
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^not_found$|^memory_exists$/) })
    return undefined
  }
}

test("undoing all changes, last first, goes back through every state there was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { memories } = await newMemories()
      const states: (readonly unknown[])[] = []
      const numbers: number[] = []
      for (const each of steps) {
        const { items } = await memories.list(ada)
        const id = "at" in each ? (items[each.at % Math.max(1, items.length)]?.id ?? "none") : ""
        const change = await done(memories, each, id)
        if (change === undefined) continue
        states.push(items)
        numbers.push(change)
      }
      for (const number of numbers.reverse()) {
        await memories.undo(ada, number, { source: byAda })
        const { items } = await memories.list(ada)
        expect(items).toEqual(states.pop())
        expect(await recalled(memories, ada, "one two three four five six")).toHaveLength(items.length)
      }
    }),
    { numRuns: 40 },
  )
})

test("undo ends with its time, with what is kept of changes, and where the text is taken", async () => {
  const { memories, clock, store } = await newMemories("memory", { undoMs: 1_000, maxChanges: 3 })
  const { memory } = await memories.remember(ada, { content: "secret plan", source: byAda })
  const change = await memories.forget(ada, memory.id, { source: byAda })
  await memories.remember(ada, { content: "Secret plan", source: byAda })
  await expect(memories.undo(ada, change ?? 0, { source: byAda })).rejects.toMatchObject({
    code: "memory_exists",
  })
  await expect(memories.undo(ada, 99, { source: byAda })).rejects.toMatchObject({ code: "not_found" })
  await expect(memories.undo(bob, change ?? 0, { source: byAda })).rejects.toMatchObject({
    code: "not_found",
  })
  clock.advance(1_000)
  expect(await memories.changes(ada)).toMatchObject([
    { undoable: false },
    { undoable: false },
    { undoable: false },
  ])
  await expect(memories.undo(ada, change ?? 0, { source: byAda })).rejects.toMatchObject({
    code: "memory_undo_expired",
  })
  await memories.purge(ada)
  const { items } = await store.records("memories").list(ada, { limit: 500 })
  expect(JSON.stringify(items)).not.toContain("secret plan")
  await memories.remember(ada, { content: "another", source: byAda })
  expect((await memories.changes(ada)).map(({ number }) => number)).toEqual([4, 3, 2])
})

test("what can no longer be undone goes with the changes that come after it", async () => {
  const { memories, clock, store } = await newMemories("memory", { undoMs: 1_000 })
  const { memory } = await memories.remember(ada, { content: "secret plan", source: byAda })
  await memories.edit(ada, memory.id, { content: "secret plot" }, { source: byAda })
  await memories.forget(ada, memory.id, { source: byAda })
  clock.advance(1_000)
  for (const content of ["one", "two"]) await memories.remember(ada, { content, source: byAda })
  const { items } = await store.records("memories").list(ada, { limit: 500 })
  expect(JSON.stringify(items)).not.toContain("secret")
  expect((await memories.changes(ada)).map(({ number, type }) => `${number} ${type}`)).toEqual([
    "5 remember",
    "4 remember",
    "3 forget",
    "2 edit",
    "1 remember",
  ])
})

test("a namespace has at most as many as it may; what has expired makes room", async () => {
  const { memories, clock } = await newMemories("memory", { maxMemories: 2 })
  const first = await memories.remember(ada, { content: "one", ttlMs: 10, source: byAda })
  await memories.remember(ada, { content: "two", source: byAda })
  await expect(memories.remember(ada, { content: "three", source: byAda })).rejects.toMatchObject({
    code: "memory_full",
  })
  await memories.remember(bob, { content: "three", source: byAda })
  const change = await memories.forget(ada, first.memory.id, { source: byAda })
  await memories.remember(ada, { content: "four", ttlMs: 5, source: byAda })
  await expect(memories.undo(ada, change ?? 0, { source: byAda })).rejects.toMatchObject({
    code: "memory_full",
  })
  clock.advance(5)
  await memories.remember(ada, { content: "three", source: byAda })
  expect(await contents(memories, ada)).toEqual(["three", "two"])
})

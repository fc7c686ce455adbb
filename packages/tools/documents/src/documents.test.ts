import { join } from "node:path"
import { MemoryStore, Namespace, type SessionStore } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import fc from "fast-check"
import { describe, expect, onTestFinished, test } from "vitest"
import { Documents } from "./documents.ts"
import { lettersEmbedder, newFolder, pdf, stores } from "./fixture.ts"

const ann = Namespace.of("ann")
const bob = Namespace.of("bob")

const long = (word: string): string =>
  Array.from({ length: 400 }, (_, at) => `## Part ${at}\n\n${`filler ${at} `.repeat(20)}\n`).join("\n") +
  `\n${word}\n`

async function open(kind: string): Promise<SessionStore> {
  const store = await stores[kind]?.()
  if (!store) throw new Error(kind)
  onTestFinished(() => store.close())
  return store
}

const ids = async (documents: Documents, namespace: Namespace, query: string): Promise<readonly string[]> =>
  (await documents.search(namespace, query, { limit: 20 })).passages.map(({ id }) => id)

describe.each(Object.keys(stores))("in a store of kind %s", (kind) => {
  test("what is put is found, cited, listed, read, replaced and removed", async () => {
    const documents = new Documents({ store: await open(kind), now: () => 7 })
    await documents.put(ann, [
      {
        id: "leave",
        title: "Leave",
        content: "# Leave\n\nEverybody has\r\nthirty days.",
        metadata: { by: "Eve" },
      },
      { id: "long", title: "Long", content: long("zebra") },
    ])
    const { passages, mode } = await documents.search(ann, "thirty")
    expect(mode).toBe("keyword")
    expect(passages).toMatchObject([
      {
        id: "leave",
        title: "Leave",
        heading: "Leave",
        lines: [1, 4],
        characters: [0, 35],
        metadata: { by: "Eve" },
      },
    ])
    const [zebra] = (await documents.search(ann, "zebra")).passages
    const whole = await documents.get(ann, "long")
    expect(whole?.content).toBe(long("zebra"))
    expect(zebra && whole?.content.slice(...zebra.characters)).toBe(zebra?.text)
    expect(
      whole?.content
        .split("\n")
        .slice((zebra?.lines[0] ?? 0) - 1, zebra?.lines[1])
        .join("\n"),
    ).toBe(zebra?.text)
    expect(await documents.list(ann)).toMatchObject([{ id: "leave", lines: 4, updatedAt: 7 }, { id: "long" }])

    await documents.put(ann, { id: "long", title: "Short", content: "giraffe" })
    expect(await ids(documents, ann, "zebra filler")).toEqual([])
    expect(await ids(documents, ann, "giraffe")).toEqual(["long"])
    expect((await documents.get(ann, "long"))?.content).toBe("giraffe")
    expect(await documents.remove(ann, "long")).toBe(true)
    expect(await documents.remove(ann, "long")).toBe(false)
    expect(await documents.get(ann, "long")).toBeUndefined()
    expect(await ids(documents, ann, "giraffe")).toEqual([])
  })

  test("two on one store see what the other writes; nobody sees another namespace's", async () => {
    const store = await open(kind)
    const [first, second] = [new Documents({ store }), new Documents({ store })]
    expect(await ids(second, ann, "cat")).toEqual([])
    await first.put(ann, { id: "a", title: "A", content: "cat" })
    expect(await ids(second, ann, "cat")).toEqual(["a"])
    await second.put(ann, { id: "b", title: "B", content: "cat cat" })
    await second.remove(ann, "a")
    expect(await ids(first, ann, "cat")).toEqual(["b"])
    expect(await ids(first, bob, "cat")).toEqual([])
    expect(await ids(first, ann.child("chat"), "cat")).toEqual([])
    expect(await first.get(bob, "b")).toBeUndefined()
    expect(await first.remove(bob, "b")).toBe(false)
    expect(await second.list(bob)).toEqual([])
  })

  test("many writers at once lose nothing", async () => {
    const store = await open(kind)
    const writers = Array.from({ length: 3 }, () => new Documents({ store }))
    await Promise.all(
      writers.flatMap((documents, writer) =>
        Array.from({ length: 5 }, (_, at) =>
          documents.put(ann, { id: `${writer} ${at}`, title: "T", content: `word${writer} same` }),
        ),
      ),
    )
    for (const documents of writers) expect(await ids(documents, ann, "same")).toHaveLength(15)
  })
})

test("two runtimes with connections of their own to one database: what one writes, the other finds at its next search", async () => {
  const path = join(newFolder(), "shared.db")
  const open = async (): Promise<Documents> => {
    const store = await sqliteStore({ path })
    onTestFinished(() => store.close())
    return new Documents({ store })
  }
  const [first, second] = [await open(), await open()]
  await Promise.all(
    [first, second].flatMap((documents, writer) =>
      [0, 1, 2].map((at) => documents.put(ann, { id: `${writer} ${at}`, title: "T", content: "cat" })),
    ),
  )
  for (const documents of [first, second]) expect(await ids(documents, ann, "cat")).toHaveLength(6)
  await first.put(ann, { id: "0 0", title: "T", content: "dog" })
  await second.remove(ann, "1 1")
  for (const documents of [first, second]) {
    expect(await ids(documents, ann, "dog")).toEqual(["0 0"])
    expect(await ids(documents, ann, "cat")).toEqual(["0 1", "0 2", "1 0", "1 2"])
  }
})

const word = fc.constantFrom("cat", "dog", "東京", "fish", "Fish")
const content = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(" "))
const step = fc.record({
  by: fc.nat(1),
  namespace: fc.constantFrom(ann, bob),
  id: fc.constantFrom("1", "2", "3"),
  content: fc.option(content),
  search: fc.boolean(),
})

test("however often and by whomever it was written: the index is as one that is read anew, of its namespace alone, in every store", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), content, async (steps, query) => {
      const model = new Map<Namespace, Map<string, string>>([
        [ann, new Map()],
        [bob, new Map()],
      ])
      const opened = await Promise.all(
        Object.values(stores).map(async (newStore) => {
          const store = await newStore()
          const both = [new Documents({ store, maxNamespaces: 1 }), new Documents({ store })]
          return { store, both }
        }),
      )
      for (const { by, namespace, id, content, search } of steps) {
        for (const { both } of opened) {
          if (content === null) {
            expect(await both[by]?.remove(namespace, id)).toBe(model.get(namespace)?.has(id))
          } else await both[by]?.put(namespace, { id, title: id, content })
          if (search) await both[1 - by]?.search(namespace, query)
        }
        if (content === null) model.get(namespace)?.delete(id)
        else model.get(namespace)?.set(id, content)
      }
      for (const [namespace, expected] of model) {
        const alone = new Documents({ store: new MemoryStore() })
        await alone.put(
          namespace,
          Array.from(expected, ([id, content]) => ({ id, title: id, content })),
        )
        const answer = await alone.search(namespace, query)
        for (const { both, store } of opened)
          for (const documents of [...both, new Documents({ store })])
            expect(await documents.search(namespace, query)).toEqual(answer)
      }
      for (const { store } of opened) await store.close()
    }),
    { numRuns: 6 },
  )
})

test("several namespaces are searched as one, and their scores compare", async () => {
  const [store, embedder] = [new MemoryStore(), lettersEmbedder()]
  const documents = new Documents({ store, embedder })
  await documents.put(ann, [
    { id: "same", title: "Own", content: "zebra crossing" },
    { id: "own", title: "Own", content: "nothing of it" },
  ])
  await documents.put(bob, [
    { id: "same", title: "Shared", content: "zebra zebra crossing" },
    { id: "other", title: "Shared", content: "zebra".repeat(3) },
  ])
  const together = new Documents({ store: new MemoryStore() })
  await together.put(ann, [
    { id: "1", title: "Own", content: "zebra crossing" },
    { id: "2", title: "Own", content: "nothing of it" },
    { id: "3", title: "Shared", content: "zebra zebra crossing" },
    { id: "4", title: "Shared", content: "zebra".repeat(3) },
  ])
  const scores = async (found: ReturnType<Documents["search"]>) =>
    (await found).passages.map(({ score }) => score)
  const several = documents.search([ann, bob, ann], "zebra", { mode: "keyword" })
  expect(await scores(several)).toEqual(await scores(together.search(ann, "zebra")))
  expect((await several).passages.map(({ namespace, id }) => `${namespace.key} ${id}`)).toEqual([
    "bob same",
    "ann same",
  ])
  const { passages, mode } = await documents.search([ann, bob], "zebra", { metadata: {}, id: "same" })
  expect(mode).toBe("hybrid")
  expect(new Set(passages.map(({ id }) => id))).toEqual(new Set(["same"]))
  expect(embedder.asked).toBe(5)
})

test("a document with many matching pieces takes the place of no other one", async () => {
  const documents = new Documents({ store: new MemoryStore() })
  await documents.put(ann, [
    { id: "long", title: "Cats", content: "cat cat cat. ".repeat(3_000) },
    { id: "short", title: "S", content: `one cat among ${"many other words ".repeat(50)}` },
  ])
  expect(await ids(documents, ann, "cat")).toEqual(["long", "short"])
  const within = await documents.search(ann, "cat", { id: "long", limit: 3 })
  expect(within.passages.map(({ id }) => id)).toEqual(["long", "long", "long"])
  await documents.put(ann, { id: "m", title: "M", content: "cat", metadata: { kind: "memo" } })
  const memos = await documents.search(ann, "cat", { metadata: { kind: "memo" } })
  expect(memos.passages.map(({ id }) => id)).toEqual(["m"])
})

test("whoever missed more changes than are kept reads everything anew; so does whoever knew what was erased", async () => {
  const store = new MemoryStore()
  const [reader, writer] = [new Documents({ store }), new Documents({ store })]
  await writer.put(ann, { id: "old", title: "Old", content: "old" })
  expect(await ids(reader, ann, "old")).toEqual(["old"])
  for (let at = 0; at < 1_005; at++)
    await writer.put(ann, { id: `${at % 10}`, title: "T", content: `text ${at}` })
  await writer.remove(ann, "old")
  expect(await ids(reader, ann, "old 1004")).toEqual(["4"])

  const records = store.records("documents")
  for (const { key } of (await records.list(ann, { limit: 500 })).items) await records.delete(ann, key)
  while ((await records.list(ann)).items.length > 0)
    for (const { key } of (await records.list(ann, { limit: 500 })).items) await records.delete(ann, key)
  expect(await ids(reader, ann, "text")).toEqual([])
  await new Documents({ store }).put(ann, { id: "new", title: "New", content: "text" })
  expect(await ids(writer, ann, "text")).toEqual(["new"])
})

/** A store whose process dies after so many writes. */
function dying(store: SessionStore, writes: number): Pick<SessionStore, "records"> {
  let left = writes
  const alive = async (): Promise<void> => {
    if (left-- <= 0) throw new Error("The power is off.")
  }
  return {
    records(collection) {
      const records = store.records(collection)
      return {
        ...records,
        write: async (changes) => alive().then(() => records.write(changes)),
        put: async (...change) => alive().then(() => records.put(...change)),
        delete: async (...change) => alive().then(() => records.delete(...change)),
      }
    },
  }
}

test("whoever dies while writing leaves the old document or the new one, whole, and findable", async () => {
  for (let writes = 0; writes < 4; writes++) {
    const store = new MemoryStore()
    await new Documents({ store }).put(ann, { id: "a", title: "A", content: long("before") })
    const crashing = new Documents({ store: dying(store, writes), embedder: lettersEmbedder() })
    const put = crashing.put(ann, { id: "a", title: "A", content: long("after"), metadata: { is: "new" } })
    const died = await put.then(
      () => false,
      () => true,
    )
    expect(died).toBe(writes === 0)
    for (const seen of [crashing, new Documents({ store, embedder: lettersEmbedder() })]) {
      const [word, other] = died ? ["before", "after"] : ["after", "before"]
      expect((await seen.get(ann, "a"))?.content).toBe(long(word))
      expect((await seen.search(ann, word, { mode: "keyword" })).passages).toHaveLength(1)
      expect((await seen.search(ann, other, { mode: "keyword" })).passages).toEqual([])
      expect((await seen.search(ann, word)).unembedded).toBe(died ? 1 : 0)
    }
  }
})

test("what somebody else adds costs what was added, however much there is", async () => {
  const reads = async (size: number): Promise<number> => {
    const store = new MemoryStore()
    const writer = new Documents({ store })
    await writer.put(
      ann,
      Array.from({ length: size }, (_, at) => ({ id: `${at}`, title: "T", content: `text ${at}` })),
    )
    let count = 0
    const counting: Pick<SessionStore, "records"> = {
      records: (collection) => {
        const records = store.records(collection)
        return {
          ...records,
          get: async (...key) => records.get(...key).finally(() => count++),
          list: async (...page) => records.list(...page).finally(() => (count += 1_000)),
        }
      },
    }
    const reader = new Documents({ store: counting })
    await reader.search(ann, "nothing")
    count = 0
    await writer.put(ann, { id: "new", title: "New", content: "zebra" })
    expect((await reader.search(ann, "zebra")).passages).toHaveLength(1)
    return count
  }
  const few = await reads(3)
  expect(few).toBeLessThan(6)
  expect(await reads(700)).toBe(few)
})

test("with an embedder documents are found by meaning as well, in every process", async () => {
  const store = new MemoryStore()
  const embedder = lettersEmbedder()
  const documents = new Documents({ store, embedder })
  await documents.put(ann, [
    { id: "tea", title: "ate", content: "tea eat" },
    { id: "dog", title: "dog", content: "dog good" },
  ])
  const reader = new Documents({ store, embedder: lettersEmbedder() })
  for (const seen of [documents, reader]) {
    const { passages, mode, failure, unembedded } = await seen.search(ann, "eta")
    expect({ ids: passages.map(({ id }) => id), mode, failure, unembedded }).toEqual({
      ids: ["tea"],
      mode: "hybrid",
      failure: undefined,
      unembedded: 0,
    })
  }
  const keyword = await documents.search(ann, "eta", { mode: "keyword" })
  expect(keyword.passages).toEqual([])
})

test("an embedder that is down: what is put is found by its words, the answer says so, and it is embedded later", async () => {
  const store = new MemoryStore()
  const embedder = lettersEmbedder()
  const documents = new Documents({ store, embedder })
  await documents.put(ann, { id: "tea", title: "ate", content: "tea" })
  embedder.down = true
  const { failure } = await documents.put(ann, { id: "dog", title: "dog", content: long("good") })
  expect(failure).toMatchObject({ code: "embedding_failed", message: "The embedder is down." })
  const down = await documents.search(ann, "dog")
  expect(down).toMatchObject({ mode: "keyword", failure: { code: "embedding_failed" }, unembedded: 1 })
  expect(down.passages.map(({ id }) => id)).toEqual(["dog"])
  await expect(documents.embed(ann)).rejects.toThrow("down")
  embedder.down = false
  expect(await documents.embed(ann)).toBe(1)
  for (const seen of [documents, new Documents({ store, embedder })]) {
    const up = await seen.search(ann, "good", { mode: "vector" })
    expect(up).toMatchObject({ mode: "vector", unembedded: 0 })
    expect(up.passages.map(({ id }) => id)).toContain("dog")
    expect((await seen.get(ann, "dog"))?.content).toBe(long("good"))
  }
  expect(await documents.embed(ann)).toBe(0)
})

test("vectors of another length, or of another embedder, are not compared: `embed` makes them anew", async () => {
  const store = new MemoryStore()
  const first = new Documents({ store, embedder: lettersEmbedder() })
  await first.put(ann, { id: "tea", title: "ate", content: "tea" })
  const short = { id: "letters", embed: async (texts: readonly string[]) => texts.map(() => [1, 0]) }
  const documents = new Documents({ store, embedder: short })
  expect(await documents.search(ann, "tea")).toMatchObject({
    mode: "keyword",
    failure: { code: "embedding_dimension" },
    passages: [{ id: "tea" }],
  })
  expect(await documents.put(ann, { id: "b", title: "b", content: "b" })).toMatchObject({
    failure: { code: "embedding_dimension" },
  })
  expect(await documents.embed(ann, { all: true })).toBe(2)
  expect(await documents.search(ann, "tea")).toMatchObject({ mode: "hybrid", unembedded: 0 })
  const other = new Documents({ store, embedder: { ...short, id: "other" } })
  expect(await other.search(ann, "tea")).toMatchObject({ mode: "keyword", unembedded: 2 })
})

test.each([
  ["document_empty", { id: "a", title: "A", content: " \n\u200b\u0000 " }],
  ["document_too_large", { id: "a", title: "A", content: "x".repeat(10_000_001) }],
  ["document_invalid", { id: "", title: "A", content: "x" }],
  ["document_invalid", { id: "a\nb", title: "A", content: "x" }],
  ["document_invalid", { id: "x".repeat(501), title: "A", content: "x" }],
  ["document_invalid", { id: "\ud800", title: "A", content: "x" }],
  ["document_invalid", { id: "a", title: "A", content: "x", metadata: { a: "x".repeat(10_001) } }],
])("%s is refused, and nothing is written", async (code, document) => {
  const documents = new Documents({ store: new MemoryStore() })
  const good = { id: "good", title: "Good", content: "good" }
  await expect(documents.put(ann, [good, document])).rejects.toMatchObject({ code })
  expect(await documents.list(ann)).toEqual([])
})

test("a file that was given is read by what it is, and moves with its pages", async () => {
  const store = new MemoryStore()
  const documents = new Documents({ store, embedder: lettersEmbedder() })
  const bytes = pdf(["First page", "The quokka smiles"])
  expect(await documents.putFile(ann, { name: "report.pdf", bytes })).toEqual({})
  await documents.putFile(ann, {
    id: "notes/1",
    name: "notes.html",
    bytes: Buffer.from("<title>Notes</title><h1>Wombats</h1><p>They dig."),
    metadata: { by: "Eve" },
  })
  expect(await documents.list(ann)).toMatchObject([
    { id: "notes/1", title: "Notes", metadata: { by: "Eve" }, embedder: "letters" },
    { id: "report.pdf", pages: 2, embedder: "letters" },
  ])
  const guessed = await documents.putFile(ann, {
    name: "old.txt",
    bytes: Buffer.from([0x63, 0x61, 0x66, 0xe9]),
  })
  expect(guessed.warning).toMatch(/windows-1252/)
  await expect(
    documents.putFile(ann, { name: "a.png", bytes: Buffer.from([0x89, 0x50, 0, 1]) }),
  ).rejects.toMatchObject({
    code: "document_unsupported",
  })

  const bin = ann.child("bin")
  // Whoever has no embedder moves it without vectors.
  const plain = new Documents({ store })
  expect(await plain.move(ann, bin, "report.pdf")).toBe(true)
  expect(await plain.move(ann, bin, "report.pdf")).toBe(false)
  expect((await documents.search(ann, "quokka", { mode: "keyword" })).passages).toEqual([])
  expect(await plain.list(bin)).toMatchObject([{ id: "report.pdf", pages: 2 }])
  expect((await plain.list(bin))[0]).not.toHaveProperty("embedder")
  expect(await documents.move(bin, ann, "report.pdf")).toBe(true)
  expect((await documents.search(ann, "quokka", { mode: "keyword" })).passages).toMatchObject([
    { id: "report.pdf", page: 2 },
  ])
  expect(await documents.list(bin)).toEqual([])
})

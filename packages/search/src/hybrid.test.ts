import { expect, test } from "vitest"
import { type Embedder, hybridSearch, reciprocalRankFusion, SearchIndex, VectorIndex } from "./index.ts"

const hit = (id: string) => ({ id })

test("fusion: high in both is first, and a group stands where its highest member does", () => {
  const lists = [
    [hit("a"), hit("b"), hit("c")],
    [hit("b"), hit("d"), hit("a")],
  ]
  expect(reciprocalRankFusion(lists).map(({ id }) => id)).toEqual(["b", "a", "d", "c"])
  expect(reciprocalRankFusion([[hit("a")]])).toEqual([{ id: "a", score: 1 / 61 }])
  const pieces = [
    [hit("3 x"), hit("1 y")],
    [hit("7 y"), hit("9 x")],
  ]
  const group = (id: string): string => id.slice(2)
  expect(reciprocalRankFusion(pieces, { group })).toEqual([
    { id: "3 x", score: 1 / 61 + 1 / 62 },
    { id: "7 y", score: 1 / 62 + 1 / 61 },
  ])
})

const VECTORS: Readonly<Record<string, readonly number[]>> = { feline: [1, 0], canine: [0, 1] }
const animals = (failure?: Error): Embedder => ({
  id: "animals",
  embed: async (texts) => {
    if (failure) throw failure
    return texts.map((text) => VECTORS[text] ?? [0.7, 0.7])
  },
})

function indexes() {
  const [keywords, vectors] = [new SearchIndex(), new VectorIndex()]
  for (const [id, text, vector] of [
    ["cat", "the cat sat", [1, 0.1]],
    ["dog", "the dog ran", [0.1, 1]],
    ["word", "feline is a word", [-1, -1]],
  ] as const) {
    keywords.set(id, text)
    vectors.set(id, vector)
  }
  return { keywords, vectors }
}

test("finds by words and by meaning, or by one of them", async () => {
  const options = { ...indexes(), embedder: animals() }
  const ids = async (mode?: "keyword" | "vector") => {
    const { hits } = await hybridSearch("feline", { ...options, ...(mode && { mode }) })
    return hits.map(({ id }) => id)
  }
  expect(await ids()).toEqual(["cat", "word", "dog"])
  expect(await ids("keyword")).toEqual(["word"])
  expect(await ids("vector")).toEqual(["cat", "dog"])
  const one = await hybridSearch("feline", { ...options, limit: 1, filter: (id) => id !== "dog" })
  expect(one).toMatchObject({ hits: [{ id: "cat" }], mode: "hybrid" })
})

test("an embedder that is down, or whose vectors do not fit, costs the search by meaning alone, and it is said", async () => {
  const down = await hybridSearch("feline", {
    ...indexes(),
    embedder: animals(new Error("connection refused")),
  })
  expect(down).toMatchObject({
    hits: [{ id: "word" }],
    mode: "keyword",
    failure: { code: "embedding_failed", message: "connection refused" },
  })
  const other: Embedder = { id: "other", embed: async () => [[1, 2, 3]] }
  expect(await hybridSearch("feline", { ...indexes(), embedder: other, mode: "vector" })).toMatchObject({
    hits: [{ id: "word" }],
    mode: "keyword",
    failure: { code: "embedding_dimension" },
  })
  for (const vector of [[], [Number.NaN, 1], ["x", 1] as unknown as number[]]) {
    const bad: Embedder = { id: "bad", embed: async () => [vector] }
    const { failure } = await hybridSearch("feline", { ...indexes(), embedder: bad })
    expect(failure?.code).toMatch(/^embedding_(invalid|dimension)$/)
  }
  const silent: Embedder = { id: "silent", embed: async () => [] }
  const { failure } = await hybridSearch("feline", { ...indexes(), embedder: silent })
  expect(failure?.code).toBe("embedding_invalid")
})

test("what is stopped is stopped, and no answer by words", async () => {
  const stopped = AbortSignal.abort(new Error("enough"))
  const search = hybridSearch("feline", { ...indexes(), embedder: animals(), signal: stopped })
  await expect(search).rejects.toThrow("enough")
})

test("without an embedder, or without vectors, it is a search by words", async () => {
  const { keywords } = indexes()
  const vectors = new VectorIndex()
  expect(await hybridSearch("feline", { keywords, vectors, embedder: animals() })).toMatchObject({
    mode: "keyword",
  })
  expect(await hybridSearch("feline", indexes())).toEqual({
    hits: [expect.objectContaining({ id: "word" })],
    mode: "keyword",
  })
})

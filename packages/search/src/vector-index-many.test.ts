import { expect, test } from "vitest"
import { VectorIndex } from "./index.ts"

const DIMENSIONS = 64
const SIZE = 9_000

/** The same numbers each time, between -1 and 1. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
}

/** Vectors as those of texts are: about some subjects, each with something of its own. */
function makeVectors(): readonly Float32Array[] {
  const next = numbers(7)
  const vector = (): Float32Array => Float32Array.from({ length: DIMENSIONS }, next)
  const subjects = Array.from({ length: 300 }, vector)
  return Array.from({ length: SIZE }, (_, at) => {
    const subject = subjects[at % subjects.length]
    return vector().map((own, place) => 0.8 * own + (subject?.[place] ?? 0))
  })
}

/** As the index does it, but for all. */
function nearestOf(
  vectors: readonly Float32Array[],
  lengths: readonly number[],
  wanted: Float32Array,
): readonly string[] {
  const scores = vectors.map((vector, at) => {
    let sum = 0
    for (let place = 0; place < DIMENSIONS; place++) sum += (vector[place] ?? 0) * (wanted[place] ?? 0)
    return { id: `${at}`, score: sum / (lengths[at] ?? 1) }
  })
  return scores
    .sort((a, b) => b.score - a.score)
    .slice(0, 10)
    .map(({ id }) => id)
}

test("of very many vectors the nearest are found, also after some have gone and others come", () => {
  const vectors = makeVectors()
  const index = new VectorIndex()
  for (let at = 0; at < 50; at++) index.set(`gone ${at}`, vectors[at] ?? [])
  for (const [at, vector] of vectors.entries()) {
    // Each is replaced, and those at the end are put in the place of those that go.
    if (at % 3 === 0)
      index.set(
        `${at}`,
        vector.map((each) => -each),
      )
    index.set(`${at}`, vector)
  }
  for (let at = 0; at < 50; at++) index.delete(`gone ${at}`)
  const lengths = vectors.map((vector) => Math.hypot(...vector))
  let hits = 0
  for (let query = 0; query < 10; query++) {
    const wanted = (vectors[SIZE - 1 - query] ?? new Float32Array()).map((each, at) => each + (at % 3) * 0.1)
    const nearest = nearestOf(vectors, lengths, wanted)
    const found = index.search(wanted).map(({ id }) => id)
    expect(found[0]).toBe(nearest[0])
    hits += nearest.filter((id) => found.includes(id)).length
  }
  expect(hits).toBeGreaterThanOrEqual(98)
})

test("whoever wants the far ones gets them, and all that there are", () => {
  const index = new VectorIndex()
  for (const [at, vector] of makeVectors().entries()) index.set(`${at}`, vector)
  const [wanted = []] = makeVectors()
  const scores = index.search(wanted, { limit: SIZE })
  expect(scores.length).toBeGreaterThan(4_000)
  const far = new Set(scores.slice(-5).map(({ id }) => id))
  expect(index.search(wanted, { limit: 5, filter: (id) => far.has(id) })).toEqual(scores.slice(-5))
})

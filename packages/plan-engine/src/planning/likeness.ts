import { type Embedder, embedAll, terms } from "@orra/search"

export interface LikenessOptions {
  /** Without one, texts are alike by their words. */
  readonly embedder?: Embedder
  /** How long it may take, in ms. Default 10,000. */
  readonly embedMs?: number
  /** Told when it fails: words are compared then. */
  readonly onError?: (error: unknown) => void
}

/** How alike texts are, 0 to 1, and what said so: what is enough is another number for each. */
export interface Alike {
  readonly by: "meaning" | "words"
  readonly scores: readonly number[]
}

/** Whether what the one says is also said by the other. */
export interface Pair {
  readonly part: string
  readonly whole: string
}

/** How many vectors are held: those of groundings and descriptions, which are compared with every request. */
const HELD = 2_000

/** Compares texts: by meaning where there is an embedder, and by words where there is none or it fails. */
export class Likeness {
  readonly #options: LikenessOptions
  readonly #held = new Map<string, Float32Array>()

  constructor(options: LikenessOptions) {
    this.#options = options
  }

  /** What made the vectors; undefined without an embedder. */
  get id(): string | undefined {
    return this.#options.embedder?.id
  }

  /** How alike the texts of each pair are. By words: how many of the words of the part are in the whole. */
  async of(pairs: readonly Pair[], signal?: AbortSignal): Promise<Alike> {
    const vectors = await this.vectors(
      pairs.flatMap(({ part, whole }) => [part, whole]),
      signal,
    )
    if (!vectors)
      return { by: "words", scores: pairs.map(({ part, whole }) => shareOf(wordsOf(part), wordsOf(whole))) }
    const at = (index: number): Float32Array => vectors[index] ?? new Float32Array()
    return { by: "meaning", scores: pairs.map((_, index) => cosine(at(2 * index), at(2 * index + 1))) }
  }

  /** The vectors of texts; undefined without an embedder, and when it fails, of which `onError` is told. */
  async vectors(
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[] | undefined> {
    const { embedder, embedMs = 10_000, onError = () => {} } = this.#options
    if (!embedder) return undefined
    const missing = [...new Set(texts)].filter((text) => !this.#held.has(text))
    const made = new Map<string, Float32Array>()
    try {
      const late = AbortSignal.timeout(embedMs)
      const vectors = await embedAll(embedder, missing, {
        signal: signal ? AbortSignal.any([signal, late]) : late,
      })
      for (const [index, vector] of vectors.entries()) made.set(missing[index] ?? "", vector)
    } catch (error) {
      signal?.throwIfAborted()
      onError(error)
      return undefined
    }
    const found = texts.flatMap((text) => made.get(text) ?? this.#held.get(text) ?? [])
    for (const [text, vector] of made) this.#hold(text, vector)
    return found
  }

  #hold(text: string, vector: Float32Array): void {
    const [oldest] = this.#held.keys()
    if (this.#held.size >= HELD && oldest !== undefined) this.#held.delete(oldest)
    this.#held.set(text, vector)
  }
}

/** How much two vectors point the same way; 0 for those of two models. */
export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return 0
  let [dot, ofA, ofB] = [0, 0, 0]
  for (const [index, one] of a.entries()) {
    const other = b[index] ?? 0
    dot += one * other
    ofA += one * one
    ofB += other * other
  }
  return ofA === 0 || ofB === 0 ? 0 : dot / Math.sqrt(ofA * ofB)
}

const wordsOf = (text: string): ReadonlySet<string> => new Set(terms(text).map(stem))

const shareOf = (part: ReadonlySet<string>, whole: ReadonlySet<string>): number =>
  part.size === 0 ? 0 : part.intersection(whole).size / part.size

/** A word without its commonest endings, so that "checks" and "checking" are "check". */
const stem = (word: string): string =>
  word.length < 5 ? word.replace(/s$/, "") : word.replace(/(ings?|e?d|e?s|e)$/, "")

import {
  type Json,
  type JsonObject,
  type Namespace,
  type RecordChange,
  type Records,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { allIn, timeOf } from "../stored.ts"
import { type CacheRequest, cacheKey, hashOf, sha256 } from "./cache-key.ts"
import { cosine, type Likeness } from "./likeness.ts"
import type { Plan } from "./plan.ts"
import { filled, type Skeleton, skeletonOf } from "./skeleton.ts"
import {
  commonText,
  type GivenTexts,
  looksOf,
  matched,
  specificsOf,
  type Template,
  templateOf,
  templateText,
} from "./template.ts"

export interface PlanCacheOptions {
  /** Most plans of a project; the oldest goes. Default 1,000. */
  readonly maxEntries?: number
  /** How long a plan is kept, in ms. Default 24 hours. */
  readonly ttlMs?: number
  /** How alike two requests must be by their meaning, 0 to 1. Default 0.95. */
  readonly alike?: number
}

/** A kept plan with the values of this request, and why it is it. It has yet to be proved. */
export interface CacheHit {
  readonly plan: Plan
  /** `structure`: the same words but for values. `meaning`: other words that mean the same; that has yet to be judged. */
  readonly how: "structure" | "meaning"
  /** 1, or how alike the meanings are. */
  readonly score: number
  /** The request that it was made for, without its values: "Refund order {orderId}". */
  readonly like: string
  /** What was taken from the words of this request, by name. */
  readonly lifted: JsonObject
  /** When it was kept, ms since 1970. */
  readonly keptAt: number
}

/** Whether a plan was kept, and if not, why. */
export type Kept =
  | { readonly kept: true; readonly like: string }
  | { readonly kept: false; readonly why: string }

interface Entry {
  readonly template: Template
  readonly skeleton: Skeleton
  /** What each field that the plan does not use was: it may have decided something all the same. */
  readonly unused: Readonly<Record<string, string>>
  /** Values in the words that are not lifted: another request must have the same. */
  readonly literals: readonly string[]
  /** What each lifted value looks like; undefined when that does not tell them apart. */
  readonly looks?: readonly string[]
  readonly vector?: { readonly of: string; readonly numbers: string }
  readonly keptAt: number
}

const INDEX = "index"

type Index = readonly { readonly of: string; readonly id: string; readonly keptAt: number }[]

/**
 * Plans of a project's earlier requests, for requests that are the same but for their values. What is kept has no value of
 * the request it was made for (`skeletonOf`); whoever takes it out puts in those of the new one, and proves it anew. It is kept for
 * exactly these services with these schemas, this grounding, and data of this form.
 */
export class PlanCache {
  readonly #store: Pick<SessionStore, "records" | "now">
  readonly #records: Records
  readonly #root: Namespace
  readonly #likeness: Likeness
  readonly #options: Required<PlanCacheOptions>

  constructor(
    store: Pick<SessionStore, "records" | "now">,
    root: Namespace,
    likeness: Likeness,
    options: PlanCacheOptions,
  ) {
    this.#store = store
    this.#records = store.records("plan-cache")
    this.#root = root
    this.#likeness = likeness
    this.#options = { maxEntries: 1_000, ttlMs: 24 * 3_600_000, alike: 0.95, ...options }
  }

  /** The kept plans that fit a request, the likeliest first; at most one by meaning. */
  async find(request: CacheRequest): Promise<readonly CacheHit[]> {
    const { projectId, action, data, signal } = request
    const key = cacheKey(request)
    if (key === undefined) return []
    const now = await this.#now()
    const all = await allIn<Entry>(this.#records, this.#root.child(projectId, key))
    const entries = all.filter(
      ({ keptAt, unused }) =>
        now - keptAt < this.#options.ttlMs &&
        Object.entries(unused).every(([field, hash]) => sha256(JSON.stringify(data[field])) === hash),
    )
    const given = givenTexts(data)
    const same = entries.flatMap((entry) => {
      const texts = matched(entry.template, action, given)
      return hitOf(entry, texts, data, "structure", 1)
    })
    if (same.length > 0) return same
    return await this.#byMeaning(entries, { action, data, given, signal })
  }

  /** Keeps a plan that was proved, without the values of its request. */
  async keep(request: CacheRequest, plan: Plan): Promise<Kept> {
    const { projectId, action, data, services, signal } = request
    const key = cacheKey(request)
    if (key === undefined) return { kept: false, why: "the request is too long, or is no well-formed text" }
    const free = skeletonOf(plan, services, data)
    if ("why" in free) return { kept: false, why: free.why }
    const { skeleton, texts, used } = free
    const given = givenTexts(data)
    const made = templateOf(action, texts, given)
    if ("why" in made) return { kept: false, why: made.why }
    const { template } = made
    const unused = Object.keys(data).filter((field) => !used.has(field))
    const looks = texts.map(looksOf)
    const specifics = withoutGiven(specificsOf(action), given)
    const literals = specifics.filter((each) => !texts.includes(each))
    const common = commonText(action)
    const canTell =
      common !== "" &&
      texts.every((text) => specifics.includes(text)) &&
      new Set(looks).size === looks.length &&
      !literals.some((literal) => looks.includes(looksOf(literal)))
    const vectors = canTell ? await this.#likeness.vectors([common], signal) : undefined
    const keptAt = await this.#now()
    const entry: Entry = {
      template,
      skeleton,
      unused: Object.fromEntries(unused.map((field) => [field, sha256(JSON.stringify(data[field]))])),
      literals,
      ...(canTell && { looks }),
      ...(vectors?.[0] &&
        this.#likeness.id !== undefined && {
          vector: { of: this.#likeness.id, numbers: packed(vectors[0]) },
        }),
      keptAt,
    }
    await this.#write(projectId, key, entry)
    return { kept: true, like: likeText(entry) }
  }

  async #byMeaning(
    entries: readonly Entry[],
    {
      action,
      data,
      given,
      signal,
    }: Pick<CacheRequest, "action" | "data" | "signal"> & { readonly given: GivenTexts },
  ): Promise<readonly CacheHit[]> {
    const { id } = this.#likeness
    const comparable = entries.filter(({ vector }) => vector !== undefined && vector.of === id)
    const common = commonText(action)
    if (comparable.length === 0 || common === "") return []
    const [own] = (await this.#likeness.vectors([common], signal)) ?? []
    if (!own) return []
    const specifics = withoutGiven(specificsOf(action), given)
    const hits = comparable.flatMap((entry) => {
      const score = cosine(own, unpacked(entry.vector?.numbers ?? ""))
      return score > this.#options.alike
        ? hitOf(entry, assigned(entry, specifics), data, "meaning", score)
        : []
    })
    return hits.toSorted((a, b) => b.score - a.score).slice(0, 1)
  }

  /** The entry and the list of all, and without what is too old or too many. */
  async #write(projectId: string, key: string, entry: Entry): Promise<void> {
    const { maxEntries, ttlMs } = this.#options
    const project = this.#root.child(projectId)
    const id = hashOf(entry.template as unknown as Json)
    for (;;) {
      const known = await this.#records.get(project, INDEX)
      const index = ((known?.value ?? []) as unknown as Index).filter(
        (each) => each.of !== key || each.id !== id,
      )
      const next = [...index, { of: key, id, keptAt: entry.keptAt }]
      const alive = next.filter(({ keptAt }) => entry.keptAt - keptAt < ttlMs).slice(-maxEntries)
      const gone = next.filter((each) => !alive.includes(each))
      const changes: RecordChange[] = [
        { namespace: project, key: INDEX, value: alive as unknown as Json, expected: known?.version ?? 0 },
        { namespace: project.child(key), key: id, value: entry as unknown as Json },
        ...gone.map((each) => ({ namespace: project.child(each.of), key: each.id, deleted: true as const })),
      ]
      try {
        await this.#records.write(changes)
        return
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  async #now(): Promise<number> {
    return await timeOf(this.#store)
  }
}

function hitOf(
  entry: Entry,
  texts: readonly string[] | undefined,
  data: JsonObject,
  how: CacheHit["how"],
  score: number,
): readonly CacheHit[] {
  const plan = texts && filled(entry.skeleton, texts, data)
  if (!plan) return []
  const names = entry.skeleton.lifted.map(({ name }) => name)
  const lifted = Object.fromEntries(names.map((name) => [name, plan.taskZero[name] ?? null]))
  return [{ plan, how, score, like: likeText(entry), lifted, keptAt: entry.keptAt }]
}

/** Which value of other words each lifted one is, by what they look like; undefined when that cannot be told. */
function assigned({ literals, looks }: Entry, specifics: readonly string[]): readonly string[] | undefined {
  if (!looks) return undefined
  const left = [...specifics]
  for (const literal of literals) {
    const at = left.findIndex((each) => each.toLowerCase() === literal.toLowerCase())
    if (at < 0) return undefined
    left.splice(at, 1)
  }
  if (left.length !== looks.length) return undefined
  const texts = looks.flatMap((look) => {
    const [text, ...others] = left.filter((each) => looksOf(each) === look)
    return text === undefined || others.length > 0 ? [] : [text]
  })
  return texts.length === looks.length ? texts : undefined
}

const withoutGiven = (specifics: readonly string[], given: GivenTexts): readonly string[] => {
  const values = new Set(given.values())
  return specifics.filter((each) => !values.has(each))
}

/** The given values that can stand in a text. */
const givenTexts = (data: JsonObject): GivenTexts =>
  new Map(
    Object.entries(data).flatMap(([field, value]): [string, string][] =>
      typeof value === "string" || typeof value === "number" ? [[field, String(value)]] : [],
    ),
  )

const likeText = ({ template, skeleton }: Entry): string => {
  const names: string[] = []
  const name = (value: Skeleton["lifted"][number]["value"], text: string): void => {
    if ("value" in value) names[value.value] = text
    else for (const [index, each] of value.entries()) name(each, `${text}[${index}]`)
  }
  for (const { name: text, value } of skeleton.lifted) name(value, text)
  return templateText(template, names)
}

const packed = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64")

const unpacked = (numbers: string): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(numbers, "base64"))
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.byteLength / 4))
}

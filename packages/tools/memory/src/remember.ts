import { keyOf, type Namespace, NotFound } from "@orra/core"
import { vectorOf } from "./embedding.ts"
import type { Draft } from "./ledger.ts"
import {
  cleanContent,
  cleanExpiry,
  cleanSource,
  cleanTags,
  isExpired,
  type Kept,
  MAX_TAGS,
  type Memory,
  memoryOf,
  newId,
  type Source,
} from "./memory.ts"
import type { Parts } from "./parts.ts"
import { purge } from "./purge.ts"
import { assertOnly, full, isId, twinOf } from "./twin.ts"

/** What is to be remembered. */
export interface NewMemory {
  readonly content: string
  /** At most 16 of 64 characters. */
  readonly tags?: readonly string[]
  /** ms since 1970, in the future. Default: never. */
  readonly expiresAt?: number
  /** Instead: how long it lasts, in ms. */
  readonly ttlMs?: number
  readonly source: Source
}

export interface Remembered {
  readonly memory: Memory
  /** `added`, `merged` with one that says the same, or `known`: then nothing was changed. */
  readonly outcome: "added" | "merged" | "known"
  /** For `undo`. Absent when nothing was changed. */
  readonly change?: number
}

/** What a person changes; null takes the expiry away. */
export interface MemoryPatch {
  readonly content?: string
  readonly tags?: readonly string[]
  readonly expiresAt?: number | null
}

/** A memory after its cleaning, before it has an id. */
type Clean = Pick<Memory, "content" | "tags" | "source"> & { readonly expiresAt: number | undefined }

/** What `Memories.remember` does. */
export async function remember(parts: Parts, namespace: Namespace, given: NewMemory): Promise<Remembered> {
  keyOf(namespace)
  const now = await parts.now()
  const clean: Clean = {
    content: cleanContent(given.content, parts.limits.maxLength),
    tags: cleanTags(given.tags ?? []),
    source: cleanSource(given.source),
    expiresAt: cleanExpiry(given.ttlMs === undefined ? given.expiresAt : now + given.ttlMs, now),
  }
  const isKnown = (await twinOf(parts.ledger, namespace, clean.content)) !== undefined
  const vector = isKnown ? {} : await vectorOf(parts, clean.content)
  const again = (): Promise<Attempt> => attempt(parts, namespace, clean, vector)
  let tried = await again()
  while (tried === "again") tried = await again()
  if (tried === "full" && (await purge(parts, namespace)) > 0) tried = await again()
  if (typeof tried === "string") throw full(parts.limits.maxMemories)
  return tried
}

/** `again` when an expired one that says the same had to go first. */
type Attempt = Remembered | "full" | "again"

async function attempt(
  { ledger, limits }: Parts,
  namespace: Namespace,
  clean: Clean,
  vector: Pick<Kept, "vector">,
): Promise<Attempt> {
  let outcome: Attempt = "again"
  const change = await ledger.commit(namespace, async (now, head): Promise<Draft | undefined> => {
    const { source } = clean
    const twin = await twinOf(ledger, namespace, clean.content)
    if (twin && isExpired(twin.kept, now)) {
      outcome = "again"
      return { type: "expire", items: [{ id: twin.id, before: twin.kept }] }
    }
    if (twin) {
      const { id, kept: before } = twin
      const after = merged(before, clean, now)
      outcome = { memory: memoryOf(namespace, id, after ?? before), outcome: after ? "merged" : "known" }
      return after && { type: "remember", source, items: [{ id, before, after }] }
    }
    if ((head?.count ?? 0) >= limits.maxMemories) {
      outcome = "full"
      return undefined
    }
    const { expiresAt, ...rest } = clean
    const expiry = expiresAt === undefined ? {} : { expiresAt }
    const after: Kept = { ...rest, ...expiry, ...vector, createdAt: now, updatedAt: now }
    const id = newId(now)
    outcome = { memory: memoryOf(namespace, id, after), outcome: "added" }
    return { type: "remember", source, items: [{ id, after }] }
  })
  const done = outcome as Attempt
  return typeof done === "string" || change === undefined ? done : { ...done, change }
}

/**
 * The memory with what is new about it; undefined when nothing is. What strangers say changes nothing of what a person
 * has said, and gives way to it altogether: tags are text as well.
 */
function merged(kept: Kept, given: Clean, now: number): Kept | undefined {
  const { source, content } = given
  if (source.outside && !kept.source.outside) return undefined
  if (kept.source.outside && !source.outside)
    return { ...withExpiry(kept, given.expiresAt), content, tags: given.tags, source, updatedAt: now }
  const joined = [...new Set([...kept.tags, ...given.tags])].slice(0, MAX_TAGS)
  const tags = joined.length > kept.tags.length ? joined.sort() : kept.tags
  const lasts = kept.expiresAt === undefined || given.expiresAt === undefined
  const expiresAt = lasts ? undefined : Math.max(kept.expiresAt, given.expiresAt)
  if (tags === kept.tags && expiresAt === kept.expiresAt) return undefined
  return { ...withExpiry(kept, expiresAt), tags, updatedAt: now }
}

/** What `Memories.edit` does. */
export async function edit(
  parts: Parts,
  namespace: Namespace,
  id: string,
  patch: MemoryPatch,
  source: Source,
): Promise<{ readonly memory: Memory; readonly change: number }> {
  const { ledger, limits } = parts
  const content = patch.content === undefined ? undefined : cleanContent(patch.content, limits.maxLength)
  const tags = patch.tags && cleanTags(patch.tags)
  const seen = isId(id) ? await ledger.get(namespace, id) : undefined
  const isNew = content !== undefined && content !== seen?.content
  const vector = isNew ? await vectorOf(parts, content) : {}
  let after: Kept | undefined
  const change = await ledger.commit(namespace, async (now) => {
    const before = seen && (await ledger.get(namespace, id))
    if (!before || isExpired(before, now)) throw new NotFound("memory")
    const asked = patch.expiresAt === undefined ? before.expiresAt : (patch.expiresAt ?? undefined)
    const expiresAt = asked === before.expiresAt ? asked : cleanExpiry(asked, now)
    const { vector: had, ...rest } = withExpiry(before, expiresAt)
    if (content !== undefined) await assertOnly(ledger, namespace, { id, content, now })
    const text = content ?? before.content
    const fits = text === before.content && had ? { vector: had } : vector
    after = { ...rest, ...fits, content: text, tags: tags ?? before.tags, source, updatedAt: now }
    return { type: "edit", source, items: [{ id, before, after }] }
  })
  if (!after || change === undefined) throw new NotFound("memory")
  return { memory: memoryOf(namespace, id, after), change }
}

function withExpiry({ expiresAt: _, ...kept }: Kept, expiresAt: number | undefined): Kept {
  return expiresAt === undefined ? kept : { ...kept, expiresAt }
}

import { createHash, randomUUID } from "node:crypto"
import { codePoints, type Namespace, visibleText } from "@orra/core"
import { MemoryError } from "./errors.ts"

/** Where a memory, or a change of one, comes from. */
export interface Source {
  /**
   * True when strangers may have had a hand in it: the session had read what they wrote. False for what comes from a
   * person, or from a session in which only people of its own have spoken.
   */
  readonly outside: boolean
  /** Who asked. */
  readonly principal?: string
  /** The session, the run and the call in it, whose message says how it came to be. The session is a namespace's key. */
  readonly session?: string
  readonly runId?: string
  readonly callId?: string
  /** By whom the task was handed on, outermost first. */
  readonly agents?: readonly string[]
}

/** Something that is remembered. */
export interface Memory {
  readonly namespace: Namespace
  /** A UUID. Those of newer memories come first in the order of the alphabet. */
  readonly id: string
  readonly content: string
  /** In the order of the alphabet. */
  readonly tags: readonly string[]
  readonly source: Source
  /** ms since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
  /** From then on nobody sees it. */
  readonly expiresAt?: number
}

/** What is kept of it under its key. */
export type Kept = Omit<Memory, "namespace" | "id"> & {
  /** Which embedder made it, and the vector as it packs it. */
  readonly vector?: { readonly of: string; readonly data: string }
}

export const MAX_TAGS = 16
export const MAX_TAG = 64

/** The text as it is kept, searched and shown: without what no reader sees. @throws MemoryError. */
export function cleanContent(text: string, limit: number): string {
  if (typeof text !== "string") throw empty()
  // Before anything is done with it: cleaning a gigabyte takes its time.
  if (text.length > 4 * limit) throw tooLong(text.length, limit)
  const content = visibleText(text.toWellFormed()).trim()
  if (content === "")
    throw new MemoryError("memory_empty", "There is nothing to remember: give the fact as text.")
  const length = codePoints(content)
  if (length > limit) throw tooLong(length, limit)
  return content
}

const empty = (): MemoryError =>
  new MemoryError("memory_empty", "There is nothing to remember: give the fact as text.")

const tooLong = (length: number, limit: number): MemoryError =>
  new MemoryError(
    "memory_too_long",
    `A memory has at most ${limit} characters, this one ${length}: say it shorter, or in several.`,
    { length, limit },
  )

/** Tags without doubles, in the order of the alphabet. @throws MemoryError. */
export function cleanTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string"))
    throw new MemoryError("memory_tags_invalid", "Tags are a list of texts.")
  const clean = new Set(tags.map((tag) => visibleText(tag.toWellFormed()).replace(/\s+/gu, " ").trim()))
  for (const tag of clean) {
    if (tag === "" || codePoints(tag) > MAX_TAG)
      throw new MemoryError("memory_tags_invalid", `A tag has 1 to ${MAX_TAG} characters.`)
  }
  if (clean.size > MAX_TAGS)
    throw new MemoryError("memory_tags_invalid", `A memory has at most ${MAX_TAGS} tags.`, {
      tags: clean.size,
    })
  return [...clean].sort()
}

/** @throws MemoryError unless it is a time after now. */
export function cleanExpiry(expiresAt: number | undefined, now: number): number | undefined {
  if (expiresAt === undefined || (Number.isSafeInteger(expiresAt) && expiresAt > now)) return expiresAt
  throw new MemoryError(
    "memory_expiry_invalid",
    "A memory expires at a time in the future, in ms since 1970.",
  )
}

const TEXTS = ["principal", "session", "runId", "callId"] as const
const MAX_TEXT = 1_024
const MAX_AGENTS = 32

/** The source, without what is none of it. @throws MemoryError. */
export function cleanSource(source: Source): Source {
  if (typeof source?.outside !== "boolean")
    throw new MemoryError("memory_source_invalid", 'A source says at least whether it is "outside".')
  const { agents } = source
  const texts = TEXTS.flatMap((name) => (source[name] === undefined ? [] : [[name, source[name]] as const]))
  const isText = (text: unknown): boolean => typeof text === "string" && text.length <= MAX_TEXT
  const isList = agents === undefined || (Array.isArray(agents) && agents.length <= MAX_AGENTS)
  if (!isList || ![...texts.map(([, text]) => text), ...(agents ?? [])].every(isText)) {
    throw new MemoryError(
      "memory_source_invalid",
      `A source is made of texts of at most ${MAX_TEXT} characters, and names ${MAX_AGENTS} agents at most.`,
    )
  }
  return { outside: source.outside, ...Object.fromEntries(texts), ...(agents && { agents: [...agents] }) }
}

/** The same for texts that say the same: letters of either case, their forms and the space between them do not count. */
export const fingerprint = (content: string): string =>
  createHash("sha256")
    .update(content.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim())
    .digest("base64url")

/** A UUID (version 8) that comes before those of earlier times. */
export function newId(now: number): string {
  const before = (2 ** 48 - 1 - Math.max(0, Math.trunc(now))).toString(16).padStart(12, "0")
  return `${before.slice(0, 8)}-${before.slice(8)}-8${randomUUID().slice(15)}`
}

export const isExpired = ({ expiresAt }: Pick<Memory, "expiresAt">, now: number): boolean =>
  expiresAt !== undefined && expiresAt <= now

export function memoryOf(namespace: Namespace, id: string, { vector: _, ...kept }: Kept): Memory {
  return { namespace, id, ...kept }
}

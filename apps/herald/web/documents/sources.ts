import type { AnswerItem, Call } from "../chat/items.ts"
import { safeHref } from "../markdown/safe-link.ts"
import type { Cited } from "./place.ts"

/** Where something that an answer says may be from. */
export type Source =
  | {
      readonly type: "document"
      readonly id: string
      readonly title: string
      /** Passages of it, in the order they were found. */
      readonly places: readonly (Cited & { readonly page?: number; readonly heading?: string })[]
    }
  | { readonly type: "page"; readonly url: string; readonly host: string }

/** A change of the memory that an answer has made. */
export interface MemoryChange {
  readonly type: "remembered" | "forgotten"
  readonly change: number
  readonly content: string
}

/** What an answer stands on, and what of it will be remembered. */
export interface Traces {
  readonly sources: readonly Source[]
  readonly changes: readonly MemoryChange[]
  /** How many memories were looked at. */
  readonly recalled: number
}

type Facts = Readonly<Record<string, unknown>>

/** What the calls of an answer that went well have found, and changed in the memory. */
export function tracesOf({ calls }: Pick<AnswerItem, "calls">): Traces {
  const documents = new Map<string, Extract<Source, { type: "document" }>>()
  const pages = new Map<string, Source>()
  const changes: MemoryChange[] = []
  const recalled = new Set<unknown>()
  const cite = (title: string, place: Extract<Source, { type: "document" }>["places"][number]): void => {
    const known = documents.get(place.id) ?? { type: "document", id: place.id, title, places: [] }
    const isKnown = known.places.some(({ from, to }) => from === place.from && to === place.to)
    documents.set(place.id, isKnown ? known : { ...known, places: [...known.places, place] })
  }
  for (const { intent, result } of Object.values(calls).sort(inTime)) {
    if (!intent || result?.part.status !== "ok") continue
    const { name, arguments: args } = intent
    const found: unknown = result.part.structured
    const facts = factsOf(found)
    if (name === "search_documents" && Array.isArray(found)) {
      for (const each of found.map(factsOf)) {
        const { id, title, lines, page, heading } = each
        if (typeof id !== "string" || !Array.isArray(lines)) continue
        cite(textOf(title) || id, {
          id,
          from: Number(lines[0]),
          to: Number(lines[1]),
          ...(typeof page === "number" && { page }),
          ...(typeof heading === "string" && { heading }),
        })
      }
    } else if (name === "read_document" && typeof args["id"] === "string") {
      const { id } = args
      // One that a search has found is named already.
      if (!documents.has(id)) cite(id, { id, from: Number(args["line"] ?? 1), to: 0 })
    } else if (name === "web_fetch" || name === "read_url") {
      const url = safeHref(textOf(args["url"]))
      if (url !== undefined) pages.set(url, { type: "page", url, host: new URL(url).host })
    } else if (name === "recall" && Array.isArray(facts["ids"])) {
      for (const id of facts["ids"]) recalled.add(id)
    } else if ((name === "remember" || name === "forget") && typeof facts["change"] === "number") {
      const type = name === "remember" ? "remembered" : "forgotten"
      changes.push({ type, change: facts["change"], content: textOf(args["content"]) })
    }
  }
  return { sources: [...documents.values(), ...pages.values()], changes, recalled: recalled.size }
}

const inTime = (a: Call, b: Call): number => (a.result?.at ?? 0) - (b.result?.at ?? 0)

const factsOf = (value: unknown): Facts =>
  typeof value === "object" && value !== null ? (value as Facts) : {}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

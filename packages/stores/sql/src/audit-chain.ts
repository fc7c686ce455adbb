import { createHash, randomBytes } from "node:crypto"
import { canonicalJson, type JsonObject, keyOf, type Namespace, type NewEntry } from "@orra/core"
import { fromJson } from "./json.ts"

/** A link as it is stored. */
export interface Link {
  /** Canonical JSON in which everything that could tell of whom it speaks is a digest. */
  readonly body: string
  /** What the digests stand for, as JSON; null where nobody shall know any more. */
  readonly revealed: string | null
}

/** `nonce` makes the digests of this link unlike all others, so that nobody finds out by guessing what they stand for. */
interface Revealed {
  readonly nonce: string
  readonly texts: Readonly<Record<string, string>>
}

interface Body {
  readonly namespace: string
  readonly events: readonly JsonObject[]
}

/** What is in an event under these names identifies somebody. */
const IDENTIFYING: ReadonlySet<string> = new Set([
  "by",
  "principal",
  "reason",
  "scope",
  "key",
  "layer",
  "limits",
])

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** The hash of a link, which depends on all links before it. */
export const hashOf = (before: string, body: string): string => sha256(`${before}\n${body}`)

const digest = (nonce: string, text: string): string => sha256(`${nonce}\n${text}`)

/** A link about these entries, numbered from `first`. Undefined when none of them is audited. */
export function linkOfEntries(
  namespace: Namespace,
  first: number,
  drafts: readonly { readonly entry: NewEntry; readonly body: string }[],
): Link | undefined {
  const audited = drafts.flatMap(({ entry, body }, index) => {
    const facts = factsOf(entry)
    return facts ? [{ event: { type: entry.type, at: entry.at, seq: first + index, ...facts }, body }] : []
  })
  if (audited.length === 0) return undefined
  return linkOf(namespace, (digestOf) =>
    audited.map(({ event, body }) => ({ ...event, entry: digestOf(body) })),
  )
}

/** A link about what was done in a namespace. What the events say of content is digests of it. */
export function linkOf(
  namespace: Namespace,
  eventsWith: (digestOf: (content: string) => string) => readonly JsonObject[],
): Link {
  const nonce = randomBytes(16).toString("hex")
  const texts: Record<string, string> = {}
  const hidden = (text: string): string => {
    const name = digest(nonce, text)
    texts[name] = text
    return name
  }
  const body: Body = {
    namespace: hidden(keyOf(namespace)),
    events: eventsWith((content) => digest(nonce, content)).map((event) =>
      mapped(event, (name, value) => {
        if (typeof value !== "string") return value
        // A model can name a tool in any text; a canonical one has no lone surrogates.
        const text = value.toWellFormed()
        return IDENTIFYING.has(name) ? hidden(text) : text
      }),
    ),
  }
  const revealed: Revealed = { nonce, texts }
  return { body: canonicalJson(body), revealed: JSON.stringify(revealed) }
}

/** The events of a link, with the texts of the digests as long as they are known. */
export function eventsOf(body: string, revealed: string | null): readonly JsonObject[] {
  const texts = revealed === null ? {} : fromJson<Revealed>(revealed).texts
  return fromJson<Body>(body).events.map((event) =>
    mapped(event, (name, value) =>
      IDENTIFYING.has(name) && typeof value === "string" ? (texts[value] ?? value) : value,
    ),
  )
}

/** Whether what is revealed is what the digests were made of, and the link is of this namespace. */
export function isRevealed(namespace: Namespace, body: string, revealed: string): boolean {
  const { nonce, texts } = fromJson<Revealed>(revealed)
  const isTrue = Object.entries(texts).every(([name, text]) => digest(nonce, text) === name)
  return isTrue && fromJson<Body>(body).namespace === digest(nonce, namespace.key)
}

const mapped = (event: JsonObject, change: (name: string, value: JsonObject[string]) => JsonObject[string]) =>
  Object.fromEntries(Object.entries(event).map(([name, value]) => [name, change(name, value)]))

/** What the audit says of an entry, undefined when nothing: no content, only digests of it. */
function factsOf(entry: NewEntry): JsonObject | undefined {
  switch (entry.type) {
    case "run_started": {
      const { runId, model, agent, principal, direct } = entry
      return present({ runId, model, agent, principal, direct })
    }
    case "run_resumed":
      return { runId: entry.runId }
    case "run_finished":
      return present({ runId: entry.runId, outcome: entry.outcome, error: entry.error?.code })
    case "tool_intent": {
      const { runId, callId, name, decision, reason, tainted, approval } = entry
      const { by, approvalId, rule, scope } = approval ?? {}
      return present({ runId, callId, name, decision, reason, tainted, by, approvalId, rule, scope })
    }
    case "tool_result":
      return {
        runId: entry.runId,
        callId: entry.callId,
        name: entry.result.name,
        status: entry.result.status,
      }
    case "approval_request": {
      const { runId, approvalId, callId, name, reason, principal, expiresAt } = entry
      return present({ runId, approvalId, callId, name, reason, principal, expiresAt })
    }
    case "approval_decision": {
      const { runId, approvalId, callId, decision, by } = entry
      return { runId, approvalId, callId, decision, by }
    }
    case "budget":
      return present({ runId: entry.runId, action: entry.action, reason: entry.reason, model: entry.model })
    default:
      return undefined
  }
}

const present = (facts: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject =>
  Object.fromEntries(
    Object.entries(facts).filter((fact): fact is [string, JsonObject[string]] => fact[1] !== undefined),
  )

import { readdir, readFile } from "node:fs/promises"
import { join, relative } from "node:path"
import {
  type AssistantPart,
  errorMessage,
  isObject,
  type Json,
  type JsonObject,
  Namespace,
  type NewEntry,
  NO_USAGE,
  OrraError,
  parseJson,
  randomId,
  type SessionStore,
  type UserMessage,
  userMessage,
} from "@orra/core"

/** What came of an import. */
export interface ImportReport {
  readonly imported: readonly Namespace[]
  /** Files that `adopt` left out, relative to the folder. */
  readonly left: readonly string[]
  /** Files that could not be imported, relative to the folder, and why. They are as they were. */
  readonly skipped: readonly { readonly file: string; readonly reason: string }[]
}

/** A session of the predecessor, as its file tells of it. */
export interface FoundSession {
  readonly namespace: Namespace
  readonly metadata: JsonObject
  /** What somebody said first. */
  readonly first?: UserMessage
}

/** Where a session goes, and what is known of it there. */
export interface AdoptedSession {
  readonly namespace: Namespace
  readonly metadata: JsonObject
}

export interface ImportSessionsOptions {
  /** What becomes of a session; undefined leaves it out. Default: it keeps its name and its metadata. */
  readonly adopt?: (session: FoundSession) => AdoptedSession | undefined
}

/** Metadata that gave tools away without asking: nobody meant it for another program. */
const NOT_IMPORTED = "chaos_mode"

/**
 * Brings sessions of the predecessor, whole JSON files in nested folders, into a store. A file says itself whose it is;
 * its place does not, because different names could share one. Messages, calls, results, times, title and other metadata
 * come along, the permission to run everything does not. A session that the store has already is left out, so an import
 * can be repeated. The files are only read.
 *
 * ```ts
 * const { imported, skipped } = await importSessions("data/old-sessions", store)
 * ```
 *
 * `adopt` puts them elsewhere, or leaves some out:
 *
 * ```ts
 * await importSessions("data/old-sessions", store, {
 *   adopt: ({ namespace, metadata }) =>
 *     namespace.segments[0] === "web" ? { namespace, metadata: { title: metadata["name"] ?? "" } } : undefined,
 * })
 * ```
 */
export async function importSessions(
  folder: string,
  store: SessionStore,
  { adopt = (session) => session }: ImportSessionsOptions = {},
): Promise<ImportReport> {
  const imported: Namespace[] = []
  const left: string[] = []
  const skipped: { file: string; reason: string }[] = []
  for await (const path of jsonFiles(folder)) {
    try {
      const { session, began, entries } = converted(parseJson(await readFile(path, "utf8")))
      const adopted = adopt(session)
      if (!adopted) {
        left.push(relative(folder, path))
        continue
      }
      const written = [...metadataOf(adopted, began), ...entries]
      if (written.length === 0) throw new Error("The session is empty.")
      await write(store, adopted.namespace, written)
      imported.push(adopted.namespace)
    } catch (error) {
      // A full disk or a closed store would go on with every file.
      if (error instanceof OrraError && error.code.startsWith("store_")) throw error
      skipped.push({ file: relative(folder, path), reason: errorMessage(error) })
    }
  }
  return { imported, left, skipped }
}

async function* jsonFiles(folder: string): AsyncGenerator<string, void, undefined> {
  const children = await readdir(folder, { withFileTypes: true })
  children.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const child of children) {
    const path = join(folder, child.name)
    if (child.isDirectory()) yield* jsonFiles(path)
    else if (child.isFile() && child.name.endsWith(".json")) yield path
  }
}

async function write(store: SessionStore, namespace: Namespace, entries: readonly NewEntry[]): Promise<void> {
  const lease = await store.acquire(namespace, `import-${randomId()}`, 60_000)
  if (!lease) throw new Error("The session is being used: import it when it is not.")
  try {
    if (await store.info(namespace)) throw new Error("The store has this session already.")
    // In one append: a session is imported as a whole or not at all, also when the process dies.
    await store.append(namespace, entries, { expected: 0, lease })
  } finally {
    await store.release(lease)
  }
}

function converted(value: Json): {
  readonly session: FoundSession
  /** In ms since 1970. */
  readonly began: number
  readonly entries: readonly NewEntry[]
} {
  const { namespace, messages, created_at: createdAt, metadata } = objectOf(value, "a session")
  const { segments } = objectOf(namespace, "a session: it has no namespace")
  if (!Array.isArray(segments) || !segments.every((segment) => typeof segment === "string")) {
    throw new Error("This is not a session: its namespace has no segments.")
  }
  if (!Array.isArray(messages)) throw new Error("This is not a session: it has no messages.")
  const began = timeOf(createdAt, 0)
  const entries = conversation(messages, began)
  const { [NOT_IMPORTED]: _, ...kept } = isObject(metadata) ? (metadata as JsonObject) : {}
  const first = entries.find((entry) => entry.type === "user")?.message
  return {
    session: { namespace: Namespace.of(...segments), metadata: kept, ...(first && { first }) },
    began,
    entries,
  }
}

const metadataOf = ({ metadata }: AdoptedSession, at: number): readonly NewEntry[] =>
  Object.keys(metadata).length > 0 ? [{ type: "meta", at, patch: metadata }] : []

function conversation(messages: readonly Json[], began: number): NewEntry[] {
  const entries: NewEntry[] = []
  let at = began
  let runId = ""
  /** Calls that have no result yet, with the names of their tools. */
  const open = new Map<string, string>()
  const result = (callId: string, status: "ok" | "error" | "unknown", text: string): void => {
    const name = open.get(callId)
    // A result nobody asked for would make every later request invalid.
    if (name === undefined) return
    open.delete(callId)
    const content = [{ type: "text" as const, text }]
    entries.push({
      type: "tool_result",
      at,
      runId,
      callId,
      result: { type: "tool_result", callId, name, status, content },
    })
  }
  const endRun = (): void => {
    for (const callId of [...open.keys()]) result(callId, "unknown", "The result was not saved.")
    if (runId !== "") entries.push({ type: "run_finished", at, runId, outcome: "completed", usage: NO_USAGE })
    runId = ""
  }
  const beginRun = (): void => {
    if (runId !== "") return
    runId = randomId()
    entries.push({ type: "run_started", at, runId })
  }
  for (const value of messages) {
    const {
      role,
      content,
      tool_calls: calls,
      tool_results: results,
      timestamp,
    } = objectOf(value, "a message")
    const text = typeof content === "string" ? content : ""
    at = timeOf(timestamp, at)
    if (role === "assistant") {
      beginRun()
      for (const callId of [...open.keys()]) result(callId, "unknown", "The result was not saved.")
      const parts: AssistantPart[] = text === "" ? [] : [{ type: "text", text }]
      for (const call of listOf(calls)) {
        const { id, name, arguments: given } = objectOf(call, "a tool call")
        if (typeof id !== "string" || typeof name !== "string" || open.has(id)) continue
        open.set(id, name)
        parts.push({ type: "tool_call", id, name, arguments: isObject(given) ? (given as JsonObject) : {} })
      }
      const messageId = randomId()
      const message = { role: "assistant" as const, parts }
      entries.push({ type: "assistant", at, runId, messageId, message, status: "complete" })
      continue
    }
    for (const item of listOf(results)) {
      const { call_id: callId, content: output, is_error: failed } = objectOf(item, "a tool result")
      if (typeof callId === "string") {
        result(callId, failed === true ? "error" : "ok", typeof output === "string" ? output : "")
      }
    }
    if (text === "") continue
    endRun()
    // What was a system message is a message of the host: nothing that was stored becomes an instruction.
    const message =
      role === "system" ? userMessage(text, { kind: "host", name: "system" }) : userMessage(text)
    entries.push({ type: "user", at, message })
    beginRun()
  }
  endRun()
  return entries
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (isObject(value)) return value
  throw new Error(`This is not ${what}.`)
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function timeOf(value: unknown, otherwise: number): number {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN
  return Number.isFinite(time) ? time : otherwise
}

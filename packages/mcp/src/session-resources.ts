import {
  type ListResourcesResult,
  type ReadResourceResult,
  ResourceNotFoundError,
} from "@modelcontextprotocol/server"
import {
  type Entry,
  everyItem,
  isEntry,
  messageText,
  Namespace,
  type Runtime,
  readHistory,
  toolCalls,
} from "@orra/core"

const PREFIX = "orra://sessions/"
const mimeType = "application/json"
/** Entries of a session that are read at a time. */
const WINDOW = 200
/** Names that are offered where somebody fills in the template. */
const MAX_NAMES = 100

export const SESSION_TEMPLATE = {
  name: "session",
  title: "A conversation",
  description: `The newest ${WINDOW} entries of a session, as JSON; with "before", those before the entry of that number.`,
  uriTemplate: `${PREFIX}{session}{?before}`,
  mimeType,
}

/** The sessions at or below a namespace, newest first. */
export async function listSessions(
  runtime: Runtime,
  namespace: Namespace,
  cursor: string | undefined,
): Promise<ListResourcesResult> {
  const page = await runtime.list(namespace, { limit: 100, ...(cursor !== undefined && { cursor }) })
  return {
    resources: page.items.map((info) => {
      const { title } = info.metadata
      return {
        uri: `${PREFIX}${encodeURIComponent(info.namespace.key)}`,
        name: info.namespace.key,
        mimeType,
        annotations: { lastModified: new Date(info.updatedAt).toISOString() },
        ...(typeof title === "string" && { title }),
      }
    }),
    ...(page.cursor !== undefined && { nextCursor: page.cursor }),
  }
}

/** What was said in a session. @throws ResourceNotFoundError alike for what is not there and what is another's. */
export async function readSession(
  runtime: Runtime,
  namespace: Namespace,
  uri: string,
): Promise<ReadResourceResult> {
  const found = sessionAt(uri, namespace)
  if (!found) throw new ResourceNotFoundError(uri)
  const { session, before } = found
  const history = await readHistory(runtime, session, {
    limit: WINDOW,
    ...(before !== undefined && { before }),
  })
  if (!history || history.info.metadata["deletedAt"] !== undefined) throw new ResourceNotFoundError(uri)
  const messages = history.entries.flatMap((entry) => messageOf(entry))
  const text = JSON.stringify({ session: session.key, more: history.more, messages })
  return { contents: [{ uri, mimeType, text }] }
}

/** Names of sessions at or below a namespace with these characters in them, newest first. */
export async function completeSession(
  runtime: Runtime,
  namespace: Namespace,
  value: string,
): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { namespace: session } of everyItem((page) => runtime.list(namespace, page))) {
    if (session.key.includes(value)) names.push(session.key)
    if (names.length > MAX_NAMES) break
  }
  return names
}

/** Says when a session has another entry, until the signal. */
export async function watchSession(
  runtime: Runtime,
  session: Namespace,
  signal: AbortSignal,
  changed: () => void,
): Promise<void> {
  for await (const event of runtime.subscribe(session, { signal })) if (isEntry(event)) changed()
}

/** What an address names, where it is at or below the namespace. */
export function sessionAt(
  uri: string,
  namespace: Namespace,
): { readonly session: Namespace; readonly before?: number } | undefined {
  const match = /^orra:\/\/sessions\/([^/?#]+)(?:\?before=(\d{1,15}))?$/.exec(uri)
  if (!match) return undefined
  try {
    const session = Namespace.parse(decodeURIComponent(match[1] ?? ""))
    if (!namespace.contains(session)) return undefined
    return match[2] === undefined ? { session } : { session, before: Number(match[2]) }
  } catch {
    return undefined
  }
}

function messageOf(entry: Entry): readonly object[] {
  const { seq, at } = entry
  switch (entry.type) {
    case "user":
      return [{ seq, at, role: "user", text: messageText(entry.message) }]
    case "assistant": {
      const calls = toolCalls(entry.message).map(({ name, arguments: input }) => ({ name, arguments: input }))
      return [
        { seq, at, role: "assistant", text: messageText(entry.message), ...(calls.length > 0 && { calls }) },
      ]
    }
    case "tool_result": {
      const { name, status, content } = entry.result
      const text = content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("")
      return [{ seq, at, role: "tool", name, status, text }]
    }
    default:
      return []
  }
}

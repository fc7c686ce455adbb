import { pathBack, stretches, tipOf } from "./branches.ts"
import { NotFound } from "./errors.ts"
import { messageText } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import type { Entry } from "./session.ts"
import type { SessionStore } from "./store.ts"
import { codePoints } from "./text.ts"
import { type Tool, tool } from "./tool.ts"

const DEFAULT_LIMIT = 4_000
const MAX_LIMIT = 20_000

/**
 * The tool `read_tool_result`: reads on where a result was too long to be shown whole. It reaches what the session it
 * is called in has on its current branch, and nothing else.
 *
 * ```ts
 * const runtime = new Runtime({ provider, store, tools: [fetchPage, toolResultReader(store)] })
 * ```
 */
export const toolResultReader = (store: SessionStore): Tool =>
  tool<{ result: number; offset?: number; limit?: number }>({
    name: "read_tool_result",
    description:
      "Reads the part of an earlier tool result that was left out because it was too long. Where a result says " +
      '"[… result 12: 5000 characters left out here, from 700 on …]", call this with result 12 and offset 700.',
    input: {
      type: "object",
      properties: {
        result: { type: "integer", minimum: 1, description: "The number of the result." },
        offset: { type: "integer", minimum: 0, description: "The character to begin with. Default 0." },
        limit: {
          type: "integer",
          minimum: 1,
          maximum: MAX_LIMIT,
          description: `Characters at most. Default ${DEFAULT_LIMIT}.`,
        },
      },
      required: ["result"],
    },
    risk: "read",
    execute: async ({ result, offset = 0, limit = DEFAULT_LIMIT }, { namespace }) => {
      const entry = await resultEntry(store, namespace, result)
      const text = messageText({ role: "tool", parts: [entry.result] })
      const length = codePoints(text)
      const start = Math.min(offset, length)
      const end = Math.min(start + limit, length)
      const where = `characters ${start} to ${end} of ${length}`
      return `${slice(text, start, end)}\n\n[… result ${result}: ${where}${end < length ? `, read on from ${end}` : ""} …]`
    },
  })

/**
 * The result with this number, if the model can have seen it. What another branch has read may be a stranger's, and
 * this one would not be marked as having read it.
 *
 * @throws NotFound otherwise.
 */
async function resultEntry(
  store: SessionStore,
  namespace: Namespace,
  seq: number,
): Promise<Entry<"tool_result">> {
  const [entry] = await store.read(namespace, { after: seq - 1, before: seq + 1, types: ["tool_result"] })
  const info = await store.info(namespace)
  const rewinds: Entry<"rewind">[] = []
  for (;;) {
    const page = await store.read(namespace, { after: rewinds.at(-1)?.seq ?? 0, types: ["rewind"] })
    for (const rewind of page) if (rewind.type === "rewind") rewinds.push(rewind)
    if (page.length === 0) break
  }
  const all = stretches(rewinds, Math.max(info?.version ?? 0, rewinds.at(-1)?.seq ?? 0))
  const path = [...pathBack(all, tipOf(all))]
  if (entry?.type === "tool_result" && path.some(({ from, to }) => from <= seq && seq <= to)) return entry
  throw new NotFound("tool result")
}

/** From one code point to before another. */
function slice(text: string, start: number, end: number): string {
  let index = 0
  let from = 0
  let at = 0
  for (const character of text) {
    if (index === start) from = at
    if (index++ === end) return text.slice(from, at)
    at += character.length
  }
  return start < index ? text.slice(from) : ""
}

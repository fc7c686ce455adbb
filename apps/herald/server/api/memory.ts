import { InvalidInput, OrraError } from "@orra/core"
import { type GatewayRequest, HttpError, type Route } from "@orra/gateway"
import type { Memories, Memory, MemoryPatch } from "@orra/memory"
import { jsonRoutes } from "./json-route.ts"

const PAGE = 50
const memory = "/api/memory/:id"

/** What a person sees of their own memories, and does with them; documented in docs/herald/api.md. */
export function memoryRoutes(memories: Memories): readonly Route[] {
  const route = jsonRoutes(withStatus)
  return [
    route("GET", "/api/memory", async ({ principal: { namespace }, query, signal }) => {
      const text = query.get("q")?.trim()
      if (text) {
        const found = await memories.recall(namespace, text, { limit: PAGE, within: namespace, signal })
        return { memories: found.memories.map(({ memory }) => shown(memory)) }
      }
      const cursor = query.get("cursor")
      const page = await memories.list(namespace, { limit: PAGE, ...(cursor !== null && { cursor }) })
      return {
        memories: page.items.map(shown),
        ...(page.cursor !== undefined && { cursor: page.cursor }),
      }
    }),
    route("POST", "/api/memory", async ({ principal, body }) => {
      const { content, tags } = patchOf(await body())
      if (content === undefined) throw new InvalidInput('"content" is missing: say what to remember.')
      const done = await memories.remember(principal.namespace, {
        content,
        ...(tags && { tags }),
        source: own(principal),
      })
      return { memory: shown(done.memory), change: done.change ?? null }
    }),
    route("PATCH", memory, async ({ principal, params, body }) => {
      const patch = patchOf(await body())
      const done = await memories.edit(principal.namespace, params["id"] ?? "", patch, {
        source: own(principal),
      })
      return { memory: shown(done.memory), change: done.change }
    }),
    route("DELETE", memory, async ({ principal, params }) => {
      const change = await memories.forget(principal.namespace, params["id"] ?? "", {
        source: own(principal),
      })
      if (change === undefined) throw new HttpError(404, "not_found", "There is no such memory.")
      return { change }
    }),
    route("POST", "/api/memory/undo", async ({ principal, body }) => {
      const { change } = await body()
      if (typeof change !== "number" || !Number.isSafeInteger(change) || change < 1)
        throw new InvalidInput('"change" is the number that a change was answered with.')
      return { change: await memories.undo(principal.namespace, change, { source: own(principal) }) }
    }),
  ]
}

const own = ({ name }: GatewayRequest["principal"]) => ({ outside: false, principal: name })

const shown = ({ namespace: _, ...rest }: Memory) => rest

function patchOf(body: Readonly<Record<string, unknown>>): MemoryPatch {
  const { content, tags, ...others } = body
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new InvalidInput(`"${other.slice(0, 40)}" is not a field: there are content, tags.`)
  if (content !== undefined && typeof content !== "string") throw new InvalidInput("content must be text.")
  if (tags !== undefined && !isTexts(tags)) throw new InvalidInput("tags must be a list of texts.")
  return { ...(content !== undefined && { content }), ...(tags && { tags }) }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string")

const CONFLICTS = new Set(["memory_exists", "memory_changed", "memory_undo_expired", "memory_full"])

/** What is wrong with a memory is said with the status of what was sent, or of what has happened meanwhile. */
function withStatus(error: unknown): unknown {
  if (!(error instanceof OrraError) || !error.code.startsWith("memory_")) return error
  return new HttpError(CONFLICTS.has(error.code) ? 409 : 400, error.code, error.message)
}

import { compact, InvalidInput, type Namespace, type Runtime, readHistory } from "@orra/core"
import { type GatewayRequest, HttpError, type Principal, type Route } from "@orra/gateway"
import type { ChatOptions } from "../chats/chat-options.ts"
import { forkChat } from "../chats/fork.ts"
import { ChatSearch } from "../chats/search.ts"
import { chatUsage } from "../chats/usage.ts"
import { ownSession } from "./agents.ts"

const MAX_QUERY = 200
const MAX_CHATS = 30
const MAX_MESSAGES = 200

/** What one does with one's chats beyond talking: find, copy, take back, see what they took; see docs/herald/api.md. */
export function chatRoutes({
  runtime,
  options,
  context,
}: {
  readonly runtime: Runtime
  readonly options: ChatOptions
  readonly context: () => { readonly max_tokens: number; readonly reserved_for_output: number }
}): readonly Route[] {
  const searching = new ChatSearch(runtime)
  const session = "/api/sessions/:namespace"
  return [
    {
      method: "GET",
      path: "/api/search",
      permission: "chat",
      async handle({ principal, query }) {
        const words = (query.get("q") ?? "").slice(0, MAX_QUERY)
        return Response.json({ chats: await searching.chats(principal.namespace, words, MAX_CHATS) })
      },
    },
    {
      method: "GET",
      path: `${session}/search`,
      permission: "chat",
      async handle(request) {
        const { principal, query } = request
        const chat = await own(request)
        const words = (query.get("q") ?? "").slice(0, MAX_QUERY)
        return Response.json({
          hits: await searching.messages(principal.namespace, chat, words, MAX_MESSAGES),
        })
      },
    },
    {
      method: "POST",
      path: `${session}/fork`,
      permission: "chat",
      async handle(request) {
        const from = await own(request)
        const { seq, to } = await request.body()
        if (typeof seq !== "number" || !Number.isSafeInteger(seq))
          throw new InvalidInput('"seq" must be the number of an entry.')
        const target = newSession(request.principal, to)
        if (await runtime.info(target)) throw new InvalidInput('"to" is a chat already: choose another.')
        const set = options.of(from)
        // Before there is anything to be done in it.
        await options.change(target, () => set, request.principal.name)
        await forkChat(runtime, from, seq, target)
        return Response.json({ namespace: target.key }, { status: 201 })
      },
    },
    {
      method: "POST",
      path: `${session}/undo`,
      permission: "chat",
      handle: async (request) => Response.json(await undo(runtime, await own(request))),
    },
    {
      method: "GET",
      path: `${session}/usage`,
      permission: "chat",
      async handle(request) {
        const { max_tokens, reserved_for_output } = context()
        return Response.json(await chatUsage(runtime, await own(request), max_tokens - reserved_for_output))
      },
    },
    {
      method: "POST",
      path: `${session}/compact`,
      permission: "chat",
      async handle(request) {
        const entry = await compact(runtime, await own(request), { signal: request.signal })
        return Response.json({ compacted: entry !== undefined })
      },
    },
  ]
}

const missing = (): HttpError => new HttpError(404, "not_found", "There is no such session.")

async function own({ runtime, principal, params }: GatewayRequest): Promise<Namespace> {
  const namespace = ownSession(principal, params["namespace"])
  const info = await runtime.info(namespace)
  if (!info || info.metadata["deletedAt"] !== undefined) throw missing()
  return namespace
}

function newSession(principal: Principal, to: unknown): Namespace {
  if (to === undefined) return principal.namespace.child(crypto.randomUUID())
  if (typeof to !== "string") throw new InvalidInput('"to" must be the namespace of a chat of yours.')
  return ownSession(principal, to)
}

/** Goes back to before the newest message. What was said stays as another branch, whose end is `redo`. */
async function undo(runtime: Runtime, namespace: Namespace): Promise<{ readonly redo: number }> {
  const { entries = [] } = (await readHistory(runtime, namespace, { limit: 1_000 })) ?? {}
  const last = entries.findLastIndex(
    (entry) => entry.type === "user" && entry.message.origin?.kind !== "host",
  )
  const newest = entries[last]
  const redo = entries.at(-1)
  if (!newest || !redo)
    throw new HttpError(409, "nothing_to_undo", "Nothing is said in this chat that could be taken back.")
  const { entries: earlier = [] } =
    (await readHistory(runtime, namespace, { before: newest.seq, limit: 1 })) ?? {}
  await runtime.switchBranch(namespace, earlier.at(-1)?.seq ?? 0)
  return { redo: redo.seq }
}

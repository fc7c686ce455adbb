import { type Effort, InvalidInput, type JsonObject, type Team } from "@orra/core"
import type { GatewayRequest, Route } from "@orra/gateway"
import type { Agents } from "../agents/agents.ts"
import { type ChatChoice, type ChatOptions, EFFORTS, type SwitchedTools } from "../chats/chat-options.ts"
import { ownChat } from "./files.ts"

const MODES = ["ask", "read_only"] as const
const KEYS = ["effort", "mode", "off"]
const MAX_OFF = 200
const path = "/api/sessions/:namespace/options"

interface ChatOptionsApi {
  readonly options: ChatOptions
  readonly team: Team
  readonly agents: Agents
  readonly families: () => readonly SwitchedTools[]
}

/** How a chat is answered, as whoever has it sets it; documented in docs/herald/api.md. */
export function chatOptionRoutes({ options, team, agents, families }: ChatOptionsApi): readonly Route[] {
  /** Those of which somebody may use at least one, with that person's other rights. */
  const usable = ({ principal: { namespace } }: GatewayRequest, agent: string | undefined) => {
    const run = { agent, namespace, metadata: {}, envelope: undefined }
    const names = new Set(team.toolsOf(run).map(({ definition }) => definition.name))
    return families().filter(({ tools }) => tools.some((tool) => hasMatch(names, tool)))
  }

  const effortsOf = ({ runtime: { provider }, query }: GatewayRequest, agent: string | undefined) => {
    const own = agent === undefined ? undefined : agents.find(agent)?.model
    return provider.efforts?.(query.get("model") ?? own ?? provider.model) ?? []
  }

  const shown = (
    request: GatewayRequest,
    { effort, readOnly, off }: ChatChoice,
    agent: string | undefined,
  ) => ({
    effort: effort ?? null,
    efforts: effortsOf(request, agent),
    mode: readOnly ? "read_only" : "ask",
    tools: usable(request, agent).map(({ id }) => ({ id, on: !off.includes(id) })),
  })

  const read = async (request: GatewayRequest): Promise<Response> => {
    const { namespace, info } = await ownChat(request)
    return Response.json(shown(request, options.of(namespace), agentIn(info?.metadata)))
  }

  const change = async (request: GatewayRequest): Promise<Response> => {
    const { namespace, info } = await ownChat(request)
    const agent = agentIn(info?.metadata)
    const body = await request.body()
    const there = families().map(({ id }) => id)
    const patch = patchIn(
      body,
      usable(request, agent).map(({ id }) => id),
    )
    const choice = await options.change(
      namespace,
      ({ effort: before, readOnly, off }) => {
        const effort = patch.effort === undefined ? before : (patch.effort ?? undefined)
        // What is not there now stays off when it is back.
        const gone = off.filter((id) => !there.includes(id))
        return {
          ...(effort && { effort }),
          readOnly: patch.mode === undefined ? readOnly : patch.mode === "read_only",
          off: patch.off ? [...new Set([...patch.off, ...gone])] : off,
        }
      },
      request.principal.name,
    )
    // Whoever has the chat open elsewhere is told.
    const { effort = null, readOnly, off } = choice
    if (info) await request.runtime.update(namespace, { options: { effort, readOnly, off: [...off] } })
    return Response.json(shown(request, choice, agent))
  }

  return [
    { method: "GET", path, permission: "chat", handle: read },
    { method: "PATCH", path, permission: "chat", handle: change },
  ]
}

const agentIn = (metadata: JsonObject | undefined): string | undefined => {
  const agent = metadata?.["agent"]
  return typeof agent === "string" ? agent : undefined
}

/** Whether a tool, or a glob that ends with `*`, is among the names. */
function hasMatch(names: ReadonlySet<string>, tool: string): boolean {
  if (!tool.endsWith("*")) return names.has(tool)
  const start = tool.slice(0, -1)
  return names.values().some((name) => name.startsWith(start))
}

interface Patch {
  /** Null: as the provider has it. */
  readonly effort?: Effort | null
  readonly mode?: (typeof MODES)[number]
  readonly off?: readonly string[]
}

/** @throws InvalidInput for anything that is not one of these. */
function patchIn(body: Readonly<Record<string, unknown>>, known: readonly string[]): Patch {
  for (const key of Object.keys(body))
    if (!KEYS.includes(key))
      throw new InvalidInput(`"${key}" is no option of a chat: use ${KEYS.join(", ")}.`)
  const { effort, mode, off } = body
  const asked = EFFORTS.find((each) => each === effort)
  if (effort !== undefined && effort !== null && asked === undefined)
    throw new InvalidInput(`"effort" is one of ${EFFORTS.join(", ")}, or null for the usual one.`)
  const wanted = MODES.find((each) => each === mode)
  if (mode !== undefined && wanted === undefined)
    throw new InvalidInput(`"mode" is one of ${MODES.join(", ")}.`)
  if (off !== undefined && (!Array.isArray(off) || off.length > MAX_OFF))
    throw new InvalidInput(`"off" is a list of at most ${MAX_OFF} tool families.`)
  for (const id of (off as readonly unknown[] | undefined) ?? [])
    if (typeof id !== "string" || !known.includes(id))
      throw new InvalidInput(`"off" names what you could use in this chat: ${known.join(", ")}.`)
  return {
    ...(effort === null ? { effort } : asked && { effort: asked }),
    ...(wanted && { mode: wanted }),
    ...(off !== undefined && { off: off as readonly string[] }),
  }
}

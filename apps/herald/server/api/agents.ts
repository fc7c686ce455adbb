import {
  agentKey,
  everyItem,
  InvalidInput,
  isDelegated,
  Namespace,
  NotFound,
  OrraError,
  type Team,
  type Tool,
} from "@orra/core"
import { type GatewayRequest, HttpError, type Principal, type Route } from "@orra/gateway"
import type { Agent, Agents } from "../agents/agents.ts"
import { HANDING } from "../tools/tools.ts"
import type { Zones } from "../zones.ts"

interface AgentApiOptions {
  readonly agents: Agents
  readonly team: Team
  readonly zones: Zones
  /** The namespaces of those who may talk to this Herald. */
  readonly people: readonly Namespace[]
  /** The configuration file, where there is one. */
  readonly file: string | undefined
}

const agent = "/api/agents/:id"

/** Who answers: everybody sees whom they can ask, the owner makes and changes them; documented in docs/herald/api.md. */
export function agentRoutes({ agents, team, zones, people, file }: AgentApiOptions): readonly Route[] {
  const list = (principal: Principal) => {
    const isOwner = principal.permissions.includes("owner")
    const { policies } = team.runtime
    const usable = (agent: string) => {
      const { namespace } = principal
      const tools = team.toolsOf({ agent, namespace, metadata: {}, envelope: undefined })
      const isAsked = ({ definition, risk }: Tool): boolean =>
        policies.explain(namespace, { tool: definition.name, risk }).decision === "ask"
      return { can: tools.map(nameOf), asks: tools.filter(isAsked).map(nameOf) }
    }
    return {
      default: agents.default.name,
      agents: agents.list().map((each) => ({
        name: each.name,
        personality: each.personality,
        model: each.model ?? null,
        ...usable(each.name),
        ...(isOwner && ownersView(each)),
      })),
      ...(isOwner && {
        file: file ?? null,
        hidden: agents.hidden().map((each) => ({
          name: each.name,
          model: each.model ?? null,
          ...ownersView(each),
        })),
        tools: [...team.runtime.tools.list().map(nameOf), ...HANDING],
      }),
    }
  }
  const route = (
    method: Route["method"],
    path: string,
    permission: "owner" | "chat",
    work: (request: GatewayRequest) => Promise<unknown>,
  ): Route => ({
    method,
    path,
    permission,
    handle: async (request) => {
      try {
        await work(request)
        return Response.json(list(request.principal))
      } catch (error) {
        throw withStatus(error)
      }
    },
  })
  const id = ({ params }: GatewayRequest): string => params["id"] ?? ""
  agents.onChange(async (change) => {
    if (change.type === "renamed") await follow(team, people, change.from, change.to)
  })
  return [
    route("GET", "/api/agents", "chat", async () => undefined),
    route("POST", "/api/agents", "owner", async ({ body }) => await agents.create(await body())),
    route("PUT", "/api/agents/default", "owner", async ({ body }) => {
      const { name } = await body()
      if (typeof name !== "string") throw new InvalidInput('"name" must be that of an agent.')
      await agents.setDefault(name)
    }),
    route("PUT", agent, "owner", async (request) => await agents.update(id(request), await request.body())),
    route("DELETE", agent, "owner", async (request) => await agents.remove(id(request))),
    {
      method: "PUT",
      path: "/api/sessions/:namespace/agent",
      permission: "chat",
      handle: async ({ principal, params, body, runtime }) => {
        const namespace = ownSession(principal, params["namespace"])
        const { name } = await body()
        if (name !== null && (typeof name !== "string" || !agents.find(name)))
          throw new InvalidInput("There is no such agent (any more): choose another.")
        const info = await runtime.info(namespace)
        if (!info || info.metadata["deletedAt"] !== undefined) throw missing()
        const chosen = name === null ? null : (agents.find(name)?.name ?? null)
        await runtime.update(namespace, { agent: chosen })
        return Response.json({ agent: chosen })
      },
    },
    {
      method: "PUT",
      path: "/api/me/zone",
      permission: "chat",
      handle: async ({ principal, body }) => {
        const { zone, language } = await body()
        await zones.set(principal.namespace, zone)
        if (language !== undefined) await zones.setLanguage(principal.namespace, language)
        return Response.json({ zone: zones.of(principal.namespace) })
      },
    },
  ]
}

const nameOf = ({ definition }: Tool): string => definition.name

const ownersView = ({ id, version, origin, system_prompt, tools }: Agent) => ({
  id: id ?? null,
  version: version ?? null,
  origin,
  system_prompt: system_prompt ?? null,
  tools,
})

const missing = (): HttpError => new HttpError(404, "not_found", "There is no such session.")

/** The namespace of one of a person's sessions; anybody else's answers as one that does not exist. */
export function ownSession({ namespace: own }: Principal, key: string | undefined): Namespace {
  try {
    const namespace = Namespace.parse(key ?? "")
    if (own.contains(namespace)) return namespace
  } catch {
    // No namespace at all.
  }
  throw missing()
}

/** An agent has another name: the chats that are with it stay with it. */
async function follow(team: Team, people: readonly Namespace[], from: string, to: string): Promise<void> {
  const { runtime } = team
  for (const person of people) {
    for await (const { namespace, metadata } of everyItem((page) => runtime.list(person, page))) {
      const chosen = metadata["agent"]
      if (typeof chosen === "string" && agentKey(chosen) === agentKey(from) && !isDelegated(namespace))
        await runtime.update(namespace, { agent: to })
    }
  }
}

function withStatus(error: unknown): unknown {
  if (error instanceof NotFound) return new HttpError(404, "not_found", "There is no such agent (any more).")
  if (error instanceof OrraError && error.code === "version_conflict")
    return new HttpError(409, error.code, "Somebody else has changed this agent: look at it again.")
  return error
}

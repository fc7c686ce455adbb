import { InvalidInput, type Json, type JsonObject } from "@orra/core"
import type { News } from "../execution/news.ts"
import type { Orchestrator } from "../execution/orchestrator.ts"
import { type Groundings, readGrounding } from "../planning/groundings.ts"
import { timeText } from "../webhooks/plan-events.ts"
import type { Connections } from "../wire/connections.ts"
import type { PlanServices } from "../wire/services.ts"
import { readOrchestration, readProject, readService, textMember } from "./api-body.ts"
import { ApiError } from "./api-error.ts"
import type { ServerEvent } from "./event-stream.ts"
import { inspection } from "./inspection.ts"
import { followList, followLog } from "./live.ts"
import { listed, logPage } from "./pages.ts"
import {
  createdView,
  failedCompensationView,
  groundingView,
  projectView,
  registeredView,
  serviceView,
} from "./plan-views.ts"
import type { PlanProject, PlanProjects, WebhookKind } from "./projects.ts"

/** What the API is made of. */
export interface ApiParts {
  readonly projects: PlanProjects
  readonly services: PlanServices
  readonly groundings: Groundings
  readonly connections: Connections
  readonly orchestrator: Orchestrator
  readonly news: News
  /** The time in ms since 1970. */
  readonly now: () => Promise<number>
}

export interface ApiRequest {
  readonly body: JsonObject
  readonly query: URLSearchParams
  /** What stands for `:id` in the path. */
  readonly id: string
  /** What a client of an event stream had last. */
  readonly lastEventId: string | undefined
  /** Fires when the client has gone, or the engine stops. */
  readonly signal: AbortSignal
}

export type ApiAnswer =
  | { readonly status: number; readonly body?: Json }
  | { readonly status: 200; readonly events: AsyncIterable<ServerEvent> }

/** `who`: anybody, who may make projects, or a project by its key. */
export type ApiRoute = { readonly method: string; readonly path: string } & (
  | { readonly who: "anybody" | "admin"; readonly answer: (request: ApiRequest) => Promise<ApiAnswer> }
  | {
      readonly who: "project"
      readonly answer: (request: ApiRequest, project: PlanProject) => Promise<ApiAnswer>
    }
)

type OfProject = Extract<ApiRoute, { who: "project" }>["answer"]

/** Every route, also those that the original had not: lists, removal, cancel. */
export function apiRoutes(parts: ApiParts): readonly ApiRoute[] {
  const { projects, services, groundings, connections, orchestrator, news, now } = parts
  const { orchestrations, failed } = orchestrator
  const of = (method: string, path: string, answer: OfProject): ApiRoute => ({
    method,
    path,
    who: "project",
    answer,
  })
  const register =
    (kind: "service" | "agent"): OfProject =>
    async ({ body }, { id }) => ({
      status: 200,
      body: registeredView(await services.register(id, readService(body, kind))),
    })
  const settle =
    (resolutionState: "resolved" | "ignored"): OfProject =>
    async ({ id, body }, project) => {
      const resolution = textMember(body, "reason")
      const resolvedAt = await now()
      const settled = await failed.settle(project.id, id, { resolutionState, resolution, resolvedAt })
      return { status: 200, body: failedCompensationView(settled) }
    }
  const webhooks = (path: string, kind: WebhookKind): readonly ApiRoute[] => [
    of("GET", path, async (_, project) => ({ status: 200, body: project[kind].map((url) => ({ url })) })),
    of("POST", path, async ({ body }, project) => {
      try {
        return {
          status: 201,
          body: { url: await projects.addWebhook(project.id, kind, textMember(body, "url")) },
        }
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error
        throw new ApiError(400, "input validation error", error.message)
      }
    }),
    of("DELETE", path, async ({ query }, project) => {
      await projects.removeWebhook(project.id, kind, query.get("url") ?? "")
      return { status: 204 }
    }),
  ]

  const routes: readonly ApiRoute[] = [
    { method: "GET", path: "/health", who: "anybody", answer: async () => ({ status: 200, body: {} }) },
    {
      method: "POST",
      path: "/register/project",
      who: "admin",
      answer: async ({ body }) => {
        const { project, apiKey } = await projects.register(readProject(body))
        return { status: 201, body: projectView(project, apiKey) }
      },
    },
    of("POST", "/apikeys", async (_, project) => ({
      status: 201,
      body: { ...(await projects.addKey(project.id)) },
    })),
    of("GET", "/apikeys", async (_, { keys }) => ({
      status: 200,
      body: keys.map(({ id, createdAt }) => ({ id, createdAt: timeText(createdAt) })),
    })),
    of("DELETE", "/apikeys/:id", async ({ id }, project) => {
      connections.close({ key: await projects.revokeKey(project.id, id) })
      return { status: 204 }
    }),
    ...webhooks("/webhooks", "webhooks"),
    ...webhooks("/compensation-failure-webhooks", "compensationFailureWebhooks"),
    of("POST", "/register/service", register("service")),
    of("POST", "/register/agent", register("agent")),
    of("GET", "/services", async (_, project) => {
      const all = await services.list(project.id)
      return { status: 200, body: all.map((each) => serviceView(each, connections.isConnected(each.id))) }
    }),
    of("DELETE", "/services/:id", async ({ id }, project) => {
      await services.remove(project.id, id)
      connections.close({ service: id })
      return { status: 204 }
    }),
    of("POST", "/orchestrations", async ({ body }, project) => ({
      status: 202,
      body: createdView(await orchestrator.create(project.id, readOrchestration(body))),
    })),
    of("GET", "/orchestrations", async ({ query }, project) => ({
      status: 200,
      body: await listed(orchestrations, project.id, query),
    })),
    of("GET", "/orchestrations/events", async ({ lastEventId, signal }, project) => {
      const since = Number(lastEventId ?? Number.NaN)
      const events = followList(
        { orchestrator, news, signal },
        project.id,
        Number.isNaN(since) ? await now() : since,
      )
      return { status: 200, events }
    }),
    of("GET", "/orchestrations/inspections/:id", async ({ id }, project) => {
      const orchestration = await orchestrations.get(project.id, id)
      const entries = await orchestrator.entries(orchestration)
      const isConnected = (service: string): boolean => connections.isConnected(service)
      return { status: 200, body: inspection(orchestration, entries, { now: await now(), isConnected }) }
    }),
    of("GET", "/orchestrations/:id/log", async ({ id, query, lastEventId, signal }, project) => {
      const orchestration = await orchestrations.get(project.id, id)
      if (!query.has("follow"))
        return { status: 200, body: await logPage(orchestrator, orchestration, query) }
      const last = lastEventId ?? query.get("cursor") ?? undefined
      const events = followLog({ orchestrator, news, signal }, orchestration, last)
      // Told 204, an EventSource does not come back.
      return events ? { status: 200, events } : { status: 204 }
    }),
    of("POST", "/orchestrations/:id/cancel", async ({ id }, project) => {
      const { status } = await orchestrator.cancel(project.id, id)
      return { status: 202, body: { id, status } }
    }),
    of("POST", "/groundings", async ({ body }, project) => {
      const grounding = readGrounding(body)
      await groundings.apply(project.id, grounding)
      return { status: 201, body: groundingView(grounding, project) }
    }),
    of("GET", "/groundings", async (_, project) => {
      const all = await groundings.list(project.id)
      return { status: 200, body: all.map((each) => groundingView(each, project)) }
    }),
    of("DELETE", "/groundings/:id", async ({ id }, project) => {
      await groundings.remove(project.id, id)
      return { status: 204 }
    }),
    of("DELETE", "/groundings", async (_, project) => {
      for (const { name } of await groundings.list(project.id)) await groundings.remove(project.id, name)
      return { status: 204 }
    }),
    of("GET", "/compensation-failures", async (_, project) => ({
      status: 200,
      body: (await failed.list(project.id)).map(failedCompensationView),
    })),
    of("GET", "/compensation-failures/:id", async ({ id }, project) => ({
      status: 200,
      body: failedCompensationView(await failed.get(project.id, id)),
    })),
    of("POST", "/compensation-failures/:id/resolve", settle("resolved")),
    of("POST", "/compensation-failures/:id/ignore", settle("ignored")),
  ]
  return routes
}

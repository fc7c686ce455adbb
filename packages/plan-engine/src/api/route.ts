import type { Json, JsonObject, SessionStore } from "@orra/core"
import type { ProjectAudit } from "../audit/project-audit.ts"
import type { News } from "../execution/news.ts"
import type { Orchestrator } from "../execution/orchestrator.ts"
import type { Groundings } from "../planning/groundings.ts"
import type { PlanWebhooks } from "../webhooks/plan-webhooks.ts"
import type { Connections } from "../wire/connections.ts"
import type { PlanServices } from "../wire/services.ts"
import type { ServerEvent } from "./event-stream.ts"
import type { Scope } from "./key-scopes.ts"
import type { PlanProject, PlanProjects, ProjectKey } from "./projects.ts"
import type { ShapeName } from "./shapes.ts"

/** What the API is made of. */
export interface ApiParts {
  readonly store: Pick<SessionStore, "records" | "now">
  readonly projects: PlanProjects
  readonly services: PlanServices
  readonly groundings: Groundings
  readonly connections: Connections
  readonly orchestrator: Orchestrator
  readonly news: News
  readonly webhooks: PlanWebhooks
  readonly audit: ProjectAudit
  /** Most orchestrations of a project that have not ended. */
  readonly maxInFlight: number
  /** Why the engine cannot be used now; undefined when it can. */
  readonly unready: () => Promise<string | undefined>
  /** The numbers of this process in Prometheus' text format. */
  readonly metricsText: () => string
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
  /** Whether the client would rather have a stream of events. */
  readonly wantsEvents: boolean
  /** Fires when the client has gone, or the engine stops. */
  readonly signal: AbortSignal
}

export type ApiAnswer =
  | { readonly status: number; readonly body?: Json }
  | { readonly status: 200; readonly text: string; readonly type: string }
  | { readonly status: 200; readonly events: AsyncIterable<ServerEvent> }

/** A JSON Schema of what a client sends or is given, or the name of a shape; `list` is a list of them. */
export type Shape = ShapeName | JsonObject | { readonly list: ShapeName }

/** What the OpenAPI document says of a route. */
interface RouteText {
  readonly method: "GET" | "POST" | "DELETE"
  /** `:id` stands for one segment. */
  readonly path: string
  readonly summary: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Shape
  /** What stands for each status of success: a shape, the type of a text, or nothing. */
  readonly answers: Readonly<Record<number, Shape | { readonly type: string } | undefined>>
}

/** `who`: anybody, who may make projects, or a project by a key with this scope. */
export type ApiRoute = RouteText &
  (
    | { readonly who: "anybody" | "host"; readonly answer: (request: ApiRequest) => Promise<ApiAnswer> }
    | {
        readonly who: Scope
        readonly answer: (request: ApiRequest, project: PlanProject, key: ProjectKey) => Promise<ApiAnswer>
      }
  )

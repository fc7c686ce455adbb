import { toPddl } from "../../planning/pddl.ts"
import { readOrchestration } from "../api-body.ts"
import { ApiError } from "../api-error.ts"
import { EVENT_STREAM } from "../event-stream.ts"
import { inspection } from "../inspection.ts"
import { followList, followLog } from "../live.ts"
import { listed, logPage, verification } from "../pages.ts"
import { createdView } from "../plan-views.ts"
import type { ApiParts, ApiRoute } from "../route.ts"
import { watchPlanning } from "../watch-planning.ts"

/** Orchestrations, and what comes of them. */
export const orchestrationRoutes = (parts: ApiParts): readonly ApiRoute[] => {
  const { orchestrator, connections, maxInFlight, now } = parts
  const { orchestrations } = orchestrator
  return [
    {
      method: "POST",
      path: "/orchestrations",
      who: "orchestrate",
      summary:
        "Plans what is wanted, answers with the plan, and carries it out. Asked for an event stream it tells how planning goes on.",
      body: "NewOrchestration",
      answers: { 200: { type: EVENT_STREAM }, 202: "CreatedOrchestration" },
      answer: async ({ body, wantsEvents }, project) => {
        const request = readOrchestration(body)
        if ((await orchestrations.inFlight(project.id, maxInFlight)) >= maxInFlight)
          throw new ApiError(
            429,
            "invalid operation",
            `${maxInFlight} orchestrations of this project have not ended: wait for one of them.`,
            "Orra:TooManyOrchestrations",
            undefined,
            1,
          )
        if (wantsEvents) return { status: 200, events: watchPlanning(orchestrator, project.id, request) }
        return { status: 202, body: createdView(await orchestrator.create(project.id, request)) }
      },
    },
    {
      method: "GET",
      path: "/orchestrations",
      who: "read",
      summary:
        "Orchestrations, those that changed last first: by their status, the newest 1,000; with a limit, cursor or status a page of them.",
      query: { limit: "1 to 500.", cursor: "That of the page before.", status: "Only these." },
      answers: { 200: "OrchestrationList" },
      answer: async ({ query }, project) => ({
        status: 200,
        body: await listed(orchestrations, project.id, query),
      }),
    },
    {
      method: "GET",
      path: "/orchestrations/events",
      who: "read",
      summary: "The items of the list, each whenever it changes, as server-sent events.",
      answers: { 200: { type: EVENT_STREAM } },
      answer: async ({ lastEventId, signal }, project) => {
        const since = Number(lastEventId ?? Number.NaN)
        const from = Number.isNaN(since) ? await now() : since
        return { status: 200, events: followList({ ...parts, signal }, project.id, from) }
      },
    },
    {
      method: "GET",
      path: "/orchestrations/inspections/:id",
      who: "read",
      summary: "Everything that is known of an orchestration.",
      answers: { 200: "Inspection" },
      answer: async ({ id }, project) => {
        const orchestration = await orchestrations.get(project.id, id)
        const entries = await orchestrator.entries(orchestration)
        const isConnected = (service: string): boolean => connections.isConnected(service)
        return { status: 200, body: inspection(orchestration, entries, { now: await now(), isConnected }) }
      },
    },
    {
      method: "GET",
      path: "/orchestrations/:id/log",
      who: "read",
      summary: "What is written of its run. Each entry has a hash over itself and the one before.",
      query: {
        limit: "1 to 1,000.",
        cursor: "The number of the entry behind which to begin.",
        follow: "As server-sent events, until it has ended; 204 when nothing more will come.",
        verify: "Instead whether all of it is there, as it was written, and follows from the plan.",
      },
      answers: { 200: "Log", 204: undefined },
      answer: async ({ id, query, lastEventId, signal }, project) => {
        const orchestration = await orchestrations.get(project.id, id)
        if (query.has("verify"))
          return { status: 200, body: await verification(orchestrator.log(orchestration), orchestration) }
        if (!query.has("follow"))
          return { status: 200, body: await logPage(orchestrator, orchestration, query) }
        const last = lastEventId ?? query.get("cursor") ?? undefined
        const events = followLog({ ...parts, signal }, orchestration, last)
        // Told 204, an EventSource does not come back.
        return events ? { status: 200, events } : { status: 204 }
      },
    },
    {
      method: "GET",
      path: "/orchestrations/:id/pddl",
      who: "read",
      summary: "Its planning domain, problem and plan in PDDL 2.1, for a validator such as VAL.",
      answers: { 200: "Pddl" },
      answer: async ({ id }, project) => {
        const { plan, services = [], origin } = await orchestrations.get(project.id, id)
        if (!plan)
          throw new ApiError(
            409,
            "invalid operation",
            "It has no plan, so there is nothing to validate.",
            "Orra:NoPlan",
          )
        const domain = origin?.grounding?.domain ?? project.name
        return { status: 200, body: { ...toPddl(plan, services, { domain, problem: id }) } }
      },
    },
    {
      method: "POST",
      path: "/orchestrations/:id/cancel",
      who: "orchestrate",
      summary: "Ends it: what is under way is waited for, then what was done is undone.",
      answers: { 202: "Cancelled" },
      answer: async ({ id }, project) => {
        const { status } = await orchestrator.cancel(project.id, id)
        return { status: 202, body: { id, status } }
      },
    },
  ]
}

import { textMember } from "../api-body.ts"
import { failedCompensationView } from "../plan-views.ts"
import type { ApiParts, ApiRoute } from "../route.ts"

/** What could not be undone. */
export const compensationRoutes = ({
  orchestrator: { failed, undoing },
  now,
}: ApiParts): readonly ApiRoute[] => [
  {
    method: "GET",
    path: "/compensation-failures",
    who: "read",
    summary: "What could not be undone, the newest first.",
    answers: { 200: { list: "FailedCompensation" } },
    answer: async (_, project) => ({
      status: 200,
      body: (await failed.list(project.id)).map(failedCompensationView),
    }),
  },
  {
    method: "GET",
    path: "/compensation-failures/:id",
    who: "read",
    summary: "One of them.",
    answers: { 200: "FailedCompensation" },
    answer: async ({ id }, project) => ({
      status: 200,
      body: failedCompensationView(await failed.get(project.id, id)),
    }),
  },
  ...(["resolved", "ignored"] as const).map(
    (resolutionState): ApiRoute => ({
      method: "POST",
      path: `/compensation-failures/:id/${resolutionState === "resolved" ? "resolve" : "ignore"}`,
      who: "orchestrate",
      summary: `Says that it is ${resolutionState}, and why.`,
      body: "Reason",
      answers: { 200: "FailedCompensation" },
      answer: async ({ id, body }, project) => {
        const resolution = textMember(body, "reason")
        const resolvedAt = await now()
        const settled = await failed.settle(project.id, id, { resolutionState, resolution, resolvedAt })
        return { status: 200, body: failedCompensationView(settled) }
      },
    }),
  ),
  {
    method: "POST",
    path: "/compensation-failures/:id/retry",
    who: "orchestrate",
    summary: "Tries again to undo it, as soon as its service is there. What comes of it is in the record.",
    answers: { 202: "FailedCompensation" },
    answer: async ({ id }, project) => ({
      status: 202,
      body: failedCompensationView(await undoing.retry(project.id, id)),
    }),
  },
]

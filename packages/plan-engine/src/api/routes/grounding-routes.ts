import { readGrounding } from "../../planning/grounding-file.ts"
import { groundingView, trialView } from "../plan-views.ts"
import type { ApiParts, ApiRoute } from "../route.ts"

/** What is known of domains. */
export const groundingRoutes = ({ groundings, orchestrator }: ApiParts): readonly ApiRoute[] => [
  {
    method: "POST",
    path: "/groundings",
    who: "admin",
    summary: "Applies a grounding, also one in YAML (application/yaml); of each version once.",
    body: "Grounding",
    answers: { 201: "Grounding" },
    answer: async ({ body }, project) => {
      const grounding = readGrounding(body)
      await groundings.apply(project.id, grounding)
      return { status: 201, body: groundingView(grounding, project) }
    },
  },
  {
    method: "POST",
    path: "/groundings/test",
    who: "orchestrate",
    summary:
      "Plans each use case of a grounding, which need not be applied, with its examples and the services there are. Nothing is carried out.",
    body: "Grounding",
    answers: { 200: { list: "GroundingTrial" } },
    answer: async ({ body, signal }, project) => {
      const { services, trials } = await orchestrator.tryGrounding(project.id, readGrounding(body), signal)
      return { status: 200, body: trials.map((trial) => trialView(trial, services)) }
    },
  },
  {
    method: "GET",
    path: "/groundings",
    who: "read",
    summary: "The groundings of the project, by their names.",
    answers: { 200: { list: "Grounding" } },
    answer: async (_, project) => {
      const all = await groundings.list(project.id)
      return { status: 200, body: all.map((each) => groundingView(each, project)) }
    },
  },
  {
    method: "DELETE",
    path: "/groundings/:id",
    who: "admin",
    summary: "Removes the grounding of this name.",
    answers: { 204: undefined },
    answer: async ({ id }, project) => {
      await groundings.remove(project.id, id)
      return { status: 204 }
    },
  },
  {
    method: "DELETE",
    path: "/groundings",
    who: "admin",
    summary: "Removes all groundings.",
    answers: { 204: undefined },
    answer: async (_, project) => {
      for (const { name } of await groundings.list(project.id)) await groundings.remove(project.id, name)
      return { status: 204 }
    },
  },
]

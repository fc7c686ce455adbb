import { InvalidInput } from "@orra/core"
import { readKeyRights, readProject, textMember } from "../api-body.ts"
import { ApiError } from "../api-error.ts"
import { SCOPES } from "../key-scopes.ts"
import { keyView, projectItem, projectView } from "../plan-views.ts"
import { mayDo, type WebhookKind } from "../projects.ts"
import type { ApiParts, ApiRoute } from "../route.ts"

/** Projects, their keys, and whom they tell. */
export const projectRoutes = (parts: ApiParts): readonly ApiRoute[] => [
  {
    method: "POST",
    path: "/register/project",
    who: "host",
    summary: "Makes a project. Its first key and the secret of its webhooks are shown this once.",
    body: "NewProject",
    answers: { 201: "Project" },
    answer: async ({ body }) => {
      const { project, apiKey } = await parts.projects.register(readProject(body))
      return { status: 201, body: projectView(project, apiKey) }
    },
  },
  {
    method: "GET",
    path: "/project",
    who: "read",
    summary: "The project of the key.",
    answers: { 200: "ProjectItem" },
    answer: async (_, project) => ({ status: 200, body: projectItem(project) }),
  },
  {
    method: "GET",
    path: "/projects",
    who: "host",
    summary: "All projects of the engine.",
    answers: { 200: { list: "ProjectItem" } },
    answer: async () => ({ status: 200, body: (await parts.projects.list()).map(projectItem) }),
  },
  ...keyRoutes(parts),
  ...webhookRoutes(parts, "/webhooks", "webhooks"),
  ...webhookRoutes(parts, "/compensation-failure-webhooks", "compensationFailureWebhooks"),
]

const keyRoutes = ({ projects, connections, now }: ApiParts): readonly ApiRoute[] => [
  {
    method: "POST",
    path: "/apikeys",
    who: "admin",
    summary: `Makes a key, which is shown this once. \`scopes\` are of ${SCOPES.join(", ")}; default those of the key that asks.`,
    body: "NewKey",
    answers: { 201: "CreatedKey" },
    answer: async ({ body }, project, asking) => {
      const rights = readKeyRights(body, await now())
      const scopes = rights.scopes ?? asking.scopes
      for (const scope of scopes ?? SCOPES)
        if (!mayDo(asking, scope))
          throw new ApiError(
            403,
            "invalid operation",
            `A key without the scope "${scope}" can give it to no other.`,
            "Orra:ScopeMissing",
            "scopes",
          )
      const { key, apiKey } = await projects.addKey(project.id, { ...rights, ...(scopes && { scopes }) })
      return { status: 201, body: { ...keyView(key), apiKey } }
    },
  },
  {
    method: "GET",
    path: "/apikeys",
    who: "admin",
    summary: "The keys of the project, without what opens anything.",
    answers: { 200: { list: "Key" } },
    answer: async (_, { keys }) => ({ status: 200, body: keys.map(keyView) }),
  },
  {
    method: "DELETE",
    path: "/apikeys/:id",
    who: "admin",
    summary: "Revokes a key, and closes what it opened.",
    answers: { 204: undefined },
    answer: async ({ id }, project) => {
      connections.close({ key: await projects.revokeKey(project.id, id) })
      return { status: 204 }
    },
  },
]

const webhookRoutes = (
  { projects }: ApiParts,
  path: "/webhooks" | "/compensation-failure-webhooks",
  kind: WebhookKind,
): readonly ApiRoute[] => [
  {
    method: "GET",
    path,
    who: "admin",
    summary: "Who is told.",
    answers: { 200: { list: "Webhook" } },
    answer: async (_, project) => ({ status: 200, body: project[kind].map((url) => ({ url })) }),
  },
  {
    method: "POST",
    path,
    who: "admin",
    summary: "Tells this address as well.",
    body: "Webhook",
    answers: { 201: "Webhook" },
    answer: async ({ body }, project) => {
      try {
        const url = await projects.addWebhook(project.id, kind, textMember(body, "url"))
        return { status: 201, body: { url } }
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error
        throw new ApiError(400, "input validation error", error.message)
      }
    },
  },
  {
    method: "DELETE",
    path,
    who: "admin",
    summary: "Tells this address no more.",
    query: { url: "The address." },
    answers: { 204: undefined },
    answer: async ({ query }, project) => {
      await projects.removeWebhook(project.id, kind, query.get("url") ?? "")
      return { status: 204 }
    },
  },
]

import { readService } from "../api-body.ts"
import { registeredView, serviceView } from "../plan-views.ts"
import type { ApiParts, ApiRoute } from "../route.ts"

/** Services and agents. */
export const serviceRoutes = ({ services, connections }: ApiParts): readonly ApiRoute[] => [
  ...(["service", "agent"] as const).map(
    (kind): ApiRoute => ({
      method: "POST",
      path: `/register/${kind}`,
      who: "service",
      summary: `Registers ${kind === "agent" ? "an agent" : "a service"}, or registers it again under its id.`,
      body: "NewService",
      answers: { 200: "RegisteredService" },
      answer: async ({ body }, { id }) => ({
        status: 200,
        body: registeredView(await services.register(id, readService(body, kind))),
      }),
    }),
  ),
  {
    method: "GET",
    path: "/services",
    who: "read",
    summary: "The services and agents of the project, and whether they are connected.",
    answers: { 200: { list: "Service" } },
    answer: async (_, project) => {
      const all = await services.list(project.id)
      return { status: 200, body: all.map((each) => serviceView(each, connections.isConnected(each.id))) }
    },
  },
  {
    method: "DELETE",
    path: "/services/:id",
    who: "admin",
    summary: "Removes a service, and closes its sockets.",
    answers: { 204: undefined },
    answer: async ({ id }, project) => {
      await services.remove(project.id, id)
      connections.close({ service: id })
      return { status: 204 }
    },
  },
]

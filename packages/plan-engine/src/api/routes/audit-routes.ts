import { auditPage } from "../pages.ts"
import type { ApiParts, ApiRoute } from "../route.ts"

/** Who did what to a project. */
export const auditRoutes = ({ audit }: ApiParts): readonly ApiRoute[] => [
  {
    method: "GET",
    path: "/audit",
    who: "admin",
    summary:
      "Everything that was asked of the project but looks, and by which key, the newest first. Each entry has a hash over itself and the one before.",
    query: {
      limit: "1 to 500, default 50.",
      cursor: "That of the page before.",
      verify: "Instead whether all of it is there and as it was written.",
    },
    answers: { 200: "Audit" },
    answer: async ({ query }, project) => {
      if (query.has("verify")) {
        const found = await audit.verify(project.id)
        return { status: 200, body: { isWhole: found.brokenAt === undefined, ...found } }
      }
      return { status: 200, body: await auditPage(audit, project.id, query) }
    },
  },
]

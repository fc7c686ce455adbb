import type { ApiParts, ApiRoute } from "./route.ts"
import { auditRoutes } from "./routes/audit-routes.ts"
import { compensationRoutes } from "./routes/compensation-routes.ts"
import { deliveryRoutes } from "./routes/delivery-routes.ts"
import { engineRoutes } from "./routes/engine-routes.ts"
import { groundingRoutes } from "./routes/grounding-routes.ts"
import { orchestrationRoutes } from "./routes/orchestration-routes.ts"
import { projectRoutes } from "./routes/project-routes.ts"
import { serviceRoutes } from "./routes/service-routes.ts"

/** Every route, also those that the original had not. The OpenAPI document is made of them. */
export function apiRoutes(parts: ApiParts): readonly ApiRoute[] {
  const all: readonly ApiRoute[] = [
    ...engineRoutes(parts, () => all),
    ...projectRoutes(parts),
    ...deliveryRoutes(parts),
    ...serviceRoutes(parts),
    ...orchestrationRoutes(parts),
    ...groundingRoutes(parts),
    ...compensationRoutes(parts),
    ...auditRoutes(parts),
  ]
  return all
}

import type { Approvals } from "@orra/core"
import { approvalRoutes } from "./approval-routes.ts"
import { chatRoutes } from "./chat-routes.ts"
import { type LoginOptions, loginRoutes } from "./login-routes.ts"
import { modelRoutes } from "./model-routes.ts"
import type { Route } from "./route.ts"
import { sessionRoutes } from "./session-routes.ts"

/** Every route of the gateway's own. An application's routes come after them. */
export const gatewayRoutes = (
  options: LoginOptions & { readonly approvals: Approvals | undefined },
): readonly Route[] => [
  { method: "GET", path: "/health", permission: "open", handle: () => Response.json({ status: "ok" }) },
  ...chatRoutes,
  ...sessionRoutes(options.now),
  ...modelRoutes(options.now),
  ...(options.approvals ? approvalRoutes(options.approvals) : []),
  ...loginRoutes(options),
]

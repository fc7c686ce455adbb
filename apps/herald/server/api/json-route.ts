import type { GatewayRequest, Principal, Route } from "@orra/gateway"

export interface JsonRouteOptions {
  readonly permission?: Principal["permissions"][number]
  readonly maxBytes?: number
}

/**
 * Makes routes whose answer is JSON, for whoever may chat unless `all` or a route itself says otherwise. What a route throws
 * goes through `withStatus`, which knows the errors of its topic.
 */
export const jsonRoutes =
  (withStatus: (error: unknown) => unknown, all: JsonRouteOptions = {}) =>
  (
    method: Route["method"],
    path: string,
    work: (request: GatewayRequest) => Promise<unknown>,
    own: JsonRouteOptions = {},
  ): Route => ({
    method,
    path,
    permission: "chat",
    ...all,
    ...own,
    handle: async (request) => {
      try {
        return Response.json(await work(request))
      } catch (error) {
        throw withStatus(error)
      }
    },
  })

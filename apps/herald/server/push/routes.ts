import { type GatewayRequest, HttpError, type Route } from "@orra/gateway"
import { jsonRoutes } from "../api/json-route.ts"
import { proofOf } from "./keys.ts"
import type { Pushes } from "./push.ts"
import { subscriptionIn } from "./subscriptions.ts"

const route = jsonRoutes((error) => error)

const ONE = "/api/push/subscriptions/:id"

/** The routes by which a browser asks for notifications; documented in docs/herald/api.md. */
export const pushRoutes = (pushes: Pushes, local: string | undefined): readonly Route[] => [
  route("GET", "/api/push", async () =>
    pushes.isOn ? { enabled: true, key: (await pushes.keys()).publicKey } : { enabled: false },
  ),
  route("PUT", "/api/push/subscription", async (request) => {
    const { principal } = request
    assertOn(pushes)
    const { id: login } = loginOf(request)
    const subscription = subscriptionIn(await request.body(), local)
    const proof = proofOf(await pushes.keys(), principal)
    return { id: await pushes.subscriptions.put(principal.namespace, { ...subscription, login, proof }) }
  }),
  route("POST", `${ONE}/test`, async ({ principal, params, signal }) => {
    assertOn(pushes)
    const { sent, error } = await pushes.test(principal.namespace, params["id"] ?? "", signal)
    const then = sent === "later" ? "Try again in a minute." : "Switch them off and on again."
    if (error) throw new HttpError(422, "push_failed", `${error.message} ${then}`)
    if (sent !== "taken") throw notThere()
    return { sent: true }
  }),
  route("DELETE", ONE, async ({ principal, params }) => {
    if (!(await pushes.subscriptions.delete(principal.namespace, params["id"] ?? ""))) throw notThere()
    return { deleted: true }
  }),
]

/** @throws HttpError 403 for a key: a subscription ends with the login that asked for it. */
function loginOf({ login }: GatewayRequest): NonNullable<GatewayRequest["login"]> {
  if (login) return login
  throw new HttpError(403, "push_needs_login", "Only a browser that is logged in can have notifications.")
}

function assertOn({ isOn }: Pushes): void {
  if (!isOn) throw new HttpError(409, "push_off", "Notifications are switched off here: push.enabled.")
}

const notThere = (): HttpError =>
  new HttpError(404, "not_found", "There are no notifications on this device (any more).")

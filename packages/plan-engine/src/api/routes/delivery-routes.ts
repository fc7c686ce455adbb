import { DELIVERY_STATUSES } from "../../webhooks/deliveries.ts"
import { deliveryPage } from "../pages.ts"
import { deliveryView } from "../plan-views.ts"
import type { ApiParts, ApiRoute } from "../route.ts"

/** What webhooks were told, and what they were not. */
export const deliveryRoutes = ({ webhooks }: ApiParts): readonly ApiRoute[] => [
  {
    method: "GET",
    path: "/webhooks/deliveries",
    who: "read",
    summary: "What webhooks are told, those that changed last first.",
    query: {
      limit: "1 to 500, default 50.",
      cursor: "That of the page before.",
      state: `Only these: ${DELIVERY_STATUSES.join(", ")}.`,
    },
    answers: { 200: "DeliveryList" },
    answer: async ({ query }, project) => ({
      status: 200,
      body: await deliveryPage(webhooks.deliveries, project.id, query),
    }),
  },
  {
    method: "GET",
    path: "/webhooks/deliveries/:id",
    who: "read",
    summary: "One of them, with what is told.",
    answers: { 200: "Delivery" },
    answer: async ({ id }, project) => {
      const delivery = await webhooks.deliveries.get(project.id, id)
      return { status: 200, body: { ...deliveryView(delivery), body: delivery.body } }
    },
  },
  {
    method: "POST",
    path: "/webhooks/deliveries/:id/redeliver",
    who: "orchestrate",
    summary: "Tells it again, whatever came of it: now, and as often as something new.",
    answers: { 202: "Delivery" },
    answer: async ({ id }, project) => ({
      status: 202,
      body: deliveryView(await webhooks.redeliver(project.id, id)),
    }),
  },
]

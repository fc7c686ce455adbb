import type { JsonObject } from "@orra/core"
import type { Plan, Service } from "./index.ts"

const object = (properties: JsonObject, required = Object.keys(properties)): JsonObject => ({
  type: "object",
  properties,
  required,
})

const text = { type: "string" } as const

/** A shop: whose order it is, whether it is in stock, what it costs to bring, and the payment. */
export const SHOP: readonly Service[] = [
  {
    id: "s_customer",
    name: "customer",
    description: "Finds a customer.",
    input: object({ customerId: text }),
    output: object({ name: text, address: object({ street: text, zip: text }) }),
  },
  {
    id: "s_inventory",
    name: "inventory",
    description: "Reserves a product.",
    input: object({ product: text, count: { type: "integer", minimum: 1 } }, ["product"]),
    output: object({
      reserved: { type: "boolean" },
      items: { type: "array", items: object({ id: text, price: { type: "number" } }) },
    }),
  },
  {
    id: "s_delivery",
    name: "delivery",
    description: "Says when something arrives.",
    input: object(
      { address: object({ street: text, zip: text }), item: text, speed: { enum: ["slow", "fast"] } },
      ["address", "item"],
    ),
    output: object({ day: { type: "string", format: "date" }, cost: { type: "number" } }),
  },
]

/** What is right. */
export const ORDER: Plan = {
  taskZero: { customerId: "c-1", product: "lamp" },
  tasks: [
    { id: "task1", service: "s_customer", input: { customerId: "$task0.customerId" } },
    { id: "task2", service: "s_inventory", input: { product: "$task0.product" } },
    { id: "task3", service: "s_delivery", input: { address: "$task1.address", item: "$task2.items[0].id" } },
  ],
}

import { MemoryStore, Namespace, type Provider, Runtime } from "@orra/core"
import {
  type EngineAccess,
  FinalFailure,
  initService,
  type PlanService,
  type ServiceOptions,
} from "@orra/plan-sdk"
import { serveAgent } from "@orra/plan-sdk/agent"
import type { Shop } from "./shop.ts"

const text = { type: "string" } as const
const object = (properties: object) => ({
  type: "object",
  properties: { ...properties },
  required: Object.keys(properties),
})
const address = object({ street: text, city: text })

/** The services of the shop, each as it could be a program of its own. `folder` is where they keep what they have done. */
export async function startServices(
  { url, apiKey }: EngineAccess,
  { shop, provider, folder }: { readonly shop: Shop; readonly provider: Provider; readonly folder: string },
): Promise<readonly PlanService[]> {
  const options = (name: string): ServiceOptions => ({
    name,
    orraUrl: url,
    orraKey: apiKey,
    persistenceOpts: { filePath: `${folder}/${name}.json` },
  })
  return await Promise.all([
    customers(options("customer-service"), shop),
    inventory(options("inventory-service"), shop),
    payment(options("payment-service"), shop),
    delivery(options("delivery-agent"), provider),
  ])
}

async function customers(options: ServiceOptions, shop: Shop): Promise<PlanService> {
  const service = initService(options)
  await service.register({
    description: "Finds a customer by id: the name and the address.",
    schema: { input: object({ customerId: text }), output: object({ name: text, address }) },
  })
  service.start(({ input }) => {
    const { name, address } = shop.customer(String(input["customerId"]))
    return { name, address }
  })
  return service
}

/** What it reserves is given back when the plan cannot be finished. */
async function inventory(options: ServiceOptions, shop: Shop): Promise<PlanService> {
  const service = initService(options)
  await service.register({
    description:
      "Reserves one of a product and says what it costs and where it is. Products: headphones, laptop.",
    schema: {
      input: object({ product: text }),
      output: object({ product: text, price: { type: "number" }, warehouse: address }),
    },
    revertible: true,
  })
  service.onRevert(({ idempotencyKey }) => shop.giveBack(idempotencyKey))
  service.start(({ input, idempotencyKey, abort }) => {
    const name = String(input["product"])
    const product = shop.reserve(idempotencyKey, name)
    if (!product) return abort({ reason: `Sold out: ${name}.` })
    return { product: product.name, price: product.price, warehouse: product.warehouse }
  })
  return service
}

/** A bank that says no ends the plan; what was paid is paid back when something after it fails. */
async function payment(options: ServiceOptions, shop: Shop): Promise<PlanService> {
  const service = initService(options)
  await service.register({
    description: "Takes money from a customer, in EUR.",
    schema: {
      input: object({ customerId: text, amount: { type: "number", minimum: 0 } }),
      output: object({ receipt: text, message: text }),
    },
    revertible: true,
  })
  service.onRevert(({ idempotencyKey }) => shop.refund(idempotencyKey))
  service.start(async ({ input, idempotencyKey, pushUpdate, abort }) => {
    pushUpdate({ message: "asking the bank" })
    const amount = Number(input["amount"])
    if (Number.isNaN(amount)) throw new FinalFailure("There is no amount.")
    const isPaid = shop.pay(idempotencyKey, shop.customer(String(input["customerId"])), amount)
    if (!isPaid) return abort({ reason: "Your bank declined the payment." })
    return { receipt: idempotencyKey.slice(0, 8), message: `You paid ${amount} EUR.` }
  })
  return service
}

/** An agent: it thinks about where things are, and writes to the customer. */
async function delivery(options: ServiceOptions, provider: Provider): Promise<PlanService> {
  const runtime = new Runtime({
    provider,
    store: new MemoryStore(),
    systemPrompt:
      "You plan deliveries of a shop in England. Parcels leave the same day and take one day per 150 km. Write one friendly sentence to the customer.",
  })
  return await serveAgent(runtime, {
    ...options,
    description: "Says when a product arrives that goes from a warehouse to an address.",
    namespace: Namespace.of("shop", "delivery"),
    schema: {
      input: object({ product: text, warehouse: address, address }),
      output: object({ days: { type: "integer" }, message: text }),
    },
  })
}

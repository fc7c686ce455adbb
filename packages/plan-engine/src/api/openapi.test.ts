import type { JsonObject } from "@orra/core"
import { Ajv } from "ajv"
import formats from "ajv-formats"
import { afterEach, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
type Content = Readonly<Record<string, { readonly schema: JsonObject }>>
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: JsonObject
}

/** Asks an engine, and holds what is sent and answered against its own document. */
class Checked {
  readonly shop: Bench
  readonly document: Document
  readonly asked = new Set<string>()
  readonly #ajv = formats.default(new Ajv({ strict: false, validateFormats: true }))

  constructor(shop: Bench, document: Document) {
    this.shop = shop
    this.document = document
  }

  async ask<T = { readonly id: string }>(
    method: string,
    path: string,
    body?: object,
    { id = "", query = "", headers = {} }: { id?: string; query?: string; headers?: object } = {},
  ): Promise<T> {
    const operation = this.document.paths[path]?.[method.toLowerCase()]
    if (!operation) throw new Error(`${method} ${path} is not in the document.`)
    const given = operation.requestBody?.content["application/json"]
    if (body && given) this.#check(given.schema, body, `what ${method} ${path} is sent`)
    expect(body === undefined || given !== undefined, `${method} ${path} takes a body`).toBe(true)
    const response = await fetch(`${this.shop.url}${path.replace("{id}", id)}${query}`, {
      method,
      headers: { authorization: `Bearer ${this.shop.key}`, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = operation.responses[response.status]
    const text = await response.text()
    if (!answer) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    this.asked.add(`${method} ${path}`)
    const [[type, content] = []] = Object.entries(answer.content ?? {})
    expect(response.headers.get("content-type") ?? undefined, `${method} ${path}`).toBe(type)
    if (!content || type !== "application/json") return text as T
    const parsed: unknown = JSON.parse(text)
    this.#check(content.schema, parsed, `what ${method} ${path} answers`)
    return parsed as T
  }

  #check(schema: JsonObject, value: unknown, what: string): void {
    const check = this.#ajv.compile({ components: this.document.components, ...schema })
    expect(check(value), `${what}: ${this.#ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`).toBe(
      true,
    )
  }
}

const schema = { type: "object", properties: { text: { type: "string" } } }
const GROUNDING = {
  name: "shop-rules",
  domain: "shop",
  version: "1.0",
  useCases: [
    { action: "Echo {text}", params: { text: "a" }, capabilities: ["Says it again."], intent: "To hear it." },
  ],
  constraints: [],
}

test("the document says of every route what it takes and gives", async () => {
  const shop = await new Bench().listen()
  ends.push(() => shop.close())
  const document = (await shop.ask<Document>("GET", "/openapi.json", undefined, "")).body
  expect(document.openapi).toBe("3.1.0")
  const api = new Checked(shop, document)
  const project = await api.ask<{ apiKey: string }>("POST", "/register/project", {
    name: "shop",
    webhooks: ["http://127.0.0.1:1/"],
  })
  shop.key = project.apiKey
  for (const path of ["/health", "/health/ready", "/metrics", "/openapi.json"]) await api.ask("GET", path)

  for (const path of ["/project", "/projects"]) await api.ask("GET", path)
  const key = await api.ask("POST", "/apikeys", { scopes: ["read"], expiresAt: "2100-01-01T00:00:00Z" })
  await api.ask("GET", "/apikeys")
  await api.ask("DELETE", "/apikeys/{id}", undefined, { id: key.id })
  for (const path of ["/webhooks", "/compensation-failure-webhooks"]) {
    const url = "http://127.0.0.1:2/"
    await api.ask("POST", path, { url })
    await api.ask("GET", path)
    await api.ask("DELETE", path, undefined, { query: `?url=${encodeURIComponent(url)}` })
  }
  const echo = { name: "echo", description: "Says it again.", schema: { input: schema, output: schema } }
  const removed = await api.ask("POST", "/register/agent", { ...echo, id: null })
  await api.ask("POST", "/register/service", { ...echo, revertible: true })
  await api.ask("DELETE", "/services/{id}", undefined, { id: removed.id })
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  await shop.service("second", ({ abort }) => abort("no"))
  await api.ask("GET", "/services")

  shop.plan = [
    { id: "task1", service: "first", input: { text: "$task0.text" } },
    { id: "task2", service: "second", input: { text: "$task1.text" } },
  ]
  first.onRevert = () => {
    throw new Error("It cannot be undone.")
  }
  const request = { action: { content: "Do it." }, data: [{ field: "text", value: "a" }], timeout: "30s" }
  const { id } = await api.ask("POST", "/orchestrations", request)
  await shop.ended(id)
  await api.ask("GET", "/orchestrations")
  await api.ask("GET", "/orchestrations", undefined, { query: "?limit=1&status=aborted" })
  await api.ask("GET", "/orchestrations/inspections/{id}", undefined, { id })
  await api.ask("GET", "/orchestrations/{id}/log", undefined, { id })
  await api.ask("GET", "/orchestrations/{id}/log", undefined, { id, query: "?verify" })
  const over = { id, query: "?follow", headers: { "last-event-id": "end" } }
  await api.ask("GET", "/orchestrations/{id}/log", undefined, over)
  await api.ask("GET", "/orchestrations/{id}/pddl", undefined, { id })
  await api.ask("GET", "/orchestrations/{id}/pddl", undefined, { id })
  await api.ask("POST", "/orchestrations/{id}/cancel", undefined, { id })

  const [failed] = await api.ask<readonly { id: string }[]>("GET", "/compensation-failures")
  const of = { id: failed?.id ?? "" }
  await api.ask("GET", "/compensation-failures/{id}", undefined, of)
  await api.ask("POST", "/compensation-failures/{id}/retry", undefined, of)
  await api.ask("POST", "/compensation-failures/{id}/resolve", { reason: "Done by hand." }, of)
  await api.ask("POST", "/compensation-failures/{id}/ignore", { reason: "" }, of)

  const { items } = await api.ask<{ items: readonly { id: string }[] }>("GET", "/webhooks/deliveries")
  const delivery = { id: items[0]?.id ?? "" }
  await api.ask("GET", "/webhooks/deliveries", undefined, { query: "?state=dead&limit=1" })
  await api.ask("GET", "/webhooks/deliveries/{id}", undefined, delivery)
  await api.ask("POST", "/webhooks/deliveries/{id}/redeliver", undefined, delivery)

  await api.ask("POST", "/groundings/test", GROUNDING)
  await api.ask("POST", "/groundings", GROUNDING)
  await api.ask("GET", "/groundings")
  await api.ask("DELETE", "/groundings/{id}", undefined, { id: GROUNDING.name })
  await api.ask("DELETE", "/groundings")

  await api.ask("GET", "/audit")
  await api.ask("GET", "/audit", undefined, { query: "?verify" })

  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  // A stream of what happens to all never ends: it is read where it is tested.
  expect(all.filter((each) => !api.asked.has(each))).toEqual(["GET /orchestrations/events"])
})

test("errors are as the document says", async () => {
  const shop = await new Bench().listen()
  ends.push(() => shop.close())
  const { body: document } = await shop.ask<Document>("GET", "/openapi.json", undefined, "")
  const check = new Ajv({ strict: false }).compile({
    components: document.components,
    $ref: "#/components/schemas/Error",
  })
  await shop.project()
  for (const [method, path, body] of [
    ["GET", "/orchestrations/inspections/o_none", undefined],
    ["GET", "/orchestrations?limit=0", undefined],
    ["POST", "/apikeys", { scopes: [] }],
    ["POST", "/register/service", {}],
    ["POST", "/orchestrations", "{"],
    ["DELETE", "/services/s_none", undefined],
  ] as const) {
    const { status, body: answered } = await shop.ask(method, path, body)
    expect(status, path).toBeGreaterThanOrEqual(400)
    expect(check(answered), path).toBe(true)
  }
})

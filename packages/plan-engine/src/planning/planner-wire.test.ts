import { claude } from "@orra/claude"
import type { Provider } from "@orra/core"
import { openai } from "@orra/openai"
import {
  cut,
  drop,
  end,
  type FakeModelServer,
  fakeModelServer,
  hang,
  respond,
  say,
  type WireAnswer,
} from "@orra/testing"
import { describe, expect, test } from "vitest"
import { ORDER, SHOP } from "../fixture.ts"
import { makePlan } from "./planner.ts"
import { planForm } from "./prompt.ts"

type Options = { readonly timeoutMs?: number }
const ONCE = { maxAttempts: 1 }
const key = "test"
const PROVIDERS: readonly [
  string,
  (server: FakeModelServer, options?: Options) => Provider,
  (body: Body) => unknown,
][] = [
  [
    "Chat Completions",
    ({ openaiUrl: baseURL }, options) => openai({ apiKey: key, baseURL, retry: ONCE, ...options }),
    ({ response_format: { json_schema } }) => json_schema.schema,
  ],
  [
    "Responses",
    ({ openaiUrl: baseURL }, options) =>
      openai({ apiKey: key, baseURL, api: "responses", retry: ONCE, ...options }),
    ({ text: { format } }) => format.schema,
  ],
  [
    "Claude",
    ({ url: baseURL }, options) => claude({ apiKey: key, baseURL, retry: ONCE, ...options }),
    ({ output_config: { format } }) => format.schema,
  ],
]
// biome-ignore lint/suspicious/noExplicitAny: what a provider sends is looked at as it is.
type Body = any

const asked = { services: SHOP, action: "Deliver it", data: { customerId: "c-1", product: "lamp" } }
const written = JSON.stringify({ tasks: [{ id: "task0", input: {} }, ...ORDER.tasks] })
const IN_FORM = JSON.stringify({
  impossible: null,
  constants: [],
  tasks: ORDER.tasks.map(({ id, service, input }) => ({
    id,
    service,
    input: Object.entries(input).map(([name, value]) => ({ name, value })),
    after: [],
  })),
})

describe.each(PROVIDERS)("over %s", (_, provide, formIn) => {
  const plans = async (
    script: readonly WireAnswer[],
    options: Options & { readonly model?: string } = {},
  ) => {
    await using server = await fakeModelServer(script)
    const { model, ...more } = options
    const made = await makePlan({
      ...asked,
      provider: provide(server, more),
      ...(model !== undefined && { model }),
    }).then(
      ({ plan, attempts }) => ({ plan, attempts, code: undefined }),
      ({ code }: { code: string }) => ({ plan: undefined, attempts: 0, code }),
    )
    return { ...made, bodies: server.requests.map(({ body }) => body as Body) }
  }

  test("W-P7: a model is held to the form of a plan, and any name of a model is asked for", async () => {
    const { plan, bodies } = await plans([IN_FORM], { model: "Some-Lab/qwq_32b:4bit@home" })
    expect(plan).toEqual(ORDER)
    expect(formIn(bodies[0])).toEqual(planForm(SHOP))
    expect(bodies[0].model).toBe("Some-Lab/qwq_32b:4bit@home")
  })

  test("one that cannot be held to it is asked without", async () => {
    const refusal = (what: string) =>
      respond(400, {
        body: {
          type: "error",
          error: { type: "invalid_request_error", param: what, message: `${what}: not supported` },
        },
      })
    const refused = (request: { readonly body: Body }): WireAnswer =>
      refusal(
        "response_format" in request.body
          ? "response_format"
          : "text" in request.body
            ? "text.format"
            : "output_config",
      )
    const { plan, bodies } = await plans([refused, `Sure!\n\`\`\`json\n${written}\n\`\`\``])
    expect(plan).toEqual(ORDER)
    expect(bodies).toHaveLength(2)
    expect(JSON.stringify(bodies[1])).not.toContain("json_schema")
  })

  test.each<[string, WireAnswer]>([
    ["prose", "I would first look for the customer, and then deliver."],
    ["half of it", [say(written.slice(0, 90)), end({ finishReason: "max_tokens" })]],
    ["another form", '{"steps": ["customer", "delivery"]}'],
    ["a list", "[1, 2, 3]"],
    ["nothing", [say(" ")]],
    ["a plan of others", written.replaceAll("s_", "x_")],
    ["a text that is no text", [say('{"tasks": "\\ud800"}')]],
  ])("a model that answers %s is told, and asked again", async (what, answer) => {
    const { plan, attempts, bodies } = await plans([answer, IN_FORM])
    expect([plan, attempts]).toEqual([ORDER, 2])
    expect(JSON.stringify(bodies[1])).toContain(
      what === "half of it" ? "cut off after 8192 tokens" : "This plan cannot be carried out",
    )
  })

  test.each<[string, WireAnswer, string]>([
    ["ends in the middle", [say(written.slice(0, 50)), cut()], "provider_protocol"],
    ["breaks off", [say(written.slice(0, 50)), drop()], "provider_network"],
    ["is silent", [say(written.slice(0, 50)), hang()], "provider_timeout"],
  ])("an answer that %s ends the planning with its code", async (_, answer, code) => {
    expect(await plans([answer, IN_FORM], { timeoutMs: 300 })).toMatchObject({ code })
  })
})

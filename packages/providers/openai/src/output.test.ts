import { respond } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { ask, collect, doneOf, setup, setupResponses } from "./fixture.ts"

const schema = {
  type: "object",
  additionalProperties: false,
  required: ["a"],
  properties: { a: { type: "string" } },
} as const
const request = ask({ output: { name: "answer", schema } })
const WAYS = [
  ["Chat Completions", setup, "response_format", { json_schema: { name: "answer", schema, strict: true } }],
  ["Responses", setupResponses, "text", { format: { name: "answer", schema, strict: true } }],
] as const

describe.each(WAYS)("the form of an answer, over %s", (_, open, member, sent) => {
  test("is sent where a request has one, and else nothing of it", async () => {
    const { server, provider } = await open(['{"a":"b"}', "Hi"])
    expect(doneOf(await collect(provider, request)).message.parts).toMatchObject([{ text: '{"a":"b"}' }])
    await collect(provider)
    expect(server.requests[0]?.body[member]).toMatchObject(sent)
    expect(server.requests[1]?.body).not.toHaveProperty(member)
  })

  test("is left out where a server refuses it, for this model from then on", async () => {
    const refusal = respond(400, { body: { error: { message: `${member}: json_schema is not supported` } } })
    const { server, provider } = await open([refusal, '{"a":"b"}', '{"a":"c"}'])
    for (let count = 0; count < 2; count++) doneOf(await collect(provider, request))
    expect(server.requests.map(({ body }) => member in body)).toEqual([true, false, false])
  })
})

// The server under test of the protocol's conformance suite: tools of a runtime that do what its scenarios want.

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Namespace, Runtime, type Tool, type ToolContext, type ToolOutput, tool } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { mcpHttp } from "./server.ts"

const made = (name: string, execute: (context: ToolContext) => string | ToolOutput): Tool =>
  tool({
    name,
    description: name,
    input: { type: "object" },
    risk: "read",
    execute: (_, context) => execute(context),
  })

const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

const tools: readonly Tool[] = [
  made("test_simple_text", () => "This is a simple text response for testing."),
  made("test_image_content", () => ({ content: [{ type: "image", mediaType: "image/png", data: pixel }] })),
  made("test_error_handling", () => {
    throw new Error("This tool intentionally returns an error for testing")
  }),
  made("test_tool_with_progress", ({ progress }) => {
    for (const step of ["0", "50", "100"]) progress(`${step} of 100`)
    return "done"
  }),
  tool({
    name: "json_schema_2020_12_tool",
    description: "Has a schema with definitions.",
    input: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    },
    risk: "read",
    execute: () => "fine",
  }),
]

const runtime = new Runtime({ provider: scriptedProvider([], { otherwise: () => "Hello." }), tools })
const namespace = Namespace.of("tested")
await runtime.run(namespace.child("chat"), "Hi.")
const { node } = mcpHttp({ runtime, name: "tested", tools: "all", authenticate: () => ({ namespace }) })
const server = createServer((request, response) => void node(request, response)).listen(
  0,
  "127.0.0.1",
  () => {
    console.log((server.address() as AddressInfo).port)
  },
)

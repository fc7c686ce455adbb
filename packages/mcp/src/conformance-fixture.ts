// What the scenarios of the protocol's conformance suite want of a server, made with this package's own means.

import {
  acceptedContent,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
} from "@modelcontextprotocol/server"
import { type Tool, type ToolContext, type ToolOutput, tool } from "@orra/core"
import {
  type ClientCall,
  type ClientToolOptions,
  clientTool,
  type ServedPrompt,
  type ServedResource,
} from "./server.ts"

const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
const silence = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=="

const plain = (name: string, execute: (context: ToolContext) => string | ToolOutput): Tool =>
  tool({
    name,
    description: name,
    input: { type: "object" },
    risk: "read",
    execute: (_, context) => execute(context),
  })

type Execute = ClientToolOptions<Record<string, string>>["execute"]

const forClients = (name: string, execute: Execute, properties = {}): Tool =>
  clientTool<Record<string, string>>({
    name,
    description: name,
    input: { type: "object", properties },
    risk: "read",
    execute,
  })

const said = (text: string) =>
  ({ content: [{ type: "text", text }] as const }) as { content: [{ type: "text"; text: string }] }

const object = (properties: object) =>
  ({ type: "object", properties, required: Object.keys(properties) }) as const
const elicit = (message: string, properties: object) =>
  inputRequired.elicit({ message, requestedSchema: object(properties) as never })
const sample = (text: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens })

const answers = ({ context }: ClientCall) => context.mcpReq.inputResponses

/** Asks for a name until there is one, then greets. */
const greet: Execute = (_, client) => {
  const content = acceptedContent(answers(client), "user_name")
  return content
    ? said(`Hello, ${String(content["name"])}!`)
    : inputRequired({
        inputRequests: { user_name: elicit("What is your name?", { name: { type: "string" } }) },
      })
}

/** Asks once, by the legacy server's way or the newer one, and says what came. */
const asks =
  (properties: object): Execute =>
  (_, client) => {
    const given = inputResponse(answers(client), "form")
    return given.kind === "elicit"
      ? said(`Elicitation completed: action=${given.action}, content=${JSON.stringify(given.content)}`)
      : inputRequired({ inputRequests: { form: elicit("Please fill this in", properties) } })
  }

const options = (first: string, ...more: string[]) => ({ type: "string", enum: [first, ...more] })

export const tools = (toolsChanged: () => void): readonly Tool[] => [
  plain("test_simple_text", () => "This is a simple text response for testing."),
  plain("test_image_content", () => ({ content: [{ type: "image", mediaType: "image/png", data: pixel }] })),
  plain("test_error_handling", () => {
    throw new Error("This tool intentionally returns an error for testing")
  }),
  plain("test_tool_with_progress", ({ progress }) => {
    for (const step of ["0", "50", "100"]) progress(`${step} of 100`)
    return "done"
  }),
  plain("test_trigger_tool_change", () => {
    toolsChanged()
    return "changed"
  }),
  plain("test_logging_tool", ({ progress }) => {
    progress("working")
    return "logged"
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
  forClients("test_audio_content", () => ({
    content: [{ type: "audio", mimeType: "audio/wav", data: silence }],
  })),
  forClients("test_embedded_resource", () => ({
    content: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
  })),
  forClients("test_multiple_content_types", () => ({
    content: [
      { type: "text", text: "Multiple content types test:" },
      { type: "image", mimeType: "image/png", data: pixel },
      {
        type: "resource",
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: '{"test":"data","value":123}',
        },
      },
    ],
  })),
  forClients("test_tool_with_logging", async (_, { context }) => {
    for (const line of ["Tool execution started", "Tool processing data", "Tool execution completed"])
      await context.mcpReq.log("info", line)
    return said("logged")
  }),
  forClients(
    "test_sampling",
    ({ prompt = "" }, client) => {
      const given = inputResponse(answers(client), "answer")
      if (given.kind !== "sampling") return inputRequired({ inputRequests: { answer: sample(prompt) } })
      return said(`LLM response: ${JSON.stringify(given.result.content)}`)
    },
    { prompt: { type: "string" } },
  ),
  forClients(
    "test_elicitation",
    ({ message = "" }, client) => {
      const given = inputResponse(answers(client), "form")
      if (given.kind === "elicit") return said(`User response: ${JSON.stringify(given)}`)
      const properties = { username: { type: "string" }, email: { type: "string" } }
      return inputRequired({ inputRequests: { form: elicit(message, properties) } })
    },
    { message: { type: "string" } },
  ),
  forClients(
    "test_elicitation_sep1034_defaults",
    asks({
      name: { type: "string", default: "John Doe" },
      age: { type: "integer", default: 30 },
      score: { type: "number", default: 95.5 },
      status: { ...options("active", "inactive", "pending"), default: "active" },
      verified: { type: "boolean", default: true },
    }),
  ),
  forClients(
    "test_elicitation_sep1330_enums",
    asks({
      untitledSingle: options("option1", "option2", "option3"),
      titledSingle: {
        type: "string",
        oneOf: ["value1", "value2", "value3"].map((value) => ({ const: value, title: `The ${value}` })),
      },
      legacyEnum: {
        ...options("opt1", "opt2", "opt3"),
        enumNames: ["Option One", "Option Two", "Option Three"],
      },
      untitledMulti: { type: "array", items: options("option1", "option2", "option3") },
      titledMulti: {
        type: "array",
        items: {
          anyOf: ["value1", "value2", "value3"].map((value) => ({ const: value, title: `The ${value}` })),
        },
      },
    }),
  ),
  forClients("test_streaming_elicitation", greet),
  forClients("test_missing_capability", () => inputRequired({ inputRequests: { answer: sample("Hello?") } })),
  forClients("test_input_required_result_elicitation", greet),
  forClients("test_input_required_result_sampling", (_, client) => {
    const given = inputResponse(answers(client), "capital_question")
    if (given.kind === "sampling") return said(JSON.stringify(given.result.content))
    return inputRequired({ inputRequests: { capital_question: sample("What is the capital of France?") } })
  }),
  forClients("test_input_required_result_list_roots", (_, client) => {
    const given = inputResponse(answers(client), "client_roots")
    if (given.kind === "roots") return said(given.roots.map(({ uri }) => uri).join())
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  }),
  ...["request_state", "tampered_state"].map((name) =>
    forClients(`test_input_required_result_${name}`, (_, client) => {
      if (acceptedContent(answers(client), "confirm") && client.state === "confirming")
        return said("state-ok")
      return inputRequired({
        inputRequests: { confirm: elicit("Please confirm", { ok: { type: "boolean" } }) },
        requestState: "confirming",
      })
    }),
  ),
  forClients("test_input_required_result_multiple_inputs", (_, client) => {
    const given = Object.keys(answers(client) ?? {})
    if (given.length === 3 && client.state === "several") return said(given.join())
    return inputRequired({
      inputRequests: {
        user_name: elicit("What is your name?", { name: { type: "string" } }),
        greeting: sample("Generate a greeting", 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: "several",
    })
  }),
  forClients("test_input_required_result_multi_round", (_, client) => {
    const name = acceptedContent(answers(client), "step1")?.["name"]
    if (client.state?.startsWith("name ") && acceptedContent(answers(client), "step2"))
      return said(client.state)
    if (client.state === "first" && name !== undefined) {
      return inputRequired({
        inputRequests: {
          step2: elicit("Step 2: What is your favorite color?", { color: { type: "string" } }),
        },
        requestState: `name ${String(name)}`,
      })
    }
    return inputRequired({
      inputRequests: { step1: elicit("Step 1: What is your name?", { name: { type: "string" } }) },
      requestState: "first",
    })
  }),
  forClients("test_input_required_result_capabilities", (_, { capabilities }) => {
    const inputRequests: Parameters<typeof inputRequired>[0]["inputRequests"] = {
      ...(capabilities.sampling && { greeting: sample("Generate a greeting") }),
      ...(capabilities.elicitation && {
        user_name: elicit("What is your name?", { name: { type: "string" } }),
      }),
    }
    return inputRequired({ inputRequests })
  }),
]

export const prompts: readonly ServedPrompt[] = [
  {
    name: "test_simple_prompt",
    description: "A simple prompt.",
    get: () => "This is a simple prompt for testing.",
  },
  {
    name: "test_prompt_with_arguments",
    description: "Is filled in.",
    arguments: [
      {
        name: "arg1",
        description: "The first.",
        required: true,
        complete: (value) => ["test1", "test2"].filter((each) => each.startsWith(value)),
      },
      { name: "arg2", description: "The second.", required: true },
    ],
    get: ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
  },
  {
    name: "test_prompt_with_embedded_resource",
    description: "Has a resource in it.",
    arguments: [{ name: "resourceUri", description: "Which.", required: true }],
    get: ({ resourceUri = "" }) => ({
      messages: [
        {
          role: "user",
          content: {
            type: "resource",
            resource: {
              uri: resourceUri,
              mimeType: "text/plain",
              text: "Embedded resource content for testing.",
            },
          },
        },
        { role: "user", content: { type: "text", text: "Please process the embedded resource above." } },
      ],
    }),
  },
  {
    name: "test_prompt_with_image",
    description: "Has an image in it.",
    get: () => ({
      messages: [
        { role: "user", content: { type: "image", mimeType: "image/png", data: pixel } },
        { role: "user", content: { type: "text", text: "Please analyze the image above." } },
      ],
    }),
  },
  {
    name: "test_input_required_result_prompt",
    description: "Asks first.",
    get: (_, client): string | InputRequiredResult => {
      const content = acceptedContent(answers(client), "user_context")
      if (content) return `With ${String(content["context"])}.`
      const asked = elicit("What context should the prompt use?", { context: { type: "string" } })
      return inputRequired({ inputRequests: { user_context: asked } })
    },
  },
]

export const resources: readonly ServedResource[] = [
  {
    uri: "test://static-text",
    name: "static-text",
    mimeType: "text/plain",
    read: () => "This is the content of the static text resource.",
  },
  {
    uri: "test://static-binary",
    name: "static-binary",
    mimeType: "image/png",
    read: (_, __, uri) => ({ contents: [{ uri, mimeType: "image/png", blob: pixel }] }),
  },
  { uri: "test://watched-resource", name: "watched", mimeType: "text/plain", read: () => "Watched." },
  {
    uri: "test://template/{id}/data",
    name: "template",
    mimeType: "application/json",
    read: ({ id }) => JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
  },
]

import { createHash } from "node:crypto"
import type { Tool as McpTool } from "@modelcontextprotocol/client"
import {
  canonicalJson,
  type JsonObject,
  type Tool,
  type ToolContext,
  type ToolOutput,
  type ToolRisk,
  visibleText,
} from "@orra/core"
import type { Connection } from "./connection.ts"
import { listOutput, outputOf, resourceOutput } from "./content.ts"

/** How a server's tools are made tools of ours. */
export interface ToolSettings {
  readonly server: string
  readonly connection: Connection
  readonly risk: ToolRisk
  /** What it says of its tools is believed: which only read, and which may be called twice. */
  readonly trusted: boolean
  /** The calls that it works on. */
  readonly underWay: Set<ToolContext>
  /** Without a sign of life. */
  readonly timeoutMs: number
  /** With signs of life. */
  readonly maxTotalMs: number
}

const MAX_NAME = 64
const MAX_DESCRIPTION = 4_000

/** `server__tool`, in the characters that every model service takes; one that is too long ends with its hash. */
export function nameOf(server: string, tool: string): string {
  const name = `${server}__${tool.replace(/[^a-zA-Z0-9_-]/g, "_")}`
  if (name.length <= MAX_NAME && name === `${server}__${tool}`) return name
  const hash = createHash("sha256").update(tool).digest("hex").slice(0, 8)
  return `${name.slice(0, MAX_NAME - 9)}_${hash}`
}

/** Stands for everything that a model and a person are told of a tool. */
export const hashOf = ({
  name,
  title,
  description,
  inputSchema,
  outputSchema,
  annotations,
}: McpTool): string =>
  createHash("sha256")
    .update(
      canonicalJson(
        JSON.parse(JSON.stringify({ name, title, description, inputSchema, outputSchema, annotations })),
      ),
    )
    .digest("hex")

/** A tool of a server. `admit` throws when it may not be called as it is now. */
export function serverTool(settings: ToolSettings, tool: McpTool, admit: () => Promise<void>): Tool {
  const { server, connection, trusted, underWay, timeoutMs, maxTotalMs } = settings
  const { readOnlyHint, idempotentHint, openWorldHint } = trusted ? (tool.annotations ?? {}) : {}
  return {
    definition: {
      name: nameOf(server, tool.name),
      description: visibleText((tool.description ?? tool.title ?? "").slice(0, MAX_DESCRIPTION)),
      inputSchema: tool.inputSchema as JsonObject,
    },
    risk: readOnlyHint ? (openWorldHint === false ? "read" : "network") : settings.risk,
    idempotent: readOnlyHint === true || idempotentHint === true,
    untrusted: true,
    timeoutMs: maxTotalMs + 5_000,
    // The server knows its own schema, and says what is wrong.
    parse: async (input) => input,
    async execute(input, context) {
      await admit()
      underWay.add(context)
      try {
        return await connection.ask(
          async (client) =>
            outputOf(
              await client.callTool(
                { name: tool.name, arguments: input as JsonObject },
                {
                  ...waiting(context, timeoutMs, maxTotalMs),
                  toolDefinition: tool,
                },
              ),
            ),
          context.signal,
        )
      } finally {
        underWay.delete(context)
      }
    },
  }
}

/** Tools by which the model reads what a server offers besides tools. */
export function offerTools(
  settings: ToolSettings,
  offers: { resources: boolean; prompts: boolean },
): readonly Tool[] {
  const { server, connection, timeoutMs, maxTotalMs } = settings
  const reading = (
    name: string,
    description: string,
    properties: JsonObject,
    required: readonly string[],
    read: (input: JsonObject, context: ToolContext) => Promise<ToolOutput>,
  ): Tool => ({
    definition: {
      name: nameOf(server, name),
      description,
      inputSchema: { type: "object", properties, required: [...required], additionalProperties: false },
    },
    risk: "network",
    idempotent: true,
    untrusted: true,
    timeoutMs: maxTotalMs + 5_000,
    parse: async (input) => input,
    execute: (input, context) => read(input as JsonObject, context),
  })
  const string = (description: string) => ({ type: "string", description })
  const resources: readonly Tool[] = [
    reading("list_resources", `Lists what can be read from ${server}.`, {}, [], async (_, context) =>
      listOutput(
        await connection.ask(async (client) => {
          const options = waiting(context, timeoutMs, maxTotalMs)
          const { resources } = await client.listResources(undefined, options)
          // A server need not know what a template is.
          const { resourceTemplates } = await client
            .listResourceTemplates(undefined, options)
            .catch(() => ({ resourceTemplates: [] }))
          return [...resources, ...resourceTemplates]
        }, context.signal),
      ),
    ),
    reading(
      "read_resource",
      `Reads something that ${server} offers.`,
      { uri: string("From list_resources; of a template with its variables filled in.") },
      ["uri"],
      async ({ uri }, context) =>
        resourceOutput(
          await connection.ask(
            (client) => client.readResource({ uri: String(uri) }, waiting(context, timeoutMs, maxTotalMs)),
            context.signal,
          ),
        ),
    ),
  ]
  const prompts: readonly Tool[] = [
    reading("list_prompts", `Lists the prompts that ${server} offers.`, {}, [], async (_, context) =>
      listOutput(
        await connection.ask(
          async (client) =>
            (await client.listPrompts(undefined, waiting(context, timeoutMs, maxTotalMs))).prompts,
          context.signal,
        ),
      ),
    ),
    reading(
      "get_prompt",
      `Gets a prompt that ${server} offers, filled in.`,
      {
        name: string("From list_prompts."),
        arguments: { type: "object", additionalProperties: { type: "string" } },
      },
      ["name"],
      async ({ name, arguments: given }, context) =>
        listOutput(
          await connection.ask(
            async (client) =>
              (
                await client.getPrompt(
                  { name: String(name), arguments: given as Record<string, string> },
                  waiting(context, timeoutMs, maxTotalMs),
                )
              ).messages,
            context.signal,
          ),
        ),
    ),
  ]
  return [...(offers.resources ? resources : []), ...(offers.prompts ? prompts : [])]
}

/** How long is waited for an answer, and who is told meanwhile. */
const waiting = ({ signal, progress }: ToolContext, timeout: number, maxTotalTimeout: number) => ({
  signal,
  timeout,
  maxTotalTimeout,
  // A sign of life: the time starts anew.
  resetTimeoutOnProgress: true,
  onprogress: ({
    progress: done,
    total,
    message,
  }: {
    progress: number
    total?: number | undefined
    message?: string | undefined
  }) => progress(`${message ?? `${done}${total === undefined ? "" : ` of ${total}`}`}\n`),
})

import {
  callTool,
  errorMessage,
  isObject,
  type Json,
  type JsonObject,
  MemoryStore,
  Namespace,
  type PolicyLayer,
  PolicyRegistry,
  type Provider,
  Runtime,
  type SessionStore,
  type Tool,
  ToolRegistry,
} from "@orra/core"
import { initService, type PlanService, type ServiceOptions } from "./service.ts"
import { FinalFailure, type Task } from "./task.ts"

export interface ServeToolsOptions extends Omit<ServiceOptions, "name" | "persistenceOpts" | "store"> {
  /** What is allowed. Default: all of these tools; what would be asked about is refused, for nobody is there. */
  readonly policy?: PolicyLayer
  /** Below it each call has a session of its own, which is its record. Default `plan-tools`. */
  readonly namespace?: Namespace
  /** Where these are kept. Default: nowhere, they go with the call. */
  readonly sessions?: SessionStore
  /** The folder of what the services have to know after a restart. Default `.orra-data`. */
  readonly folder?: string
}

/** Tools that are services now. */
export interface ServedTools {
  readonly services: readonly PlanService[]
  shutdown(options?: { readonly timeoutMs?: number }): Promise<void>
}

/**
 * Makes each of these tools a service of a plan engine: tools of an MCP server, or any others. A service is named like its
 * tool, with "." and "-" for what a name cannot have (`files__read_file` is `files.read-file`), takes what the tool takes
 * and gives `{ text }`. A tool that is not idempotent and was cut off is not called again: the task fails.
 *
 * ```ts
 * const served = await serveTools(await mcpServers({ files: { command: "npx", args } }), { orraUrl, orraKey })
 * ```
 *
 * A tool that the engine does not take, such as one whose schema says too little, is told to `onError` and left out.
 */
export async function serveTools(
  given: Iterable<Tool> | { readonly tools: ToolRegistry; readonly policy: PolicyLayer },
  {
    policy = { allow: ["*"] },
    namespace = Namespace.of("plan-tools"),
    sessions,
    folder = ".orra-data",
    ...options
  }: ServeToolsOptions,
): Promise<ServedTools> {
  const { onError = console.error } = options
  const registry = "tools" in given ? given.tools : new ToolRegistry(given)
  // Of two rules the stricter one counts: a tool of a server that has changed is asked about, which is a no.
  const asked = "tools" in given ? (given.policy.ask ?? []) : []
  const base: PolicyLayer = { ...policy, ask: [...asked, ...(policy.ask ?? [])] }
  const store = sessions ?? new MemoryStore()
  const runtime = new Runtime({
    provider: NO_MODEL,
    store,
    tools: registry,
    policies: new PolicyRegistry({ base }),
  })
  const services: PlanService[] = []

  const call = async ({ definition, idempotent }: Tool, task: Task): Promise<Json> => {
    if (task.wasInterrupted && !idempotent)
      throw new FinalFailure("It was cut off: whether it was done is not known, and it is not done again.")
    const session = namespace.child(definition.name, `${task.idempotencyKey}-${task.attempt}`)
    const { signal } = task
    const args = isOpenForNothing(definition.inputSchema) ? {} : task.input
    try {
      const { status, content } = await callTool(runtime, session, definition.name, args, {
        signal,
        principal: "plan",
      })
      const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")
      if (status === "denied") throw new FinalFailure(text)
      if (status !== "ok") throw new Error(text)
      return { text }
    } finally {
      if (!sessions) await store.delete(session)
    }
  }

  for (const tool of registry.list()) {
    const { name, description, inputSchema } = tool.definition
    const serviceName = serviceNameOf(name)
    const service = initService({
      ...options,
      name: serviceName,
      persistenceOpts: { filePath: `${folder}/${serviceName}-orra-service-key.json` },
    })
    const input = isOpenForNothing(inputSchema) ? NOTHING : inputSchema
    try {
      const served = await service.register({
        description: description || name,
        schema: { input, output: TEXT },
      })
      served.start((task) => call(tool, task))
      services.push(service)
    } catch (error) {
      onError(new Error(`${name} cannot be a service: ${errorMessage(error)}`, { cause: error }))
    }
  }
  return {
    services,
    shutdown: async (how) => {
      await Promise.all(services.map((service) => service.shutdown(how)))
      await runtime.close()
    },
  }
}

const TEXT: JsonObject = { type: "object", properties: { text: { type: "string" } }, required: ["text"] }

/** The engine wants a member of every object. */
const NOTHING: JsonObject = {
  type: "object",
  properties: { note: { type: "string", description: "Not used." } },
}
const isOpenForNothing = ({ properties }: JsonObject): boolean =>
  !isObject(properties) || Object.keys(properties).length === 0

/** "__" stands between a server and its tool. Names have 63 characters at most, and no "." or "-" at their ends. */
const serviceNameOf = (tool: string): string =>
  tool
    .toLowerCase()
    .replaceAll("__", ".")
    .replaceAll("_", "-")
    .slice(0, 63)
    .replace(/^[.-]+|[.-]+$/g, "")
    .padEnd(3, "0")

/** Tools are called directly: nobody asks a model. */
const NO_MODEL: Provider = {
  id: "none",
  model: "none",
  // biome-ignore lint/correctness/useYield: it has nothing to say.
  async *stream() {
    throw new Error("There is no model here.")
  },
}

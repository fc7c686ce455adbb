import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequiredResult,
  isInputRequiredResult,
  McpServer,
  type Tool as McpTool,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type ServerContext,
} from "@modelcontextprotocol/server"
import { isObject, type JsonObject, type Namespace, OrraError, type Runtime, type Tool } from "@orra/core"
import { type AskState, askAgent } from "./ask-agent.ts"
import { callDirectly } from "./call-directly.ts"
import type { ClientCall } from "./client-tool.ts"
import {
  completions,
  fixedResources,
  getPrompt,
  promptDefinition,
  readOffered,
  type ServedPrompt,
  type ServedResource,
  templates,
} from "./offers.ts"
import { completeSession, listSessions, readSession, SESSION_TEMPLATE } from "./session-resources.ts"
import { type Changes, subscriptions, watchable } from "./watch.ts"

/** Who asks, as the application has established it. */
export interface Caller {
  /** All that this caller sees is at or below it. */
  readonly namespace: Namespace
  /** In the application's own terms: a user's id. Recorded with every run. */
  readonly principal?: string
  /**
   * May decide about what policy asks about in their own sessions: the client asks them (elicitation). Default false:
   * such a call waits until somebody decides elsewhere.
   */
  readonly mayApprove?: boolean
}

/** A tool by which clients talk to an agent. */
export interface AgentTool {
  /** Letters, digits, "_" and "-". */
  readonly name: string
  /** When to use it, for the client's model. */
  readonly description: string
  /** Which agent answers, as in `RunOptions.agent`. Default: the runtime's own. */
  readonly agent?: string
}

/** What of a runtime clients can use. */
export interface ExposeOptions {
  readonly runtime: Runtime
  /** What the server is called. */
  readonly name: string
  /** Default `0`. */
  readonly version?: string
  /** How it is used, for the client's model. */
  readonly instructions?: string
  /** Default: none. */
  readonly agents?: readonly AgentTool[]
  /** Which of the runtime's tools may be called without an agent, by name, or all. Policy still decides. Default: none. */
  readonly tools?: readonly string[] | "all"
  /** Whether the caller's sessions can be listed, read and watched. Default true. */
  readonly sessions?: boolean
  /** Prompts for people to choose. Default: none. */
  readonly prompts?: readonly ServedPrompt[]
  /** What can be read besides sessions. Default: nothing. */
  readonly resources?: readonly ServedResource[]
}

/** What a client carries, and the tool or prompt that gave it to it. */
interface Carried {
  readonly of: string
  readonly state: unknown
}

/** What all servers of one handler have in common. */
export interface Serving {
  /** Seals what a client carries between the parts of one call. */
  readonly secret: Uint8Array
  readonly changes: Changes
}

/** A server for one caller. */
export function serverFor(options: ExposeOptions, caller: Caller, { secret, changes }: Serving): McpServer {
  const { runtime, name, version = "0", instructions, agents = [], tools = [], sessions = true } = options
  const { prompts = [], resources = [] } = options
  const bind = () => JSON.stringify([caller.namespace.key, caller.principal ?? null])
  const codec = createRequestStateCodec<Carried>({ key: secret, ttlSeconds: 86_400, bind })
  const read = sessions || resources.length > 0
  const mcp = new McpServer(
    { name, version },
    {
      capabilities: {
        tools: { listChanged: true },
        logging: {},
        completions: {},
        ...(read && { resources: { subscribe: true, listChanged: false } }),
        ...(prompts.length > 0 && { prompts: { listChanged: false } }),
      },
      requestState: { verify: codec.verify },
      ...(instructions !== undefined && { instructions }),
    },
  )
  const { server } = mcp
  const offered = () =>
    runtime.tools.list().filter(({ definition }) => tools === "all" || tools.includes(definition.name))

  /** The client's side of a request, and how an answer that asks for more is sealed. */
  const callOf = (of: string, context: ServerContext): ClientCall => {
    const before = context.mcpReq.requestState<Carried>()
    if (before && before.of !== of)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, "This state is of another call.")
    const state = typeof before?.state === "string" ? before.state : undefined
    // Each request of the newer protocol says it; one of 2025 has said it at the beginning.
    const envelope: { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities } = context.mcpReq.envelope ?? {}
    const capabilities = envelope[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities() ?? {}
    return { caller, capabilities, context, state }
  }
  const sealed = async <T extends object>(of: string, context: ServerContext, answer: T): Promise<T> =>
    isInputRequiredResult(answer) && typeof answer.requestState === "string"
      ? { ...answer, requestState: await codec.mint({ of, state: answer.requestState }, context) }
      : answer

  server.setRequestHandler("tools/list", () => ({
    tools: [...agents.map(agentDefinition), ...offered().map(toolDefinition)],
  }))

  server.setRequestHandler(
    "tools/call",
    async ({ params }, context): Promise<CallToolResult | InputRequiredResult> => {
      const input = (params.arguments ?? {}) as JsonObject
      const agent = agents.find((each) => each.name === params.name)
      const progress = progressOf(context)
      const of = `tool ${params.name}`
      try {
        if (agent) {
          const { capabilities } = callOf(of, context)
          const canAsk = caller.mayApprove === true && capabilities.elicitation !== undefined
          const state = context.mcpReq.requestState<Carried>()?.state as AskState | undefined
          const seal = (next: AskState) => codec.mint({ of, state: next }, context)
          return await askAgent({ runtime, caller, agent, context, progress, canAsk, seal, state }, input)
        }
        if (offered().some(({ definition }) => definition.name === params.name)) {
          const call = callOf(of, context)
          return await sealed(of, context, await callDirectly(runtime, call, params.name, input, progress))
        }
      } catch (error) {
        if (!(error instanceof OrraError)) throw error
        return { content: [{ type: "text", text: error.message }], isError: true }
      }
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool "${params.name}".`)
    },
  )

  if (prompts.length > 0) {
    server.setRequestHandler("prompts/list", () => ({ prompts: prompts.map(promptDefinition) }))
    server.setRequestHandler("prompts/get", async ({ params }, context) => {
      const of = `prompt ${params.name}`
      const got = await getPrompt(prompts, params.name, params.arguments ?? {}, callOf(of, context))
      return await sealed(of, context, got)
    })
  }

  server.setRequestHandler("completion/complete", async ({ params }) => {
    const ofSessions: ServedResource = {
      ...SESSION_TEMPLATE,
      uri: SESSION_TEMPLATE.uriTemplate,
      complete: { session: (value) => completeSession(runtime, caller.namespace, value) },
      read: () => "",
    }
    return await completions(
      { prompts, resources: [...resources, ...(sessions ? [ofSessions] : [])] },
      params,
    )
  })

  if (read) {
    server.setRequestHandler("resources/list", async ({ params }) => {
      const { cursor } = params ?? {}
      const listed = sessions ? await listSessions(runtime, caller.namespace, cursor) : { resources: [] }
      const fixed = cursor === undefined ? fixedResources(resources) : []
      return { ...listed, resources: [...fixed, ...listed.resources] }
    })
    server.setRequestHandler("resources/templates/list", () => ({
      resourceTemplates: [...templates(resources), ...(sessions ? [SESSION_TEMPLATE] : [])],
    }))
    server.setRequestHandler("resources/read", async ({ params }, context) => {
      const { uri } = params
      const of = `resource ${uri}`
      const own = await readOffered(resources, uri, callOf(of, context))
      if (own) return await sealed(of, context, own)
      if (!sessions) throw new ResourceNotFoundError(uri)
      return await readSession(runtime, caller.namespace, uri)
    })
    subscriptions(server, watchable(options, caller, changes))
  }
  return mcp
}

const toolDefinition = ({ definition, risk, idempotent, untrusted }: Tool): McpTool => ({
  name: definition.name,
  description: definition.description,
  inputSchema: definition.inputSchema as McpTool["inputSchema"],
  annotations: { readOnlyHint: risk === "read", idempotentHint: idempotent, openWorldHint: untrusted },
})

const agentDefinition = ({ name, description }: AgentTool): McpTool => ({
  name,
  description,
  inputSchema: {
    type: "object",
    properties: {
      message: { type: "string", description: "What to ask or tell the agent." },
      session: {
        type: "string",
        description:
          "Continues an earlier conversation: its name, as an answer gave it. Leave it out to begin one.",
      },
    },
    required: ["message"],
  },
})

/** Tells the client what is going on: as progress where it wants that, otherwise in its log. */
function progressOf({ mcpReq }: ServerContext): (message: string) => void {
  const progressToken = isObject(mcpReq._meta) ? mcpReq._meta.progressToken : undefined
  let progress = 0
  return (message) => {
    if (progressToken === undefined) {
      mcpReq.log("info", message).catch(() => {})
      return
    }
    const params = { progressToken, progress: ++progress, message }
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => {
      // The client is gone; what it asked for goes on or is stopped by its signal.
    })
  }
}

import {
  type CallToolResult,
  createRequestStateCodec,
  type InputRequiredResult,
  McpServer,
  type Tool as McpTool,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from "@modelcontextprotocol/server"
import { isObject, type JsonObject, type Namespace, OrraError, type Runtime } from "@orra/core"
import { type AskState, askAgent } from "./ask-agent.ts"
import { callDirectly } from "./call-directly.ts"
import { listSessions, readSession, SESSION_TEMPLATE } from "./session-resources.ts"

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
  /** Whether the caller's sessions can be listed and read. Default true. */
  readonly sessions?: boolean
}

/** A server for one caller; `secret` seals what a client carries between the parts of one call. */
export function serverFor(options: ExposeOptions, caller: Caller, secret: Uint8Array): McpServer {
  const { runtime, name, version = "0", instructions, agents = [], tools = [], sessions = true } = options
  const bind = () => JSON.stringify([caller.namespace.key, caller.principal ?? null])
  const codec = createRequestStateCodec<AskState>({ key: secret, ttlSeconds: 86_400, bind })
  const mcp = new McpServer(
    { name, version },
    {
      capabilities: { tools: {}, ...(sessions && { resources: {} }) },
      requestState: { verify: codec.verify },
      ...(instructions !== undefined && { instructions }),
    },
  )
  const { server } = mcp
  const offered = () =>
    runtime.tools.list().filter(({ definition }) => tools === "all" || tools.includes(definition.name))

  server.setRequestHandler("tools/list", () => ({
    tools: [
      ...agents.map(agentDefinition),
      ...offered().map(
        ({ definition, risk, idempotent, untrusted }): McpTool => ({
          name: definition.name,
          description: definition.description,
          inputSchema: definition.inputSchema as McpTool["inputSchema"],
          annotations: {
            readOnlyHint: risk === "read",
            idempotentHint: idempotent,
            openWorldHint: untrusted,
          },
        }),
      ),
    ],
  }))

  server.setRequestHandler(
    "tools/call",
    async ({ params }, context): Promise<CallToolResult | InputRequiredResult> => {
      const input = (params.arguments ?? {}) as JsonObject
      const agent = agents.find((each) => each.name === params.name)
      const progress = progressOf(context)
      try {
        if (agent) {
          const canAsk =
            caller.mayApprove === true && server.getClientCapabilities()?.elicitation !== undefined
          return await askAgent(
            { runtime, caller, agent, context, progress, canAsk, seal: codec.mint },
            input,
          )
        }
        if (offered().some(({ definition }) => definition.name === params.name)) {
          return await callDirectly(runtime, caller, params.name, input, context.mcpReq.signal, progress)
        }
      } catch (error) {
        if (!(error instanceof OrraError)) throw error
        return { content: [{ type: "text", text: error.message }], isError: true }
      }
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool "${params.name}".`)
    },
  )

  if (sessions) {
    server.setRequestHandler("resources/list", ({ params }) =>
      listSessions(runtime, caller.namespace, params?.cursor),
    )
    server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [SESSION_TEMPLATE] }))
    server.setRequestHandler("resources/read", ({ params }) =>
      readSession(runtime, caller.namespace, params.uri),
    )
  }
  return mcp
}

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

/** Tells the client what is going on, where it wants to know. */
function progressOf({ mcpReq }: ServerContext): (message: string) => void {
  const progressToken = isObject(mcpReq._meta) ? mcpReq._meta.progressToken : undefined
  let progress = 0
  return (message) => {
    if (progressToken === undefined) return
    const params = { progressToken, progress: ++progress, message }
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => {
      // The client is gone; what it asked for goes on or is stopped by its signal.
    })
  }
}

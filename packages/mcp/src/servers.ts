import { pathToFileURL } from "node:url"
import type { Client, ElicitRequest, ElicitResult, Tool as McpTool } from "@modelcontextprotocol/client"
import {
  InvalidInput,
  isObject,
  Namespace,
  type PolicyLayer,
  type SessionStore,
  type Tool,
  type ToolContext,
  ToolRegistry,
  type ToolRisk,
} from "@orra/core"
import { Connection, type HttpServer, type StdioServer } from "./connection.ts"
import { McpError } from "./errors.ts"
import { type SamplingOptions, sample } from "./sampling.ts"
import { hashOf, nameOf, offerTools, serverTool, type ToolSettings } from "./server-tools.ts"

/** A server and how far it is trusted. */
export type ServerOptions = (StdioServer | HttpServer) & {
  /** The risk of its tools, for policy. Default `exec`: nobody knows what they do. */
  readonly risk?: ToolRisk
  /** Believe what it says of its tools: which only read, which may be called twice. Default false. */
  readonly trusted?: boolean
  /** Take its tools as they are, also where they are others than before. Default false: each is asked about. */
  readonly acceptChanges?: boolean
  /** Only these of its tools, by its own names or what follows `server__` in ours. Default: all. */
  readonly tools?: readonly string[]
  /** Folders that it is told to work in, by path. */
  readonly roots?: readonly string[]
  /** How long it may be silent while it connects or works. Default 60,000 ms; what it says of its progress starts it anew. */
  readonly timeoutMs?: number
  /** How long one call may take in all. Default 600,000 ms. */
  readonly maxTotalMs?: number
}

/** A question of a server to a person. */
export interface Question {
  readonly server: string
  /** A form with a schema, or an address to open. */
  readonly params: ElicitRequest["params"]
}

export interface McpOptions {
  /** Where the tools go: give it to the runtime. Default: one of its own, `servers.tools`. */
  readonly tools?: ToolRegistry
  /**
   * Where it is kept what each tool was when it was accepted, so that one that changes is asked about, also after a
   * restart. Default: it is known while this process lives.
   */
  readonly store?: Pick<SessionStore, "records">
  /** Answers a server's questions, by asking a person. Without it servers are told that nobody can be asked. */
  readonly ask?: (question: Question, signal: AbortSignal) => Promise<ElicitResult>
  /** Lends servers a model while they work on a call. Default: they are told that there is none. */
  readonly sampling?: SamplingOptions
  /** Told of what goes wrong while nobody waits for it. */
  readonly onProblem?: (error: McpError) => void
  /**
   * Told of a server's tools whenever it is connected, and whenever they change: their names, `server__tool`, and which of
   * them are not what they were when they were accepted.
   */
  readonly onTools?: (server: string, names: readonly string[], changed: readonly string[]) => void
  /**
   * How long the first connections are waited for, in ms; those that take longer are made meanwhile. Default: until each
   * is there or has failed.
   */
  readonly waitMs?: number
}

/** Servers that are connected, and their tools. */
export interface McpServers {
  /** For `new Runtime({ tools })`. It follows what the servers offer. */
  readonly tools: ToolRegistry
  /** For `new PolicyRegistry({ base })`, or wherever they may be used: asks about each tool that has changed. */
  readonly policy: PolicyLayer
  /** Ends all connections and programs. */
  close(): Promise<void>
}

const SERVER_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/

/** More would leave a model no room for anything else. */
const MAX_TOOLS = 500

/** What is known of a tool. */
interface Known {
  hash: string
  /** What it was when it was accepted. */
  accepted: string
  /** Policy was asked about it as it is now, so it was decided knowingly. */
  asked: boolean
}

/**
 * Connects to servers and makes their tools tools of a runtime, each named `server__tool`.
 *
 * ```ts
 * const servers = await mcpServers({
 *   files: { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "/srv/files"] },
 *   docs: { url: "https://docs.example.com/mcp", risk: "network" },
 * })
 * const runtime = new Runtime({ provider, tools: servers.tools, policies: new PolicyRegistry({ base: servers.policy }) })
 * ```
 *
 * A server that cannot be reached is told to `onProblem` and tried again; the others work meanwhile.
 *
 * @throws InvalidInput for a name that is none: letters, digits and "-", at most 32.
 */
export async function mcpServers(
  servers: Readonly<Record<string, ServerOptions>>,
  options: McpOptions = {},
): Promise<McpServers> {
  for (const name of Object.keys(servers)) {
    if (!SERVER_NAME.test(name))
      throw new InvalidInput(`"${name}" is no name of a server: use letters, digits and "-", at most 32.`)
  }
  const { tools = new ToolRegistry() } = options
  let isClosed = false
  const onProblem = (error: McpError): void => {
    if (!isClosed) options.onProblem?.(error)
  }
  const known = new Map<string, Known>()
  const connections = Object.entries(servers).map(([name, server]) =>
    connectionOf(name, server, { ...options, tools, onProblem }, known),
  )
  const connected = Promise.all(
    connections.map((connection) =>
      connection.client().catch((error: unknown) => {
        if (error instanceof McpError) onProblem(error)
      }),
    ),
  )
  await within(connected, options.waitMs)
  return {
    tools,
    policy: {
      ask: [
        {
          tool: "*__*",
          name: "mcp: the tool has changed since it was accepted",
          check: ({ tool }) => {
            const found = known.get(tool)
            if (!found || found.hash === found.accepted) return false
            found.asked = true
            return true
          },
        },
      ],
    },
    async close() {
      isClosed = true
      await Promise.all(connections.map((connection) => connection.close()))
    },
  }
}

/** Waits for it, but no longer than that. */
async function within(work: Promise<unknown>, ms: number | undefined): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = ms === undefined ? undefined : setTimeout(late.resolve, ms)
  await Promise.race([work, late.promise])
  clearTimeout(timer)
}

function connectionOf(
  name: string,
  server: ServerOptions,
  options: McpOptions & Required<Pick<McpOptions, "tools" | "onProblem">>,
  known: Map<string, Known>,
): Connection {
  const { tools: registry, onProblem, onTools, store, ask, sampling } = options
  const { roots, timeoutMs = 60_000, maxTotalMs = 600_000, risk = "exec", trusted = false } = server
  const { acceptChanges = false } = server
  const accepted = store?.records("mcp_tools")
  const place = Namespace.of("mcp", name)
  const underWay = new Set<ToolContext>()
  let present: readonly string[] = []

  const accept = async (tool: string, found: Known): Promise<void> => {
    if (found.accepted === found.hash) return
    if (!found.asked) {
      throw new McpError(
        "mcp_tool_changed",
        `The tool has changed since it was accepted, and nobody was asked: whoever runs this gives the servers' policy to the runtime.`,
        { server: name, tool },
      )
    }
    found.accepted = found.hash
    await accepted?.put(place, tool, found.hash)
  }
  const only = server.tools && new Set(server.tools.map((tool) => nameOf(name, tool)))
  const wanted = (tool: McpTool): boolean => only?.has(nameOf(name, tool.name)) ?? true

  const update = async (offered: readonly McpTool[], client: Client): Promise<void> => {
    const made: Tool[] = []
    const all = offered.filter(wanted)
    if (all.length > MAX_TOOLS) {
      const message = `The server "${name}" offers ${all.length} tools: the first ${MAX_TOOLS} are there. Name those that are wanted.`
      onProblem(new McpError("mcp_invalid", message, { server: name }))
    }
    for (const tool of all.slice(0, MAX_TOOLS)) {
      if (!isObject(tool.inputSchema)) continue
      const full = nameOf(name, tool.name)
      const hash = hashOf(tool)
      const before = known.get(full)?.accepted ?? (await accepted?.get(place, full))?.value
      const kept = typeof before === "string" && !acceptChanges ? before : hash
      if (before !== kept) await accepted?.put(place, full, kept)
      const found: Known = { hash, accepted: kept, asked: false }
      known.set(full, found)
      made.push(serverTool(settings, tool, () => accept(full, found)))
    }
    const { resources, prompts } = client.getServerCapabilities() ?? {}
    made.push(...offerTools(settings, { resources: resources !== undefined, prompts: prompts !== undefined }))
    for (const old of present) registry.remove(old)
    present = []
    for (const tool of made) {
      if (registry.get(tool.definition.name)) continue
      registry.add(tool)
      present = [...present, tool.definition.name]
    }
    const isChanged = (tool: string): boolean => known.get(tool)?.hash !== known.get(tool)?.accepted
    onTools?.(name, present, present.filter(isChanged))
  }

  const connection: Connection = new Connection(name, server, {
    timeoutMs,
    onProblem,
    onTools: update,
    capabilities: {
      ...(ask && { elicitation: { form: { applyDefaults: true }, url: {} } }),
      ...(roots && { roots: {} }),
      ...(sampling && { sampling: {} }),
    },
    prepare: (client: Client) => {
      if (ask)
        client.setRequestHandler("elicitation/create", async ({ params }, context) =>
          ask({ server: name, params }, context.mcpReq.signal),
        )
      if (sampling)
        client.setRequestHandler("sampling/createMessage", ({ params }, context) =>
          sample(name, sampling, params, underWay, context.mcpReq.signal),
        )
      if (roots)
        client.setRequestHandler("roots/list", () => ({
          roots: roots.map((path) => ({ uri: pathToFileURL(path).href })),
        }))
    },
  })
  const settings: ToolSettings = { server: name, connection, risk, trusted, underWay, timeoutMs, maxTotalMs }
  return connection
}

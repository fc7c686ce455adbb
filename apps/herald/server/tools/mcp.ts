import { type PolicyCall, type PolicyLayer, type SessionStore, ToolRegistry } from "@orra/core"
import type { McpServers, ServerOptions } from "@orra/mcp/client"
import type { Config } from "../config/settings.ts"

export type McpServer = Config["mcp"]["servers"][number]

/** How it is with a server. */
export interface McpState {
  readonly state: "connecting" | "connected" | "failed"
  /** For a person: how many tools, or why not. */
  readonly message: string
  /** Its tools, as the assistant calls them. */
  readonly tools: readonly string[]
}

/** A server in use. */
interface Running {
  readonly server: McpServer
  /** What it was made of. */
  readonly made: string
  readonly connected: McpServers
  readonly isGranted: (call: PolicyCall) => boolean
}

interface McpParts {
  readonly registry: ToolRegistry
  readonly store: Pick<SessionStore, "records">
  /** How long they are waited for, in ms. */
  readonly waitMs: number
  /** Told when a server comes, goes or changes while nobody waits for it. */
  readonly told: (line: string) => void
}

type Client = typeof import("@orra/mcp/client")

/** By which the model reads what a server offers besides tools. */
const READERS = ["list_resources", "read_resource", "list_prompts", "get_prompt"]

/**
 * The MCP servers in use: their tools come into the registry when they are there, and follow what they offer. One that
 * is not there keeps nobody waiting for long, and is tried again.
 */
export class McpHost {
  readonly #parts: McpParts
  readonly #states = new Map<string, McpState>()
  #running: readonly Running[] = []
  #isWaitedFor = false

  constructor(parts: McpParts) {
    this.#parts = parts
  }

  /** These servers and no others. One that stays as it is keeps its connection. */
  async use(servers: readonly McpServer[]): Promise<void> {
    const wanted = servers.filter(({ enabled }) => enabled)
    const made = new Set(wanted.map((server) => JSON.stringify(server)))
    const kept = this.#running.filter((each) => made.has(each.made))
    await Promise.all(this.#running.filter((each) => !kept.includes(each)).map((each) => this.#end(each)))
    this.#running = kept
    if (wanted.length === 0) return
    // It takes a while to load: only those who have servers pay for it.
    const client = await import("@orra/mcp/client")
    this.#isWaitedFor = true
    this.#running = await Promise.all(
      wanted.map(
        (server) => kept.find((each) => each.made === JSON.stringify(server)) ?? this.#begin(server, client),
      ),
    )
    this.#isWaitedFor = false
  }

  /** How it is with each server in use, by its name. */
  get states(): ReadonlyMap<string, McpState> {
    return this.#states
  }

  get remarks(): readonly string[] {
    return [...this.#states].map(([server, { message }]) => lineOf(server, message))
  }

  /** What needs somebody who agrees: tools that are not on their server's list, and such as have changed. */
  get policy(): PolicyLayer {
    return {
      ask: this.#running.flatMap(({ server, connected, isGranted }) => [
        ...(connected.policy.ask ?? []),
        {
          tool: `${server.name}__*`,
          name: `mcp: not in \`allow\` of "${server.name}"`,
          check: (call: PolicyCall) => !isGranted(call),
        },
      ]),
      allow: this.#running.map(({ server }) => `${server.name}__*`),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map(({ connected }) => connected.close()))
  }

  async #begin(server: McpServer, { mcpServers, mcpToolName }: Client): Promise<Running> {
    const { name } = server
    const is = (state: McpState): void => {
      if (this.#states.get(name)?.message === state.message) return
      this.#states.set(name, state)
      if (!this.#isWaitedFor) this.#parts.told(lineOf(name, state.message))
    }
    this.#states.set(name, {
      state: "connecting",
      message: "not there yet; its tools come when it is",
      tools: [],
    })
    const connected = await mcpServers(
      { [name]: optionsOf(server) },
      {
        tools: this.#parts.registry,
        store: this.#parts.store,
        waitMs: this.#parts.waitMs,
        onTools: (_, tools, changed) => is({ state: "connected", message: described(tools, changed), tools }),
        onProblem: ({ message }) =>
          is({ state: "failed", message, tools: this.#states.get(name)?.tools ?? [] }),
      },
    )
    const isGranted = (call: PolicyCall): boolean => granted(server, call, mcpToolName)
    return { server, made: JSON.stringify(server), connected, isGranted }
  }

  async #end({ server: { name }, connected }: Running): Promise<void> {
    await connected.close()
    for (const tool of this.#states.get(name)?.tools ?? []) this.#parts.registry.remove(tool)
    this.#states.delete(name)
  }
}

/** A tool of a server, by its own name. */
export interface OfferedTool {
  /** As the assistant calls it. */
  readonly name: string
  readonly description: string
}

/**
 * Connects to a server once, and looks at all its tools. Nothing is kept, and nobody can call them.
 *
 * @throws McpError (`mcp_unavailable`) with what kept it from being there.
 */
export async function lookAt(server: McpServer, waitMs: number): Promise<readonly OfferedTool[]> {
  const { McpError, mcpServers } = await import("@orra/mcp/client")
  const { name } = server
  const tools = new ToolRegistry()
  let problem: InstanceType<typeof McpError> | undefined
  let isThere = false
  const servers = await mcpServers(
    { [name]: optionsOf({ ...server, tools: [] }) },
    {
      tools,
      waitMs,
      onTools: () => {
        isThere = true
      },
      onProblem: (error) => {
        problem ??= error
      },
    },
  )
  await servers.close()
  if (isThere) {
    return tools.list().flatMap(({ definition }) => {
      const own = definition.name.slice(name.length + 2)
      return READERS.includes(own) ? [] : [{ name: own, description: definition.description }]
    })
  }
  const seconds = Math.round(waitMs / 1_000)
  throw (
    problem ??
    new McpError("mcp_unavailable", `The server "${name}" said nothing for ${seconds} seconds.`, {
      server: name,
    })
  )
}

function described(names: readonly string[], changed: readonly string[]): string {
  const count = names.length === 1 ? "1 tool" : `${names.length} tools`
  return changed.length === 0
    ? count
    : `${count}; not what they were before, and asked about until accept_changes is set: ${changed.join(", ")}`
}

const lineOf = (server: string, state: string): string => `mcp ${server}: ${state}`

function optionsOf(server: McpServer): ServerOptions {
  const {
    command = "",
    args,
    env,
    url,
    headers,
    transport,
    tools,
    trusted,
    accept_changes,
    timeout_secs,
  } = server
  return {
    ...(url === undefined ? { command, args, env } : { url, headers, transport }),
    trusted,
    acceptChanges: accept_changes,
    timeoutMs: timeout_secs * 1_000,
    ...(tools.length > 0 && { tools }),
  }
}

/** Risks are what the server says of its tools only where it is trusted, and else those of its resources and prompts. */
function granted(
  { name, allow, trusted }: McpServer,
  { tool, risk }: PolicyCall,
  nameOf: Client["mcpToolName"],
): boolean {
  const reads = risk === "read" || risk === "network"
  if (reads && (trusted || READERS.some((reader) => tool === nameOf(name, reader)))) return true
  return allow.some((own) => {
    if (!own.includes("*")) return tool === nameOf(name, own)
    const pattern = `${name}__${own.replace(/[^a-zA-Z0-9_*-]/g, "_").replaceAll("*", ".*")}`
    return new RegExp(`^${pattern}$`).test(tool)
  })
}

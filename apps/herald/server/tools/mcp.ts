import type { PolicyCall, SessionStore, ToolRegistry } from "@orra/core"
import { mcpServers, mcpToolName, type ServerOptions } from "@orra/mcp/client"
import type { Config } from "../config/settings.ts"
import type { ToolFamily } from "./tools.ts"

type Server = Config["mcp"]["servers"][number]

/** By which the model reads what a server offers besides tools. */
const READERS = ["list_resources", "read_resource", "list_prompts", "get_prompt"]

/**
 * The servers of the configuration: their tools come into the registry when they are there, and follow what they offer.
 * One that is not there keeps nobody waiting for long, and is tried again.
 */
export async function heraldMcp(
  { mcp }: Config,
  parts: {
    readonly registry: ToolRegistry
    readonly store: Pick<SessionStore, "records">
    /** How long they are waited for, in ms. */
    readonly waitMs: number
    /** Told when a server comes, goes or changes later. */
    readonly told: (line: string) => void
  },
): Promise<ToolFamily & { close(): Promise<void> }> {
  const states = new Map(mcp.servers.map(({ name }) => [name, "not there yet; its tools come when it is"]))
  let isStarted = false
  const is = (server: string, state: string): void => {
    if (states.get(server) === state) return
    states.set(server, state)
    if (isStarted) parts.told(lineOf(server, state))
  }
  const servers = await mcpServers(
    Object.fromEntries(mcp.servers.map((each) => [each.name, optionsOf(each)])),
    {
      tools: parts.registry,
      store: parts.store,
      waitMs: parts.waitMs,
      onTools: (server, names, changed) => is(server, described(names, changed)),
      onProblem: ({ message, details }) => is(String(details["server"]), message),
    },
  )
  isStarted = true
  return {
    tools: [],
    policy: {
      ask: [
        ...(servers.policy.ask ?? []),
        ...mcp.servers.map((server) => ({
          tool: `${server.name}__*`,
          name: `mcp: not in \`allow\` of "${server.name}"`,
          check: (call: PolicyCall) => !isGranted(server, call),
        })),
      ],
      allow: mcp.servers.map(({ name }) => `${name}__*`),
    },
    remarks: [...states].map(([server, state]) => lineOf(server, state)),
    close: servers.close,
  }
}

function described(names: readonly string[], changed: readonly string[]): string {
  const count = names.length === 1 ? "1 tool" : `${names.length} tools`
  return changed.length === 0
    ? count
    : `${count}; not what they were before, and asked about until accept_changes is set: ${changed.join(", ")}`
}

const lineOf = (server: string, state: string): string => `mcp ${server}: ${state}`

function optionsOf(server: Server): ServerOptions {
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
function isGranted({ name, allow, trusted }: Server, { tool, risk }: PolicyCall): boolean {
  const reads = risk === "read" || risk === "network"
  if (reads && (trusted || READERS.some((reader) => tool === mcpToolName(name, reader)))) return true
  return allow.some((own) => {
    if (!own.includes("*")) return tool === mcpToolName(name, own)
    const pattern = `${name}__${own.replace(/[^a-zA-Z0-9_*-]/g, "_").replaceAll("*", ".*")}`
    return new RegExp(`^${pattern}$`).test(tool)
  })
}

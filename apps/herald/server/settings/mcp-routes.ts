import { InvalidInput, OrraError } from "@orra/core"
import type { GatewayRequest, Route } from "@orra/gateway"
import { configOf, SAVED, type Table } from "../config/load.ts"
import { lookAt, type McpHost, type McpServer } from "../tools/mcp.ts"
import type { LiveConfig } from "./live.ts"
import { ownerRoute } from "./routes.ts"

/** What is said of a server; its name is in the path. */
const FIELDS = [
  "enabled",
  "command",
  "args",
  "env",
  "url",
  "headers",
  "transport",
  "tools",
  "allow",
  "trusted",
  "accept_changes",
  "timeout_secs",
] as const

/** How long a server is looked at: the first start of one may load it first. */
const LOOK_MS = 60_000

/** The routes about MCP servers: what there is, adding, trying, changing, removing and taking that back. */
export function mcpRoutes({
  live,
  mcp,
}: {
  readonly live: LiveConfig
  readonly mcp: McpHost
}): readonly Route[] {
  const removed = new Map<string, Table>()
  const saved = (table = live.saved.table): readonly Table[] =>
    ((table["mcp"] as Table | undefined)?.["servers"] ?? []) as readonly Table[]
  const withServers = (table: Table, servers: readonly Table[]): Table => ({ ...table, mcp: { servers } })
  const nameOf = ({ params }: GatewayRequest): string => params["name"] ?? ""

  const shown = () => {
    const { config, origins, file } = live.loaded
    return {
      servers: config.mcp.servers.map((server, index) => {
        const origin = origins.get(`mcp.servers[${index}].name`)
        return shownServer(server, {
          where: origin === SAVED ? null : `${file}, ${origin}`,
          ...(mcp.states.get(server.name) ?? { state: "off", message: null, tools: [] }),
        })
      }),
    }
  }

  /** @throws OrraError (`settings_in_file`) for one of the file. */
  const ofPage = (name: string): void => {
    const { config, origins, file } = live.loaded
    const index = config.mcp.servers.findIndex((server) => server.name === name)
    const origin = origins.get(`mcp.servers[${index}].name`)
    if (index >= 0 && origin !== SAVED) {
      throw new OrraError(
        "settings_in_file",
        `The server "${name}" is set in ${file} (${origin}): change it there.`,
      )
    }
  }

  /** What is saved with this server as it is said; what is not said stays. */
  const changed = (table: Table, name: string, body: Table): Table => {
    for (const field of Object.keys(body)) {
      if (!FIELDS.some((each) => each === field))
        throw new InvalidInput(`"${field.slice(0, 40)}" is not a field of a server.`)
    }
    const servers = saved(table)
    const before = servers.find((server) => server["name"] === name)
    const merged = Object.entries({ ...before, ...body, name }).filter(([, value]) => value !== null)
    const server = Object.fromEntries(merged)
    return withServers(
      table,
      before ? servers.map((each) => (each === before ? server : each)) : [...servers, server],
    )
  }

  return [
    ownerRoute("GET", "/api/settings/mcp", async () => shown()),
    ownerRoute("PUT", "/api/settings/mcp/:name", async (request) => {
      const name = nameOf(request)
      ofPage(name)
      const body = await request.body()
      await live.save((table) => changed(table, name, body))
      return shown()
    }),
    ownerRoute("POST", "/api/settings/mcp/:name/test", async (request) => {
      const name = nameOf(request)
      const body = await request.body()
      if (Object.keys(body).length > 0) ofPage(name)
      const table = Object.keys(body).length > 0 ? changed(live.saved.table, name, body) : live.saved.table
      const { config } = configOf(live.loaded.source, table)
      const server = config.mcp.servers.find((each) => each.name === name)
      if (!server) throw new InvalidInput(`There is no server "${name}": say its command or its url.`)
      return { tools: await lookAt(server, LOOK_MS) }
    }),
    ownerRoute("DELETE", "/api/settings/mcp/:name", async (request) => {
      const name = nameOf(request)
      ofPage(name)
      const server = saved().find((each) => each["name"] === name)
      if (!server) throw new InvalidInput(`There is no server "${name}".`)
      await live.save((table) =>
        withServers(
          table,
          saved(table).filter((each) => each["name"] !== name),
        ),
      )
      removed.set(name, server)
      return shown()
    }),
    ownerRoute("POST", "/api/settings/mcp/:name/restore", async (request) => {
      const server = removed.get(nameOf(request))
      if (!server)
        throw new InvalidInput("There is nothing to bring back: it was removed before Herald started.")
      ofPage(nameOf(request))
      await live.save((table) =>
        withServers(table, [...saved(table).filter((each) => each["name"] !== server["name"]), server]),
      )
      removed.delete(nameOf(request))
      return shown()
    }),
  ]
}

/** A server without its secrets: of an address its host, of environment and headers the names. */
function shownServer(server: McpServer, state: Table) {
  const { name, enabled, command, args, env, url, headers, transport, tools, allow, trusted } = server
  const { state: is, message, tools: present, where } = state
  return {
    name,
    enabled,
    command: command ?? null,
    args: command === undefined ? [] : args,
    host: url === undefined ? null : (URL.parse(url)?.host ?? ""),
    env: Object.keys(env),
    headers: Object.keys(headers),
    transport,
    tools,
    allow,
    trusted,
    accept_changes: server.accept_changes,
    timeout_secs: server.timeout_secs,
    where,
    state: is,
    message,
    present,
  }
}

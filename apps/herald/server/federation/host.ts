import {
  type AgentPrompt,
  errorMessage,
  everyItem,
  InvalidInput,
  type ModelEvent,
  messageText,
  type Namespace,
  OrraError,
  readHistory,
  type Team,
  userMessage,
} from "@orra/core"
import { createGateway, type Gateway, type GatewayRequest, HttpError, type Route } from "@orra/gateway"
import type { Agents } from "../agents/agents.ts"
import { ownSession } from "../api/agents.ts"
import { jsonRoutes } from "../api/json-route.ts"
import { OWNER } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import { logEntry } from "../listen.ts"
import type { Logger } from "../log/log.ts"
import type { Spend } from "../outlay.ts"
import { instanceName, PEERS, type Peer, peersOf } from "./peers.ts"
import { askedIn, type RelayOptions, relay } from "./relay.ts"

/** Who answers other Heralds here. */
export interface Answering {
  readonly team: Team
  readonly agents: Agents
  readonly prompt: AgentPrompt
  readonly spend: Spend
  readonly logger: Logger
  readonly version: string
}

/** A conversation with what is attached to it. */
const RELAY_BYTES = 28 * 1024 * 1024
const MAX_SESSIONS = 200
const HEARTBEAT_MS = 15_000

/**
 * Listens for other Heralds, apart from the page: what they know of a secret lets them ask agents here, and read the
 * owner's chats where that is configured, and nothing else.
 *
 * @throws OrraError `port_in_use` and the like, in the configuration's own words.
 */
export async function listenForPeers(
  config: Config,
  options: Answering,
): Promise<{ readonly url: string; readonly gateway: Gateway }> {
  const { team, logger, version } = options
  const { host, insecure, allowed_hosts } = config.federation
  const port = config.federation.port ?? config.gateway.port + 1
  const peers = peersOf(config)
  const [first, ...others] = peers.map(({ name, accepts }) => ({
    name,
    namespace: PEERS.child(name),
    permissions: ["peer"] as const,
    key: accepts,
  }))
  if (!first)
    throw new OrraError(
      "federation_without_peers",
      "No other Herald is configured: add [[federation.peers]].",
    )
  try {
    const gateway = await createGateway({
      runtime: team.runtime,
      principals: [first, ...others],
      host,
      port,
      insecure,
      allowedHosts: allowed_hosts,
      trustedProxies: config.gateway.trusted_proxies,
      routes: peerRoutes(config, options, peers),
      version,
      log: (entry) => logEntry(logger, entry),
    })
    const { url } = await gateway.listen()
    return { url, gateway }
  } catch (error) {
    throw inOurWords(error, host, port)
  }
}

function peerRoutes(
  config: Config,
  { agents, team, prompt, spend, version }: Answering,
  peers: readonly Peer[],
) {
  const instance = instanceName(config)
  const exposed = () => {
    const { exposed_agents: names } = config.federation
    const own = agents.list().filter(({ origin }) => origin !== "peer")
    return names.length === 0 ? own : own.filter(({ name }) => names.includes(name))
  }
  const route = jsonRoutes(withStatus, { permission: "peer" })
  const relaying: RelayOptions = { team, prompt, spend }
  /** One of the owner's chats, where this peer may do that with them. */
  const shared = ({ principal, params }: GatewayRequest, ...wanted: Peer["sessions"][]): Namespace => {
    mayUse(principal.name, ...wanted)
    return ownSession({ ...principal, namespace: OWNER }, params["namespace"])
  }
  const mayUse = (name: string, ...wanted: Peer["sessions"][]): void => {
    const { sessions = "none" } = peers.find((peer) => peer.name === name) ?? {}
    if (!wanted.includes(sessions))
      throw new HttpError(
        403,
        "sessions_not_shared",
        `${instance} does not share its chats with ${name} that far.`,
      )
  }
  return [
    route("GET", "/api/federation", async () => ({
      instance,
      version,
      agents: exposed().map(({ name, personality, model = null }) => ({ name, personality, model })),
    })),
    {
      method: "POST",
      path: "/api/federation/relay",
      permission: "peer",
      maxBytes: RELAY_BYTES,
      handle: async (request) => {
        const asked = askedIn(await request.body())
        const agent = exposed().find(({ name }) => name === asked.agent)
        if (!agent)
          throw new HttpError(404, "agent_not_exposed", `${instance} has no agent of that name for others.`)
        return eventLines((emit, signal) => relay(relaying, request.principal.name, asked, emit, signal))
      },
    },
    route("GET", "/api/federation/sessions", async ({ principal, runtime }) => {
      mayUse(principal.name, "read", "chat")
      const sessions: unknown[] = []
      for await (const { namespace, metadata, messages, updatedAt } of everyItem((page) =>
        runtime.list(OWNER, page),
      )) {
        const { title, deletedAt } = metadata
        if (deletedAt === undefined)
          sessions.push({ namespace: namespace.key, title: title ?? null, messages, updated_at: updatedAt })
        if (sessions.length === MAX_SESSIONS) break
      }
      return { sessions }
    }),
    route("GET", "/api/federation/sessions/:namespace", async (request) => {
      const history = await readHistory(request.runtime, shared(request, "read", "chat"))
      if (!history || history.info.metadata["deletedAt"] !== undefined)
        throw new HttpError(404, "not_found", "There is no such chat.")
      return {
        messages: history.entries.flatMap((entry) =>
          entry.type === "user" || entry.type === "assistant"
            ? [{ role: entry.type, text: messageText(entry.message), at: entry.at }]
            : [],
        ),
        more: history.more,
      }
    }),
    route("POST", "/api/federation/sessions/:namespace/chat", async (request) => {
      const namespace = shared(request, "chat")
      const { message } = await request.body()
      if (typeof message !== "string") throw new InvalidInput('"message" must be text.')
      const { name } = request.principal
      const { text, outcome } = await request.runtime.run(
        namespace,
        userMessage(message, { kind: "peer", name }),
        {
          principal: name,
        },
      )
      return { message: text, outcome }
    }),
  ] satisfies readonly Route[]
}

/** Events as lines of JSON, as they come; an empty line says that there are more. When nobody reads, the work is stopped. */
function eventLines(
  work: (emit: (event: ModelEvent) => void, signal: AbortSignal) => Promise<void>,
): Response {
  const gone = new AbortController()
  const encoder = new TextEncoder()
  let heartbeat: ReturnType<typeof setInterval> | undefined
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const say = (line: string): void => {
        if (!gone.signal.aborted) controller.enqueue(encoder.encode(`${line}\n`))
      }
      heartbeat = setInterval(say, HEARTBEAT_MS, "")
      try {
        await work((event) => say(JSON.stringify(event)), gone.signal)
      } catch (error) {
        say(JSON.stringify({ type: "error", error: errorMessage(error) }))
      } finally {
        clearInterval(heartbeat)
        if (!gone.signal.aborted) controller.close()
      }
    },
    cancel() {
      clearInterval(heartbeat)
      gone.abort()
    },
  })
  return new Response(body, {
    headers: {
      "content-type": "application/x-ndjson",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  })
}

const withStatus = (error: unknown): unknown => error

function inOurWords(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof OrraError)) return error
  const message = {
    port_in_use: `Port ${port} of ${host}, for other Heralds, is taken by another program: choose another with federation.port.`,
    port_not_allowed: `Port ${port} of ${host} is not allowed for this user: choose a federation.port above 1023.`,
    host_unknown: `${host} is not an address of this machine: correct federation.host.`,
    gateway_insecure: `Listening for other Heralds on ${host}, beyond this machine, sends chats in clear: put a proxy with TLS before it and name its address in gateway.trusted_proxies, or set federation.insecure = true if that is meant.`,
  }[error.code]
  return message === undefined ? error : new OrraError(error.code, message, error.details, error)
}

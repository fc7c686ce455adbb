import { errorMessage, isObject, OrraError } from "@orra/core"
import { HttpError } from "@orra/gateway"
import type { Agents, RemoteAgent } from "../agents/agents.ts"
import { answerOf, type Reachable, reasonIn, requestPeer, unknownTo } from "./peer-request.ts"
import type { Peer } from "./peers.ts"
import { remoteProvider } from "./remote-provider.ts"

/** How another Herald is, as far as is known here. */
export interface PeerState {
  readonly name: string
  readonly url: string | undefined
  /** `asks`: it has no address here, and is never asked. */
  readonly health: "unknown" | "healthy" | "unreachable" | "refused" | "asks"
  /** Why, and what to do. */
  readonly error: string | undefined
  readonly version: string | undefined
  readonly agents: readonly { readonly name: string; readonly personality: string }[]
  /** ms since 1970. */
  readonly checkedAt: number | undefined
}

const EVERY_MS = 60_000
const TIMEOUT_MS = 10_000
const CHAT_TIMEOUT_MS = 10 * 60_000

/** The other Heralds: how they are, and whom they have. Their agents are agents here, as `peer:agent`. */
export class Peers {
  readonly #peers: readonly Peer[]
  readonly #agents: Agents
  readonly #states = new Map<string, PeerState>()
  #timer: ReturnType<typeof setInterval> | undefined
  #isStopped = false

  constructor(peers: readonly Peer[], agents: Agents) {
    this.#peers = peers
    this.#agents = agents
    for (const peer of peers) this.#states.set(peer.name, unknown(peer))
  }

  get states(): readonly PeerState[] {
    return [...this.#states.values()]
  }

  /** Looks at all of them now, and once a minute. Agents of others there are none any more. */
  async start(): Promise<void> {
    await this.#agents.setRemote([])
    if (!this.#peers.some(isReachable)) return
    this.#timer = setInterval(() => void this.look(), EVERY_MS).unref()
    await this.look()
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  /** Asks all of them who is there. */
  async look(): Promise<void> {
    const before = JSON.stringify(this.states.map(({ agents }) => agents))
    await Promise.all(this.#peers.filter(isReachable).map((peer) => this.#lookAt(peer)))
    const isSame = JSON.stringify(this.states.map(({ agents }) => agents)) === before
    if (!isSame && !this.#isStopped) await this.#agents.setRemote(this.#remote())
  }

  /** A chat of somebody elsewhere, or all that are shared, as that Herald says it. @throws HttpError. */
  async sessions(name: string, path = ""): Promise<unknown> {
    return await this.#asked(name, `/api/federation/sessions${path}`)
  }

  /** Says something in a chat there, and waits for the answer. @throws HttpError. */
  async chat(name: string, namespace: string, message: string): Promise<unknown> {
    const path = `/api/federation/sessions/${encodeURIComponent(namespace)}/chat`
    return await this.#asked(name, path, { message })
  }

  async #asked(name: string, path: string, body?: unknown): Promise<unknown> {
    const peer = this.#peers.filter(isReachable).find((each) => each.name === name)
    if (!peer) throw new HttpError(404, "not_found", "There is no other Herald of that name.")
    try {
      return await ask(peer, path, body)
    } catch (error) {
      // Never 401: the caller is logged in here.
      if (error instanceof OrraError) throw new HttpError(422, error.code, error.message)
      throw error
    }
  }

  async #lookAt(peer: Reachable): Promise<void> {
    const known = { name: peer.name, url: peer.url, checkedAt: Date.now() }
    try {
      const said = await ask(peer, "/api/federation")
      const { version, agents } = isObject(said) ? said : {}
      this.#states.set(peer.name, {
        ...known,
        health: "healthy",
        error: undefined,
        version: typeof version === "string" ? version : undefined,
        agents: Array.isArray(agents) ? agents.flatMap(agentIn) : [],
      })
    } catch (error) {
      const isRefused = error instanceof OrraError && error.code === "peer_refused"
      const health = isRefused ? "refused" : "unreachable"
      // Those it had are kept: a chat with one of them says what is wrong.
      const { agents = [], version } = this.#states.get(peer.name) ?? {}
      this.#states.set(peer.name, { ...known, health, error: errorMessage(error), version, agents })
    }
  }

  #remote(): readonly RemoteAgent[] {
    return this.#peers.filter(isReachable).flatMap((peer) =>
      (this.#states.get(peer.name)?.agents ?? []).map(({ name, personality }) => ({
        name: `${peer.name}:${name}`,
        personality,
        provider: remoteProvider(peer, name),
        tools: peer.lends,
      })),
    )
  }
}

const isReachable = (peer: Peer): peer is Reachable => peer.url !== undefined

const unknown = ({ name, url }: Peer): PeerState => ({
  name,
  url,
  health: url === undefined ? "asks" : "unknown",
  error: undefined,
  version: undefined,
  agents: [],
  checkedAt: undefined,
})

/** @throws OrraError `peer_refused`, `peer_unreachable`. */
async function ask(peer: Reachable, path: string, body?: unknown): Promise<unknown> {
  const signal = AbortSignal.timeout(body === undefined ? TIMEOUT_MS : CHAT_TIMEOUT_MS)
  let response: Response
  let said: unknown
  try {
    response = await requestPeer(peer, path, { body, signal })
    said = await answerOf(response)
  } catch (error) {
    throw new OrraError(
      "peer_unreachable",
      `${peer.name} cannot be reached at ${peer.url}: is it running, with federation.enabled?`,
      {},
      error,
    )
  }
  const { ok, status } = response
  if (ok) return said
  const why = status === 401 ? unknownTo(peer) : (reasonIn(said) ?? `It answered ${status}.`)
  throw new OrraError("peer_refused", why)
}

/** Names are checked where agents are: one that cannot be a name here is left out. */
function agentIn(value: unknown): readonly PeerState["agents"][number][] {
  if (!isObject(value)) return []
  const { name, personality } = value
  if (typeof name !== "string" || !/^[^@\p{C}]{1,30}$/u.test(name) || name.trim() !== name) return []
  return [{ name, personality: typeof personality === "string" ? personality.slice(0, 500) : "" }]
}

import { agentKey, checkedAgents } from "./agent.ts"
import { type Answering, type Channel, type ChannelOptions, type InboundMessage, Service } from "./channel.ts"
import { InvalidInput, OrraError } from "./errors.ts"

/**
 * How a message finds its agent.
 * - `static`: always this one.
 * - `namespace`: the first segment of the message's namespace is the agent's name.
 * - `metadata`: so is this member of its metadata; where it has none, the name of the channel is.
 * - a function says it from the message and the channel's name; undefined leaves it to the rules after.
 */
export type RoutingRule =
  | { readonly type: "static"; readonly agent: string }
  | { readonly type: "namespace" }
  | { readonly type: "metadata"; readonly key: string }
  | ((message: InboundMessage, channel: string) => string | undefined | Promise<string | undefined>)

/** Agents that can be found by name, and that answer together when none is named: a `Team`. */
export interface Agents extends Answering {
  agent(name: string): Answering | undefined
}

export interface RouterOptions extends ChannelOptions {
  readonly agents: Agents | ReadonlyMap<string, Answering>
  /** In order: the first that gives the name of an agent there is decides. Letters of either case are the same. */
  readonly rules?: readonly RoutingRule[]
  /** Who answers when no rule gives an agent. Default: the team, which may find a name in the text. */
  readonly default?: string
}

/**
 * Serves several channels with several agents. A message says itself whom it is for (`agent`), or the rules do, or it
 * goes to the default; one that nobody answers is answered with an error (`unroutable`, `agent_not_found`).
 *
 * ```ts
 * const router = new Router([discord, web], { agents: team, rules: [{ type: "metadata", key: "agent" }] })
 * await router.run({ signal })
 * ```
 */
export class Router {
  readonly #agents: (name: string) => Answering | undefined
  readonly #team: Answering | undefined
  readonly #rules: readonly RoutingRule[]
  readonly #default: string | undefined
  readonly #service: Service

  /** @throws InvalidInput without a channel, for names that are none, and for a default that is not among the agents. */
  constructor(channels: readonly Channel[], options: RouterOptions) {
    if (channels.length === 0) throw new InvalidInput("A router without channels hears nothing: give it one.")
    const { agents, rules = [], default: byDefault, ...rest } = options
    if (agents instanceof Map) {
      checkedAgents(Array.from(agents.keys(), (name: string) => ({ name })))
      const byKey = new Map(Array.from(agents, ([name, agent]) => [agentKey(name), agent]))
      this.#agents = (name) => byKey.get(agentKey(name))
    } else {
      const team = agents as Agents
      this.#team = team
      this.#agents = (name) => team.agent(name)
    }
    this.#rules = rules
    this.#default = byDefault
    if (byDefault !== undefined && !this.#agents(byDefault)) {
      throw new InvalidInput(`The default agent "${byDefault}" is not one of the agents.`)
    }
    this.#service = new Service(channels, (message, channel) => this.#route(message, channel), rest)
  }

  /** True from `run` until everything has come to rest. */
  get running(): boolean {
    return this.#service.running
  }

  /**
   * Serves until all channels have ended, `signal` fires or `stop` is called, and what was begun has been answered.
   * A channel that breaks is reported, and the others go on.
   *
   * @throws what the first channel threw that broke; InvalidInput while they are being served already.
   */
  run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#service.run(options.signal)
  }

  /** Takes no more messages, waits for the answers being written, and resolves when nothing is left of it. */
  stop(): Promise<void> {
    return this.#service.stop()
  }

  async #route(message: InboundMessage, channel: Channel): Promise<Answering> {
    if (message.agent !== undefined) return this.#named(message.agent)
    for (const rule of this.#rules) {
      const name = await named(rule, message, channel.name)
      const agent = name === undefined ? undefined : this.#agents(name)
      if (agent) return agent
    }
    if (this.#default !== undefined) return this.#named(this.#default)
    if (this.#team) return this.#team
    throw new OrraError("unroutable", "No agent is responsible for this message: say whom it is for.")
  }

  #named(name: string): Answering {
    const agent = this.#agents(name)
    if (agent) return agent
    throw new OrraError("agent_not_found", `There is no agent "${name}" here.`, { name })
  }
}

function named(
  rule: RoutingRule,
  message: InboundMessage,
  channel: string,
): string | undefined | Promise<string | undefined> {
  if (typeof rule === "function") return rule(message, channel)
  if (rule.type === "static") return rule.agent
  if (rule.type === "namespace") return message.namespace.segments[0]
  const value = message.metadata[rule.key]
  return typeof value === "string" ? value : channel
}

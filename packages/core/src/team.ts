import { type AgentProfile, type AgentRun, type AgentSettings, agentKey, checkedAgents } from "./agent.ts"
import { callerOf, delegatedIn, sessionsBelow } from "./delegated.ts"
import { Delegation, type DelegationOptions } from "./delegation.ts"
import type { Envelope } from "./envelope.ts"
import { OrraError } from "./errors.ts"
import type { Hooks } from "./hooks.ts"
import type { JsonObject } from "./json.ts"
import { findMention } from "./mention.ts"
import { messageText, userMessage } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import { type PolicyLayer, PolicyRegistry } from "./policy.ts"
import { PromptBuilder } from "./prompt.ts"
import type { Provider } from "./provider.ts"
import type { Agents } from "./router.ts"
import type { RunEvent, RunInput, RunOptions, RunResult, Submission } from "./run.ts"
import { Runtime } from "./runtime.ts"
import type { RuntimeOptions } from "./runtime-options.ts"
import type { SessionInfo } from "./session.ts"
import { type Tool, ToolRegistry } from "./tool.ts"

/** An agent of a team: its profile, and what it has in place of the team's or besides it. */
export interface TeamAgent extends AgentProfile {
  readonly provider?: Provider
  /** Tools of its own, besides those of the team that its profile names. Of two with one name, its own is meant. */
  readonly ownTools?: readonly Tool[]
  /** After the team's. */
  readonly hooks?: readonly Hooks[]
  /** What it may do, within what the team's policies say. It holds for those it delegates to as well. */
  readonly policy?: PolicyLayer
  readonly maxTurns?: number
  readonly maxTokens?: number
  readonly temperature?: number
}

/** Makes the system prompts of agents: a `PromptBuilder`, or one of the application's own that says more. */
export interface AgentPrompt {
  /** `tools` are those that the agent may use there; `metadata` is the session's. */
  build(
    profile: AgentProfile,
    context: {
      readonly tools: readonly Tool[]
      readonly now: Date
      readonly namespace: Namespace
      readonly metadata: JsonObject
    },
  ): string | Promise<string>
}

/** What a team is made of: what a runtime is, with agents in place of one system prompt. */
export interface TeamOptions extends Omit<RuntimeOptions, "agent" | "policies" | "rights" | "systemPrompt"> {
  /** Default: every registered tool is allowed. */
  readonly policies?: PolicyRegistry
  /** At least one. The first answers where none is named. */
  readonly agents: readonly TeamAgent[]
  /** Makes the prompts of those that have none of their own. Default: `new PromptBuilder()`. */
  readonly prompt?: AgentPrompt
  /** The tools `spawn_agent` and `delegate_to_agent`. Default: with the usual limits; false: agents work alone. */
  readonly delegation?: DelegationOptions | false
}

/** One agent of a team, to speak to directly. */
export interface TeamMember {
  readonly profile: TeamAgent
  run(namespace: Namespace, input: RunInput, options?: RunOptions): Promise<RunResult>
  stream(namespace: Namespace, input: RunInput, options?: RunOptions): AsyncGenerator<RunEvent, void>
  submit(namespace: Namespace, input: RunInput, options?: RunOptions): Promise<Submission>
  follow: Runtime["follow"]
  subscribe: Runtime["subscribe"]
  info: Runtime["info"]
}

/**
 * Several agents that share a provider, a store, tools, policies and sessions, and hand tasks to one another. Names are
 * the same in letters of either case.
 *
 * A message goes to the agent that its sender asks for (`options.agent`), else to the one it mentions (`@name`), else
 * to the session's (`agent` in its metadata), else to the first. Agents can be added, replaced and removed at any time;
 * runs that have begun end as they began.
 *
 * ```ts
 * const team = new Team({ provider, agents: [{ name: "Atlas" }, { name: "CodeBot", tools: ["shell"] }] })
 * await team.run(ns, "@codebot, which tests fail?")
 * ```
 */
export class Team implements Agents {
  /** Everything that is not about agents: subscribing, history, lists, stopping. */
  readonly runtime: Runtime
  readonly #policies: PolicyRegistry
  readonly #prompt: AgentPrompt
  readonly #hooks: readonly Hooks[]
  readonly #delegation: Delegation | undefined
  #members: readonly Member[] = []
  /** Their tools, of the team's as they are and of the agents as they are. */
  #registries = new Map<Member, { readonly from: readonly Tool[]; readonly tools: ToolRegistry }>()

  /** @throws InvalidInput without an agent, for a name that is none, and for a policy that is not one. */
  constructor(options: TeamOptions) {
    const { agents, prompt, delegation, policies = PolicyRegistry.allowAll(), ...rest } = options
    this.#policies = policies
    this.#prompt = prompt ?? new PromptBuilder()
    if (delegation !== false) {
      this.#delegation = new Delegation(
        () => this.runtime,
        (name) => this.#find(name)?.profile,
        delegation,
      )
    }
    this.#hooks = [...(options.hooks ?? []), ...(this.#delegation?.hooks ?? [])]
    this.#set(agents.map(member))
    this.runtime = new Runtime({
      ...rest,
      policies,
      agent: (run) => this.#settings(run),
      // Every run here has policies of the team's making.
      rights: (envelope, own) => this.#rights(envelope, own instanceof PolicyRegistry ? own : policies),
    })
  }

  /** The agents, in order: the first is the default. */
  get agents(): readonly TeamAgent[] {
    return this.#members.map(({ profile }) => profile)
  }

  agent(name: string): TeamMember | undefined {
    const profile = this.#find(name)?.profile
    if (!profile) return undefined
    const { runtime } = this
    const as = (options: RunOptions | undefined): RunOptions => ({ ...options, agent: profile.name })
    return {
      profile,
      run: (namespace, input, options) => runtime.run(namespace, input, as(options)),
      stream: (namespace, input, options) => runtime.stream(namespace, input, as(options)),
      submit: (namespace, input, options) => runtime.submit(namespace, input, as(options)),
      follow: (submission, options) => runtime.follow(submission, options),
      subscribe: (namespace, options) => runtime.subscribe(namespace, options),
      info: (namespace) => runtime.info(namespace),
    }
  }

  /** @throws InvalidInput for a name that is none or is taken. */
  add(agent: TeamAgent): void {
    this.#set([...this.#members, member(agent)])
  }

  /** Puts an agent in the place of another, under the same name or a new one. @throws OrraError (`agent_not_found`) */
  replace(name: string, agent: TeamAgent): void {
    const old = this.#named(name)
    this.#set(this.#members.map((each) => (each === old ? member(agent) : each)))
  }

  /**
   * Puts these in the place of all agents there are, in one step: the first is the default from now on.
   *
   * @throws InvalidInput without an agent, for a name that is none, and for a policy that is not one: nothing changed.
   */
  set(agents: readonly TeamAgent[]): void {
    this.#set(agents.map(member))
  }

  /**
   * The tools that a run may use, also those that somebody has to allow first. For an agent of a session: a run without
   * an envelope.
   *
   * ```ts
   * const session = { namespace, metadata: {}, envelope: undefined }
   * team.toolsOf({ ...session, agent: "CodeBot" }).map(({ definition }) => definition.name) // ["shell"]
   * ```
   */
  toolsOf(run: AgentRun): readonly Tool[] {
    const found = this.#agentOf(run)
    return found ? this.#allowed(run, this.#tools(found), this.#policiesOf(found, run)) : []
  }

  /**
   * Messages that wait for it are answered with an error, and what it has delegated may do nothing more.
   *
   * @returns false when there is no such agent. @throws InvalidInput for the last one.
   */
  remove(name: string): boolean {
    const old = this.#find(name)
    if (old) this.#set(this.#members.filter((each) => each !== old))
    return old !== undefined
  }

  /** As `Runtime.run`, by the agent that the message is for. @throws OrraError (`agent_not_found`) */
  async run(namespace: Namespace, input: RunInput, options: RunOptions = {}): Promise<RunResult> {
    return await this.runtime.run(namespace, input, this.#routed(input, options))
  }

  /** As `Runtime.stream`, by the agent that the message is for. */
  stream(namespace: Namespace, input: RunInput, options: RunOptions = {}): AsyncGenerator<RunEvent, void> {
    return this.runtime.stream(namespace, input, this.#routed(input, options))
  }

  /** As `Runtime.submit`, for the agent that the message is for. @throws OrraError (`agent_not_found`) */
  async submit(namespace: Namespace, input: RunInput, options: RunOptions = {}): Promise<Submission> {
    return await this.runtime.submit(namespace, input, this.#routed(input, options))
  }

  follow(
    submission: Submission,
    options?: { readonly signal?: AbortSignal },
  ): AsyncGenerator<RunEvent, void> {
    return this.runtime.follow(submission, options)
  }

  subscribe(
    namespace: Namespace,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<RunEvent, void> {
    return this.runtime.subscribe(namespace, options)
  }

  info(namespace: Namespace): Promise<SessionInfo | undefined> {
    return this.runtime.info(namespace)
  }

  /** Stops the session's run, and with it all that was delegated in it. @returns false when nothing was running. */
  async stop(namespace: Namespace): Promise<boolean> {
    const stopped = await this.runtime.stop(namespace)
    for (const child of await sessionsBelow(this.runtime.store, delegatedIn(namespace), { openRun: true }))
      await this.runtime.stop(child)
    const caller = stopped ? callerOf(namespace) : undefined
    if (caller) await this.runtime.wake(caller.namespace)
    return stopped
  }

  /**
   * As `Runtime.recover`, and lets those look again who wait for what they have handed on: its end may have come while
   * nobody was there to tell them.
   */
  async recover(
    prefix: Namespace,
    options: { readonly resume?: boolean } = {},
  ): Promise<readonly Namespace[]> {
    const recovered = await this.runtime.recover(prefix, options)
    const { store } = this.runtime
    for (const session of await sessionsBelow(store, prefix, { waiting: true })) {
      const { items } = await store.list(delegatedIn(session), { limit: 1 })
      if (items.length > 0) await this.runtime.wake(session)
    }
    return recovered
  }

  /** Removes a session and the sessions of what was delegated in it. @returns false when there was none. */
  async delete(namespace: Namespace): Promise<boolean> {
    const existed = await this.runtime.delete(namespace)
    for (const deleted of [false, true])
      for (const child of await sessionsBelow(this.runtime.store, delegatedIn(namespace), { deleted }))
        await this.runtime.delete(child)
    return existed
  }

  close(): Promise<void> {
    return this.runtime.close()
  }

  #routed(input: RunInput, options: RunOptions): RunOptions {
    if (options.agent !== undefined) return { ...options, agent: this.#named(options.agent).profile.name }
    const text = messageText(typeof input === "object" && "role" in input ? input : userMessage(input))
    const mention = findMention(
      text,
      this.#members.map(({ profile }) => profile.name),
    )
    return mention ? { ...options, agent: mention.name } : options
  }

  #find(name: string): Member | undefined {
    const key = agentKey(name)
    return this.#members.find((each) => each.key === key)
  }

  #named(name: string): Member {
    const found = this.#find(name)
    if (!found) throw notFound(name)
    return found
  }

  #set(members: readonly Member[]): void {
    checkedAgents(members.map(({ profile }) => profile))
    // A policy that is none is refused now, not when somebody asks for something.
    for (const { profile } of members) if (profile.policy) new PolicyRegistry({ base: profile.policy })
    this.#members = members
    this.#registries = new Map()
  }

  #settings(run: AgentRun): AgentSettings {
    const found = this.#agentOf(run)
    if (!found) return gone(run.agent ?? "")
    const { namespace, metadata, envelope } = run
    const { profile } = found
    const {
      name,
      policy: _,
      hooks = [],
      tools: __,
      ownTools: ___,
      personality,
      systemPrompt,
      ...rest
    } = profile
    const tools = this.#tools(found)
    const prompt = ({ now }: { readonly now: Date }): string | Promise<string> => {
      const allowed = this.#allowed(run, tools, this.#policiesOf(found, run))
      return this.#prompt.build(profile, { tools: allowed, now, namespace, metadata })
    }
    return {
      ...rest,
      name,
      tools,
      policies: this.#own(found),
      hooks: [...this.#hooks, ...hooks],
      systemPrompt: envelope?.helper ? helperPrompt(name) : prompt,
    }
  }

  /** Whom a run is by: the one asked for, the session's, or the default. Of the first there may be none any more. */
  #agentOf({ agent, metadata }: AgentRun): Member | undefined {
    if (agent !== undefined) return this.#find(agent)
    const preferred = typeof metadata["agent"] === "string" ? this.#find(metadata["agent"]) : undefined
    return preferred ?? this.#members[0]
  }

  /** The team's policies, and what an agent has besides. */
  #own({ profile: { name, policy } }: Member): PolicyRegistry {
    return policy ? this.#policies.within([policy], `agent ${name}`) : this.#policies
  }

  #policiesOf(of: Member, { envelope }: AgentRun): PolicyRegistry {
    const own = this.#own(of)
    return envelope ? this.#rights(envelope, own) : own
  }

  #allowed({ namespace }: AgentRun, tools: ToolRegistry, policies: PolicyRegistry): readonly Tool[] {
    return tools
      .list()
      .filter(
        ({ definition, risk }) =>
          policies.explain(namespace, { tool: definition.name, risk }).decision !== "deny",
      )
  }

  /** What a run may do on somebody's behalf: what those may who handed it on, then and now, and its own agent. */
  #rights(envelope: Envelope, policies: PolicyRegistry): PolicyRegistry {
    const chain = envelope.agents.map((name): PolicyLayer => {
      const caller = this.#find(name)
      return caller ? (caller.profile.policy ?? {}) : { ceiling: "deny" }
    })
    return policies.within([...(envelope.bounds ?? []), ...chain], "delegation")
  }

  #tools(of: Member): ToolRegistry {
    const from = this.runtime.tools.list()
    const known = this.#registries.get(of)
    if (known?.from === from) return known.tools
    const { name, tools: names, ownTools = [] } = of.profile
    const others = this.#members.filter((each) => each !== of).map(({ profile }) => profile.name)
    const byName = new Map<string, Tool>()
    const has = (tool: string): boolean => byName.has(tool)
    for (const tool of [...from, ...(this.#delegation?.tools(name, others, has) ?? [])]) {
      if (!names || names.includes(tool.definition.name)) byName.set(tool.definition.name, tool)
    }
    for (const tool of ownTools) byName.set(tool.definition.name, tool)
    const tools = new ToolRegistry(byName.values())
    this.#registries.set(of, { from, tools })
    return tools
  }
}

interface Member {
  readonly key: string
  readonly profile: TeamAgent
}

const member = (profile: TeamAgent): Member => ({ key: agentKey(profile.name), profile })

const notFound = (name: string): OrraError =>
  new OrraError("agent_not_found", `There is no agent "${name}" here (any more).`, { name })

/** The run of an agent that has been removed since it was asked: it fails, and says why. */
const gone = (name: string): AgentSettings => ({
  name,
  tools: new ToolRegistry(),
  policies: PolicyRegistry.denyAll(),
  systemPrompt: () => {
    throw notFound(name)
  },
})

const helperPrompt = (name: string): string =>
  [
    `You are a helper of ${name}, an AI assistant, who gives you one task.`,
    `Do it with the tools you have. Nobody can answer questions: when something is unclear, choose, and say what you chose.`,
    `Your last answer is all that ${name} gets to see of your work: put the result into it, and what you could not do.`,
  ].join("\n\n")

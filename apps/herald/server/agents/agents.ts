import {
  type AgentProfile,
  agentKey,
  DEFAULT_AGENT,
  everyItem,
  InvalidInput,
  type Json,
  NotFound,
  type Provider,
  type Records,
  randomId,
  type StoredRecord,
  type TeamAgent,
} from "@orra/core"
import { type LoadedConfig, OWNER } from "../config/load.ts"
import { type AgentInput, readInput } from "./input.ts"

/** Somebody who answers. Of two that differ in the case of letters only there is one. */
export interface Agent extends AgentInput {
  /**
   * Where it is written: the file, which only a person changes; the page; nowhere, when nobody has named one; or in another
   * Herald.
   */
  readonly origin: "file" | "page" | "built_in" | "peer"
  /** Of those of another Herald: how they are asked. */
  readonly provider?: Provider
  /** Of those of the page: what they are changed by. */
  readonly id?: string
  readonly version?: number
}

/** An agent of another Herald. */
export interface RemoteAgent {
  readonly name: string
  readonly personality: string
  readonly provider: Provider
  /** The tools that are lent to it. */
  readonly tools: readonly string[]
}

/** What is said of a change. */
export type AgentChange =
  | { readonly type: "changed" }
  | { readonly type: "renamed"; readonly from: string; readonly to: string }

const DEFAULT_KEY = "default"

/**
 * The agents of this Herald: those of the configuration, then those made in the page, which are kept in the data
 * directory. They change while Herald works, and whoever listens is told.
 */
export class Agents {
  readonly #records: Records
  readonly #listeners: ((change: AgentChange) => void | Promise<void>)[] = []
  #file: readonly Agent[]
  #saved: readonly Agent[] = []
  #remote: readonly Agent[] = []
  /** The name of the one that was chosen to answer where none is. It may be gone. */
  #chosen: string | undefined

  private constructor(records: Records, loaded: LoadedConfig) {
    this.#records = records
    this.#file = agentsOfFile(loaded)
  }

  static async open(records: Records, loaded: LoadedConfig): Promise<Agents> {
    const agents = new Agents(records, loaded)
    for await (const record of everyItem((page) => records.list(OWNER, page))) {
      if (record.key === DEFAULT_KEY) agents.#chosen = String(record.value)
      else agents.#saved = [...agents.#saved, ofRecord(record)]
    }
    return agents
  }

  /**
   * The default first, those of other Heralds last. Those of the page that the configuration has by the same name are not
   * among them.
   */
  list(): readonly Agent[] {
    const own = [...this.#file, ...this.#saved.filter(({ name }) => !this.#isInFile(name))]
    const chosen = this.#chosen
    if (chosen !== undefined) own.sort((a, b) => Number(isNamed(b, chosen)) - Number(isNamed(a, chosen)))
    return [...own, ...this.#remote.filter(({ name }) => !own.some((each) => isNamed(each, name)))]
  }

  /** Of the page, but out of use: the configuration has one of the same name. */
  hidden(): readonly Agent[] {
    return this.#saved.filter(({ name }) => this.#isInFile(name))
  }

  find(name: string): Agent | undefined {
    return this.list().find((each) => isNamed(each, name))
  }

  /** Who answers where nobody was chosen, or the one chosen is gone. */
  get default(): Agent {
    const [first] = this.list()
    // The configuration always has one.
    if (!first) throw new NotFound("agent")
    return first
  }

  /** As a team takes them. */
  team(): readonly TeamAgent[] {
    return this.list().map(member)
  }

  /** `listener` is told after each change, which is over when it is done. */
  onChange(listener: (change: AgentChange) => void | Promise<void>): void {
    this.#listeners.push(listener)
  }

  /** The configuration was read again. */
  async reload(loaded: LoadedConfig): Promise<void> {
    this.#file = agentsOfFile(loaded)
    await this.#tell({ type: "changed" })
  }

  /** These are the agents of other Heralds now. */
  async setRemote(remote: readonly RemoteAgent[]): Promise<void> {
    this.#remote = remote.map((agent) => ({
      ...agent,
      system_prompt: undefined,
      model: undefined,
      origin: "peer",
    }))
    await this.#tell({ type: "changed" })
  }

  /** @throws InvalidInput for fields that are none, and a name that is taken. */
  async create(body: Readonly<Record<string, unknown>>): Promise<Agent> {
    const input = readInput(body)
    this.#assertFree(input.name)
    const id = randomId()
    const version = await this.#records.put(OWNER, id, asJson(input), { expected: 0 })
    const agent: Agent = { ...input, origin: "page", id, version }
    this.#saved = [...this.#saved, agent]
    await this.#tell({ type: "changed" })
    return agent
  }

  /** Puts these fields in the place of all it has. @throws InvalidInput; NotFound; VersionConflict when it was changed. */
  async update(id: string, body: Readonly<Record<string, unknown>>): Promise<Agent> {
    const { version: expected, ...fields } = body
    if (typeof expected !== "number") throw new InvalidInput('"version" must be the one that was read.')
    const before = this.#savedBy(id)
    const input = readInput(fields)
    if (agentKey(before.name) !== agentKey(input.name)) this.#assertFree(input.name)
    const version = await this.#records.put(OWNER, id, asJson(input), { expected })
    const agent: Agent = { ...input, origin: "page", id, version }
    this.#saved = this.#saved.map((each) => (each.id === id ? agent : each))
    if (this.#chosen !== undefined && isNamed(before, this.#chosen)) await this.#choose(agent.name)
    await this.#tell(
      before.name === agent.name
        ? { type: "changed" }
        : { type: "renamed", from: before.name, to: agent.name },
    )
    return agent
  }

  /** Its chats stay, and the default answers in them. @throws NotFound. */
  async remove(id: string): Promise<Agent> {
    const agent = this.#savedBy(id)
    await this.#records.delete(OWNER, id)
    this.#saved = this.#saved.filter((each) => each.id !== id)
    await this.#tell({ type: "changed" })
    return agent
  }

  /** Makes an agent the default. @throws NotFound. */
  async setDefault(name: string): Promise<void> {
    const agent = this.find(name)
    if (!agent || agent.origin === "peer") throw new NotFound("agent")
    await this.#choose(agent.name)
    await this.#tell({ type: "changed" })
  }

  async #choose(name: string): Promise<void> {
    await this.#records.put(OWNER, DEFAULT_KEY, name)
    this.#chosen = name
  }

  #savedBy(id: string): Agent {
    const found = this.#saved.find((each) => each.id === id)
    if (!found) throw new NotFound("agent")
    return found
  }

  #isInFile(name: string): boolean {
    return this.#file.some((each) => isNamed(each, name))
  }

  #assertFree(name: string): void {
    const other = [...this.#file, ...this.#saved].find((each) => isNamed(each, name))
    if (other) throw new InvalidInput(`There is an agent "${other.name}" already: choose another name.`)
  }

  async #tell(change: AgentChange): Promise<void> {
    for (const listener of this.#listeners) await listener(change)
  }
}

const isNamed = (agent: Pick<AgentProfile, "name">, name: string): boolean =>
  agentKey(agent.name) === agentKey(name)

const ALL = "*"
/** What time it is every agent may know. */
const CLOCK = "current_time"

/** What it may not use is denied to it, and so to those that work for it. */
function member({ name, personality, system_prompt, model, tools, provider }: Agent): TeamAgent {
  if (provider) return { name, personality, provider, policy: { allow: tools, default: "deny" } }
  return {
    name,
    personality,
    ...(system_prompt?.trim() && { systemPrompt: system_prompt }),
    ...(model !== undefined && { model }),
    ...(!tools.includes(ALL) && { policy: { allow: [...tools, CLOCK], default: "deny" } }),
  }
}

function agentsOfFile({ config, origins }: LoadedConfig): readonly Agent[] {
  if (config.agents.length > 0) {
    return config.agents.map((agent) => ({ ...agent, origin: "file" }))
  }
  const isNamedThere = [...origins.keys()].some((key) => key.startsWith("agent."))
  const { name, ...agent } = config.agent
  const origin = isNamedThere ? "file" : "built_in"
  return [{ ...agent, name: name.trim() || DEFAULT_AGENT, model: undefined, tools: [ALL], origin }]
}

const asJson = (input: AgentInput): Json =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))

function ofRecord({ key, value, version }: StoredRecord): Agent {
  return { ...readInput(value as Readonly<Record<string, unknown>>), origin: "page", id: key, version }
}

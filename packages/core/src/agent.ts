import type { Envelope } from "./envelope.ts"
import { InvalidInput } from "./errors.ts"
import type { Hooks } from "./hooks.ts"
import type { JsonObject } from "./json.ts"
import type { SystemPrompt } from "./loop-run.ts"
import type { Namespace } from "./namespace.ts"
import type { Policies } from "./policy.ts"
import type { Provider } from "./provider.ts"
import type { ToolRegistry } from "./tool.ts"

/** An agent as it is configured: who it is, and what it may differ in from the others of its team. */
export interface AgentProfile {
  /** What people call it, also as `@name`: 1 to 64 characters, without "@". Letters of either case are the same. */
  readonly name: string
  /** Completes the sentence that says how it is. Default "friendly, helpful, and concise". */
  readonly personality?: string
  /** The whole system prompt, in place of the one that is built. */
  readonly systemPrompt?: string
  /** Default: the provider's. */
  readonly model?: string
  /** The names of the tools it has, of those there are. Default: all. */
  readonly tools?: readonly string[]
}

/** A run that is about to begin or to go on. */
export interface AgentRun {
  /** The agent that was asked for. */
  readonly agent: string | undefined
  readonly namespace: Namespace
  /** The session's. */
  readonly metadata: JsonObject
  readonly envelope: Envelope | undefined
}

/** What a run by an agent has in place of the runtime's own. */
export interface AgentSettings {
  /** Recorded in `run_started.agent`. */
  readonly name: string
  readonly provider?: Provider
  readonly tools?: ToolRegistry
  /** In a run with an envelope, what `rights` begins with. */
  readonly policies?: Policies
  readonly hooks?: readonly Hooks[]
  readonly systemPrompt?: SystemPrompt
  readonly model?: string
  readonly maxTokens?: number
  readonly temperature?: number
  readonly maxTurns?: number
}

/** Must not throw; undefined leaves the run as the runtime's runs are. */
export type AgentResolver = (run: AgentRun) => AgentSettings | undefined

export const DEFAULT_AGENT = "Atlas"
export const DEFAULT_PERSONALITY = "friendly, helpful, and concise"

const MAX_NAME = 64

/**
 * A character as names are compared: without case, and composed or not. One at a time, so that a place in the folded
 * text is a place in the text, although folding makes some characters longer ("İ", "ß").
 */
export const foldCharacter = (char: string): string => char.toUpperCase().toLowerCase().normalize("NFD")

/** The form in which two names are the same name. It does not depend on the machine's language. */
export function agentKey(name: string): string {
  let key = ""
  for (const char of name) key += foldCharacter(char)
  return key
}

/**
 * The configured agents, or the single one of a configuration that knows no list. Empty values count as none.
 *
 * ```ts
 * resolveAgents([], { name: "Nova" }) // [{ name: "Nova" }]
 * resolveAgents([])                   // [{ name: "Atlas" }]
 * ```
 *
 * @throws InvalidInput for a name that is none, or that two agents share.
 */
export function resolveAgents(
  list: readonly AgentProfile[],
  legacy: Partial<Pick<AgentProfile, "name" | "personality" | "systemPrompt">> = {},
): readonly AgentProfile[] {
  if (list.length > 0) return checkedAgents(list)
  const { name = "", personality = "", systemPrompt = "" } = legacy
  return checkedAgents([
    {
      name: name.trim() || DEFAULT_AGENT,
      ...(personality.trim() && { personality }),
      ...(systemPrompt.trim() && { systemPrompt }),
    },
  ])
}

/** The same agents. @throws InvalidInput when there is none, for a name that is none, or that two of them share. */
export function checkedAgents(list: readonly AgentProfile[]): readonly AgentProfile[] {
  if (list.length === 0) throw new InvalidInput("There is no agent: configure at least one.")
  const known = new Map<string, string>()
  for (const { name } of list) {
    assertName(name)
    const other = known.get(agentKey(name))
    if (other !== undefined) {
      throw new InvalidInput(`Two agents have the same name ("${other}", "${name}"): rename one of them.`)
    }
    known.set(agentKey(name), name)
  }
  return list
}

function assertName(name: string): void {
  const isName =
    name !== "" &&
    name.length <= MAX_NAME &&
    name === name.trim() &&
    name.isWellFormed() &&
    !/[@\p{Cc}]/u.test(name)
  if (isName) return
  throw new InvalidInput(
    `${JSON.stringify(name.slice(0, MAX_NAME))} is not an agent's name: use 1 to ${MAX_NAME} characters without "@", and no space at either end.`,
  )
}

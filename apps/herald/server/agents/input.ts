import { DEFAULT_PERSONALITY, InvalidInput, resolveAgents } from "@orra/core"

/** What makes an agent, by the names of the configuration. */
export interface AgentInput {
  readonly name: string
  readonly personality: string
  /** Replaces the whole system prompt. */
  readonly system_prompt: string | undefined
  /** Default: Herald's. */
  readonly model: string | undefined
  /** The tools it may use, by name or glob; "*" is all that the person may. */
  readonly tools: readonly string[]
}

const FIELDS = ["name", "personality", "system_prompt", "model", "tools"]
const MAX_TOOLS = 200
const TOOL = /^[a-zA-Z0-9_.*-]{1,128}$/

/** The fields as they are kept. @throws InvalidInput with what is wrong. */
export function readInput(body: Readonly<Record<string, unknown>>): AgentInput {
  const unknown = Object.keys(body).find((field) => !FIELDS.includes(field))
  if (unknown !== undefined)
    throw new InvalidInput(
      `"${unknown.slice(0, 40)}" is no field of an agent: there are ${FIELDS.join(", ")}.`,
    )
  const name = textOf(body, "name", 64).trim()
  // What nobody sees would make two names that look the same.
  if (/\p{Cf}/u.test(name)) throw new InvalidInput("The name has invisible characters: write it anew.")
  resolveAgents([{ name }])
  return {
    name,
    personality: textOf(body, "personality", 2_000).trim() || DEFAULT_PERSONALITY,
    system_prompt: textOf(body, "system_prompt", 100_000) || undefined,
    model: textOf(body, "model", 200).trim() || undefined,
    tools: toolsOf(body["tools"]),
  }
}

function textOf(body: Readonly<Record<string, unknown>>, field: string, max: number): string {
  const value = body[field] ?? ""
  if (typeof value !== "string") throw new InvalidInput(`${field} must be text.`)
  if (value.length > max) throw new InvalidInput(`${field} has at most ${max} characters.`)
  return value.toWellFormed()
}

function toolsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return ["*"]
  if (!Array.isArray(value) || value.length > MAX_TOOLS)
    throw new InvalidInput(`tools is a list of at most ${MAX_TOOLS} names or globs.`)
  return value.map((name: unknown) => {
    if (typeof name === "string" && TOOL.test(name)) return name
    throw new InvalidInput(
      'tools has something that is no name of a tool: letters, digits, ".", "_", "-" and "*" are in one.',
    )
  })
}

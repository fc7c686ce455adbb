import type { Envelope } from "./envelope.ts"
import { InvalidInput, OrraError } from "./errors.ts"
import { isObject, type Json, type JsonObject } from "./json.ts"
import type { ImagePart, TextPart } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import type { ToolDefinition } from "./provider.ts"
import { type InputSchema, inputSchemaOf, validateInput } from "./schema.ts"

/** What a tool can do to the world, from harmless to not. Policy rules can name it: `risk:exec`. */
export type ToolRisk = "read" | "write" | "exec" | "network"

/** What a tool is told by the runtime. Nothing here comes from the model. */
export interface ToolContext {
  readonly namespace: Namespace
  readonly runId: string
  readonly callId: string
  /** Who asked, as `RunOptions.principal` said. */
  readonly principal?: string | undefined
  /** On whose behalf the run works; undefined for a person's. */
  readonly envelope?: Envelope | undefined
  /** The session has read what strangers wrote: what the model asks for may be theirs. */
  readonly tainted?: boolean | undefined
  /** The same for every attempt at this call, also after a crash: pass it on to services that take one. */
  readonly idempotencyKey: string
  /** Fires when the run is stopped or the tool's time is up. */
  readonly signal: AbortSignal
  /** The session's metadata, such as the working directory. */
  readonly metadata: JsonObject
  /** Tells whoever watches what is going on. Not stored, not seen by the model. */
  progress(text: string): void
}

/** A tool's answer when it is more than text or JSON. */
export interface ToolOutput {
  readonly content: readonly (TextPart | ImagePart)[]
  readonly structured?: Json
  readonly isError?: boolean
  /** Strangers wrote this one, or something in it, whatever the tool says of itself. */
  readonly untrusted?: boolean
}

/**
 * What a tool returns whose result comes later. The run waits, holding nothing; after `runtime.wake(namespace)`, and
 * whenever else the run goes on, the tool is executed again with the same idempotency key. For idempotent tools only.
 */
export const PENDING: ToolOutput = Object.freeze({ content: Object.freeze([]) })

export interface Tool {
  readonly definition: ToolDefinition
  readonly risk: ToolRisk
  /** True when running it twice with the same key has the effect of running it once. */
  readonly idempotent: boolean
  /** True when its output was written by strangers: a web page, a mail. */
  readonly untrusted: boolean
  readonly timeoutMs: number
  /** The arguments as the tool takes them. @throws InvalidInput with what is wrong, for the model to mend. */
  parse(input: JsonObject): Promise<unknown>
  execute(input: unknown, context: ToolContext): Promise<ToolOutput>
}

export interface ToolOptions<Input> {
  /** Letters, digits, "_" and "-", at most 64: what every provider accepts. */
  readonly name: string
  readonly description: string
  /** A Standard Schema that also gives its JSON Schema (zod 4 does), or plain JSON Schema of type object. */
  readonly input: InputSchema<Input>
  readonly risk: ToolRisk
  /** Default: true for risk `read`, false otherwise. */
  readonly idempotent?: boolean
  /** Default false. */
  readonly untrusted?: boolean
  /** Default 120,000. */
  readonly timeoutMs?: number
  /** Text and JSON go to the model as they are. Throw an Error to tell the model what went wrong. */
  execute(
    input: Input,
    context: ToolContext,
  ): Promise<ToolOutput | Json | undefined> | ToolOutput | Json | undefined
}

const NAME = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * Declares a tool.
 *
 * ```ts
 * const weather = tool({
 *   name: "weather",
 *   description: "The weather in a city, now.",
 *   input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
 *   risk: "network",
 *   execute: async ({ city }) => `Sunny in ${city}`,
 * })
 * ```
 *
 * @throws InvalidInput when the name or the schema cannot be sent to a model.
 */
export function tool<Input = Record<string, never>>(options: ToolOptions<Input>): Tool {
  if (typeof options.name !== "string" || !NAME.test(options.name)) {
    throw new InvalidInput(
      `"${options.name}" is not a tool name: use letters, digits, "_" and "-", at most 64.`,
    )
  }
  return {
    definition: {
      name: options.name,
      description: options.description,
      inputSchema: inputSchemaOf(options.name, options.input),
    },
    risk: options.risk,
    idempotent: options.idempotent ?? options.risk === "read",
    untrusted: options.untrusted ?? false,
    timeoutMs: options.timeoutMs ?? 120_000,
    parse: (input) => validateInput(options.input, input),
    execute: async (input, context) => toOutput(await options.execute(input as Input, context)),
  }
}

function toOutput(value: ToolOutput | Json | undefined): ToolOutput {
  if (isOutput(value)) return value
  return { content: [{ type: "text", text: typeof value === "string" ? value : stringify(value) }] }
}

/** An answer that only happens to have a list called "content" is JSON like any other. */
export const isOutput = (value: unknown): value is ToolOutput =>
  isObject(value) && Array.isArray(value["content"]) && value["content"].every(isContent)

const isContent = (piece: unknown): boolean =>
  isObject(piece) &&
  (piece["type"] === "text"
    ? typeof piece["text"] === "string"
    : piece["type"] === "image" &&
      typeof piece["data"] === "string" &&
      typeof piece["mediaType"] === "string")

/** JSON for the model. @throws OrraError (`tool_output_invalid`) for what JSON cannot say. */
export function stringify(value: unknown): string {
  if (value === undefined) return "Done."
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    throw new OrraError(
      "tool_output_invalid",
      "The tool returned something that is not JSON (a cycle, a BigInt, or too much).",
    )
  }
}

/** The tools a runtime may use. Names are unique: a second one with the same name is refused. */
export class ToolRegistry {
  readonly #tools = new Map<string, Tool>()
  #sorted: readonly Tool[] | undefined

  constructor(tools: Iterable<Tool> = []) {
    for (const entry of tools) this.add(entry)
  }

  /** @throws OrraError (`tool_exists`) when the name is taken: remove the other first. */
  add(entry: Tool): void {
    const { name } = entry.definition
    if (this.#tools.has(name))
      throw new OrraError("tool_exists", `There is already a tool "${name}".`, { name })
    this.#tools.set(name, entry)
    this.#sorted = undefined
  }

  remove(name: string): boolean {
    this.#sorted = undefined
    return this.#tools.delete(name)
  }

  get(name: string): Tool | undefined {
    return this.#tools.get(name)
  }

  /** All tools by name, so that what the provider is sent does not depend on the order of registration. */
  list(): readonly Tool[] {
    this.#sorted ??= Object.freeze(
      [...this.#tools.values()].sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1)),
    )
    return this.#sorted
  }
}

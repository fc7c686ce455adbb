import { type AgentProfile, DEFAULT_PERSONALITY } from "./agent.ts"
import { InvalidInput } from "./errors.ts"
import type { Tool } from "./tool.ts"

export interface PromptOptions {
  /** Where people read the answers, such as "a Discord server". Default "a chat interface". */
  readonly place?: string
  /** What agents can do, in a few words each. Those of an agent's tools are added by `build`. */
  readonly capabilities?: readonly string[]
  /** More text for the end, in this order. */
  readonly sections?: readonly string[]
  /** The time of a prompt that is not told it. Default: now. */
  readonly clock?: () => Date
  /** Whose day it is, as an IANA name ("Europe/Oslo"). Default: the machine's. */
  readonly timeZone?: string
}

/**
 * Makes the system prompt of agents that have none of their own. Equal inputs give equal bytes, and the only thing
 * that changes by itself is the date: a provider's cache of the prompt holds for a day.
 *
 * ```ts
 * const prompt = new PromptBuilder({ place: "a Discord server", timeZone: "Europe/Oslo" })
 * prompt.build({ name: "Atlas" }, { tools: [weather] })
 * ```
 */
export class PromptBuilder {
  readonly #options: PromptOptions
  readonly #date: Intl.DateTimeFormat

  /** @throws InvalidInput for a time zone that there is none of. */
  constructor(options: PromptOptions = {}) {
    this.#options = options
    const { timeZone } = options
    try {
      this.#date = new Intl.DateTimeFormat("en-US", { dateStyle: "full", ...(timeZone && { timeZone }) })
    } catch {
      throw new InvalidInput(`"${timeZone}" is not a time zone: use an IANA name such as "Europe/Oslo".`)
    }
  }

  /**
   * The system prompt of an agent: its own, word for word, when it has one. `tools` are the ones it has, of which the
   * descriptions are told; `place` and `now` are for this prompt only.
   */
  build(
    profile: AgentProfile,
    context: { readonly tools?: Iterable<Tool>; readonly place?: string; readonly now?: Date } = {},
  ): string {
    if (profile.systemPrompt?.trim()) return profile.systemPrompt
    const { capabilities = [], sections = [], clock = () => new Date() } = this.#options
    const place = context.place ?? this.#options.place ?? "a chat interface"
    const described = Array.from(context.tools ?? [], (tool) => tool.definition.description)
    const abilities = sorted([...capabilities, ...described])
    return [
      `You are ${profile.name}, an AI assistant. You are ${profile.personality?.trim() || DEFAULT_PERSONALITY}.`,
      `Today is ${this.#date.format(context.now ?? clock())}.`,
      `You are talking to people in ${place}. Be brief and conversational; you may use Markdown.`,
      "Answer directly. When you have a tool to look something up, use it before you answer. When you are not sure, say so.",
      abilities.length > 0 &&
        ["This is what you can do:", ...abilities.map((text) => `- ${text}`)].join("\n"),
      ...sections.map((section) => section.trim()),
    ]
      .filter(Boolean)
      .join("\n\n")
  }
}

/** Each once, on one line, in an order that does not depend on where they came from. */
const sorted = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts.map((text) => text.replace(/\s+/gu, " ").trim()))].filter((text) => text !== "").sort()

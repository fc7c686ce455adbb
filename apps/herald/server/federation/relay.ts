import {
  type AgentPrompt,
  costOf,
  DEFAULT_PRICES,
  InvalidInput,
  isObject,
  type Message,
  type ModelEvent,
  messageText,
  NANO,
  NO_USAGE,
  OrraError,
  priceOf,
  randomId,
  type Team,
  type ToolDefinition,
  type UserPart,
  userMessage,
} from "@orra/core"
import type { Spend } from "../outlay.ts"
import { PEERS } from "./peers.ts"

/** What another Herald asks of an agent here. */
export interface Asked {
  readonly agent: string
  readonly messages: readonly Message[]
  /** Tools that are the other Herald's: it carries out their calls. */
  readonly tools: readonly ToolDefinition[]
}

export interface RelayOptions {
  readonly team: Team
  readonly prompt: AgentPrompt
  readonly spend: Spend
}

type Emit = (event: ModelEvent) => void

const MAX_MESSAGES = 2_000
const MAX_TOOLS = 200
/** Tokens of an answer at most, and characters that are about a token. */
const MAX_TOKENS = 8_192
const PER_TOKEN = 3

/** @throws InvalidInput for what is no conversation that ends with something to answer. */
export function askedIn(body: Readonly<Record<string, unknown>>): Asked {
  const { agent, messages, tools } = body
  if (typeof agent !== "string") throw new InvalidInput('"agent" must be the name of an agent.')
  if (!isListOf(messages, MAX_MESSAGES, isMessage))
    throw new InvalidInput(`"messages" must be a list of at most ${MAX_MESSAGES} messages.`)
  if (messages.at(-1)?.role !== "user" && messages.at(-1)?.role !== "tool")
    throw new InvalidInput("The last message must be somebody's, or the answer of a tool.")
  if (!isListOf(tools, MAX_TOOLS, isDefinition))
    throw new InvalidInput(`"tools" must be a list of at most ${MAX_TOOLS} tools.`)
  return { agent, messages, tools }
}

const isListOf = <T>(value: unknown, most: number, is: (each: unknown) => each is T): value is readonly T[] =>
  Array.isArray(value) && value.length <= most && value.every(is)

const isMessage = (value: unknown): value is Message =>
  isObject(value) &&
  (value["role"] === "user" || value["role"] === "assistant" || value["role"] === "tool") &&
  Array.isArray(value["parts"]) &&
  value["parts"].every((part) => isObject(part) && typeof part["type"] === "string")

const isDefinition = (value: unknown): value is ToolDefinition =>
  isObject(value) &&
  typeof value["name"] === "string" &&
  typeof value["description"] === "string" &&
  isObject(value["inputSchema"])

/**
 * What an agent here answers another Herald: as its model would, when tools are lent to it, else after work with tools
 * of its own, within what peers may have done.
 */
export const relay = (
  options: RelayOptions,
  peer: string,
  asked: Asked,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> => (asked.tools.length > 0 ? step : work)(options, peer, asked, emit, signal)

/** One call of the model. What it calls is done by whoever lent the tools, and nothing here. */
async function step(
  { team, prompt, spend }: RelayOptions,
  peer: string,
  { agent, messages, tools }: Asked,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const profile = team.agent(agent)?.profile ?? { name: agent }
  const namespace = PEERS.child(peer)
  const written = await prompt.build(profile, { tools: [], now: new Date(), namespace, metadata: {} })
  const { provider } = team.runtime
  const model = profile.model ?? provider.model
  const { price } = priceOf(DEFAULT_PRICES, model)
  const inputTokens = Math.ceil(JSON.stringify([written, messages, tools]).length / PER_TOKEN)
  const atMost = costOf(price, { ...NO_USAGE, inputTokens, outputTokens: MAX_TOKENS }) / NANO
  await spend(namespace, { atMost, unknown: atMost }, async () => {
    let costUsd = atMost
    const request = { model, system: written, messages, tools, maxTokens: MAX_TOKENS }
    for await (const event of provider.stream(request, { signal })) {
      if (event.type === "done") costUsd = costOf(price, event.usage) / NANO
      emit(event)
    }
    return { costUsd }
  })
}

/** A run in a session of its own, which is gone when it is over. */
async function work(
  { team }: RelayOptions,
  peer: string,
  { agent, messages }: Asked,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const { runtime } = team
  const namespace = PEERS.child(peer, randomId())
  const input = userMessage(inputOf(messages), { kind: "peer", name: peer })
  const { cursor } = await runtime.submit(namespace, input, { agent, principal: peer })
  let text = ""
  try {
    for await (const event of runtime.subscribe(namespace, { after: cursor, signal })) {
      if (event.type === "delta")
        for (const piece of event.pieces) if (piece.type === "text") emit({ type: "text", text: piece.text })
      if (event.type === "assistant") {
        const said = messageText(event.message)
        if (said !== "") text = text === "" ? said : `${text}\n\n${said}`
      }
      if (event.type === "failure") throw new OrraError("relay_failed", "Nothing came of it here.")
      if (event.type !== "run_finished") continue
      if (event.outcome !== "completed")
        throw new OrraError("relay_failed", event.error?.message ?? `It ended here: ${event.outcome}.`)
      const message = { role: "assistant", parts: [{ type: "text", text: text || "…" }] } as const
      return emit({ type: "done", message, finishReason: "stop", usage: event.usage })
    }
  } finally {
    // Whoever asked may have gone: nobody waits for it, or for a decision about it.
    await team.delete(namespace)
  }
}

/** What is asked, after what was said before, which is no message to this agent. */
function inputOf(messages: readonly Message[]): readonly UserPart[] {
  const last = messages.findLastIndex(({ role }) => role === "user")
  const asked = messages[last]
  if (asked?.role !== "user") throw new InvalidInput("Nobody asks anything in these messages.")
  const before = messages
    .slice(0, last)
    .map((message) => ({ by: message.role, text: messageText(message) }))
    .filter(({ by, text }) => by !== "tool" && text !== "")
  if (before.length === 0) return asked.parts
  const lines = before.map((line) => JSON.stringify(line)).join("\n")
  return [{ type: "text", text: `What was said before, as lines of JSON:\n${lines}\n\nNow:` }, ...asked.parts]
}

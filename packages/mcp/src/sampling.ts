import type { CreateMessageRequest, CreateMessageResult } from "@modelcontextprotocol/client"
import {
  type AssistantMessage,
  type Budgets,
  costOf,
  DEFAULT_PRICES,
  type Message,
  type ModelRequest,
  messageText,
  NANO,
  NO_USAGE,
  type Policies,
  type PriceTable,
  type Provider,
  priceOf,
  type ToolContext,
  userMessage,
} from "@orra/core"
import { partOf } from "./content.ts"
import { McpError } from "./errors.ts"

/** A model for servers that ask for one, within what the caller of their tool may do and spend. */
export interface SamplingOptions {
  /** Usually the runtime's own. */
  readonly provider: Provider
  /** Usually the runtime's own: asked as about a tool `server__sampling` of risk `network`. Only `allow` is a yes. */
  readonly policies: Policies
  /** Where an answer is charged, to the run whose tool call the server works on. Default: nowhere. */
  readonly budgets?: Budgets
  /** Default `DEFAULT_PRICES`. */
  readonly prices?: PriceTable
  /** Of an answer, at most. Default 1,024. */
  readonly maxTokens?: number
}

/** Bytes of a question, at most. */
const MAX_QUESTION = 200_000
/** What a message costs beside its text, in tokens, at most. */
const TOKENS_PER_MESSAGE = 20

/** Answers a server's question to a model. @throws McpError (`mcp_refused`); what the provider and the budget throw. */
export async function sample(
  server: string,
  { provider, policies, budgets, prices = DEFAULT_PRICES, maxTokens = 1_024 }: SamplingOptions,
  params: CreateMessageRequest["params"],
  underWay: ReadonlySet<ToolContext>,
  signal: AbortSignal,
): Promise<CreateMessageResult> {
  const refused = (why: string): McpError =>
    new McpError("mcp_refused", `The model is not lent: ${why}.`, { server })
  const contexts = [...underWay]
  const context = contexts.at(-1)
  if (!context) throw refused("no call of a tool is under way")
  if (contexts.some(({ namespace }) => !namespace.equals(context.namespace)))
    throw refused("calls of several sessions are under way, and it is not known whose this is")
  const tool = `${server}__sampling`
  const { decision } = await policies.decide(context.namespace, {
    tool,
    risk: "network",
    arguments: {},
    tainted: true,
  })
  if (decision !== "allow") throw refused("policy does not allow it here")

  const limit = Math.min(params.maxTokens, maxTokens)
  const request: ModelRequest = {
    system: `A program called "${server}" asks you something. Answer it; you have no tools and do nothing else.`,
    messages: messagesOf(server, params),
    tools: [],
    maxTokens: limit,
    ...(params.temperature !== undefined && { temperature: params.temperature }),
  }
  const bytes = Buffer.byteLength(JSON.stringify(request))
  if (bytes > MAX_QUESTION) throw refused(`the question is longer than ${MAX_QUESTION} bytes`)
  const { price } = priceOf(prices, provider.model)
  // No tokenizer makes more tokens of a text than it has bytes.
  const inputTokens = bytes + request.messages.length * TOKENS_PER_MESSAGE
  const most = costOf(price, { ...NO_USAGE, inputTokens, outputTokens: limit }) / NANO
  const outlay = await budgets?.setAside(context, most)
  // One that broke off may have cost all of it; one that never began cost nothing.
  let cost = 0
  try {
    for await (const event of provider.stream(request, {
      signal: AbortSignal.any([signal, context.signal]),
    })) {
      if (event.type !== "done") {
        if (event.type !== "retry") cost = most
        continue
      }
      cost = costOf(price, event.usage) / NANO
      return answerOf(provider.model, event.message, event.finishReason === "max_tokens")
    }
    throw refused("the provider gave no answer")
  } finally {
    await outlay?.settle(cost)
  }
}

const answerOf = (model: string, message: AssistantMessage, isCut: boolean): CreateMessageResult => ({
  role: "assistant",
  content: { type: "text", text: messageText(message) },
  model,
  stopReason: isCut ? "maxTokens" : "endTurn",
})

/** What strangers write never becomes system text: also what the server calls its system prompt is a message. */
function messagesOf(
  server: string,
  { messages, systemPrompt }: CreateMessageRequest["params"],
): readonly Message[] {
  const origin = { kind: "peer", name: server } as const
  return [
    ...(systemPrompt ? [userMessage(systemPrompt, origin)] : []),
    ...messages.map(({ role, content }): Message => {
      const parts = [content]
        .flat()
        .map((block) =>
          block.type === "tool_use" || block.type === "tool_result"
            ? ({ type: "text", text: `[${block.type}]` } as const)
            : partOf(block),
        )
      return role === "user"
        ? userMessage(parts, origin)
        : { role, parts: parts.filter((part) => part.type === "text") }
    }),
  ]
}

import { isObject } from "@orra/core"

type Item = Record<string, unknown>

const items = (value: unknown): readonly Item[] => (Array.isArray(value) ? value.filter(isObject) : [])
const blocks = (message: Item): readonly Item[] =>
  typeof message["content"] === "string"
    ? [{ type: "text", text: message["content"] }]
    : items(message["content"])
const ids = (list: readonly Item[], key: string): readonly string[] => list.map((item) => String(item[key]))
const sameIds = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join("\n") === [...b].sort().join("\n")
const ofType = (list: readonly Item[], type: string) => list.filter((block) => block["type"] === type)

/** Half of a character: no service can read a body with one in it. */
export function surrogateProblem(value: unknown): string | undefined {
  if (typeof value === "string")
    return value.isWellFormed() ? undefined : "The request body is not valid JSON: lone surrogate in string."
  if (typeof value !== "object" || value === null) return undefined
  for (const [key, item] of Object.entries(value)) {
    const problem = surrogateProblem(key) ?? surrogateProblem(item)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Why Anthropic would refuse this body, or undefined. */
export function anthropicProblem(body: Item): string | undefined {
  // What the application says in the middle of a conversation stands anywhere but at its beginning.
  const messages = items(body["messages"]).filter(({ role }, index) => index === 0 || role !== "system")
  if (typeof body["max_tokens"] !== "number") return "max_tokens: Field required"
  if (messages.length === 0) return "messages: at least one message is required"
  if (messages[0]?.["role"] !== "user") return "messages: first message must use the user role"
  if (messages.at(-1)?.["role"] !== "user") return "messages: the conversation must end with a user message"
  if (JSON.stringify(body).split('"cache_control"').length > 5) {
    return "A maximum of 4 blocks with cache_control may be provided."
  }
  for (const [index, message] of messages.entries()) {
    const content = blocks(message)
    if (content.length === 0) return `messages.${index}: content must be non-empty`
    if (ofType(content, "text").some((block) => !String(block["text"]).trim())) {
      return `messages.${index}: text content blocks must contain non-whitespace text`
    }
    if (ofType(content, "thinking").some((block) => !block["signature"])) {
      return `messages.${index}: thinking.signature: Field required`
    }
    const before = messages[index - 1]
    if (before?.["role"] === message["role"]) return `messages.${index}: roles must alternate`
    const asked = before ? ids(ofType(blocks(before), "tool_use"), "id") : []
    const answered = ids(ofType(content, "tool_result"), "tool_use_id")
    if (new Set(asked).size !== asked.length) return `messages.${index}: tool_use ids must be unique`
    if (!sameIds(asked, answered)) {
      return `messages.${index}: tool_use ids [${asked}] need exactly these tool_result blocks, not [${answered}]`
    }
    const first = content.findIndex((block) => block["type"] !== "tool_result")
    if (first >= 0 && content.slice(first).some((block) => block["type"] === "tool_result")) {
      return `messages.${index}: tool_result blocks must come first`
    }
  }
  return undefined
}

/** Why OpenAI would refuse this body, or undefined. */
export function openaiProblem(body: Item): string | undefined {
  const messages = items(body["messages"])
  if (!messages.some((message) => message["role"] !== "system")) return "'messages' is too short."
  let open: readonly string[] = []
  for (const [index, message] of messages.entries()) {
    if (message["role"] === "tool") {
      const id = String(message["tool_call_id"])
      if (!open.includes(id)) return `messages.[${index}]: 'tool' must follow a message with this tool_call.`
      if (typeof message["content"] !== "string") return `messages.[${index}].content: expected a string.`
      open = open.filter((other) => other !== id)
      continue
    }
    if (open.length > 0) return `messages.[${index}]: tool_call_ids without a response: ${open}`
    const calls = items(message["tool_calls"])
    if (message["role"] === "assistant") {
      if (!message["content"] && calls.length === 0) return `messages.[${index}]: content is required.`
      open = ids(calls, "id")
      if (new Set(open).size !== open.length) return `messages.[${index}]: duplicate tool_call id.`
    } else if (blocks(message).length === 0) return `messages.[${index}].content: is empty.`
  }
  return open.length > 0 ? `tool_call_ids without a response: ${open}` : undefined
}

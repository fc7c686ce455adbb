import { isObject } from "@orra/core"

type Item = Record<string, unknown>

/** What items of a kind the service takes may be called. */
const PREFIXES: Readonly<Record<string, string>> = { message: "msg", reasoning: "rs", function_call: "fc" }
const ROLES: ReadonlySet<unknown> = new Set(["user", "assistant", "system", "developer"])
const INPUT_PARTS: ReadonlySet<unknown> = new Set(["input_text", "input_image", "input_file"])
const OUTPUT_PARTS: ReadonlySet<unknown> = new Set(["output_text", "refusal"])
const MAX_CALL_ID = 64

/** Why OpenAI Responses would refuse this body, or undefined. */
export function responsesProblem(body: Item): string | undefined {
  const { input } = body
  if (typeof input === "string") return input === "" ? "input: expected a non-empty string." : undefined
  if (!Array.isArray(input) || input.length === 0) return "Missing required parameter: 'input'."
  const limit = body["max_output_tokens"]
  if (typeof limit === "number" && limit < 16) {
    return "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16."
  }
  return (
    firstProblem(body["tools"] ?? [], toolProblem) ??
    firstProblem(input, (item, index) => itemProblem(item, `input[${index}]`, body["store"] !== false)) ??
    idProblem(input) ??
    orderProblem(input)
  )
}

function firstProblem(
  list: unknown,
  problemOf: (item: Item, index: number) => string | undefined,
): string | undefined {
  if (!Array.isArray(list)) return "Invalid type: expected an array."
  for (const [index, item] of list.entries()) {
    const problem = isObject(item) ? problemOf(item, index) : "Invalid type: expected an object."
    if (problem !== undefined) return problem
  }
  return undefined
}

function toolProblem(tool: Item, index: number): string | undefined {
  if (tool["type"] !== "function") return `Invalid value: 'tools[${index}].type'.`
  // In Chat Completions the name is within `function`.
  if (typeof tool["name"] !== "string") return `Missing required parameter: 'tools[${index}].name'.`
  return nameProblem(tool["name"], `tools[${index}].name`)
}

const nameProblem = (name: unknown, where: string): string | undefined =>
  /^[a-zA-Z0-9_-]{1,64}$/.test(String(name))
    ? undefined
    : `Invalid '${where}': string does not match pattern '^[a-zA-Z0-9_-]+$'.`

/** What is wrong with one item by itself. */
function itemProblem(item: Item, where: string, stored: boolean): string | undefined {
  const type = item["type"] ?? (item["role"] === undefined ? undefined : "message")
  const prefix = PREFIXES[String(type)]
  const id = item["id"]
  if (prefix !== undefined && id != null && !String(id).startsWith(prefix)) {
    return `Invalid '${where}.id': '${id}'. Expected an ID that begins with '${prefix}'.`
  }
  switch (type) {
    case "message":
      return messageProblem(item, where)
    case "reasoning": {
      const sealed = typeof item["encrypted_content"] === "string" && item["encrypted_content"] !== ""
      if (!sealed && !stored)
        return `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false.`
      if (!Array.isArray(item["summary"])) return `Missing required parameter: '${where}.summary'.`
      return firstProblem(item["summary"], (part) =>
        part["type"] === "summary_text" && typeof part["text"] === "string"
          ? undefined
          : `Invalid value: '${where}.summary' takes summary_text only.`,
      )
    }
    case "function_call":
      if (typeof item["arguments"] !== "string") return `Missing required parameter: '${where}.arguments'.`
      return callIdProblem(item, where) ?? nameProblem(item["name"], `${where}.name`)
    case "function_call_output": {
      const { output } = item
      return (
        callIdProblem(item, where) ??
        (typeof output === "string" ? undefined : partsProblem(output, `${where}.output`, INPUT_PARTS))
      )
    }
    default:
      return `Invalid value: '${type}' at '${where}.type'.`
  }
}

function callIdProblem(item: Item, where: string): string | undefined {
  const id = item["call_id"]
  if (typeof id !== "string" || id === "") return `Missing required parameter: '${where}.call_id'.`
  return id.length > MAX_CALL_ID
    ? `Invalid '${where}.call_id': string too long. Expected a string with maximum length ${MAX_CALL_ID}.`
    : undefined
}

function messageProblem({ role, content }: Item, where: string): string | undefined {
  if (!ROLES.has(role)) return `Invalid value: '${role}' at '${where}.role'.`
  if (typeof content === "string") return content === "" ? `Invalid '${where}.content': is empty.` : undefined
  return partsProblem(content, `${where}.content`, role === "assistant" ? OUTPUT_PARTS : INPUT_PARTS)
}

function partsProblem(content: unknown, where: string, types: ReadonlySet<unknown>): string | undefined {
  if (!Array.isArray(content)) return `Invalid type for '${where}': expected one of an array or a string.`
  if (content.length === 0) return `Invalid '${where}': is empty.`
  return firstProblem(content, (part, index) => {
    const here = `${where}[${index}]`
    if (!types.has(part["type"]))
      return `Invalid value: '${part["type"]}'. Supported values are: ${[...types]} ('${here}').`
    if (part["type"] === "input_image" && !/^(data:image\/|https?:)/.test(String(part["image_url"])))
      return `Invalid '${here}.image_url'. Expected a valid URL.`
    if (part["type"] === "input_file" && !/^data:/.test(String(part["file_data"])))
      return `Invalid '${here}.file_data'. Expected a base64-encoded data URL.`
    if (/text$/.test(String(part["type"])) && typeof part["text"] !== "string")
      return `Missing required parameter: '${here}.text'.`
    return undefined
  })
}

/** Items that come back with their id are checked against one another; an id is never used twice. */
function idProblem(input: readonly Item[]): string | undefined {
  const seen = new Set<unknown>()
  for (const { id } of input) {
    if (id == null) continue
    if (seen.has(id)) return `Duplicate item found with id ${id}. Remove duplicate items from your input.`
    seen.add(id)
  }
  return undefined
}

/**
 * What is wrong between the items: reasoning stands directly before what it led to, every call has one output after
 * it and before the next message, and every output one call before it.
 */
function orderProblem(input: readonly Item[]): string | undefined {
  const calls = new Set<unknown>()
  const open = new Set<unknown>()
  for (const [index, item] of input.entries()) {
    const next = input[index + 1]
    const id = item["call_id"]
    if (item["type"] === "reasoning" && !followsReasoning(next)) {
      const name = item["id"] ?? `input[${index}]`
      return `Item '${name}' of type 'reasoning' was provided without its required following item.`
    }
    if (item["type"] === "function_call") {
      if (calls.has(id)) return `Duplicate function call with call_id ${id}.`
      calls.add(id)
      open.add(id)
    } else if (item["type"] === "function_call_output") {
      if (!calls.has(id)) return `No tool call found for function call output with call_id ${id}.`
      if (!open.delete(id)) return `Duplicate tool output for function call ${id}.`
    } else if (isSaid(item) && open.size > 0) return missing(open)
  }
  return open.size > 0 ? missing(open) : undefined
}

const missing = (open: ReadonlySet<unknown>) => `No tool output found for function call ${[...open][0]}.`

const followsReasoning = (next: Item | undefined): boolean =>
  next?.["type"] === "reasoning" || next?.["type"] === "function_call" || next?.["role"] === "assistant"

/** A person's message: everything that was asked before it is answered. */
const isSaid = (item: Item): boolean => item["role"] === "user"

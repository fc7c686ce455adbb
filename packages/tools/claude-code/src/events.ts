import { firstCodePoints, isObject, type JsonObject, parseJson, visibleText } from "@orra/core"

/** What the program says at its end. */
export interface Result {
  readonly text: string
  /** `success`, `error_max_turns`, `error_max_budget_usd`, `error_during_execution`. */
  readonly subtype: string
  readonly isError: boolean
  readonly turns: number
  readonly costUsd: number
  /** Tools that it asked for and that nobody was there to allow. */
  readonly refused: readonly string[]
}

/** A line longer than this is no event that anybody needs. */
const MAX_LINE = 10_000_000
/** Of one event, to whoever watches. */
const MAX_SHOWN = 500

/** Reads the program's events, one JSON object a line, as they come. */
export class EventReader {
  readonly #decoder = new TextDecoder()
  readonly #show: (text: string) => void
  #line: string[] = []
  #length = 0
  /** What it said last that is a result. */
  result: Result | undefined

  constructor(show: (text: string) => void) {
    this.#show = show
  }

  add(chunk: Uint8Array): void {
    const [first = "", ...more] = this.#decoder.decode(chunk, { stream: true }).split("\n")
    this.#keep(first)
    for (const part of more) {
      if (this.#length <= MAX_LINE) this.#read(this.#line.join(""))
      this.#line = []
      this.#length = 0
      this.#keep(part)
    }
  }

  #keep(part: string): void {
    this.#length += part.length
    if (this.#length <= MAX_LINE) this.#line.push(part)
    else this.#line = []
  }

  #read(line: string): void {
    const event = eventOf(line)
    if (!event) return
    if (event["type"] === "assistant") for (const text of shownOf(event)) this.#show(text)
    if (event["type"] === "result") this.result = resultOf(event)
  }
}

/** What is no event, such as a warning among them, is passed over. */
function eventOf(line: string): JsonObject | undefined {
  try {
    const event = parseJson(line)
    return isObject(event) ? event : undefined
  } catch {
    return undefined
  }
}

/** What an answer says and does, one line each. */
function shownOf({ message }: JsonObject): readonly string[] {
  const content = isObject(message) && Array.isArray(message["content"]) ? message["content"] : []
  return content.flatMap((part) => {
    if (!isObject(part)) return []
    const { type, text, name, input } = part
    if (type === "text" && typeof text === "string" && text.trim() !== "") return [short(text)]
    return type === "tool_use" && typeof name === "string" ? [short(`${name} ${JSON.stringify(input)}`)] : []
  })
}

const short = (text: string): string => {
  const visible = visibleText(text)
  const shown = firstCodePoints(visible, MAX_SHOWN)
  return `${shown}${shown === visible ? "" : "…"}\n`
}

function resultOf(event: JsonObject): Result {
  const { result, subtype, is_error, num_turns, total_cost_usd, permission_denials, errors } = event
  const denials = Array.isArray(permission_denials) ? permission_denials : []
  const names = denials.flatMap((each) =>
    isObject(each) && typeof each["tool_name"] === "string" ? [each["tool_name"]] : [],
  )
  const said =
    typeof result === "string" ? result : Array.isArray(errors) ? errors.map(String).join("\n") : ""
  return {
    text: visibleText(said),
    subtype: typeof subtype === "string" ? subtype : "success",
    isError: is_error === true || (typeof subtype === "string" && subtype !== "success"),
    turns: amount(num_turns),
    costUsd: amount(total_cost_usd),
    refused: [...new Set(names)],
  }
}

const amount = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0

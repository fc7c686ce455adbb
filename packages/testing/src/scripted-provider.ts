import {
  type AssistantPart,
  type FinishReason,
  type JsonObject,
  type Message,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
  OrraError,
  type Provider,
  ProviderError,
  type ProviderErrorKind,
  type Usage,
} from "@orra/core"

/** One thing a scripted answer does. Made by `say`, `think`, `call`, `wait`, `hang`, `fail`, `retry` and `end`. */
export type ScriptStep =
  | { readonly type: "say"; readonly pieces: readonly string[] }
  | { readonly type: "think"; readonly text: string; readonly signature?: string }
  | {
      readonly type: "call"
      readonly name: string
      readonly arguments: JsonObject | string
      readonly id?: string
    }
  | { readonly type: "wait"; readonly until: PromiseLike<unknown> }
  | { readonly type: "hang" }
  | { readonly type: "fail"; readonly error: Error | ProviderErrorKind; readonly message?: string }
  | { readonly type: "retry"; readonly kind: ProviderErrorKind; readonly delayMs: number }
  | { readonly type: "end"; readonly finishReason?: FinishReason; readonly usage?: Partial<Usage> }

/** An answer: text, a step, several steps, or a function that makes one of these from the request. */
export type ScriptedAnswer =
  | string
  | ScriptStep
  | readonly ScriptStep[]
  | ((request: ModelRequest) => ScriptedAnswer | Promise<ScriptedAnswer>)

/** Text, each piece an event of its own. */
export const say = (...pieces: readonly string[]): ScriptStep => ({ type: "say", pieces })

/** Thinking, signed so that it may go back to the provider. */
export const think = (text: string, signature = "scripted"): ScriptStep => ({
  type: "think",
  text,
  signature,
})

/** A tool call. Arguments given as text that is not a JSON object become an invalid call, as a real model's would. */
export const call = (name: string, args: JsonObject | string = {}, id?: string): ScriptStep => ({
  type: "call",
  name,
  arguments: args,
  ...(id !== undefined && { id }),
})

/** Holds the stream until the promise settles, or the request is aborted. */
export const wait = (until: PromiseLike<unknown>): ScriptStep => ({ type: "wait", until })

/** Never goes on: ends when the request is aborted. */
export const hang = (): ScriptStep => ({ type: "hang" })

/** The stream breaks here, with an error of this kind or exactly this one. */
export const fail = (error: Error | ProviderErrorKind, message?: string): ScriptStep => ({
  type: "fail",
  error,
  ...(message !== undefined && { message }),
})

/** Tells that the call failed and is tried again, and goes on. */
export const retry = (kind: ProviderErrorKind, delayMs = 0): ScriptStep => ({ type: "retry", kind, delayMs })

/** How the answer ends, when not as usual. */
export const end = (how: { finishReason?: FinishReason; usage?: Partial<Usage> }): ScriptStep => ({
  type: "end",
  ...how,
})

export interface ScriptedProviderOptions {
  /** Default "scripted". */
  readonly id?: string
  /** Default "scripted-1". */
  readonly model?: string
  /** The answer to every request past the end of the script. Without one such a request fails. */
  readonly otherwise?: ScriptedAnswer
  /** What every answer reports unless it says otherwise. Default 10 tokens in, 5 out, none cached. */
  readonly usage?: Usage
  readonly models?: readonly ModelInfo[]
}

/** A provider that answers from a script and remembers what it was asked. */
export interface ScriptedProvider extends Provider {
  /** Every request so far, in the order they arrived. */
  readonly requests: readonly ModelRequest[]
  /** How many requests were aborted while they were being answered. */
  readonly aborted: number
  /** Resolves with request number `n` (from 1) as soon as it has arrived. */
  request(n: number): Promise<ModelRequest>
  /** Adds answers to the end of the script. */
  push(...answers: readonly ScriptedAnswer[]): void
}

const USAGE: Usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 }

/**
 * A provider inside the process whose answers are written down: each request takes the next one. A request that a
 * real service would refuse (a tool call without its result, an empty message) is refused with `invalid_request`,
 * so every test that uses it also checks the transcript.
 *
 * ```ts
 * const provider = scriptedProvider([
 *   [think("I need the weather."), call("weather", { city: "Paris" })],
 *   "Sunny in Paris.",
 *   [say("Let me ", "see"), hang()],
 *   fail("overloaded"),
 *   (request) => `You sent ${request.messages.length} messages.`,
 * ])
 * ```
 */
export function scriptedProvider(
  script: readonly ScriptedAnswer[] = [],
  options: ScriptedProviderOptions = {},
): ScriptedProvider {
  const { id = "scripted", model = "scripted-1", usage = USAGE, otherwise, models } = options
  const answers = [...script]
  const requests: ModelRequest[] = []
  const watchers: { readonly n: number; readonly resolve: (request: ModelRequest) => void }[] = []
  let aborted = 0
  let calls = 0

  const record = (request: ModelRequest): number => {
    const n = requests.push(request)
    for (const watcher of watchers) if (watcher.n === n) watcher.resolve(request)
    return n
  }
  const error = (kind: ProviderErrorKind, message: string): ProviderError =>
    new ProviderError(kind, message, { provider: id })

  async function* stream(
    request: ModelRequest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ModelEvent> {
    const n = record(request)
    const problem = grammarProblem(request.messages)
    if (problem) throw error("invalid_request", problem)
    const answer = answers[n - 1] ?? otherwise
    if (answer === undefined) {
      throw new OrraError(
        "script_ended",
        `The script has ${answers.length} answers and this is request ${n}.`,
      )
    }
    const parts: AssistantPart[] = []
    let ending: { finishReason?: FinishReason; usage?: Partial<Usage> } = {}
    for (const step of await stepsOf(answer, request)) {
      throwIfAborted(signal)
      switch (step.type) {
        case "say":
          for (const text of step.pieces) {
            yield { type: "text", text }
            throwIfAborted(signal)
          }
          addText(parts, step.pieces.join(""))
          break
        case "think": {
          const { text, signature } = step
          yield { type: "thinking", text }
          parts.push({ type: "thinking", text, provider: id, ...(signature !== undefined && { signature }) })
          break
        }
        case "call": {
          const callId = step.id ?? `call_${++calls}`
          const text = typeof step.arguments === "string" ? step.arguments : JSON.stringify(step.arguments)
          yield { type: "tool_call", id: callId, name: step.name }
          yield { type: "tool_call", id: callId, text }
          parts.push({ type: "tool_call", id: callId, name: step.name, ...argumentsOf(text) })
          break
        }
        case "wait":
          await untilAborted(step.until, signal)
          break
        case "hang":
          await untilAborted(new Promise(() => {}), signal)
          break
        case "retry":
          yield {
            type: "retry",
            attempt: 1,
            delayMs: step.delayMs,
            error: error(step.kind, `Scripted: ${step.kind}.`),
          }
          break
        case "fail":
          throw typeof step.error === "string"
            ? error(step.error, step.message ?? `The script says ${step.error}.`)
            : step.error
        case "end":
          ending = step
      }
    }
    throwIfAborted(signal)
    yield {
      type: "done",
      message: { role: "assistant", parts, provider: id, model: request.model ?? model },
      finishReason:
        ending.finishReason ?? (parts.some((part) => part.type === "tool_call") ? "tool_calls" : "stop"),
      usage: { ...usage, ...ending.usage },
    }
  }

  function throwIfAborted(signal: AbortSignal | undefined): void {
    if (!signal?.aborted) return
    aborted++
    throw error("aborted", "The request was aborted.")
  }

  async function untilAborted(promise: PromiseLike<unknown>, signal: AbortSignal | undefined): Promise<void> {
    const { promise: abort, resolve } = Promise.withResolvers<void>()
    const onAbort = () => resolve()
    signal?.addEventListener("abort", onAbort, { once: true })
    if (signal?.aborted) resolve()
    try {
      await Promise.race([promise, abort])
    } finally {
      signal?.removeEventListener("abort", onAbort)
    }
    throwIfAborted(signal)
  }

  return {
    id,
    model,
    stream,
    requests,
    ...(models && { models: async () => models }),
    get aborted() {
      return aborted
    },
    request(n) {
      const known = requests[n - 1]
      if (known) return Promise.resolve(known)
      const { promise, resolve } = Promise.withResolvers<ModelRequest>()
      watchers.push({ n, resolve })
      return promise
    },
    push(...more) {
      answers.push(...more)
    },
  }
}

async function stepsOf(answer: ScriptedAnswer, request: ModelRequest): Promise<readonly ScriptStep[]> {
  if (typeof answer === "function") return stepsOf(await answer(request), request)
  if (typeof answer === "string") return [say(answer)]
  return "type" in answer ? [answer] : answer
}

/** Text that follows text is one part, as in a real message. */
function addText(parts: AssistantPart[], text: string): void {
  const last = parts.at(-1)
  if (last?.type === "text") parts[parts.length - 1] = { type: "text", text: last.text + text }
  else if (text) parts.push({ type: "text", text })
}

function argumentsOf(text: string): { readonly arguments: JsonObject; readonly invalid?: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { arguments: value as JsonObject }
  } catch {
    // What does not parse is what an invalid call is made of.
  }
  return { arguments: {}, invalid: text }
}

/** Why a real service would refuse these messages, or undefined when it would take them. */
export function grammarProblem(messages: readonly Message[]): string | undefined {
  if (messages[0]?.role !== "user") return "The first message must be a user's."
  if (messages.at(-1)?.role === "assistant") return "The last message must be a user's or tool results."
  for (const [index, message] of messages.entries()) {
    if (message.parts.length === 0) return `Message ${index} is empty.`
    if (message.parts.some((part) => part.type === "text" && part.text === "")) {
      return `Message ${index} has an empty text.`
    }
    const before = messages[index - 1]
    const asked = before?.role === "assistant" ? callIds(before) : []
    const answered = message.role === "tool" ? message.parts.map((part) => part.callId) : []
    if (asked.length !== new Set(asked).size) return `Message ${index - 1} uses a call id twice.`
    if ([...asked].sort().join("\n") !== [...answered].sort().join("\n")) {
      return `Message ${index} answers the calls [${answered}], but the message before it asks for [${asked}].`
    }
  }
  return undefined
}

const callIds = (message: Message): readonly string[] =>
  message.parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : []))

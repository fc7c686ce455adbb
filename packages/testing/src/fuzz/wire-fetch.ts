import { isObject, type Usage } from "@orra/core"
import { FAMILIES, type Family } from "../wire-families.ts"
import type { WireFormat } from "../wire-format.ts"
import { signaturesOf } from "./checks.ts"
import type { ModelAnswer, Piece } from "./steps.ts"

/** A service inside the process: what it is asked, what it answers, and where an answer waits. */
export interface Service {
  /** @returns why the service refuses the request. */
  ask(family: Family, body: Readonly<Record<string, unknown>>): string | undefined
  answer(): ModelAnswer
  /** The arguments and the id of a call. */
  call(piece: Extract<Piece, { type: "call" }>): { readonly id: string; readonly text: string }
  signature(family: Family, model: string): string
  /** Whether the service takes this thinking back. */
  opens(signature: string): boolean
  /** Holds an answer until it is let go; rejects when the signal fires. */
  gate(signal: AbortSignal): Promise<void>
}

/** What a service says of thinking that it does not take. */
const CLOSED: Readonly<Record<Family, string>> = {
  anthropic: "messages.1.content.0: Invalid `signature` in `thinking` block",
  openai: "Chat Completions has no place for thinking.",
  responses: "The encrypted content gAAA...Rg== could not be verified.",
}

const USAGE: Usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 }

/** A `fetch` behind which a service of that family answers, without a socket and without a timer. */
export function wireFetch(family: Family, service: () => Service): typeof fetch {
  return async (_input, init) => {
    const { ask, answer, gate, opens, ...rest } = service()
    const signal = init?.signal ?? new AbortController().signal
    signal.throwIfAborted()
    const body: unknown = JSON.parse(String(init?.body))
    if (!isObject(body)) throw new TypeError("The body is not a JSON object.")
    const { error, format: formatOf } = FAMILIES[family]
    const refuse = ({ status, body }: ReturnType<typeof error>) => Response.json(body, { status })
    const problem = ask(family, body)
    if (problem !== undefined) return refuse(error("invalid_request", problem))
    if (!signaturesOf(family, body).every(opens)) return refuse(error("invalid_request", CLOSED[family]))

    const { pieces, end } = answer()
    if (pieces.length === 0 && end === "network") throw new TypeError("fetch failed")
    if (pieces.length === 0 && end !== "whole" && end !== "cut" && end !== "garbage")
      return refuse(error(end))
    const model = String(body["model"])
    const context = { id: "answer", model, usage: USAGE, includeUsage: true }
    const format = formatOf(context)
    const encoder = new TextEncoder()
    const left = [...pieces]
    let frames = format.open()
    // As a real fetch does, and no longer than the body lasts: the body would be kept by its own signal.
    let ended = (): void => {}
    return new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          const onAbort = (): void => controller.error(signal.reason)
          signal.addEventListener("abort", onAbort, { once: true })
          ended = () => signal.removeEventListener("abort", onAbort)
        },
        cancel() {
          ended()
        },
        async pull(controller) {
          for (let piece = left.shift(); piece; piece = left.shift()) {
            if (piece.type !== "gate") {
              frames += written(piece, format, { ...rest, family, model })
              continue
            }
            // What was written so far arrives before the wait.
            controller.enqueue(encoder.encode(frames))
            frames = ""
            await gate(signal)
          }
          if (signal.aborted) return
          ended()
          if (end === "network") {
            if (frames) controller.enqueue(encoder.encode(frames))
            controller.error(new TypeError("terminated"))
            return
          }
          if (end === "whole") {
            const calls = pieces.some(({ type }) => type === "call")
            frames += format.close(calls ? "tool_calls" : "stop", USAGE)
          } else if (end === "garbage") frames += "data: {broken\n\n"
          else if (end !== "cut") frames += format.error(end, `The answer broke: ${end}.`)
          if (frames) controller.enqueue(encoder.encode(frames))
          controller.close()
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    )
  }
}

function written(
  piece: Exclude<Piece, { type: "gate" }>,
  format: WireFormat,
  service: Pick<Service, "call" | "signature"> & { readonly family: Family; readonly model: string },
): string {
  const { family, model } = service
  switch (piece.type) {
    case "text":
      return format.text(piece.text)
    case "think":
      return format.thinking("Hm.") + (piece.signed ? format.signature(service.signature(family, model)) : "")
    case "redacted":
      return format.redactedThinking(service.signature(family, model))
    case "call": {
      const { id, text } = service.call(piece)
      return format.callStart(id, piece.tool) + format.callArguments(text)
    }
  }
}

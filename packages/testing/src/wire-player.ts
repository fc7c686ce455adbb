import { once } from "node:events"
import type { ServerResponse } from "node:http"
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises"
import { type FinishReason, ProviderError, type ProviderErrorKind, type Usage } from "@orra/core"
import type { WireError, WireFormat } from "./wire-format.ts"
import type { WireStep } from "./wire-server.ts"

export interface PlayOptions {
  readonly format: WireFormat
  readonly error: (kind: ProviderErrorKind, message?: string) => WireError
  readonly callPrefix: string
  readonly finishReason: FinishReason
  readonly usage: Usage
  readonly tokenMs: number
  readonly lineEnding: "\n" | "\r\n"
  /** Fires when the client is gone. */
  readonly signal: AbortSignal
}

/** Sends an answer step by step, until it ends, breaks, or nobody reads it any more. */
export async function playAnswer(
  res: ServerResponse,
  steps: readonly WireStep[],
  options: PlayOptions,
): Promise<void> {
  const { format, tokenMs, signal } = options
  let calls = 0

  const write = (frames: string | Uint8Array): boolean => {
    if (frames.length === 0) return true
    const data =
      typeof frames === "string" && options.lineEnding === "\r\n" ? frames.replaceAll("\n", "\r\n") : frames
    return res.write(data)
  }
  const begin = () => {
    if (res.headersSent) return
    res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" })
    write(format.open())
  }
  const token = async (frames: string): Promise<void> => {
    begin()
    if (signal.aborted) return
    const flushed = write(frames)
    // A client that left is noticed after the pause: listening for it in every one would cost more than the token.
    if (tokenMs > 0) await delay(tokenMs, undefined, { ref: false })
    else if (!flushed) await once(res, "drain", { signal }).catch(() => {})
  }

  for (const step of steps) {
    if (signal.aborted) return
    switch (step.type) {
      case "say":
        for (const piece of step.pieces) await token(format.text(piece))
        break
      case "think":
        for (const piece of pieces(step.text)) await token(format.thinking(piece))
        if (step.signature !== undefined) await token(format.signature(step.signature))
        break
      case "redact":
        await token(format.redactedThinking(step.data))
        break
      case "call": {
        await token(format.callStart(step.id ?? `${options.callPrefix}${++calls}`, step.name))
        const text = typeof step.arguments === "string" ? step.arguments : JSON.stringify(step.arguments)
        for (const piece of pieces(text)) await token(format.callArguments(piece))
        break
      }
      case "wait":
        await Promise.race([step.until, aborted(signal)])
        break
      case "hang":
        await aborted(signal)
        return
      case "raw":
        begin()
        write(step.data)
        break
      case "drop":
        // What was written leaves the process at the end of this tick.
        await nextTurn()
        res.destroy()
        return
      case "cut":
        begin()
        res.end()
        return
      case "respond":
        await respond(res, step)
        return
      case "fail":
        await fail(res, step.error, step.message, options)
        return
      case "retry":
      case "end":
        break
    }
  }
  if (signal.aborted) return
  begin()
  write(format.close(options.finishReason, options.usage))
  res.end()
}

async function respond(res: ServerResponse, step: WireStep & { type: "respond" }): Promise<void> {
  const text = typeof step.body === "string"
  const headers = { "content-type": text ? "text/html" : "application/json", ...step.headers }
  res.writeHead(step.status, headers)
  res.end(text ? step.body : JSON.stringify(step.body ?? {}))
}

/** As a status when nothing was sent yet, as an error event afterwards; `network` breaks the connection. */
async function fail(
  res: ServerResponse,
  error: Error | ProviderErrorKind,
  message: string | undefined,
  options: PlayOptions,
): Promise<void> {
  const kind = typeof error === "string" ? error : error instanceof ProviderError ? error.kind : "protocol"
  const said = message ?? (typeof error === "string" ? undefined : error.message)
  if (kind === "network") return void res.destroy()
  const wire = options.error(kind, said)
  if (!res.headersSent) {
    res.writeHead(wire.status, { "content-type": "application/json" }).end(JSON.stringify(wire.body))
    return
  }
  res.write(options.format.error(kind, said ?? `The answer broke: ${kind}.`))
  res.end()
}

/** Pieces of up to 12 code points, so that words, escapes and arguments arrive broken as they do in life. */
const pieces = (text: string): readonly string[] => text.match(/[\s\S]{1,12}/gu) ?? []

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })

import type { Writable } from "./defined.ts"
import type { Effects } from "./effect.ts"
import { errorMessage, OrraError } from "./errors.ts"
import type { ImagePart, TextPart, ToolCallPart, ToolResultPart, ToolStatus } from "./message.ts"
import { bounded } from "./result-limit.ts"
import { Stop } from "./stop.ts"
import { PENDING, stringify, type Tool, type ToolContext, type ToolOutput } from "./tool.ts"

/**
 * One execution, for the door alone. Never rejects: whatever the tool does comes to a result, or to `PENDING` for a
 * tool whose result comes later.
 */
export function execute(
  effects: Effects,
  call: ToolCallPart,
  tool: Tool,
  idempotencyKey: string,
): Promise<ToolResultPart | typeof PENDING> {
  const { namespace, runId, principal, envelope, metadata } = effects.context
  // The tool's own: it fires with the run's, or when its time is up.
  const stop = new Stop()
  const context: ToolContext = {
    namespace,
    runId,
    callId: call.id,
    principal,
    envelope,
    idempotencyKey,
    signal: stop.signal,
    metadata,
    tainted: effects.tainted(),
    progress: (text) => effects.progress(call.id, text),
  }
  let began = false
  return new Promise((resolve) => {
    const end = (result: ToolResultPart | typeof PENDING): void => {
      clearTimeout(timer)
      effects.signal.removeEventListener("abort", abandon)
      resolve(result)
    }
    // A tool that ignores its signal must not hold the run: whatever it still does, its answer is no longer awaited.
    const abandon = (): void => {
      stop.abort()
      end(unfinished(effects, call, tool, began))
    }
    const work = async (): Promise<void> => {
      try {
        const input = await tool.parse(call.arguments)
        // Once it is over nobody waits for an answer.
        if (stop.aborted) return
        began = true
        const output = await tool.execute(input, context)
        if (output === PENDING && !(tool.idempotent && effects.mayWait))
          throw new OrraError("tool_output_invalid", "Only an idempotent tool in a run can answer PENDING.")
        end(output === PENDING ? PENDING : fromOutput(effects, call, output))
      } catch (error) {
        const content = [{ type: "text", text: errorMessage(error) }] as const
        end(fromOutput(effects, call, { content, isError: true }))
      }
    }
    effects.signal.addEventListener("abort", abandon, { once: true })
    const timer = setTimeout(abandon, tool.timeoutMs)
    void work()
  })
}

function unfinished(effects: Effects, call: ToolCallPart, tool: Tool, began: boolean): ToolResultPart {
  if (!began && effects.signal.aborted) return answer(call, "cancelled", "Not started: the run was stopped.")
  if (!began) return answer(call, "error", "Not started: checking its input took too long.")
  const what = effects.signal.aborted
    ? "Stopped while it ran"
    : `No answer within ${tool.timeoutMs / 1_000} s, so it was abandoned`
  if (!tool.idempotent) return answer(call, "unknown", `${what}; whether it took effect is not known.`)
  return answer(call, effects.signal.aborted ? "cancelled" : "error", `${what}.`)
}

export function fromOutput(
  { maxResultBytes }: Effects,
  call: ToolCallPart,
  { content, structured, isError, untrusted }: ToolOutput,
): ToolResultPart {
  // What is no JSON could not be recorded, and the run would fail for it: here the model is told instead.
  const isKept = structured !== undefined && stringify(structured).length <= maxResultBytes
  const result: Writable<ToolResultPart> = {
    type: "tool_result",
    callId: call.id,
    name: call.name,
    status: isError ? "error" : "ok",
    content: bounded(content, maxResultBytes).map(wellFormed),
  }
  if (isKept) result.structured = structured
  if (untrusted) result.untrusted = true
  return result
}

export const answer = (call: ToolCallPart, status: ToolStatus, text: string): ToolResultPart => ({
  type: "tool_result",
  callId: call.id,
  name: call.name,
  status,
  content: [wellFormed({ type: "text", text })],
})

/** Text with a lone surrogate has no UTF-8 form, and a service refuses the request that carries it. */
const wellFormed = (piece: TextPart | ImagePart): TextPart | ImagePart =>
  piece.type === "text" ? { ...piece, text: piece.text.toWellFormed() } : piece

import { type ModelEvent, type ModelRequest, OrraError, type Provider, ProviderError } from "@orra/core"

export interface AskOptions {
  readonly provider: Provider
  readonly model?: string
  /** How long one answer may take, in ms. Default 180,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const TIMEOUT_MS = 180_000

/**
 * One answer of a model, whole. `onLength` is told how many characters there are so far.
 *
 * @throws OrraError `plan_timeout`; ProviderError, `provider_aborted` when the signal fires.
 */
export async function ask(
  { provider, model, timeoutMs = TIMEOUT_MS, signal }: AskOptions,
  request: ModelRequest,
  onLength: (length: number) => void,
): Promise<Extract<ModelEvent, { type: "done" }>> {
  const late = AbortSignal.timeout(timeoutMs)
  let length = 0
  try {
    const asked = { ...request, ...(model !== undefined && { model }) }
    const either = signal ? AbortSignal.any([signal, late]) : late
    for await (const event of provider.stream(asked, { signal: either })) {
      if (event.type === "done") return event
      if (event.type !== "text" && event.type !== "tool_call") continue
      length += event.text?.length ?? 0
      onLength(length)
    }
  } catch (error) {
    if (!late.aborted || signal?.aborted) throw error
    throw new OrraError(
      "plan_timeout",
      `The model did not answer within ${timeoutMs / 1000} s: ask again, or give it more time.`,
      { timeoutMs },
      error,
    )
  }
  throw new ProviderError("protocol", "The model's answer has no end. Try again.", { provider: provider.id })
}

import type { ViewItem } from "./context.ts"
import { planCut } from "./cut.ts"
import { defined } from "./defined.ts"
import { OrraError } from "./errors.ts"
import { guard, hookContext, type LoopRun, type LoopSettings, record } from "./loop-run.ts"
import type { ModelRequest, ToolDefinition, Usage } from "./provider.ts"
import { shortenLastResults } from "./shorten.ts"

/**
 * The request for the next model call: what fits, with the cut recorded when it moved. `spent` is told what making a
 * summary of what was cut has taken.
 */
export async function prepare(
  settings: LoopSettings,
  run: LoopRun,
  available: number,
  spent: (usage: Usage) => void,
): Promise<ModelRequest> {
  const { log } = run
  if (log.stale) await log.refresh()
  const metadata = log.info?.metadata ?? {}
  const { systemPrompt } = settings
  const base =
    typeof systemPrompt === "function"
      ? await systemPrompt({ namespace: log.namespace, metadata, now: new Date() })
      : systemPrompt
  const tools = visibleTools(settings, run)
  const fixed = (base ? settings.tokenizer.count(base) : 0) + settings.countTools(tools)
  const { compaction } = settings
  if (compaction && log.viewTokens + fixed > available * compaction.threshold) {
    await compaction.compact({
      settings,
      run,
      fixedTokens: fixed,
      availableTokens: available,
      isAsked: false,
      spent,
    })
  }
  if (log.viewTokens + fixed > available) {
    const cut = planCut(log, log.viewTokens + fixed, available)
    if (cut) {
      const { summary } = log
      await record(run, [{ type: "compaction", at: Date.now(), ...cut, ...defined({ summary }) }])
    }
  }
  const excess = log.viewTokens + fixed - available
  const items = excess > 0 ? shortenLastResults(log.view, excess, settings.tokenizer) : log.view
  if (excess > 0) assertFits(items, log.viewTokens + fixed - total(log.view), available)
  const { maxTokens, temperature } = settings
  return throughHooks(settings, run, {
    model: run.model ?? settings.model,
    system: base || undefined,
    messages: log.transcript.of(items, log.first),
    tools,
    maxTokens,
    temperature,
  })
}

/** The request as the hooks that see it first leave it. */
export function throughHooks(
  settings: LoopSettings,
  run: LoopRun,
  request: ModelRequest,
  from = 0,
): Promise<ModelRequest> | ModelRequest {
  for (let index = from; index < settings.hooks.length; index++) {
    const hook = settings.hooks[index]
    if (!hook?.beforeModel) continue
    // A copy of the list: the session goes on with its own.
    const given = { ...request, messages: [...request.messages] }
    const answer = guard(run, hook, () => hook.beforeModel?.(given, hookContext(run)))
    if (answer instanceof Promise)
      return answer.then((made) => throughHooks(settings, run, made ?? request, index + 1))
    request = answer ?? request
  }
  return request
}

/** Listing asks the same policy as execution, so the model is not told of what it could never use. */
function visibleTools({ tools }: LoopSettings, { log, policies }: LoopRun): readonly ToolDefinition[] {
  return tools
    .list()
    .filter(
      ({ definition, risk }) =>
        policies.explain(log.namespace, { tool: definition.name, risk, tainted: log.tainted }).decision !==
        "deny",
    )
    .map((entry) => entry.definition)
}

const total = (items: readonly ViewItem[]): number => items.reduce((sum, { tokens }) => sum + tokens, 0)

function assertFits(items: readonly ViewItem[], rest: number, available: number): void {
  const tokens = total(items) + rest
  if (tokens <= available) return
  throw new OrraError(
    "context_too_long",
    `This message is too long for the model: about ${tokens} tokens, and ${Math.floor(available)} fit. Send a shorter one, or unpin something.`,
    { tokens, available },
  )
}

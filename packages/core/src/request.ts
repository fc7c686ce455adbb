import { cutBefore, trimLastTurn, type ViewItem } from "./context.ts"
import { OrraError } from "./errors.ts"
import { guard, hookContext, hookFailed, type LoopRun, type LoopSettings, record } from "./loop-run.ts"
import { userMessage } from "./message.ts"
import type { ModelRequest, ToolDefinition } from "./provider.ts"
import type { SessionLog } from "./session-log.ts"

/** The request for the next model call: what fits, with the cut recorded when it moved. */
export async function prepare(
  settings: LoopSettings,
  run: LoopRun,
  available: number,
): Promise<ModelRequest> {
  const { log } = run
  if (log.stale) await log.refresh()
  const metadata = log.info?.metadata ?? {}
  const { systemPrompt } = settings
  const base =
    typeof systemPrompt === "function"
      ? await systemPrompt({ namespace: log.namespace, metadata, now: new Date() })
      : systemPrompt
  const tools = visibleTools(settings, log)
  const fixed = (base ? settings.tokenizer.count(base) : 0) + settings.countTools(tools)
  if (log.viewTokens + fixed > available) {
    const from = cutBefore(log.view, fixed, available)
    if (from !== undefined) await record(run, [{ type: "compaction", at: Date.now(), from }])
  }
  const items =
    log.viewTokens + fixed > available
      ? trimLastTurn(log.view, fixed, available, settings.tokenizer)
      : log.view
  if (log.viewTokens + fixed > available) assertFits(items, fixed, available)
  let request: ModelRequest = {
    messages: withSummary(log.transcript.of(items), log.summary),
    tools,
    ...(base && { system: base }),
    ...optional("model", run.model ?? settings.model),
    ...optional("maxTokens", settings.maxTokens),
    ...optional("temperature", settings.temperature),
  }
  for (const hook of settings.hooks) {
    if (!hook.beforeModel) continue
    // A copy of the list: the session goes on with its own.
    const given = { ...request, messages: [...request.messages] }
    const answer = await guard(run, hook, () => hook.beforeModel?.(given, hookContext(run)))
    if (answer && !(Array.isArray(answer.messages) && Array.isArray(answer.tools)))
      throw hookFailed(hook, "It answered something that is not a request.")
    request = answer ?? request
  }
  return request
}

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V }

/** Listing asks the same policy as execution, so the model is not told of what it could never use. */
function visibleTools({ tools, policies }: LoopSettings, log: SessionLog): readonly ToolDefinition[] {
  return tools
    .list()
    .filter(
      ({ definition, risk }) =>
        policies.explain(log.namespace, { tool: definition.name, risk, tainted: log.tainted }).decision !==
        "deny",
    )
    .map((entry) => entry.definition)
}

function assertFits(items: readonly ViewItem[], fixed: number, available: number): void {
  const total = items.reduce((sum, item) => sum + item.tokens, fixed)
  if (total <= available) return
  throw new OrraError(
    "context_too_long",
    `This message is too long for the model: about ${total} tokens, and ${Math.floor(available)} fit. Send a shorter one.`,
    { tokens: total, available },
  )
}

const withSummary = (
  messages: ModelRequest["messages"],
  summary: string | undefined,
): ModelRequest["messages"] =>
  summary === undefined ? messages : [userMessage(summary, { kind: "host", name: "summary" }), ...messages]

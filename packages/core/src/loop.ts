import { abortable, unlessAborted } from "./abortable.ts"
import {
  availableForInput,
  type ContextBudget,
  cutBefore,
  type Tokenizer,
  trimLastTurn,
  type ViewItem,
} from "./context.ts"
import { DeltaWriter } from "./delta-writer.ts"
import { Draft } from "./draft.ts"
import { carryOut } from "./effect.ts"
import { errorMessage, OrraError } from "./errors.ts"
import type { HookContext, Hooks } from "./hooks.ts"
import { randomId } from "./ids.ts"
import { type AssistantMessage, type ToolCallPart, toolCalls, userMessage } from "./message.ts"
import type { PolicyRegistry } from "./policy.ts"
import {
  addUsage,
  type FinishReason,
  type ModelEvent,
  type ModelRequest,
  NO_USAGE,
  type Provider,
  ProviderError,
  type ToolDefinition,
  type Usage,
} from "./provider.ts"
import type { Notice, RunResult } from "./run.ts"
import type { Entry, NewEntry, RunFailure, RunOutcome } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { Lease } from "./store.ts"
import type { ToolRegistry } from "./tool.ts"

/** Makes the system text of a request. */
export type SystemPrompt =
  | string
  | ((context: {
      readonly namespace: HookContext["namespace"]
      readonly metadata: HookContext["metadata"]
      readonly now: Date
    }) => string | Promise<string>)

/** What the loop needs of its runtime: the same for all runs. */
export interface LoopSettings {
  readonly provider: Provider
  readonly tools: ToolRegistry
  readonly policies: PolicyRegistry
  readonly hooks: readonly Hooks[]
  readonly systemPrompt: SystemPrompt | undefined
  readonly budget: ContextBudget
  readonly tokenizer: Tokenizer
  /** What the tools cost in a request. */
  readonly countTools: (tools: readonly ToolDefinition[]) => number
  readonly model: string | undefined
  readonly maxTokens: number | undefined
  readonly temperature: number | undefined
  readonly deltaIntervalMs: number
  readonly parallelTools: number
  readonly onError: (error: unknown) => void
}

/** One run: what the loop works on. */
export interface LoopRun {
  readonly runId: string
  readonly log: SessionLog
  /** The log's `incarnation` when the run began: a session deleted meanwhile gets nothing of it. */
  readonly incarnation: number
  readonly lease: () => Lease
  readonly signal: AbortSignal
  readonly model: string | undefined
  readonly maxTurns: number
  readonly notify: (notice: Notice) => void
}

/** How often a request that the model finds too long is shortened, and to what share of its length. */
const MAX_OVERFLOWS = 4
const AFTER_OVERFLOW = 0.6

/** What one model call came to. */
type Answer =
  | {
      readonly type: "done"
      readonly message: AssistantMessage
      readonly usage: Usage
      readonly finishReason: FinishReason
    }
  | { readonly type: "stopped"; readonly draft: Draft }
  | { readonly type: "failed"; readonly draft: Draft; readonly error: unknown }

/**
 * The loop, from `run_started` (already in the log) to `run_finished`: ask the model, carry out what it asks for,
 * ask again. Each step is in the log before the next begins. It returns how the run ended; it throws only when the
 * end itself could not be recorded.
 */
export async function runLoop(settings: LoopSettings, run: LoopRun): Promise<RunResult> {
  const began = Date.now()
  let usage = NO_USAGE
  let text = ""
  /** Pieces of an answer that came to nothing worth keeping: they go with the end of the run. */
  let unfinished: DeltaWriter | undefined
  const finish = async (outcome: RunOutcome, failure?: RunFailure): Promise<RunResult> => {
    const end: NewEntry = {
      type: "run_finished",
      at: Date.now(),
      runId: run.runId,
      outcome,
      usage,
      durationMs: Date.now() - began,
      ...(failure && { error: failure }),
    }
    await record(run, [end], unfinished?.range)
    const result = { runId: run.runId, outcome, text, usage, ...(failure && { error: failure }) }
    for (const hook of settings.hooks) {
      try {
        await hook.runEnd?.(result, hookContext(run))
      } catch (error) {
        settings.onError(error)
      }
    }
    return result
  }

  try {
    for (const hook of settings.hooks) {
      if (hook.runStart) await guard(run, hook, () => hook.runStart?.(hookContext(run)))
    }
    let limit = availableForInput(settings.budget)
    let overflows = 0
    const usedIds = new Set<string>()
    for (let turn = 0; turn < run.maxTurns; turn++) {
      if (run.signal.aborted) return await finish("stopped")
      if (waits(run, "steer")) await takeInputs(run, "steer")
      const request = await prepare(settings, run, limit)
      const turnBegan = Date.now()
      const messageId = randomId()
      const writer = new DeltaWriter({
        runId: run.runId,
        messageId,
        intervalMs: settings.deltaIntervalMs,
        append: async (entry) => (await record(run, [entry]))[0]?.seq,
      })
      const thinking = { ms: 0 }
      const answer = await ask(settings, run, request, writer, thinking)
      await writer.settle()

      if (answer.type !== "done") {
        const failure = answer.type === "failed" ? failureOf(answer.error) : undefined
        if (answer.type === "failed" && failure?.code === "internal") settings.onError(answer.error)
        if (
          failure?.code === "provider_context_length" &&
          answer.draft.isEmpty &&
          !writer.range &&
          overflows++ < MAX_OVERFLOWS
        ) {
          // The estimate was too low, or the window is smaller than we were told: show less and ask again.
          limit = Math.min(limit, run.log.viewTokens) * AFTER_OVERFLOW
          turn--
          continue
        }
        if (!answer.draft.isEmpty) {
          const message = answer.draft.message()
          text = textOf(message)
          await recordAnswer(run, writer, {
            messageId,
            message,
            status: failure ? "error" : "stopped",
            durationMs: Date.now() - turnBegan,
            ...(thinking.ms > 0 && { thinkingMs: thinking.ms }),
          })
        } else {
          unfinished = writer
        }
        return await finish(failure ? "failed" : "stopped", failure)
      }

      const message = withUniqueIds(answer.message, usedIds)
      usage = addUsage(usage, answer.usage)
      text = textOf(message)
      await recordAnswer(run, writer, {
        messageId,
        message,
        status: "complete",
        finishReason: answer.finishReason,
        usage: answer.usage,
        durationMs: Date.now() - turnBegan,
        ...(thinking.ms > 0 && { thinkingMs: thinking.ms }),
      })
      for (const hook of settings.hooks) {
        if (!hook.afterModel) continue
        await guard(run, hook, () =>
          hook.afterModel?.(
            { message, usage: answer.usage, finishReason: answer.finishReason },
            hookContext(run),
          ),
        )
      }
      const calls = toolCalls(message)
      if (calls.length > 0) await carryOutCalls(settings, run, turn, calls)
      else if (!waits(run, "steer")) return await finish("completed")
    }
    return await finish(run.signal.aborted ? "stopped" : "max_turns")
  } catch (error) {
    const failure = failureOf(error)
    // Where the log itself failed there is nothing to record the failure in; the caller tells who is watching.
    if (isLogFailure(error)) throw error
    if (failure.code === "internal") settings.onError(error)
    return await finish("failed", failure)
  }
}

const isLogFailure = (error: unknown): boolean =>
  error instanceof OrraError && (error.code === "lease_lost" || error.code.startsWith("store_"))

const hookContext = (run: LoopRun): HookContext => ({
  namespace: run.log.namespace,
  runId: run.runId,
  metadata: run.log.info?.metadata ?? {},
  signal: run.signal,
})

/**
 * A hook that fails before an effect ends the run: going on without its check would be the unsafe choice. One that
 * does not end is left when the run is stopped, after which there are no effects.
 */
async function guard<T>(run: LoopRun, hook: Hooks, call: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await unlessAborted(run.signal, call)
  } catch (error) {
    throw new OrraError(
      "hook_failed",
      `The hook "${hook.name ?? "unnamed"}" failed: ${errorMessage(error)}`,
      {},
      error,
    )
  }
}

const record = (
  { log, lease, incarnation }: LoopRun,
  entries: readonly NewEntry[],
  dropDeltas?: DeltaWriter["range"],
): Promise<readonly Entry[]> => log.append(entries, { lease: lease(), incarnation, dropDeltas })

async function recordAnswer(
  run: LoopRun,
  writer: DeltaWriter,
  entry: Omit<NewEntry<"assistant">, "type" | "at" | "runId">,
): Promise<void> {
  await record(run, [{ type: "assistant", at: Date.now(), runId: run.runId, ...entry }], writer.range)
}

const waits = ({ log }: LoopRun, mode: "queue" | "steer"): boolean =>
  log.inputs.some((input) => input.mode === mode)

/** Moves waiting messages into the transcript. @returns whether there were any. */
export async function takeInputs(run: LoopRun, mode: "queue" | "steer"): Promise<boolean> {
  const written = await run.log.append(
    () => {
      const waiting = run.log.inputs.filter((input) => input.mode === mode)
      const taken = mode === "queue" ? waiting.slice(0, 1) : waiting
      return taken.map(
        ({ message, inputId }): NewEntry<"user"> => ({ type: "user", at: Date.now(), message, inputId }),
      )
    },
    { lease: run.lease(), incarnation: run.incarnation },
  )
  return written.length > 0
}

/** The request for the next model call: what fits, with the cut recorded when it moved. */
async function prepare(settings: LoopSettings, run: LoopRun, available: number): Promise<ModelRequest> {
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
    if (hook.beforeModel)
      request = (await guard(run, hook, () => hook.beforeModel?.(request, hookContext(run)))) ?? request
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

/** One model call. Never throws for what the provider does. */
async function ask(
  settings: LoopSettings,
  run: LoopRun,
  request: ModelRequest,
  writer: DeltaWriter,
  thinking: { ms: number },
): Promise<Answer> {
  const { provider } = settings
  const draft = new Draft(provider.id, request.model ?? provider.model)
  let thinkingSince: number | undefined
  let done: Extract<ModelEvent, { type: "done" }> | undefined
  try {
    for await (const event of abortable(provider.stream(request, { signal: run.signal }), run.signal)) {
      if (event.type === "done") {
        done = event
        break
      }
      if (event.type === "retry") {
        const { attempt, delayMs, error } = event
        run.notify({ type: "retry", runId: run.runId, attempt, delayMs, failure: failureOf(error) })
        continue
      }
      if (event.type === "thinking") thinkingSince ??= Date.now()
      else if (thinkingSince !== undefined) {
        thinking.ms += Date.now() - thinkingSince
        thinkingSince = undefined
      }
      draft.add(event)
      writer.push(event)
    }
  } catch (error) {
    if (isLogFailure(error)) throw error
    return run.signal.aborted ? { type: "stopped", draft } : { type: "failed", draft, error }
  }
  if (done) return done
  if (run.signal.aborted) return { type: "stopped", draft }
  const error = new ProviderError("protocol", "The provider's answer broke off before its end. Try again.", {
    provider: provider.id,
  })
  return { type: "failed", draft, error }
}

async function carryOutCalls(
  settings: LoopSettings,
  run: LoopRun,
  step: number,
  calls: readonly ToolCallPart[],
): Promise<void> {
  await carryOut(
    {
      tools: settings.tools,
      policies: settings.policies,
      hooks: settings.hooks,
      context: hookContext(run),
      signal: run.signal,
      tainted: () => run.log.tainted,
      parallel: settings.parallelTools,
      record: async (entries) => {
        await record(run, entries)
      },
      progress: (callId, text) => run.notify({ type: "progress", runId: run.runId, callId, text }),
      report: settings.onError,
    },
    step,
    calls,
  )
}

/** Some servers number their calls anew in each answer; within a run an id must name one call. */
function withUniqueIds(message: AssistantMessage, used: Set<string>): AssistantMessage {
  let changed = false
  const parts = message.parts.map((part) => {
    if (part.type !== "tool_call") return part
    if (part.id !== "" && !used.has(part.id)) {
      used.add(part.id)
      return part
    }
    changed = true
    const id = `call_${randomId()}`
    used.add(id)
    return { ...part, id }
  })
  return changed ? { ...message, parts } : message
}

function textOf(message: AssistantMessage): string {
  let text = ""
  for (const part of message.parts) if (part.type === "text") text += part.text
  return text
}

/** What went wrong, as it is stored and shown. Of an error nobody foresaw the text stays out: it was not made for people. */
export function failureOf(error: unknown): RunFailure {
  if (error instanceof OrraError) {
    return {
      code: error.code,
      message: error.message,
      retryable: error instanceof ProviderError && error.retryable,
    }
  }
  return {
    code: "internal",
    message: "Something went wrong inside; the log has the details.",
    retryable: false,
  }
}

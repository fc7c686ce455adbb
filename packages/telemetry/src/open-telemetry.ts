import {
  type Attributes,
  context as active,
  type Meter,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api"
import type { FinishReason, HookContext, Hooks, Namespace } from "@orra/core"
import { GEN_AI, HISTOGRAMS, TOKENS } from "./conventions.ts"
import { liveRuns, type ModelCall, type RunPart } from "./live-runs.ts"

export interface OpenTelemetryOptions {
  /** Default those of the SDK that the application has registered. Where there is none nothing is recorded. */
  readonly tracer?: Tracer
  readonly meter?: Meter
  /** `gen_ai.provider.name` of calls that nobody answered. Answers say it themselves. */
  readonly provider?: string
  /** `gen_ai.conversation.id` of spans. Default none: a namespace names people. */
  readonly conversationId?: (namespace: Namespace) => string
  /** More attributes for spans. */
  readonly attributes?: (context: HookContext) => Attributes
  /** Also measures when the first piece of an answer comes: a call for each piece. Default false. */
  readonly timeToFirstChunk?: boolean
  /** Told of what fails here, which changes no run. */
  readonly onError?: (error: unknown) => void
}

const SCOPE = ["@orra/telemetry", undefined, { schemaUrl: GEN_AI.schemaUrl }] as const

/** So many runs' calls may be what other runs are in. Those of the oldest are forgotten first: they wait elsewhere. */
const MAX_PARENTS = 10_000

const FINISHED: Readonly<Record<FinishReason, string>> = {
  stop: "stop",
  tool_calls: "tool_call",
  max_tokens: "length",
  refusal: "content_filter",
  other: "other",
}

/**
 * Traces and metrics by OpenTelemetry's conventions for generative AI, through the SDK that the application brings: a
 * span `invoke_agent` for each run, in it `chat` for each model call and `execute_tool` for each tool call, in which are
 * the runs of those whom it delegates to. Nothing of what is said.
 *
 * ```ts
 * new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] }).register()
 * const runtime = new Runtime({ provider, hooks: [openTelemetry()] })
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Hooks {
  const { conversationId, attributes, onError, timeToFirstChunk: firstPiece = false } = options
  const tracer = options.tracer ?? trace.getTracerProvider().getTracer(...SCOPE)
  const record = recorders(options.meter)
  const parents = new Map<string, Map<string, Span>>()
  const common = (context: HookContext): Attributes => ({
    ...attributes?.(context),
    "orra.run.id": context.runId,
    ...(conversationId && { [GEN_AI.conversation]: conversationId(context.namespace) }),
    ...(context.agent !== undefined && { [GEN_AI.agent]: context.agent }),
  })
  const start = (name: string, kind: SpanKind, given: Attributes, parent: Span | undefined): Span => {
    const above = parent ? trace.setSpan(ROOT_CONTEXT, parent) : active.active()
    return tracer.startSpan(name, { kind, attributes: given }, above)
  }
  const endRun = (
    span: Span | undefined,
    part: RunPart | undefined,
    context: HookContext,
    error?: string,
  ): void => {
    span?.end()
    if (!part) return
    const given = { ...agentOf(context), ...(error !== undefined && { [GEN_AI.error]: error }) }
    record().agent(part.ms / 1_000, given)
    record().inferenceCalls(part.modelCalls, given)
    record().toolCalls(part.toolCalls, given)
  }
  return liveRuns<Span>("open-telemetry", {
    ...(onError && { onError }),
    firstPiece,
    began(context) {
      const { agent, envelope } = context
      const name = agent === undefined ? "invoke_agent" : `invoke_agent ${agent}`
      const above = envelope?.parent
      const parent = above && parents.get(above.runId)?.get(above.callId)
      return start(
        name,
        SpanKind.INTERNAL,
        { [GEN_AI.operation]: "invoke_agent", ...common(context) },
        parent,
      )
    },
    modelBegan({ model, maxTokens, temperature }, run, context) {
      const given = {
        [GEN_AI.operation]: "chat",
        [GEN_AI.requestStream]: true,
        ...(options.provider !== undefined && { [GEN_AI.provider]: options.provider }),
        ...(model !== undefined && { [GEN_AI.requestModel]: model }),
        ...(maxTokens !== undefined && { [GEN_AI.requestMaxTokens]: maxTokens }),
        ...(temperature !== undefined && { [GEN_AI.requestTemperature]: temperature }),
        ...common(context),
      }
      return start(model === undefined ? "chat" : `chat ${model}`, SpanKind.CLIENT, given, run)
    },
    modelEnded(call, span) {
      const { provider = options.provider ?? "unknown", model, outcome, failed, usage, ms, firstMs } = call
      const who = {
        [GEN_AI.operation]: "chat",
        [GEN_AI.provider]: provider,
        ...(model !== undefined && { [GEN_AI.requestModel]: model }),
      }
      if (model !== undefined) span.updateName(`chat ${model}`)
      span.setAttributes({ ...who, ...answerOf(call) })
      if (firstMs !== undefined) span.setAttribute(GEN_AI.timeToFirstChunk, firstMs / 1_000)
      if (failed) failedWith(span, outcome)
      span.end()
      record().inference(ms / 1_000, { ...who, ...(failed && { [GEN_AI.error]: outcome }) })
      if (firstMs !== undefined) record().firstChunk(firstMs / 1_000, who)
      if (!usage) return
      record().tokens.input(usage.inputTokens, who)
      record().tokens.output(usage.outputTokens, who)
      record().tokens.cacheRead(usage.cacheReadTokens, who)
      record().tokens.cacheWrite(usage.cacheWriteTokens, who)
    },
    toolBegan({ id }, name, run, context) {
      const given = {
        [GEN_AI.operation]: "execute_tool",
        [GEN_AI.tool]: name,
        [GEN_AI.toolType]: "function",
        [GEN_AI.toolCallId]: id,
        ...common(context),
      }
      const span = start(`execute_tool ${name}`, SpanKind.INTERNAL, given, run)
      const spans = parents.get(context.runId) ?? new Map<string, Span>()
      parents.set(context.runId, spans.set(id, span))
      const [oldest] = parents.keys()
      if (parents.size > MAX_PARENTS && oldest !== undefined) parents.delete(oldest)
      return span
    },
    toolEnded({ name, status, ms }, span, context) {
      span?.setAttribute("orra.tool.status", status)
      const isOver = status !== "ok" && status !== "waiting"
      if (span && isOver) failedWith(span, status)
      span?.end()
      if (ms === undefined || status === "waiting") return
      const given = { [GEN_AI.tool]: name, [GEN_AI.toolType]: "function", ...agentOf(context) }
      record().tool(ms / 1_000, { ...given, ...(isOver && { [GEN_AI.error]: status }) })
    },
    waits(_, span) {
      span.setAttribute("orra.run.outcome", "waiting")
      span.end()
    },
    ended({ outcome, usage, cost, error }, part, span, context) {
      const code = outcome === "failed" ? (error?.code ?? "unknown") : undefined
      span?.setAttributes({
        "orra.run.outcome": outcome,
        [GEN_AI.inputTokens]: usage.inputTokens,
        [GEN_AI.outputTokens]: usage.outputTokens,
        ...(cost !== undefined && { "orra.run.cost_usd": cost }),
      })
      if (span && code !== undefined) failedWith(span, code)
      endRun(span, part, context, code)
      parents.delete(context.runId)
    },
  })
}

const agentOf = ({ agent }: HookContext): Attributes => (agent === undefined ? {} : { [GEN_AI.agent]: agent })

function answerOf({ model, outcome, failed, usage }: ModelCall): Attributes {
  if (failed || !usage) return {}
  return {
    ...(model !== undefined && { [GEN_AI.responseModel]: model }),
    [GEN_AI.finishReasons]: [FINISHED[outcome as FinishReason] ?? outcome],
    [GEN_AI.inputTokens]: usage.inputTokens,
    [GEN_AI.outputTokens]: usage.outputTokens,
    [GEN_AI.cacheReadTokens]: usage.cacheReadTokens,
    [GEN_AI.cacheWriteTokens]: usage.cacheWriteTokens,
  }
}

/** By its code: a message can quote what was said. */
function failedWith(span: Span, code: string): void {
  span.setAttribute(GEN_AI.error, code)
  span.setStatus({ code: SpanStatusCode.ERROR })
}

type Recorders = ReturnType<typeof instruments>

/** The instruments of the SDK that is registered now: unlike tracers, meters do not change over to a later one. */
function recorders(given: Meter | undefined): () => Recorders {
  let of: unknown
  let made: Recorders | undefined
  return () => {
    const provider = given ?? metrics.getMeterProvider()
    if (made && of === provider) return made
    of = provider
    made = instruments(given ?? metrics.getMeterProvider().getMeter(...SCOPE))
    return made
  }
}

function instruments(meter: Meter) {
  const histogram = ({ name, unit, bounds }: { name: string; unit: string; bounds: readonly number[] }) => {
    const made = meter.createHistogram(name, { unit, advice: { explicitBucketBoundaries: [...bounds] } })
    return (value: number, given: Attributes): void => made.record(value, given)
  }
  const counter = (name: string) => {
    const made = meter.createCounter(name, { unit: "{token}" })
    return (value: number, given: Attributes): void => made.add(value, given)
  }
  return {
    inference: histogram(HISTOGRAMS.inference),
    firstChunk: histogram(HISTOGRAMS.firstChunk),
    tool: histogram(HISTOGRAMS.tool),
    agent: histogram(HISTOGRAMS.agent),
    inferenceCalls: histogram(HISTOGRAMS.inferenceCalls),
    toolCalls: histogram(HISTOGRAMS.toolCalls),
    tokens: {
      input: counter(TOKENS.input),
      output: counter(TOKENS.output),
      cacheRead: counter(TOKENS.cacheRead),
      cacheWrite: counter(TOKENS.cacheWrite),
    },
  }
}

import type {
  BudgetEvent,
  HookContext,
  Hooks,
  ModelRequest,
  RunResult,
  ToolCallPart,
  ToolStatus,
  Usage,
} from "@orra/core"

/** A model call that is over. */
export interface ModelCall {
  /** Who answered, and as which model; undefined when nobody did and none was asked for. */
  readonly provider?: string
  readonly model?: string
  /** The finish reason, or the code of the failure. */
  readonly outcome: string
  readonly failed: boolean
  readonly usage?: Usage
  readonly ms: number
  /** Until its first piece came, where that is measured. */
  readonly firstMs?: number
}

/** A tool call that is over, or that its run waits for. */
export interface ToolCall {
  /** `other` for a name that only the model knows. */
  readonly name: string
  readonly status: ToolStatus | "waiting"
  /** Undefined when it began in another process. */
  readonly ms?: number
}

/** What a run came to in this process. */
export interface RunPart {
  readonly ms: number
  readonly modelCalls: number
  readonly toolCalls: number
}

/** Is told of runs and calls as they begin and end. `Mark` is what it wants back with the end. */
export interface Observer<Mark> {
  readonly clock?: () => number
  readonly onError?: (error: unknown) => void
  /** The run begins, or goes on here. */
  began(context: HookContext): Mark
  modelBegan(request: ModelRequest, run: Mark, context: HookContext): Mark
  modelEnded(call: ModelCall, mark: Mark, context: HookContext): void
  /** `run` is undefined for a call without a model, and for one that a run goes on with. */
  toolBegan(call: ToolCallPart, name: string, run: Mark | undefined, context: HookContext): Mark
  toolEnded(call: ToolCall, mark: Mark | undefined, context: HookContext): void
  waits(part: RunPart, mark: Mark, context: HookContext): void
  /** `mark` is undefined when nothing of the run happened here before. */
  ended(result: RunResult, part: RunPart | undefined, mark: Mark | undefined, context: HookContext): void
  budget?(event: BudgetEvent, context: HookContext): void
  /** Measures when the first piece of an answer comes: a call for each piece. */
  readonly firstPiece?: boolean
}

interface Began<Mark> {
  readonly at: number
  readonly mark: Mark
}

/** What is remembered of one run while it goes on here. */
interface Live<Mark> {
  run?: Began<Mark>
  model?: Began<Mark> & { readonly request: ModelRequest; firstAt?: number }
  readonly calls: Map<string, Began<Mark> & { readonly name: string }>
  tools: ModelRequest["tools"]
  modelCalls: number
  toolCalls: number
}

/** Hooks that follow runs for an observer. Whatever it throws changes nothing of the run. */
export function liveRuns<Mark>(name: string, observer: Observer<Mark>): Hooks {
  const { clock = () => performance.now(), onError = () => {}, firstPiece = false } = observer
  // By the signal, which lives as long as the run does here: nothing is left of one whose end cannot be told.
  const runs = new WeakMap<AbortSignal, Live<Mark>>()
  const liveOf = ({ signal }: HookContext): Live<Mark> => {
    const known = runs.get(signal)
    if (known) return known
    const live: Live<Mark> = { calls: new Map(), tools: [], modelCalls: 0, toolCalls: 0 }
    runs.set(signal, live)
    return live
  }
  const begin = (live: Live<Mark>, context: HookContext): Began<Mark> => {
    live.run ??= { at: clock(), mark: observer.began(context) }
    return live.run
  }
  const part = ({ run, modelCalls, toolCalls }: Live<Mark>): RunPart | undefined =>
    run && { ms: clock() - run.at, modelCalls, toolCalls }
  const endModel = (live: Live<Mark>, context: HookContext, end: Omit<ModelCall, "ms" | "firstMs">): void => {
    const { model } = live
    if (!model) return
    delete live.model
    live.modelCalls++
    const firstMs = model.firstAt === undefined ? {} : { firstMs: model.firstAt - model.at }
    observer.modelEnded({ ...end, ms: clock() - model.at, ...firstMs }, model.mark, context)
  }
  const endTool = (
    live: Live<Mark>,
    context: HookContext,
    id: string,
    name: string,
    status: ToolCall["status"],
  ): void => {
    const call = live.calls.get(id)
    live.calls.delete(id)
    observer.toolEnded({ name, status, ...(call && { ms: clock() - call.at }) }, call?.mark, context)
  }
  const known = (live: Live<Mark>, tool: string, ran: boolean): string =>
    ran || live.tools.some((each) => each.name === tool) ? tool : "other"

  const quietly = (work: () => void): undefined => {
    try {
      work()
    } catch (error) {
      onError(error)
    }
  }

  const hooks: Hooks = {
    name,
    runStart: (context) => quietly(() => begin(liveOf(context), context)),
    beforeModel: (request, context) =>
      quietly(() => {
        const live = liveOf(context)
        const run = begin(live, context)
        live.tools = request.tools
        live.model = { at: clock(), request, mark: observer.modelBegan(request, run.mark, context) }
      }),
    afterModel: ({ message, usage, finishReason }, context) =>
      quietly(() => {
        const live = liveOf(context)
        const model = message.model ?? live.model?.request.model
        const provider = message.provider
        const who = { ...(model !== undefined && { model }), ...(provider !== undefined && { provider }) }
        endModel(live, context, { ...who, outcome: finishReason, failed: false, usage })
      }),
    beforeTool: (call, context) =>
      quietly(() => {
        const live = liveOf(context)
        const name = known(live, call.name, false)
        live.calls.set(call.id, {
          at: clock(),
          name,
          mark: observer.toolBegan(call, name, live.run?.mark, context),
        })
      }),
    afterTool: ({ status }, { id, name }, context) =>
      quietly(() => {
        const live = liveOf(context)
        live.toolCalls++
        endTool(live, context, id, known(live, name, status === "ok" || status === "error"), status)
      }),
    runWait: (context) =>
      quietly(() => {
        const live = liveOf(context)
        for (const [id, { name }] of live.calls) endTool(live, context, id, name, "waiting")
        const came = part(live)
        if (live.run && came) observer.waits(came, live.run.mark, context)
        runs.delete(context.signal)
      }),
    runEnd: (result, context) =>
      quietly(() => {
        const live = liveOf(context)
        const model = live.model?.request.model
        const outcome = result.error?.code ?? result.outcome
        endModel(live, context, { ...(model !== undefined && { model }), outcome, failed: true })
        observer.ended(result, part(live), live.run?.mark, context)
        runs.delete(context.signal)
      }),
  }
  const { budget } = observer
  if (budget) hooks.budget = (event, context) => quietly(() => budget(event, context))
  if (firstPiece) {
    hooks.streamChunk = (_, context) => {
      const model = runs.get(context.signal)?.model
      if (model) model.firstAt ??= clock()
    }
  }
  return hooks
}

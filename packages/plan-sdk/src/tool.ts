import {
  codePoints,
  informationFrom,
  type Json,
  type JsonObject,
  type Tool,
  type ToolOutput,
  tool,
  truncated,
} from "@orra/core"
import { type EngineAccess, orchestrate, type PlanEnd } from "./orchestrate.ts"

export interface PlanToolOptions extends EngineAccess {
  /** Default `plan`. */
  readonly name?: string
  /** What the model is told it is for. Say what your services can do. */
  readonly description?: string
  /** How long a plan may take, in ms; then it is cancelled. Default 10 minutes. */
  readonly timeoutMs?: number
}

/** Of what came of a plan, in characters. */
const MAX_TEXT = 20_000
/** For telling the engine to cancel when the time is up. */
const ENDING_MS = 15_000

/**
 * A tool with which an agent has a plan engine plan something and carry it out. It waits for the end; when the run is stopped
 * the plan is cancelled, and the engine undoes what was done.
 *
 * ```ts
 * const runtime = new Runtime({ provider, tools: [planTool({ url: "http://127.0.0.1:8005", apiKey })] })
 * ```
 *
 * Risk `exec`: the services of the engine do what they do. What they give was written by strangers.
 */
export function planTool({
  name = "plan",
  description = "Has several services work together: say in words what is to be done, and give what is known as data. A plan is made of the services there are, proved, and carried out as a whole; when it cannot be finished, what was done is undone.",
  timeoutMs = 600_000,
  ...engine
}: PlanToolOptions): Tool {
  return tool<{ action: string; data?: JsonObject | null }>({
    name,
    description,
    input: {
      type: "object",
      properties: {
        action: { type: "string", minLength: 1, maxLength: 10_000, description: "What is to be done." },
        data: {
          type: ["object", "null"],
          description: "What is known, by name, such as ids and amounts: it reaches the services as it is.",
        },
      },
      required: ["action"],
      additionalProperties: false,
    },
    risk: "exec",
    untrusted: true,
    timeoutMs: timeoutMs + ENDING_MS,
    async execute({ action, data }, context) {
      const late = AbortSignal.timeout(timeoutMs)
      const names = new Map<string, string>()
      try {
        const end = await orchestrate(
          engine,
          { action, ...(data && { data }) },
          {
            signal: AbortSignal.any([context.signal, late]),
            onPlan: (tasks) => {
              for (const { id, service } of tasks) names.set(id, service)
              context.progress(`planned: ${tasks.map(({ service }) => service).join(", ")}`)
            },
            onEntry: (entry) => {
              const said = progressOf(entry, names)
              if (said !== undefined) context.progress(said)
            },
          },
        )
        return report(end)
      } catch (error) {
        if (!late.aborted || context.signal.aborted) throw error
        throw new Error(`It was cancelled after ${timeoutMs / 1_000} s: what was done is being undone.`)
      }
    },
  })
}

const SAYS: Readonly<Record<string, string>> = {
  task_sent: "begun",
  task_done: "done",
  task_failed: "failed",
  undo_sent: "is being undone",
  undone: "undone",
}

function progressOf({ type, task }: JsonObject, names: ReadonlyMap<string, string>): string | undefined {
  const says = SAYS[String(type)]
  return says && `${names.get(String(task)) ?? String(task)}: ${says}`
}

/** What the model is to make of each end. */
const MEANS: Readonly<Record<PlanEnd["status"], string>> = {
  completed: "The plan was carried out.",
  failed: "The plan failed. What was done has been undone, as far as it could be.",
  aborted: "A service ended the plan. What was done has been undone, as far as it could be.",
  cancelled: "The plan was cancelled. What was done has been undone, as far as it could be.",
}

function report({ id, status, results, error, abortInfo }: PlanEnd): ToolOutput {
  const facts: Readonly<Record<string, Json | undefined>> = { id, status, results, error, abortInfo }
  const text = JSON.stringify(facts)
  const bounded = truncated(text, codePoints(text), MAX_TEXT)
  return {
    content: [
      { type: "text", text: `${MEANS[status]}\n${informationFrom("the services of the plan")}\n${bounded}` },
    ],
    isError: status !== "completed",
  }
}

import {
  type AssistantMessage,
  addUsage,
  type JsonObject,
  type Message,
  messageText,
  NO_USAGE,
  OrraError,
  type Provider,
  ProviderError,
  type Usage,
  userMessage,
} from "@orra/core"
import { type Plan, type Service, withConstantsInTaskZero } from "./plan.ts"
import { correction, PLAN_TOOL, question, SYSTEM } from "./prompt.ts"
import { type Finding, prove } from "./prove.ts"
import { type Answer, readAnswer, readPlan } from "./read-plan.ts"

/** How planning goes on, for whoever shows it. */
export type PlanningEvent =
  | { readonly type: "asking"; readonly attempt: number }
  /** The model writes: so many characters so far. */
  | { readonly type: "writing"; readonly attempt: number; readonly length: number }
  | {
      readonly type: "refused"
      readonly attempt: number
      readonly findings: readonly Pick<Finding, "code" | "message">[]
    }

export interface PlanOptions {
  readonly provider: Provider
  /** What may be used: those that are alive. */
  readonly services: readonly Service[]
  /** What is wanted, in words. */
  readonly action: string
  /** What is given. It is in the plan as it is, whatever the model makes of it. */
  readonly data?: JsonObject
  /** What the model is told besides, such as an example of a plan. */
  readonly context?: string
  /** How often a model is asked at most, each time with what was wrong before. Default 3. */
  readonly attempts?: number
  /** Most tasks, default 100. */
  readonly maxTasks?: number
  /** Whether the model is offered the plan as a tool. Default true; some models know none. */
  readonly tools?: boolean
  /** Default the provider's. */
  readonly model?: string
  /** Most tokens of an answer, default 8,192. */
  readonly maxTokens?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (event: PlanningEvent) => void
}

/** A plan that is proved, and what it took. */
export interface Planned {
  readonly plan: Plan
  readonly attempts: number
  readonly usage: Usage
}

/**
 * Has a model make a plan, and proves it: what is wrong goes back to the model, until nothing is.
 *
 * ```ts
 * const { plan } = await makePlan({ provider, services, action: "Deliver the order", data: { orderId: "o-17" } })
 * ```
 *
 * @throws OrraError `plan_not_actionable` when the model says that the services cannot do it, with its reason;
 *   `plan_unproved` when no attempt was right, with what was wrong in `details.findings`; `plan_no_services`; ProviderError,
 *   after whose attempts nothing is tried again.
 */
export async function makePlan(options: PlanOptions): Promise<Planned> {
  const { services, action, data = {}, context, attempts = 3, maxTasks, onProgress = () => {} } = options
  if (services.length === 0)
    throw new OrraError(
      "plan_no_services",
      "No service is there to plan with: register one, or start it again.",
    )
  const messages: Message[] = [userMessage(question({ action, data, services, context }))]
  let usage = NO_USAGE
  let findings: readonly Pick<Finding, "code" | "message">[] = []
  for (let attempt = 1; attempt <= attempts; attempt++) {
    onProgress({ type: "asking", attempt })
    const answer = await ask(options, messages, (length) => onProgress({ type: "writing", attempt, length }))
    usage = addUsage(usage, answer.usage)
    const read = attempted(answer.message)
    if (read.type === "impossible") {
      throw new OrraError(
        "plan_not_actionable",
        `This cannot be done with the services there are: ${read.reason}`,
        { reason: read.reason },
      )
    }
    if (read.type === "plan") {
      const plan = withConstantsInTaskZero({ ...read.plan, taskZero: { ...read.plan.taskZero, ...data } })
      findings = prove(plan, { services, data, ...(maxTasks !== undefined && { maxTasks }) })
      if (findings.length === 0) return { plan, attempts: attempt, usage }
    } else findings = [{ code: "empty", message: read.reason }]
    onProgress({ type: "refused", attempt, findings })
    messages.push(
      { role: "assistant", parts: [{ type: "text", text: textOf(answer.message) }] },
      userMessage(correction(findings)),
    )
  }
  throw new OrraError(
    "plan_unproved",
    `No plan could be proved in ${attempts} attempts. The last one: ${findings.map(({ message }) => message).join(" ")}`,
    { findings },
  )
}

/** What a model has given, by the tool or in words. */
function attempted(
  message: AssistantMessage,
): Answer | { readonly type: "unreadable"; readonly reason: string } {
  try {
    const call = message.parts.find((part) => part.type === "tool_call" && part.name === PLAN_TOOL.name)
    if (call?.type === "tool_call" && call.invalid === undefined) return readPlan(call.arguments)
    return readAnswer(messageText(message))
  } catch (error) {
    if (!(error instanceof OrraError)) throw error
    return { type: "unreadable", reason: error.message }
  }
}

/** An answer as it is shown to the model again: in words, whichever way it came. */
function textOf(message: AssistantMessage): string {
  const call = message.parts.find((part) => part.type === "tool_call")
  const text = call?.type === "tool_call" ? JSON.stringify(call.arguments) : messageText(message)
  return text.trim() === "" ? "(nothing)" : text
}

async function ask(
  { provider, model, maxTokens = 8_192, tools = true, signal }: PlanOptions,
  messages: readonly Message[],
  onLength: (length: number) => void,
) {
  const request = {
    system: SYSTEM,
    messages,
    tools: tools ? [PLAN_TOOL] : [],
    maxTokens,
    ...(model !== undefined && { model }),
  }
  let length = 0
  for await (const event of provider.stream(request, { ...(signal && { signal }) })) {
    if (event.type === "done") return event
    if (event.type !== "text" && event.type !== "tool_call") continue
    length += event.text?.length ?? 0
    onLength(length)
  }
  throw new ProviderError("protocol", "The model's answer has no end. Try again.", { provider: provider.id })
}

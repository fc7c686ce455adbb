import { addUsage, type Message, messageText, NO_USAGE, OrraError, type Usage, userMessage } from "@orra/core"
import { type AskOptions, ask } from "./ask-model.ts"
import { groundingContext, type ProveAllOptions, proveAll } from "./grounded-proof.ts"
import { type Plan, withConstantsInTaskZero } from "./plan.ts"
import type { GroundedBy, ReusedBy } from "./planning.ts"
import { correction, planForm, question, SYSTEM } from "./prompt.ts"
import type { Finding } from "./prove.ts"
import { type Answer, readAnswer } from "./read-plan.ts"

/** How planning goes on, for whoever shows it. */
export type PlanningEvent =
  /** The request is in a domain that something is known of. */
  | { readonly type: "grounded"; readonly grounding: GroundedBy }
  /** A plan that was made before is taken, and why it. */
  | ({ readonly type: "reused" } & ReusedBy)
  | { readonly type: "asking"; readonly attempt: number }
  /** The model writes: so many characters so far. */
  | { readonly type: "writing"; readonly attempt: number; readonly length: number }
  /** There is a plan, which is checked now. */
  | { readonly type: "proving"; readonly attempt: number }
  | {
      readonly type: "refused"
      readonly attempt: number
      readonly findings: readonly Pick<Finding, "code" | "message">[]
    }

export interface PlanOptions extends AskOptions, ProveAllOptions {
  /** What is wanted, in words. */
  readonly action: string
  /** What the model is told besides, such as an example of a plan. */
  readonly context?: string
  /** How often a model is asked at most, each time with what was wrong before. Default 3. */
  readonly attempts?: number
  /** Most tokens of an answer, default 8,192. */
  readonly maxTokens?: number
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
 *   `plan_unproved` when no attempt was right, with what was wrong in `details.findings`; `plan_no_services`;
 *   `plan_timeout` when one answer took too long; ProviderError, after whose attempts nothing is tried again.
 */
export async function makePlan(options: PlanOptions): Promise<Planned> {
  const { services, action, data = {}, attempts = 3, maxTokens = 8_192, onProgress = () => {} } = options
  if (services.length === 0)
    throw new OrraError(
      "plan_no_services",
      "No service is there to plan with: register one, or start it again.",
    )
  const told = [options.context, options.grounding && groundingContext(options.grounding)]
  const context = told.filter((each) => each !== undefined).join("\n\n")
  const messages: Message[] = [userMessage(question({ action, data, services, context }))]
  const output = { name: "plan", schema: planForm(services) }
  let usage = NO_USAGE
  let findings: readonly Pick<Finding, "code" | "message">[] = []
  for (let attempt = 1; attempt <= attempts; attempt++) {
    onProgress({ type: "asking", attempt })
    const answer = await ask(options, { system: SYSTEM, messages, tools: [], output, maxTokens }, (length) =>
      onProgress({ type: "writing", attempt, length }),
    )
    usage = addUsage(usage, answer.usage)
    const text = messageText(answer.message)
    const read = attempted(text)
    if (read.type === "impossible") {
      throw new OrraError(
        "plan_not_actionable",
        `This cannot be done with the services there are: ${read.reason}`,
        { reason: read.reason },
      )
    }
    if (read.type === "plan") {
      const plan = withConstantsInTaskZero({ ...read.plan, taskZero: { ...read.plan.taskZero, ...data } })
      onProgress({ type: "proving", attempt })
      const proof = await proveAll(plan, options)
      usage = addUsage(usage, proof.usage)
      if (proof.findings.length === 0) return { plan, attempts: attempt, usage }
      findings = proof.findings.slice(0, MAX_TOLD)
    } else {
      const isCut = answer.finishReason === "max_tokens"
      const why = isCut ? `It was cut off after ${maxTokens} tokens: say it in fewer.` : read.reason
      findings = [{ code: "unreadable", message: why }]
    }
    onProgress({ type: "refused", attempt, findings })
    messages.push(
      { role: "assistant", parts: [{ type: "text", text: shown(text) }] },
      userMessage(correction(findings)),
    )
  }
  throw new OrraError(
    "plan_unproved",
    `No plan could be proved in ${attempts} attempts. The last one: ${findings.map(({ message }) => message).join(" ")}`,
    { findings },
  )
}

/** How many of its mistakes a model is told at once. */
const MAX_TOLD = 30
/** How much of an answer a model is shown again, in characters. */
const MAX_SHOWN = 50_000

/** An answer as it is shown to the model again. */
const shown = (text: string): string =>
  text.trim() === "" ? "(nothing)" : text.slice(0, MAX_SHOWN).toWellFormed()

/** What a model has given. */
function attempted(text: string): Answer | { readonly type: "unreadable"; readonly reason: string } {
  try {
    return readAnswer(text)
  } catch (error) {
    if (!(error instanceof OrraError)) throw error
    return { type: "unreadable", reason: error.message }
  }
}

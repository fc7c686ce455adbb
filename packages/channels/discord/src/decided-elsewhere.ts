import type { PendingApproval, Runtime } from "@orra/core"
import { decidedBy, NOT_ASKED } from "./approval-message.ts"

/** What is said below a question that was decided where its buttons are not, or that is not asked any more. */
export async function decidedElsewhere(
  runtime: Pick<Runtime, "store" | "subscribe">,
  { namespace, approvalId, runId }: PendingApproval,
  signal: AbortSignal,
): Promise<string | undefined> {
  // From the beginning of the question: what was decided while it was sent counts as well.
  const [request] = await runtime.store.read(namespace, {
    types: ["approval_request"],
    direction: "backward",
    limit: 1,
  })
  for await (const event of runtime.subscribe(namespace, { after: request?.seq ?? 0, signal })) {
    if (event.type === "approval_decision" && event.approvalId === approvalId)
      return `${decidedBy(event.decision, event.by)}, elsewhere.`
    if (event.type === "run_finished" && event.runId === runId) return NOT_ASKED
  }
  return undefined
}

import type { Check } from "./check.ts"
import { askedBy } from "./world.ts"

/**
 * Whatever was asked for happened once at most: what may be done again only under one key, by which the world tells that it
 * is the same; and it was asked for in this session, by a message that is there.
 */
export const effectsProblem: Check = ({ entries }, { effects, operations }) => {
  const messages = new Set(entries.flatMap((entry) => (entry.type === "user" ? [entry.inputId] : [])))
  for (const [what, times] of Map.groupBy(effects, (effect) => effect.what)) {
    const keys = new Set(times.map(({ key }) => key))
    if (keys.size > 1) return `${what} happened under ${keys.size} keys.`
    const again = times.length > 1 && times.some(({ idempotent }) => !idempotent)
    if (again) return `${what} happened ${times.length} times, and cannot be repeated.`
    if (!messages.has(askedBy(what))) return `${what} happened, and nobody here had asked for it.`
  }
  for (const { tool, what, at, callId } of effects) {
    if (tool !== "pay") continue
    const request = entries.find((entry) => entry.type === "approval_request" && entry.callId === callId)
    const approved = operations.some(
      ({ action, from }) =>
        action.type === "decide" &&
        action.decision === "approve" &&
        request?.type === "approval_request" &&
        action.approvalId === request.approvalId &&
        from < at,
    )
    if (!approved) return `${what} was paid before anybody had approved it.`
  }
  return undefined
}

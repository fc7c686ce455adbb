import type { PolicyCall, PolicyLayer, PolicyRule } from "@orra/core"
import type { Reason } from "./rules.ts"

/**
 * The rules as a layer of policy, one for each reason there can be, so that `explain` and the person who is asked are
 * told which it was, and that the command is not isolated where it is not. The layer says nothing about other tools.
 */
export function policyOf(
  reasons: readonly Reason[],
  notIsolated: string | undefined,
  reasonFor: (call: PolicyCall & { readonly namespace: string }) => Reason,
): PolicyLayer {
  const remark = notIsolated === undefined ? "" : ` (not isolated: ${notIsolated})`
  const rules = (decision: Reason["decision"]): readonly PolicyRule[] =>
    reasons
      .filter((reason) => reason.decision === decision)
      .map((reason) => ({
        tool: "exec",
        name: `exec: ${reason.name}${decision === "deny" ? "" : remark}`,
        check: (call) => reasonFor(call) === reason,
      }))
  return { deny: rules("deny"), ask: rules("ask"), allow: rules("allow") }
}

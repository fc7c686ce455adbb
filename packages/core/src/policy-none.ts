import type { Policies, Verdict } from "./policy.ts"

const ALLOWED: Verdict = { decision: "allow", layer: "default", rule: "default allow" }

/** The policy of a runtime that was given none: every registered tool is allowed. Those who set no rule carry no rules. */
export const ALLOW_ALL: Policies = { decide: () => ALLOWED, explain: () => ALLOWED }

import { type Account, heldOf, spentOf } from "./budget-account.ts"
import type { Spender } from "./budget-gate.ts"
import { limitOf, type Standing, type Taken } from "./budget-ledger.ts"
import { explain, type Rule, shown } from "./budget-limit.ts"
import { endOf, type Period } from "./budget-window.ts"
import { OrraError } from "./errors.ts"
import { tellHooks } from "./hook-calls.ts"
import type { HookContext } from "./hooks.ts"
import type { Namespace } from "./namespace.ts"
import type { NewEntry } from "./session.ts"

/** How a limit stands. Amounts are in the limit's unit, USD for `usd`. */
export interface LimitState {
  readonly namespace: Namespace
  readonly per: Period
  /** As in `Limit`; of one tool "tool:" and its name. */
  readonly unit: string
  readonly limit: number
  readonly spent: number
  /** Held by calls that are under way. */
  readonly reserved: number
  /** Never below 0. */
  readonly left: number
  /** When a new window begins, in ms since 1970. */
  readonly renewsAt?: number
  /** A model without a known price was used: `spent` is what the dearest one would have cost. */
  readonly unpriced?: true
}

/** How a rule stands in its account. A depth is nothing that is used up. */
export function stateOf(rule: Rule, account: Account): readonly LimitState[] {
  const { namespace, per, unit } = rule
  if (unit === "depth") return []
  const limit = limitOf(rule, account)
  const window = account.windows[per]
  const spent = unit === "fanOut" ? (account.children?.length ?? 0) : spentOf(account, per, unit)
  const reserved = heldOf(account, unit)
  const renewsAt = endOf(per, window?.start ?? 0)
  return [
    {
      namespace,
      per,
      unit,
      limit: shown(unit, limit),
      spent: shown(unit, spent),
      reserved: shown(unit, reserved),
      left: shown(unit, Math.max(0, limit - spent - reserved)),
      ...(renewsAt !== undefined && { renewsAt }),
      ...(window?.unpriced && unit === "usd" && { unpriced: true as const }),
    },
  ]
}

/** Tells hooks of a limit. */
export function tell(
  { hooks, report, context }: Spender,
  { rule, limit, used }: Standing,
  type: "near" | "hit",
): void {
  const { namespace, per, unit } = rule
  const event = { type, namespace, unit, window: per, limit: shown(unit, limit), used: shown(unit, used) }
  void tellHooks(hooks, report, (hook) => hook.budget?.(event, context))
}

/** Of several limits the one decides that leaves the least to choose. */
const severity = ({ atLimit }: Rule): number =>
  typeof atLimit === "object" ? 0 : ["compact", "refuse", "ask", "stop"].indexOf(atLimit) + 1

/** Why a call may not be made, for people. */
export const reason = ({ rule, limit, windowStart, waits }: Standing): string =>
  explain(rule, limit, windowStart, waits)

/** True for what more can be granted of. */
export const isOf = (rule: Rule, per: Period, unit: string): boolean =>
  rule.per === per && rule.unit === unit && unit !== "depth" && unit !== "fanOut"

/** Why a run ends, or what happens in its place. */
export function exceeded(standing: Standing): OrraError {
  const { rule, limit, windowStart } = standing
  const { namespace, per, unit, atLimit } = rule
  const renewsAt = endOf(per, windowStart)
  return new OrraError("budget_exceeded", reason(standing), {
    namespace: namespace.key,
    per,
    unit,
    limit: shown(unit, limit),
    ...(renewsAt !== undefined && { renewsAt }),
    atLimit,
  })
}

export const entry = (
  { runId }: HookContext,
  action: NewEntry<"budget">["action"],
  why: string,
  model: string,
): NewEntry<"budget"> => ({ type: "budget", at: Date.now(), runId, action, reason: why, model })

/** Of the limits that have no room the one that decides. */
export const gravest = ({ breaches }: Taken): Standing | undefined =>
  breaches.toSorted((a, b) => severity(b.rule) - severity(a.rule))[0]

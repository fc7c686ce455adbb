import { endOf, PERIODS, type Period } from "./budget-window.ts"
import { InvalidInput } from "./errors.ts"
import type { Namespace } from "./namespace.ts"
import { NANO } from "./price.ts"

/**
 * What happens to a call that a limit has no room for.
 *
 * - `stop`: the run ends with the code `budget_exceeded`.
 * - `ask`: the run waits, holding nothing, until somebody allows more (`Budgets.grant`) and wakes it, or it is resumed
 *   in the next window. Only for `usd`, `tokens` and `modelCalls`.
 * - `refuse`: a tool call is refused, and the model told so; the run goes on. Only for `toolCalls` and `tools`.
 * - `compact`: the model is shown less, so that the call costs less; then `stop`. Only for `usd` and `tokens`.
 * - `{ model }`: the call is made with this model, where there is room for that; else `stop`. Only for `usd`.
 */
export type AtLimit = "stop" | "ask" | "refuse" | "compact" | { readonly model: string }

/**
 * The most that may be spent at or below a namespace. Each unit that is named is a limit of its own; `Infinity` only
 * counts.
 */
export interface Limit {
  /** For how long it counts. Windows begin with the hour, the day or the month in UTC. */
  readonly per: Period
  readonly usd?: number
  /** Input and output of models together. */
  readonly tokens?: number
  /** Calls of models, also those that fail and those that the provider makes again by itself. */
  readonly modelCalls?: number
  /** Calls of tools that policy allows. */
  readonly toolCalls?: number
  /** Calls of one tool, by its name. */
  readonly tools?: Readonly<Record<string, number>>
  /** Time in which runs work, in ms. A run that waits spends none; two that work at the same time spend both. */
  readonly wallMs?: number
  /** Delegations between a person and a run. Only per run. */
  readonly depth?: number
  /** Runs that one run may start. Only per run. */
  readonly fanOut?: number
  /** Default `stop`. */
  readonly atLimit?: AtLimit
}

/** One unit of a limit, ready to be compared. */
export interface Rule {
  readonly namespace: Namespace
  readonly per: Period
  /** As in `Limit`; of one tool "tool:" and its name. */
  readonly unit: string
  /** In whole units; nano-dollars for USD. */
  readonly limit: number
  readonly atLimit: AtLimit
}

const UNITS = ["usd", "tokens", "modelCalls", "toolCalls", "wallMs", "depth", "fanOut"] as const

/** The rules of limits on a namespace. @throws InvalidInput for what cannot be held. */
export function rulesOf(namespace: Namespace, limits: readonly Limit[]): readonly Rule[] {
  return limits.flatMap((limit) => {
    const { per, tools = {}, atLimit = "stop" } = limit
    if (!PERIODS.includes(per)) throw new InvalidInput(`A limit counts per ${PERIODS.join(", ")}.`, { per })
    const named = UNITS.map((unit) => [unit, limit[unit]] as const)
    const perTool = Object.entries(tools).map(([name, most]) => [`tool:${name}`, most] as const)
    const rules: Rule[] = []
    for (const [unit, most] of [...named, ...perTool]) {
      if (most === undefined) continue
      if (!(most >= 0)) throw new InvalidInput(`The limit "${unit}" is a number from 0.`, { [unit]: most })
      if ((unit === "depth" || unit === "fanOut") && per !== "run") {
        throw new InvalidInput(`The limit "${unit}" counts per run.`)
      }
      if (!suits(atLimit, unit)) {
        throw new InvalidInput(`A limit on "${unit}" cannot be answered with ${JSON.stringify(atLimit)}.`)
      }
      rules.push({ namespace, per, unit, limit: unit === "usd" ? Math.round(most * NANO) : most, atLimit })
    }
    if (rules.length === 0) throw new InvalidInput("A limit names at least one unit, such as `usd`.")
    return rules
  })
}

function suits(atLimit: AtLimit, unit: string): boolean {
  if (atLimit === "stop") return true
  if (atLimit === "refuse") return unit === "toolCalls" || unit.startsWith("tool:")
  if (unit === "usd") return true
  return (unit === "tokens" && typeof atLimit === "string") || (unit === "modelCalls" && atLimit === "ask")
}

/** An amount as people read it: USD instead of nano-dollars. */
export const shown = (unit: string, amount: number): number => (unit === "usd" ? amount / NANO : amount)

const NAMES: Readonly<Record<string, string>> = {
  usd: "USD",
  modelCalls: "model calls",
  toolCalls: "tool calls",
  wallMs: "ms of work",
  depth: "delegations deep",
  fanOut: "runs started",
}

/** Why a call may not be made, for people: the limit, whose it is, when it renews. Nothing of what others spent. */
export function explain(
  { namespace, per, unit }: Rule,
  limit: number,
  windowStart: number,
  waits: boolean,
): string {
  const name = NAMES[unit] ?? (unit.startsWith("tool:") ? `calls of ${unit.slice(5)}` : unit)
  const time =
    per === "ever" ? "in all" : per === "run" ? "in a run" : `${per === "hour" ? "an" : "a"} ${per}`
  const renews = endOf(per, windowStart)
  return (
    `The budget of ${namespace.key} has no room for this: at most ${shown(unit, limit)} ${name} ${time}.` +
    (renews === undefined ? "" : ` It renews at ${new Date(renews).toISOString()}.`) +
    (waits ? " Calls that are under way hold a part of it: try again when they have ended." : "")
  )
}

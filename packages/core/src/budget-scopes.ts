import { placeOf } from "./budget-books.ts"
import type { Scope } from "./budget-ledger.ts"
import type { Rule } from "./budget-limit.ts"
import { keyOf, type Namespace } from "./namespace.ts"

/** Which accounts a call is charged to: those of the namespaces above it that have limits, and that of its run. */
export class Scopes {
  /** By namespace: what counts per run, and the account of all the rest. */
  readonly #byKey = new Map<string, { readonly perRun: readonly Rule[]; readonly total: Scope | undefined }>()

  get isEmpty(): boolean {
    return this.#byKey.size === 0
  }

  /** Sets the rules of a namespace, in place of those it had. */
  set(namespace: Namespace, rules: readonly Rule[]): void {
    const key = keyOf(namespace)
    const perRun = rules.filter(({ per }) => per === "run")
    const others = rules.filter(({ per }) => per !== "run")
    const total = others.length > 0 ? scopeOf(placeOf(namespace, "total"), others, "namespace") : undefined
    if (rules.length > 0) this.#byKey.set(key, { perRun, total })
    else this.#byKey.delete(key)
  }

  /** The accounts of a namespace and all above it that have limits, root first, and that of a run. */
  of(
    namespace: Namespace,
    runId: string | undefined,
    of: Exclude<Scope["of"], "namespace">,
  ): readonly Scope[] {
    const scopes: Scope[] = []
    const rules: Rule[] = []
    if (this.isEmpty) return scopes
    for (const key of namespace.lineageKeys) {
      const limits = this.#byKey.get(key)
      if (!limits) continue
      if (limits.total) scopes.push(limits.total)
      rules.push(...limits.perRun)
    }
    if (runId !== undefined && rules.length > 0)
      scopes.push(scopeOf(placeOf(namespace, runKey(runId)), rules, of))
    return scopes
  }
}

/** The key of a run's account. */
export const runKey = (runId: string): string => `run ${runId}`

const scopeOf = (place: Scope["place"], rules: readonly Rule[], of: Scope["of"]): Scope => ({
  place,
  rules,
  of,
  periods: [...new Set(rules.map(({ per }) => per))],
  units: new Set(rules.map(({ unit }) => unit)),
})

const MODEL_UNITS = ["usd", "tokens", "modelCalls", "wallMs", "depth", "fanOut"]

export const countsTools = ({ rules }: Scope): boolean =>
  rules.some(({ unit }) => unit === "wallMs" || unit === "toolCalls" || unit.startsWith("tool:"))
export const countsUsd = ({ units }: Scope): boolean => units.has("usd")
export const countsCalls = ({ rules }: Scope): boolean => rules.some(({ unit }) => MODEL_UNITS.includes(unit))

import { InvalidInput } from "./errors.ts"
import { isObject } from "./json.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { frozen } from "./policy-frozen.ts"
import {
  assertPlain,
  assertWindow,
  type CompiledRule,
  compileRule,
  type PolicyCall,
  type PolicyRule,
  type PolicyTime,
  window,
} from "./policy-rule.ts"
import { type By, Recorded } from "./recorded.ts"
import type { SessionStore } from "./store.ts"

/** `ask` needs a person's approval before it becomes one of the others. */
export type Decision = "deny" | "ask" | "allow"

/**
 * A layer of policy. A rule is a tool name, a glob over names ("github.*", "*"), a risk ("risk:exec"), or a
 * `PolicyRule` that says more. Within a layer deny is looked at before ask, ask before allow; `default` speaks for
 * calls that no rule matches, and a layer without it says nothing about them.
 */
export interface PolicyLayer {
  readonly deny?: readonly (string | PolicyRule)[]
  readonly ask?: readonly (string | PolicyRule)[]
  readonly allow?: readonly (string | PolicyRule)[]
  readonly default?: Decision
  /** No call here gets more than this, whoever allows it. A ceiling allows nothing by itself. */
  readonly ceiling?: Decision
  /**
   * When what the layer allows is allowed, in ms since 1970: from `from`, before `until`. What it denies, asks and
   * caps holds before and after as well, so that no layer widens anything by ending; a prohibition that shall end is a
   * rule with its own `until`.
   */
  readonly from?: number
  readonly until?: number
}

/** A decision and where it comes from: the layer (a namespace key, "base" or "default") and the rule as it was written. */
export interface Verdict {
  readonly decision: Decision
  readonly layer: string
  readonly rule: string
}

export interface PolicyOptions {
  /** The decision where no layer speaks. Default `deny`. */
  readonly default?: Decision
  /** A layer above all namespaces. */
  readonly base?: PolicyLayer
  /** The time in ms since 1970. Default `Date.now`. */
  readonly clock?: () => number
  /** How far clocks may be apart: what is allowed for a time ends that much sooner, what is denied that much later. Default 1,000 ms. */
  readonly skewMs?: number
  /** How long a rule's `check` may take. Default 2,000 ms. */
  readonly checkTimeoutMs?: number
  /** A store that keeps an audit, which then says of layers that are new who set them. */
  readonly store?: Pick<SessionStore, "records" | "audited">
  /** Told of a `check` that failed; the call is denied in any case. And where the audit could not be told of a layer. */
  readonly onError?: (error: unknown) => void
}

const RANK: Readonly<Record<Decision, number>> = { deny: 0, ask: 1, allow: 2 }
const ORDER: readonly Decision[] = ["deny", "ask", "allow"]
const LAYER_KEYS: readonly string[] = ["deny", "ask", "allow", "default", "ceiling", "from", "until"]

interface CompiledLayer {
  /** As it can be recorded. */
  readonly source: PolicyLayer
  readonly rules: readonly (CompiledRule & { readonly decision: Decision })[]
  readonly default: Decision | undefined
  readonly ceiling: Decision | undefined
  readonly grants: ((time: PolicyTime) => boolean) | undefined
}

/** What checks have answered for the call that is being judged. */
type Answers = ReadonlyMap<CompiledRule, boolean | "failed">

/** Most calls are judged by rules that have no check. */
const NO_ANSWERS: Answers = new Map()

/** One judgement on its way: what the layers said so far. */
interface Judgement {
  readonly call: PolicyCall
  readonly answers: Answers
  readonly time: () => PolicyTime
  spoken: Verdict | undefined
  cap: Verdict | undefined
  /** In a listing: what layers that may also be silent could say. */
  possible: Verdict | undefined
  /** The first rule whose check has not been asked. */
  pending: CompiledRule | undefined
}

// A literal: V8 forgets the shape of a class's objects with the last of them, and what it compiled for them.
const judgementOf = (call: PolicyCall, answers: Answers, time: () => PolicyTime): Judgement => ({
  call,
  answers,
  time,
  spoken: undefined,
  cap: undefined,
  possible: undefined,
  pending: undefined,
})

function add(judgement: Judgement, layer: CompiledLayer, name: string): void {
  const verdict = ask(judgement, layer, name)
  if (verdict) judgement.spoken = stricter(judgement.spoken, verdict)
  const { ceiling } = layer
  if (ceiling)
    judgement.cap = stricter(judgement.cap, { decision: ceiling, layer: name, rule: `ceiling ${ceiling}` })
}

function ask(judgement: Judgement, layer: CompiledLayer, name: string): Verdict | undefined {
  const { call, answers, time } = judgement
  const grants = (decision: Decision): boolean =>
    decision !== "allow" || layer.grants === undefined || layer.grants(time())
  let possible: Verdict | undefined
  for (const rule of layer.rules) {
    const { decision, text, check } = rule
    try {
      if (!rule.matches(call, time) || !grants(decision)) continue
    } catch {
      return {
        decision: "deny",
        layer: name,
        rule: `${decision} ${text}: the arguments are not plain JSON`,
      }
    }
    const spoken: Verdict = { decision, layer: name, rule: `${decision} ${text}` }
    if (rule.open && call.arguments === undefined) {
      possible = laxer(possible, spoken)
      continue
    }
    if (check) {
      const answer = answers.get(rule)
      if (answer === "failed")
        return { decision: "deny", layer: name, rule: `${decision} ${text}: its check failed` }
      if (answer === undefined) {
        judgement.pending ??= rule
        return undefined
      }
      if (!answer) continue
    }
    return laxer(possible, spoken)
  }
  const byDefault = layer.default
  if (byDefault === undefined || !grants(byDefault)) {
    if (possible) judgement.possible = laxer(judgement.possible, possible)
    return undefined
  }
  return laxer(possible, { decision: byDefault, layer: name, rule: `default ${byDefault}` })
}

const stricter = (one: Verdict | undefined, other: Verdict): Verdict =>
  one && RANK[one.decision] <= RANK[other.decision] ? one : other

const laxer = (one: Verdict | undefined, other: Verdict): Verdict =>
  one && RANK[one.decision] >= RANK[other.decision] ? one : other

/** What a runtime asks before it lists a tool and before it runs one. `PolicyRegistry` answers. */
export interface Policies {
  /** The decision for a call in a namespace. A promise where it takes time. */
  decide(namespace: Namespace, call: PolicyCall): Verdict | Promise<Verdict>
  /** The same at once. @throws InvalidInput where it takes time. */
  explain(namespace: Namespace, call: PolicyCall): Verdict
}

/**
 * Who may call what. Layers are set on namespaces; the decision for a call is the strictest (deny < ask < allow)
 * of all layers on its namespace and above it, so adding a layer can only narrow what others say. Where no layer
 * speaks the answer is `default`, which is deny unless said otherwise.
 *
 * ```ts
 * const policies = new PolicyRegistry({ default: "ask" })
 * policies.set(Namespace.parse("tenant:acme"), { deny: ["risk:exec"], allow: ["*"] })
 * policies.explain(Namespace.parse("tenant:acme:bob"), { tool: "shell", risk: "exec", arguments: {} })
 * // { decision: "deny", layer: "tenant:acme", rule: 'deny "risk:exec"' }
 * ```
 */
export class PolicyRegistry implements Policies {
  readonly #layers = new Map<string, CompiledLayer>()
  readonly #recorded: Recorded
  readonly #options: PolicyOptions
  readonly #default: Verdict
  readonly #base: CompiledLayer | undefined
  #bounds: Bounds | undefined
  #epoch = 0
  #latest = Number.NEGATIVE_INFINITY

  /** @throws InvalidInput for a default that is no decision, or a base that is no layer. */
  constructor(options: PolicyOptions = {}) {
    const byDefault = checkedDecision(options.default ?? "deny")
    this.#options = options
    this.#default = { decision: byDefault, layer: "default", rule: `default ${byDefault}` }
    this.#base = options.base && compileLayer(options.base)
    this.#recorded = new Recorded(options.store, "policy-layers", (error) => this.#report(error))
  }

  /** A registry that allows every registered tool: for applications whose tools are safe for all their users. */
  static allowAll(): PolicyRegistry {
    return new PolicyRegistry({ default: "allow" })
  }

  /** Nothing may be called, whatever layers are added. */
  static denyAll(): PolicyRegistry {
    return new PolicyRegistry({ base: { default: "deny" } })
  }

  /** Only these may be called, whatever layers are added. An empty list is nobody. */
  static allowList(rules: readonly (string | PolicyRule)[]): PolicyRegistry {
    return new PolicyRegistry({ base: { allow: rules, default: "deny" } })
  }

  /** All but these may be called, unless a layer narrows it. */
  static denyList(rules: readonly (string | PolicyRule)[]): PolicyRegistry {
    return new PolicyRegistry({ default: "allow", base: { deny: rules } })
  }

  /** Grows with every change of a layer, here or in what this registry is `within`. Not with the passing of time. */
  get epoch(): number {
    return this.#epoch + (this.#bounds?.parent.epoch ?? 0)
  }

  /**
   * Sets the layer of a namespace, replacing the one it had. It is copied: changing the object later changes nothing.
   * It holds at once; `by` is for the audit of the `store`.
   *
   * @throws InvalidInput for a rule, a decision or a member that is not one: a misspelt rule would forbid nothing.
   */
  set(namespace: Namespace, layer: PolicyLayer, { by }: By = {}): void {
    const compiled = compileLayer(layer)
    this.#layers.set(keyOf(namespace), compiled)
    this.#epoch++
    this.#recorded.write(namespace, compiled.source, by)
  }

  remove(namespace: Namespace, { by }: By = {}): boolean {
    const removed = this.#layers.delete(keyOf(namespace))
    if (removed) {
      this.#epoch++
      this.#recorded.write(namespace, null, by)
    }
    return removed
  }

  /** Layers that were set until now are in the audit of the `store`, or `onError` was told. */
  recorded(): Promise<void> {
    return this.#recorded.settled()
  }

  /**
   * A registry for work on behalf of somebody: it never says more than this one says, now and after later changes, and
   * never more than its bounds do. A namespace bounds it by what may be done there, a layer by what it says itself. It
   * has layers of its own, which narrow further. `name` is what `explain` calls the layers given here.
   *
   * ```ts
   * const child = policies.within([Namespace.parse("agent:researcher"), { ceiling: "ask" }])
   * ```
   */
  within(bounds: readonly (Namespace | PolicyLayer)[], name = "delegation"): PolicyRegistry {
    // Its layers are made for a delegation: nobody set them.
    const { store: _, ...options } = this.#options
    const child = new PolicyRegistry({ ...options, base: {} })
    const namespaces: Namespace[] = []
    const layers: CompiledLayer[] = []
    for (const bound of bounds) {
      if (isNamespace(bound)) namespaces.push(bound)
      else layers.push(compileLayer(bound))
    }
    child.#bounds = { parent: this, namespaces, layers, name }
    return child
  }

  /**
   * The layers that speak in a namespace, as they are now and as they can be recorded: bounds for work that is done
   * later and shall not be allowed more by what is set until then. Rules with a `check` are left to the layers
   * themselves, and so is `PolicyOptions.default`: where no layer speaks, these say nothing.
   */
  layersAt(namespace: Namespace): readonly PolicyLayer[] {
    const { parent, namespaces = [], layers = [] } = this.#bounds ?? {}
    const own = namespace.lineageKeys.flatMap((key) => this.#layers.get(key) ?? [])
    return [
      ...[namespace, ...namespaces].flatMap((place) => parent?.layersAt(place) ?? []),
      ...[...layers, ...(this.#base ? [this.#base] : []), ...own].map(({ source }) => source),
    ]
  }

  /**
   * The decision for a call in a namespace, with the layer and rule that made it: what listing and execution ask. It
   * answers at once unless a rule's `check` takes time.
   */
  decide(namespace: Namespace, call: PolicyCall): Verdict | Promise<Verdict> {
    return this.#decide(namespace, call, NO_ANSWERS)
  }

  /**
   * The same decision, at once.
   *
   * @throws InvalidInput when a rule's `check` has to be waited for: use `decide`.
   */
  explain(namespace: Namespace, call: PolicyCall): Verdict {
    const verdict = this.decide(namespace, call)
    if (!(verdict instanceof Promise)) return verdict
    throw new InvalidInput("A rule for this call has a check that takes time: use decide() and wait for it.")
  }

  #decide(namespace: Namespace, call: PolicyCall, known: Answers): Verdict | Promise<Verdict> {
    let answers = known
    for (;;) {
      // Judged anew after each answer, by the layers as they are then.
      const judgement = judgementOf(call, answers, () => this.#time(call.at))
      const verdict = this.#judge(namespace, judgement)
      const rule = judgement.pending
      if (!rule || verdict.decision === "deny") return verdict
      const answer = this.#answer(rule, namespace, call)
      if (answer instanceof Promise) {
        return answer.then((value) => this.#decide(namespace, call, new Map(answers).set(rule, value)))
      }
      answers = new Map(answers).set(rule, answer)
    }
  }

  #judge(namespace: Namespace, judgement: Judgement): Verdict {
    if (this.#bounds === undefined && this.#base === undefined && this.#layers.size === 0)
      return this.#default
    const { call, answers, time } = judgement
    const own = judgementOf(call, answers, time)
    let verdict: Verdict | undefined
    if (this.#bounds) {
      const { parent, namespaces, layers, name } = this.#bounds
      for (const place of [namespace, ...namespaces])
        verdict = stricter(verdict, parent.#judge(place, judgement))
      for (const layer of layers) add(own, layer, name)
    }
    if (this.#base) add(own, this.#base, "base")
    if (this.#layers.size > 0) {
      for (const key of namespace.lineageKeys) {
        const layer = this.#layers.get(key)
        if (layer) add(own, layer, key)
      }
    }
    judgement.pending ??= own.pending
    if (own.spoken) verdict = verdict ? stricter(verdict, own.spoken) : own.spoken
    // A layer that waits for its check has spoken: the default is for those of whom nobody does. It cannot deny here,
    // or the check would never be asked.
    else if (!verdict && own.pending) verdict = { ...this.#default, decision: "allow" }
    verdict ??= laxer(own.possible, this.#default)
    return own.cap ? stricter(verdict, own.cap) : verdict
  }

  #time(at: number | undefined): PolicyTime {
    if (this.#bounds) return this.#bounds.parent.#time(at)
    const { clock = Date.now, skewMs = 1_000 } = this.#options
    if (at !== undefined) return { now: at, latest: at, skewMs }
    let now = Number.NaN
    try {
      now = clock()
    } catch (error) {
      this.#report(error)
    }
    // A time without end is none: taken for one, it would be the latest for ever.
    if (!Number.isFinite(now)) now = Number.NaN
    if (now > this.#latest) this.#latest = now
    return { now, latest: Number.isFinite(now) ? this.#latest : Number.NaN, skewMs }
  }

  #answer(rule: CompiledRule, namespace: Namespace, call: PolicyCall): Settled | Promise<Settled> {
    try {
      assertPlain(call.arguments)
      // A copy: whatever a check does with it, the call that is executed is the one that was judged.
      const copy = structuredClone({ ...call, namespace: namespace.key })
      const answer = rule.check?.(copy)
      if (!(answer instanceof Promise)) return this.#settled(answer)
      const timeout = Promise.withResolvers<Settled>()
      const timer = setTimeout(
        () => timeout.resolve(this.#failed("did not answer in time")),
        this.#options.checkTimeoutMs ?? 2_000,
      )
      return Promise.race([answer.then((value) => this.#settled(value)), timeout.promise])
        .catch((error: unknown) => this.#report(error))
        .finally(() => clearTimeout(timer))
    } catch (error) {
      return this.#report(error)
    }
  }

  #settled(answer: unknown): Settled {
    return typeof answer === "boolean" ? answer : this.#failed("gave neither true nor false")
  }

  #failed(what: string): "failed" {
    return this.#report(new InvalidInput(`The check of a policy rule ${what}.`))
  }

  #report(error: unknown): "failed" {
    try {
      this.#options.onError?.(error)
    } catch {
      // There is nobody left to tell.
    }
    return "failed"
  }
}

type Settled = boolean | "failed"

interface Bounds {
  readonly parent: PolicyRegistry
  readonly namespaces: readonly Namespace[]
  readonly layers: readonly CompiledLayer[]
  readonly name: string
}

const isNamespace = (bound: Namespace | PolicyLayer): bound is Namespace => "lineageKeys" in bound

function checkedDecision(value: Decision): Decision {
  if (ORDER.includes(value)) return value
  throw new InvalidInput(`"${value}" is not a decision: use "deny", "ask" or "allow".`)
}

function compileLayer(layer: PolicyLayer): CompiledLayer {
  if (!isObject(layer as unknown))
    throw new InvalidInput("A layer of policy is an object with deny, ask, allow and default.")
  for (const key of Object.keys(layer)) {
    if (LAYER_KEYS.includes(key)) continue
    throw new InvalidInput(`"${key}" is not part of a policy: it has ${LAYER_KEYS.join(", ")}.`)
  }
  assertWindow(layer)
  const rules: (CompiledRule & { readonly decision: Decision })[] = []
  for (const decision of ORDER) {
    const given: unknown = layer[decision]
    if (given === undefined) continue
    if (!Array.isArray(given)) throw new InvalidInput(`"${decision}" takes a list of rules.`)
    for (const rule of given as readonly (string | PolicyRule)[]) {
      rules.push({ ...compileRule(rule, decision === "allow"), decision })
    }
  }
  const [source = {}] = frozen(layer)
  return {
    source: structuredClone(source),
    rules,
    default: layer.default === undefined ? undefined : checkedDecision(layer.default),
    ceiling: layer.ceiling === undefined ? undefined : checkedDecision(layer.ceiling),
    grants: window(layer, true),
  }
}

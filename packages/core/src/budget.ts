import type { Account, Amounts, Grant } from "./budget-account.ts"
import { placeOf } from "./budget-books.ts"
import { askWithin, type ModelPermit, type WantedCall } from "./budget-call.ts"
import type { BudgetGate, DecidedCall, Spender } from "./budget-gate.ts"
import { Ledger, type Scope, type Standing, type Taken } from "./budget-ledger.ts"
import { type Limit, rulesOf } from "./budget-limit.ts"
import { PromptCounter } from "./budget-prompt.ts"
import { entry, exceeded, gravest, isOf, type LimitState, reason, stateOf, tell } from "./budget-report.ts"
import { countsCalls, countsTools, countsUsd, runKey, Scopes } from "./budget-scopes.ts"
import { ByKey } from "./by-key.ts"
import { charEstimator, type Tokenizer, toolCounter } from "./context.ts"
import type { Envelope } from "./envelope.ts"
import { InvalidInput } from "./errors.ts"
import type { HookContext } from "./hooks.ts"
import { randomId } from "./ids.ts"
import type { Answer } from "./model-call.ts"
import { keyOf, Namespace } from "./namespace.ts"
import { boundOf, costOf, type FoundPrice, NANO, type PriceTable, priceOf } from "./price.ts"
import { type ModelRequest, NO_USAGE, type Usage } from "./provider.ts"
import { type By, Recorded } from "./recorded.ts"
import type { NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { SessionStore } from "./store.ts"

export interface BudgetOptions {
  /** Where it is kept what was spent: the store of the sessions, or any other that all processes share. */
  readonly store: Pick<SessionStore, "records" | "audited">
  /** What models cost; needed for limits in USD. `DEFAULT_PRICES` has Claude and OpenAI. */
  readonly prices?: PriceTable
  /** Estimates what a request sends. Default: `charEstimator`. */
  readonly tokenizer?: Tokenizer
  /** The estimate times this is reserved: how far off it may be. Default 1.6, what the default tokenizer needs. */
  readonly margin?: number
  /** The most tokens of an answer where neither request nor provider sets any. Default 8,192. */
  readonly maxTokens?: number
  /** How long a reservation outlives its process, in ms. Default 300,000. A call under way keeps its own alive. */
  readonly reservationMs?: number
  /** What becomes of the reservation of a process that died: `release` (default), or `charge` it as if spent. */
  readonly expired?: "release" | "charge"
  /** Told where the audit of a store could not be told of limits. Default: nobody. */
  readonly onError?: (error: unknown) => void
  /** The time in ms since 1970. Default: that of the runtime's `peers`, else `Date.now`. */
  readonly now?: () => number
  /** A clock in ms that only goes forward. Default `performance.now`. */
  readonly monotonic?: () => number
}

/** A run that spends. */
type RunOf = Pick<HookContext, "namespace" | "runId" | "envelope">

/** What is remembered of a run at work. */
interface RunBook {
  /** The limits it was made for. */
  readonly generation: number
  readonly scopes: readonly Scope[]
  /** Those in which a model call counts. */
  readonly modelScopes: readonly Scope[]
  /** Those in which a tool call may count. */
  readonly toolScopes: readonly Scope[]
  readonly chain: Account["chain"]
  /** Up to when its time is charged, by the monotonic clock. */
  chargedTo: number
  /** Stops it when its time is up. */
  timer: ReturnType<typeof setTimeout> | undefined
  /** Models without a price, of which its log says so. */
  readonly unpriced: Set<string>
}

const inNano = (usd: number): number => Math.round(usd * NANO)

/** From this share of a limit on it is near. */
const NEAR = 0.8
/** How many limits that are near are remembered, so that each window is told of once. */
const MAX_TOLD = 10_000
const MAX_PRICES = 1_000
const MAX_TIMER_MS = 0x7fff_ffff

/**
 * Limits on what may be spent, on any namespace. What a call may cost at most is reserved before it is made, for its
 * namespace and all above, in one step that is atomic between processes; afterwards it is settled with what the
 * provider counted. A call that does not fit is not made.
 *
 * ```ts
 * const budgets = new Budgets({ store, prices: DEFAULT_PRICES })
 * budgets.set(Namespace.of("acme"), { per: "month", usd: 100 })
 * budgets.set(Namespace.of("acme", "bob"), [
 *   { per: "day", usd: 1, atLimit: { model: "claude-haiku-4-5" } },
 *   { per: "run", modelCalls: 20, tools: { web_search: 5 } },
 * ])
 * const runtime = new Runtime({ provider, store, budgets })
 * await budgets.state(Namespace.of("acme", "bob")) // [{ unit: "usd", limit: 100, spent: 0.13, left: 99.87, ... }, ...]
 * ```
 */
export class Budgets implements BudgetGate {
  readonly #options: BudgetOptions
  readonly #ledger: Ledger
  readonly #scopes = new Scopes()
  readonly #recorded: Recorded
  readonly #runs = new ByKey<RunBook>()
  readonly #told = new Set<string>()
  readonly #prices = new Map<string, FoundPrice>()
  readonly #tokenizer: Tokenizer
  readonly #countTools: ReturnType<typeof toolCounter>
  readonly #monotonic: () => number
  #now: () => number
  #generation = 0
  /** Reservations are this process' own: its name and a number. */
  readonly #name = randomId()
  #reservations = 0

  constructor(options: BudgetOptions) {
    const { monotonic = () => performance.now(), expired = "release" } = options
    const { reservationMs = 300_000, tokenizer = charEstimator } = options
    if (!(reservationMs > 0))
      throw new InvalidInput("`reservationMs` is a number of ms above 0.", { reservationMs })
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#monotonic = monotonic
    this.#tokenizer = tokenizer
    this.#countTools = toolCounter(tokenizer)
    const records = options.store.records("budgets")
    this.#recorded = new Recorded(options.store, "budget-limits", options.onError ?? (() => {}))
    this.#ledger = new Ledger({ records, ttlMs: reservationMs, expired, now: () => this.#now(), monotonic })
  }

  clock(now: () => number): void {
    this.#now = this.#options.now ?? now
  }

  /**
   * Sets the limits of a namespace, in place of those it had; none removes them. What was spent before counts as far
   * as a limit of the same window and unit counted it. All processes have to set the same. Where the store keeps an audit
   * it says of limits that are new who set them, `by`.
   *
   * @throws InvalidInput for what cannot be held, such as a limit in USD without prices.
   */
  set(namespace: Namespace, limits: Limit | readonly Limit[], { by }: By = {}): void {
    const all = "per" in limits ? [limits] : limits
    const rules = rulesOf(namespace, all)
    if (!this.#options.prices && rules.some(({ unit }) => unit === "usd")) {
      throw new InvalidInput("A limit in USD needs `prices`: new Budgets({ store, prices: DEFAULT_PRICES }).")
    }
    this.#scopes.set(namespace, rules)
    this.#generation++
    this.#recorded.write(namespace, all.length > 0 ? all : null, by)
  }

  /** Limits that were set until now are in the audit, where the store keeps one, or `onError` was told. */
  recorded(): Promise<void> {
    return this.#recorded.settled()
  }

  /** How every limit stands that holds for this namespace, root first; those per run when the run is named. */
  async state(
    namespace: Namespace,
    options: { readonly runId?: string } = {},
  ): Promise<readonly LimitState[]> {
    keyOf(namespace)
    const scopes = this.#scopes.of(namespace, options.runId, "run")
    const states = scopes.map(async (scope) => {
      const account = await this.#ledger.read(scope)
      return scope.rules.flatMap((rule) => stateOf(rule, account))
    })
    return (await Promise.all(states)).flat()
  }

  /**
   * Allows so much more than a limit does, until its window ends; `wake` the sessions that wait for it. Whoever calls
   * this has made sure that it may be allowed. An audit of the store says who it was, `by`.
   *
   * ```ts
   * await budgets.grant(tenant, { per: "day", unit: "usd", amount: 0.5 })
   * await runtime.wake(session)
   * ```
   *
   * @throws InvalidInput when the namespace has no such limit, or for an amount that is not above 0. For a limit per
   *   run the namespace is the session's and `runId` is needed.
   */
  async grant(namespace: Namespace, more: Grant): Promise<void> {
    const { per, unit, amount, runId } = more
    const scope = this.#scopes
      .of(namespace, per === "run" ? runId : undefined, "run")
      .findLast(
        ({ rules, place }) =>
          place.namespace.equals(namespace) && rules.some((rule) => isOf(rule, per, unit)),
      )
    if (!scope) throw new InvalidInput(`${namespace.key} has no limit on ${unit} per ${per}.`)
    if (!(amount > 0 && Number.isFinite(amount)))
      throw new InvalidInput("More is a number above 0.", { amount })
    const units = unit === "usd" ? inNano(amount) : amount
    await (this.#options.store.audited
      ? this.#ledger.grantAudited(scope, more, units)
      : this.#ledger.grant(scope, more, units))
  }

  /**
   * Sets money aside for what a tool spends elsewhere, such as a program that calls models itself: at most so much, in
   * all limits in USD that hold for the run. Settle it with what it was, whatever happened.
   *
   * ```ts
   * const outlay = await budgets.setAside(context, 5) // in a tool's `execute`
   * try { spent = await work() } finally { await outlay.settle(spent) }
   * ```
   *
   * @throws OrraError (`budget_exceeded`) when there is no room for it.
   */
  async setAside(run: RunOf, usd: number): Promise<{ settle(spentUsd: number): Promise<void> }> {
    const book = await this.#bookOf(run)
    const scopes = book.modelScopes.filter(countsUsd)
    if (scopes.length === 0) return { settle: async () => {} }
    const id = this.#reservation()
    const taken = await this.#ledger.reserve(this.#asker(run, book), scopes, id, { usd: inNano(usd) })
    const breach = gravest(taken)
    if (breach) throw exceeded(breach)
    return {
      settle: async (spentUsd) => await this.#ledger.settle(scopes, id, { usd: inNano(spentUsd) }, false),
    }
  }

  ask(...[settings, run, request, make]: Parameters<BudgetGate["ask"]>): Promise<Answer> {
    return askWithin(settings, run, request, this.#permitted, make)
  }

  admit<T extends DecidedCall>(spender: Spender, decided: T): Promise<T> | T {
    // Where nothing is limited calls cost nothing here.
    if (this.#scopes.isEmpty || !decided.tool || decided.verdict.decision !== "allow") return decided
    if (this.#known(spender.context.runId)?.toolScopes.length === 0) return decided
    return this.#admit(spender, decided)
  }

  rest(...[{ namespace, runId }, over, report]: Parameters<BudgetGate["rest"]>): Promise<void> | undefined {
    const book = this.#runs.get(runId)
    this.#runs.delete(runId)
    clearTimeout(book?.timer)
    const known = book?.scopes ?? this.#scopes.of(namespace, runId, "run")
    const scopes = known.filter(({ of, units }) => (over && of === "run") || (book && units.has("wallMs")))
    if (scopes.length === 0) return undefined
    const wallMs = book ? this.#worked(book) : 0
    return this.#ledger.close(scopes, { wallMs }, over).catch(report)
  }

  readonly #permitted = async (spender: Spender, call: WantedCall): Promise<ModelPermit> => {
    const { request, model, outputLimit, log } = call
    const { prices, maxTokens = 8_192, margin = 1.6 } = this.#options
    const { context } = spender
    const known = this.#bookOf(context)
    const book = known instanceof Promise ? await known : known
    const scopes = book.modelScopes
    const count = (): number => this.#count(log, request)
    const input = scopes.length > 0 ? count() : 0
    const output = outputLimit ?? maxTokens
    const entries: NewEntry<"budget">[] = []
    const tried: string[] = []
    let used = model
    for (;;) {
      tried.push(used)
      const found = prices && this.#price(prices, used)
      const sent = Math.ceil(input * margin)
      const id = this.#reservation()
      const usd = found ? boundOf(found.price, sent, output) : 0
      const want = { tokens: sent + output, modelCalls: 1, usd }
      const taken =
        scopes.length > 0 && (await this.#ledger.reserve(this.#asker(context, book), scopes, id, want))
      const breach = taken ? this.#look(spender, book, taken) : undefined
      if (!breach) {
        if (found?.known === false && !book.unpriced.has(used) && scopes.some(countsUsd)) {
          book.unpriced.add(used)
          entries.push(
            entry(context, "unpriced", `No price is known for ${used}: it counts as the dearest.`, used),
          )
        }
        return this.#permit(
          spender,
          book,
          { scopes, id, found, count, entries },
          {
            ...request,
            maxTokens: scopes.length > 0 && outputLimit === undefined ? output : request.maxTokens,
            model: used === model ? request.model : used,
          },
        )
      }
      const { atLimit } = breach.rule
      if (typeof atLimit !== "object" || tried.includes(atLimit.model)) throw exceeded(breach)
      used = atLimit.model
      entries.push(entry(context, "model", `${reason(breach)} It goes on with ${used}.`, used))
    }
  }

  #permit(
    spender: Spender,
    book: RunBook,
    call: {
      readonly scopes: readonly Scope[]
      readonly id: string
      readonly found: FoundPrice | undefined
      readonly count: () => number
      readonly entries: readonly NewEntry<"budget">[]
    },
    request: ModelRequest,
  ): ModelPermit {
    const { scopes, id, found, count, entries } = call
    return {
      request,
      entries,
      retried: () => {
        const calls = scopes.filter(({ units }) => units.has("modelCalls"))
        this.#spend(spender, book, calls, { modelCalls: 1 })
          .then((breach) => breach && spender.end(exceeded(breach)))
          .catch(spender.report)
      },
      settle: async (usage, text) => {
        const counted = usage ?? (text === undefined ? undefined : this.#estimated(count(), text))
        const usd = counted && found && costOf(found.price, counted)
        const amounts: Amounts = {
          modelCalls: 1,
          wallMs: this.#worked(book),
          tokens: counted ? counted.inputTokens + counted.outputTokens : 0,
          usd: usd ?? 0,
        }
        const cost = usd === undefined ? undefined : usd / NANO
        const isUnpriced = found?.known === false && counted !== undefined
        if (scopes.length > 0) await this.#ledger.settle(scopes, id, amounts, isUnpriced)
        return cost
      },
    }
  }

  async #admit<T extends DecidedCall>(spender: Spender, decided: T): Promise<T> {
    const { name } = decided.call
    const deny = (rule: string): T => ({
      ...decided,
      tool: undefined,
      verdict: { decision: "deny", layer: "budget", rule },
    })
    try {
      const book = await this.#bookOf(spender.context)
      const amounts: Amounts = { toolCalls: 1, [`tool:${name}`]: 1 }
      const scopes = book.toolScopes.filter(
        ({ units }) => units.has("wallMs") || Object.keys(amounts).some((unit) => units.has(unit)),
      )
      const breach = await this.#spend(spender, book, scopes, amounts)
      if (!breach) return decided
      if (breach.rule.atLimit !== "refuse") spender.end(exceeded(breach))
      return deny(reason(breach))
    } catch (error) {
      spender.report(error)
      return deny("what may be spent is not known")
    }
  }

  async #spend(
    spender: Spender,
    book: RunBook,
    scopes: readonly Scope[],
    amounts: Amounts,
  ): Promise<Standing | undefined> {
    if (scopes.length === 0) return undefined
    const asker = this.#asker(spender.context, book)
    // Charged with this call, and with no other that is made at the same time.
    book.chargedTo += asker.worked
    let taken: Taken | undefined
    try {
      taken = await this.#ledger.spend(asker, scopes, amounts)
    } finally {
      if (taken?.breaches.length !== 0) book.chargedTo -= asker.worked
    }
    return this.#look(spender, book, taken)
  }

  /** Tells of limits that are near or hit, and stops the run when its time is up. @returns the breach that decides. */
  #look(spender: Spender, book: RunBook, taken: Taken): Standing | undefined {
    const { breaches, standings } = taken
    for (const standing of breaches) tell(spender, standing, "hit")
    if (breaches.length > 0) return gravest(taken)
    let first: { readonly standing: Standing; readonly left: number } | undefined
    for (const standing of standings) {
      const { rule, limit, used } = standing
      if (used >= limit * NEAR && this.#isNew(spender, standing)) tell(spender, standing, "near")
      const left = rule.unit === "wallMs" ? limit - used : Number.POSITIVE_INFINITY
      if (left < (first?.left ?? Number.POSITIVE_INFINITY)) first = { standing, left }
    }
    if (first) {
      const { standing, left } = first
      clearTimeout(book.timer)
      book.timer = setTimeout(() => spender.end(exceeded(standing)), Math.min(left, MAX_TIMER_MS))
    }
    return undefined
  }

  /** True the first time in a window, where there is somebody to tell. */
  #isNew({ context, hooks }: Spender, { rule, windowStart }: Standing): boolean {
    if (!hooks.some((hook) => hook.budget)) return false
    const { namespace, per, unit } = rule
    const what = `${namespace.key} ${per === "run" ? context.runId : windowStart} ${per} ${unit}`
    if (this.#told.has(what)) return false
    if (this.#told.size >= MAX_TOLD) this.#told.clear()
    this.#told.add(what)
    return true
  }

  #reservation(): string {
    return `${this.#name}-${++this.#reservations}`
  }

  #asker({ runId, envelope }: RunOf, book: RunBook) {
    return {
      runId,
      chain: book.chain,
      depth: envelope?.depth ?? 0,
      worked: Math.round(this.#monotonic() - book.chargedTo),
    }
  }

  /** The time that is not charged yet, which is with this. */
  #worked(book: RunBook): number {
    const worked = Math.max(0, Math.round(this.#monotonic() - book.chargedTo))
    book.chargedTo += worked
    return worked
  }

  /** Looked up once: a model that the table does not know is compared with every one it does. */
  #price(prices: PriceTable, model: string): FoundPrice {
    const known = this.#prices.get(model)
    if (known) return known
    if (this.#prices.size >= MAX_PRICES) this.#prices.clear()
    const found = priceOf(prices, model)
    this.#prices.set(model, found)
    return found
  }

  /** About what a request of the session sends, in tokens. */
  #count(log: SessionLog, request: ModelRequest): number {
    // With the session: what one run has counted the next need not count again.
    log.counter ??= new PromptCounter(this.#tokenizer, this.#countTools)
    return log.counter.count(request)
  }

  #known(runId: string): RunBook | undefined {
    const book = this.#runs.get(runId)
    return book?.generation === this.#generation ? book : undefined
  }

  #bookOf(run: RunOf): Promise<RunBook> | RunBook {
    const { namespace, runId, envelope } = run
    const known = this.#known(runId)
    if (known) return known
    const own = this.#scopes.of(namespace, runId, "run")
    const parent = envelope?.parent
    return parent && own.some((scope) => scope.of === "run")
      ? this.#bookBelow(parent, runId, own)
      : this.#bookFor(runId, own, undefined, this.#generation)
  }

  /** The book of a run that works for another: what the ones above it may spend limits it as well. */
  async #bookBelow(
    parent: NonNullable<Envelope["parent"]>,
    runId: string,
    own: readonly Scope[],
  ): Promise<RunBook> {
    const generation = this.#generation
    const above: Scope[] = []
    const place = placeOf(Namespace.parse(parent.namespace), runKey(parent.runId))
    const chain = [parent, ...((await this.#ledger.chainOf(place)) ?? [])].map(
      ({ namespace: ns, runId: id }) => ({
        namespace: ns,
        runId: id,
      }),
    )
    for (const [index, link] of chain.entries()) {
      const scopes = this.#scopes.of(
        Namespace.parse(link.namespace),
        link.runId,
        index === 0 ? "parent" : "ancestor",
      )
      above.push(...scopes.filter((scope) => scope.of !== "namespace"))
    }
    return this.#bookFor(runId, [...own, ...above], chain, generation)
  }

  #bookFor(runId: string, scopes: readonly Scope[], chain: Account["chain"], generation: number): RunBook {
    const known = this.#runs.get(runId)
    const book: RunBook = {
      generation,
      scopes,
      modelScopes: scopes.filter(countsCalls),
      toolScopes: scopes.filter(countsTools),
      chain,
      chargedTo: known?.chargedTo ?? this.#monotonic(),
      timer: known?.timer,
      unpriced: known?.unpriced ?? new Set(),
    }
    this.#runs.set(runId, book)
    return book
  }

  #estimated(inputTokens: number, text: string): Usage {
    return { ...NO_USAGE, inputTokens, outputTokens: this.#tokenizer.count(text) }
  }
}

import {
  type Account,
  type Amounts,
  charge,
  EMPTY,
  type Expiry,
  type Grant,
  heldOf,
  hold,
  present,
  spentOf,
} from "./budget-account.ts"
import { Books, type Place, placeOf } from "./budget-books.ts"
import type { Rule } from "./budget-limit.ts"
import type { Period } from "./budget-window.ts"
import { ByKey } from "./by-key.ts"
import { randomId } from "./ids.ts"
import { isObject } from "./json.ts"
import type { Records } from "./records.ts"

/** An account that a call is charged to, and what limits it. */
export interface Scope {
  readonly place: Place
  readonly rules: readonly Rule[]
  readonly periods: readonly Period[]
  /** What is counted here. */
  readonly units: ReadonlySet<string>
  /** Whose account it is: of a namespace, of the run itself, of the run that started it, of one above that. */
  readonly of: "namespace" | "run" | "parent" | "ancestor"
}

/** Who asks for something. */
export interface Asker {
  readonly runId: string
  readonly chain: Account["chain"]
  /** Delegations between a person and the run. */
  readonly depth: number
  /** Time it worked that is not charged yet, in ms. */
  readonly worked: number
}

/** How a rule stood when something was asked for. */
export interface Standing {
  readonly rule: Rule
  /** With what was granted beyond the rule's. */
  readonly limit: number
  readonly windowStart: number
  /** Spent and held, with what was asked for if there was room for it. */
  readonly used: number
  /** There would be room without what calls under way hold. */
  readonly waits: boolean
}

/** There was room for it in all limits, or these have none. */
export interface Taken {
  readonly breaches: readonly Standing[]
  readonly standings: readonly Standing[]
}

export interface LedgerOptions {
  readonly records: Records
  readonly ttlMs: number
  readonly expired: "release" | "charge"
  readonly now: () => number
  readonly monotonic: () => number
}

/** More than this between what two clocks say is a jump, in ms. */
const JUMP_MS = 60_000
const SETTLED = "settled"
const NONE: readonly Standing[] = []

/**
 * What was spent and what is reserved, in accounts that processes share. Each operation changes all accounts of a call
 * or none, atomically.
 */
export class Ledger {
  readonly #options: LedgerOptions
  readonly #books: Books
  readonly #isOurs = (id: string): boolean => this.#open.get(id) !== undefined
  /** What is held for calls that are under way in this process. */
  readonly #open = new ByKey<{
    readonly id: string
    readonly scopes: readonly Scope[]
    readonly want: Amounts
  }>()
  #timer: ReturnType<typeof setInterval> | undefined
  #wall: number
  #steady: number
  #mayExpireFrom = Number.NEGATIVE_INFINITY

  constructor(options: LedgerOptions) {
    this.#options = options
    this.#books = new Books(options.records)
    this.#wall = options.now()
    this.#steady = options.monotonic()
  }

  /** An account as it is now. */
  async read({ place, periods }: Scope): Promise<Account> {
    const account = (await this.#books.read(place)) ?? EMPTY
    return present(account, periods, this.#expiry())
  }

  chainOf(place: Place): Promise<Account["chain"]> {
    return this.#books.read(place).then((account) => account?.chain)
  }

  /** Holds what a call may spend, if all limits have room for it. */
  async reserve(asker: Asker, scopes: readonly Scope[], id: string, want: Amounts): Promise<Taken> {
    // Ours before it is written: nobody here may think it expired.
    this.#open.set(id, { id, scopes, want })
    this.#keepAlive()
    let taken: Taken | undefined
    try {
      taken = await this.#take(asker, scopes, want, (account, scope, now) =>
        hold(account, id, of(scope, want), now + this.#options.ttlMs),
      )
      return taken
    } finally {
      // It is no longer under way here.
      if (taken?.breaches.length !== 0) this.#open.delete(id)
    }
  }

  /** Spends at once, if all limits have room for it. */
  spend(asker: Asker, scopes: readonly Scope[], amounts: Amounts): Promise<Taken> {
    return this.#take(asker, scopes, amounts, (account, scope) =>
      charge(account, SETTLED, of(scope, { ...amounts, wallMs: asker.worked })),
    )
  }

  /**
   * Puts what was spent in the place of what was held. Where it cannot be written, it stays held until it expires: no
   * more is given out meanwhile than there is.
   */
  async settle(scopes: readonly Scope[], id: string, amounts: Amounts, unpriced: boolean): Promise<void> {
    try {
      await this.#change(scopes, (account, scope) => charge(account, id, of(scope, amounts), unpriced))
    } finally {
      this.#open.delete(id)
    }
  }

  /** Allows so much more of a unit, until the window ends. */
  async grant(scope: Scope, { per, unit }: Grant, amount: number): Promise<void> {
    await this.#change([scope], granted(per, unit, amount))
  }

  /** The same, and in the same write what the audit says of it. */
  async grantAudited(scope: Scope, grant: Grant, amount: number): Promise<void> {
    const note: Scope = { ...scope, place: placeOf(scope.place.namespace, `grant ${randomId()}`) }
    const apply = granted(grant.per, grant.unit, amount)
    await this.#change([scope, note], (account, of) => (of === note ? { ...EMPTY, grant } : apply(account)))
  }

  /** Says of all calls that are under way here that they are. */
  async renew(): Promise<void> {
    const renewing = this.#open.values().map(({ id, scopes, want }) =>
      this.#change(scopes, (account, scope, now) =>
        // It may have been settled since this was asked for.
        this.#isOurs(id) ? hold(account, id, of(scope, want), now + this.#options.ttlMs) : account,
      ),
    )
    await Promise.all(renewing)
  }

  /** Charges the last of a run; a run that is over needs no account any more. */
  async close(scopes: readonly Scope[], amounts: Amounts, over: boolean): Promise<void> {
    await this.#change(scopes, (account, scope) =>
      over && scope.of === "run" ? undefined : charge(account, SETTLED, of(scope, amounts)),
    )
  }

  #take(
    asker: Asker,
    scopes: readonly Scope[],
    want: Amounts,
    apply: (account: Account, scope: Scope, now: number) => Account,
  ): Promise<Taken> {
    return this.#books.change<Taken>(scopes, (accounts) => {
      const expiry = this.#expiry()
      const standings: Standing[] = []
      const now = scopes.map((scope, index) => {
        const account = opened(present(accounts[index] ?? EMPTY, scope.periods, expiry), asker, scope)
        for (const rule of scope.rules) {
          const standing = standingOf(rule, scope, account, asker, want)
          if (standing) standings.push(standing)
        }
        return account
      })
      if (standings.some(isOver)) {
        return { accounts, result: { breaches: standings.filter(isOver), standings }, refused: true }
      }
      const next = scopes.map((scope, index) => {
        const account = accounts[index]
        return isGone(scope, account) ? account : apply(now[index] ?? EMPTY, scope, expiry.now)
      })
      return { accounts: next, result: { breaches: NONE, standings } }
    })
  }

  #change(
    scopes: readonly Scope[],
    apply: (account: Account, scope: Scope, now: number) => Account | undefined,
  ): Promise<void> | undefined {
    if (scopes.length === 0) return undefined
    return this.#books.change<void>(scopes, (accounts) => {
      const expiry = this.#expiry()
      return {
        accounts: scopes.map((scope, index) => {
          const account = accounts[index] ?? EMPTY
          if (isGone(scope, account)) return account
          return apply(present(account, scope.periods, expiry), scope, expiry.now)
        }),
        result: undefined,
      }
    })
  }

  /**
   * The time, and what it makes of reservations. After a jump ahead (the clock was set, or the machine slept) nothing expires for as long as a
   * reservation lasts: whoever is alive says so within that time.
   */
  #expiry(): Expiry {
    const { ttlMs, expired } = this.#options
    const now = this.#options.now()
    const steady = this.#options.monotonic()
    if (now - this.#wall > steady - this.#steady + JUMP_MS) this.#mayExpireFrom = steady + ttlMs
    this.#wall = now
    this.#steady = steady
    return { now, ttlMs, expired, isOurs: this.#isOurs, mayExpire: steady >= this.#mayExpireFrom }
  }

  /** While calls are under way they say so, three times in the life of a reservation. */
  #keepAlive(): void {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => {
      if (this.#open.values().length === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
      // A store that fails now is found out by the call itself when it settles.
      this.renew().catch(() => {})
    }, this.#options.ttlMs / 3)
    // It goes on for a while after the last call, and a process may end meanwhile.
    const timer: unknown = this.#timer
    if (isObject(timer) && typeof timer["unref"] === "function") timer["unref"]()
  }
}

const granted =
  (per: Period, unit: string, amount: number) =>
  (account: Account): Account => {
    const window = account.windows[per] ?? { start: 0, spent: {} }
    const more = { ...window.granted, [unit]: (window.granted?.[unit] ?? 0) + amount }
    return { ...account, windows: { ...account.windows, [per]: { ...window, granted: more } } }
  }

/** What of it is counted here. */
function of(scope: Scope, amounts: Amounts): Amounts {
  const counted: Record<string, number> = {}
  for (const unit of scope.units) {
    const amount = amounts[unit]
    if (amount) counted[unit] = amount
  }
  return counted
}

/** The account of a run above that is over already: nothing limits any more, and nothing is to make it anew. */
const isGone = (scope: Scope, account: Account | undefined): boolean =>
  account === EMPTY && (scope.of === "parent" || scope.of === "ancestor")

/** A run's own account says who is above it, and that of the run above which runs it started. */
function opened(account: Account, { runId, chain }: Asker, scope: Scope | undefined): Account {
  if (scope?.of === "run" && chain && !account.chain) return { ...account, chain }
  if (scope?.of === "parent" && !account.children?.includes(runId)) {
    return { ...account, children: [...(account.children ?? []), runId] }
  }
  return account
}

/** The limit, with what was granted beyond it. */
export const limitOf = ({ per, unit, limit }: Rule, { windows }: Account): number =>
  limit + (windows[per]?.granted?.[unit] ?? 0)

const isOver = ({ limit, used }: Standing): boolean => used > limit

/** Undefined: it limits nothing here. */
function standingOf(
  rule: Rule,
  scope: Scope,
  account: Account,
  asker: Asker,
  want: Amounts,
): Standing | undefined {
  const { unit, per } = rule
  const limit = limitOf(rule, account)
  const standing = (used: number, waits = false): Standing => {
    return { rule, limit, windowStart: account.windows[per]?.start ?? 0, used, waits }
  }
  if (unit === "depth") return scope.of === "run" ? standing(asker.depth) : undefined
  if (unit === "fanOut") return scope.of === "parent" ? standing(account.children?.length ?? 0) : undefined
  const spent = spentOf(account, per, unit)
  // Time cannot be reserved: there must be some left.
  if (unit === "wallMs") return standing(spent + asker.worked < limit ? spent + asker.worked : limit + 1)
  const wanted = want[unit]
  if (!wanted) return undefined
  const held = heldOf(account, unit)
  return standing(spent + held + wanted, spent + wanted <= limit)
}

import { type Period, type Window, windowAt } from "./budget-window.ts"

/** Whole numbers by unit: nano-dollars, tokens, calls, ms. */
export type Amounts = Readonly<Record<string, number>>

/** What a call that has begun may still spend. */
interface Held {
  readonly id: string
  /** When it is given up, in ms since 1970: its process has died. */
  readonly until: number
  readonly amounts: Amounts
}

/** What is kept of a namespace, or of a run: pure JSON, changed by the functions here only. */
export interface Account {
  readonly windows: Readonly<Partial<Record<Period, Window>>>
  readonly held: readonly Held[]
  /** Of a run: the runs on whose behalf it works, the nearest first. */
  readonly chain?: readonly { readonly namespace: string; readonly runId: string }[]
  /** Of a run: the runs that it started. */
  readonly children?: readonly string[]
  /** Of no account: what somebody allowed beyond a limit, beside the account that has it. For the audit. */
  readonly grant?: Grant
}

/** So much more of a unit; of USD in dollars. */
export interface Grant {
  readonly per: Period
  readonly unit: string
  readonly amount: number
  readonly runId?: string
  readonly by?: string
}

export const EMPTY: Account = { windows: {}, held: [] }

export interface Expiry {
  readonly now: number
  /** How long a reservation lasts, in ms. */
  readonly ttlMs: number
  /** Reservations of this process, which it knows to be alive. */
  readonly isOurs: (id: string) => boolean
  /** False for a while after the clock jumped ahead: what seems expired may be alive. */
  readonly mayExpire: boolean
  /** What becomes of a reservation whose process died. */
  readonly expired: "release" | "charge"
}

/** The account as it is now: windows of these periods, without what has expired. */
export function present(account: Account, periods: readonly Period[], expiry: Expiry): Account {
  const { now, ttlMs, isOurs, mayExpire } = expiry
  let windows = account.windows
  for (const per of periods) {
    const last = windows[per]
    const window = windowAt(per, now, last)
    if (window !== last) windows = { ...windows, [per]: window }
  }
  let next: Account = windows === account.windows ? account : { ...account, windows }
  for (const { id, until, amounts } of account.held) {
    if (isOurs(id)) continue
    if (until <= now && mayExpire) {
      next = expiry.expired === "charge" ? charge(next, id, amounts) : release(next, id)
    }
    // No clock that is right could have said so: it would be held for as long as the clock was wrong.
    else if (until > now + 2 * ttlMs) next = hold(next, id, amounts, now + ttlMs)
  }
  return next
}

/** What is held by calls that have begun, for one unit. */
export function heldOf({ held }: Account, unit: string): number {
  let sum = 0
  for (const { amounts } of held) sum += amounts[unit] ?? 0
  return sum
}

export const spentOf = ({ windows }: Account, per: Period, unit: string): number =>
  windows[per]?.spent[unit] ?? 0

export const hold = (account: Account, id: string, amounts: Amounts, until: number): Account => ({
  ...account,
  held: [...without(account.held, id), { id, until, amounts }],
})

export function release(account: Account, id: string): Account {
  const held = without(account.held, id)
  return held === account.held ? account : { ...account, held }
}

/** The same list when it is not in it. */
const without = (held: Account["held"], id: string): Account["held"] =>
  held.some((one) => one.id === id) ? held.filter((one) => one.id !== id) : held

/** Adds to every window, in place of what was held under this id. */
export function charge(account: Account, id: string, amounts: Amounts, unpriced = false): Account {
  const windows: Partial<Record<Period, Window>> = {}
  for (const per of Object.keys(account.windows) as Period[]) {
    const window = account.windows[per]
    if (!window) continue
    const spent = { ...window.spent }
    for (const unit in amounts) spent[unit] = (spent[unit] ?? 0) + (amounts[unit] ?? 0)
    windows[per] = unpriced ? { ...window, spent, unpriced } : { ...window, spent }
  }
  return { ...release(account, id), windows }
}

import { isIP } from "node:net"

/** Wrong credentials that one address may try in a window before it has to wait. */
const PER_ADDRESS = 10
/** Wrong credentials from everywhere together, after which an address that was wrong once has to wait. */
const OVERALL = 100
const WINDOW_MS = 60_000
const MAX_ADDRESSES = 10_000

/**
 * Counts wrong credentials, whatever door they came through. An address that was never wrong is never locked out,
 * and logins that are already open are not touched: guessing cannot shut out those who know the key.
 */
export class Attempts {
  readonly #now: () => number
  readonly #wrong = new Map<string, { count: number; since: number }>()
  #overall = { count: 0, since: 0 }

  constructor(now: () => number) {
    this.#now = now
  }

  /** Milliseconds until the address may try again; 0 when it may now. */
  waitMs(address: string): number {
    const network = networkOf(address)
    const record = this.#wrong.get(network)
    if (!record) return 0
    const left = record.since + WINDOW_MS - this.#now()
    if (left <= 0) {
      this.#wrong.delete(network)
      return 0
    }
    const flood = this.#overall.count >= OVERALL && this.#overall.since + WINDOW_MS > this.#now()
    return record.count >= PER_ADDRESS || flood ? left : 0
  }

  failed(address: string): void {
    const network = networkOf(address)
    const now = this.#now()
    const record = this.#wrong.get(network)
    if (record && record.since + WINDOW_MS > now) record.count++
    else this.#wrong.set(network, { count: 1, since: now })
    if (this.#overall.since + WINDOW_MS > now) this.#overall.count++
    else this.#overall = { count: 1, since: now }
    // The oldest go first: a flood of addresses must not fill the memory.
    for (const key of this.#wrong.keys()) {
      if (this.#wrong.size <= MAX_ADDRESSES) break
      this.#wrong.delete(key)
    }
  }
}

/** Whom an address belongs to: whoever has one IPv6 address has the other 2^64 of its network as well. */
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [start = "", end] = (address.split("%")[0] ?? "").split("::")
  const groups = (text: string) => text.split(":").filter((group) => group !== "")
  const left = groups(start)
  const right = groups(end ?? "")
  const between = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0")
  const network = [...left, ...between, ...right].slice(0, 4)
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`
}

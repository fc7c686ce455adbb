import { keyOf, type Lease, LeaseLost, type Namespace } from "@orra/core"

/**
 * Leases of a folder that belongs to one process: in memory, gone with the process, which cannot run anything any more
 * then. Tokens grow also from one process to the next.
 */
export class Leases {
  readonly #held = new Map<string, Lease>()
  readonly #now: () => number
  #lastToken: number

  constructor(epoch: number, now: () => number) {
    this.#lastToken = epoch * 2 ** 32
    this.#now = now
  }

  acquire(namespace: Namespace, owner: string, ttlMs: number): Lease | undefined {
    const held = this.#held.get(keyOf(namespace))
    const now = this.#now()
    if (held && held.owner !== owner && held.expiresAt > now) return undefined
    this.#lastToken += 1
    const lease: Lease = Object.freeze({ namespace, token: this.#lastToken, owner, expiresAt: now + ttlMs })
    this.#held.set(namespace.key, lease)
    return lease
  }

  renew(lease: Lease, ttlMs: number): Lease {
    const held = this.#held.get(keyOf(lease.namespace))
    if (held?.token !== lease.token) throw new LeaseLost(lease.namespace.key)
    const renewed: Lease = Object.freeze({ ...held, expiresAt: this.#now() + ttlMs })
    this.#held.set(lease.namespace.key, renewed)
    return renewed
  }

  release(lease: Lease): void {
    const key = keyOf(lease.namespace)
    if (this.#held.get(key)?.token === lease.token) this.#held.delete(key)
  }

  /** A renewed lease keeps its token, so the expiry that counts is the one here. @throws LeaseLost. */
  assertHeld(namespace: Namespace, lease: Lease | undefined): void {
    const held = this.#held.get(namespace.key)
    if (held && held.token === lease?.token && held.expiresAt > this.#now()) return
    throw new LeaseLost(namespace.key)
  }
}

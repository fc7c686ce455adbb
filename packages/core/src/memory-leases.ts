import { ByKey } from "./by-key.ts"
import { LeaseLost } from "./errors.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import type { Lease } from "./store.ts"

/**
 * Leases in memory, for stores that belong to one process: gone with the process, which cannot run anything any more
 * then. Tokens grow from `firstToken` on.
 */
export class MemoryLeases {
  readonly #held = new ByKey<Lease>()
  readonly #now: () => number
  #nextToken: number

  constructor(now: () => number, firstToken = 1) {
    this.#now = now
    this.#nextToken = firstToken
  }

  acquire(namespace: Namespace, owner: string, ttlMs: number): Lease | undefined {
    const held = this.#held.get(keyOf(namespace))
    const now = this.#now()
    if (held && held.owner !== owner && held.expiresAt > now) return undefined
    return this.#hold({ namespace, token: this.#nextToken++, owner, expiresAt: now + ttlMs })
  }

  /** @throws LeaseLost when it is no longer the newest. */
  renew({ namespace, token }: Lease, ttlMs: number): Lease {
    const held = this.#held.get(keyOf(namespace))
    if (held?.token !== token) throw new LeaseLost(namespace.key)
    return this.#hold({ ...held, expiresAt: this.#now() + ttlMs })
  }

  release({ namespace, token }: Lease): void {
    const key = keyOf(namespace)
    if (this.#held.get(key)?.token === token) this.#held.delete(key)
  }

  /** A renewed lease keeps its token, so the expiry that counts is the one here. @throws LeaseLost. */
  assertHeld({ key }: Namespace, lease: Lease | undefined): void {
    const held = this.#held.get(key)
    if (held && held.token === lease?.token && held.expiresAt > this.#now()) return
    throw new LeaseLost(key)
  }

  #hold(lease: Lease): Lease {
    this.#held.set(lease.namespace.key, lease)
    return lease
  }
}

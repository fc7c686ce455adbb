import { LeaseLost, type NewEntry, needsLease } from "@orra/core"
import { describe, expect, test } from "vitest"
import { contents, delta, fixture, HOUR, hold, type MakeStore, meta, seqs, started, user } from "./fixture.ts"

/** Tests of `acquire`, `renew`, `release` and of fencing. */
export function leaseConformance(makeStore: MakeStore): void {
  describe("lease", () => {
    test("belongs to one owner until it expires", async () => {
      const { store, ns, clock } = await fixture(makeStore)
      const place = ns.child("s")
      const lease = await hold(store, place, "a", 1_000)
      expect(lease).toMatchObject({ namespace: place, owner: "a", expiresAt: clock.now() + 1_000 })
      expect(await store.acquire(place, "b", 1_000)).toBeUndefined()
      clock.advance(999)
      expect(await store.acquire(place, "b", 1_000)).toBeUndefined()
      clock.advance(1)
      expect((await hold(store, place, "b")).token).toBeGreaterThan(lease.token)
    })

    test("is one per session", async () => {
      const { store, ns } = await fixture(makeStore)
      expect(await store.acquire(ns, "other", HOUR)).toBeUndefined()
      expect(await store.acquire(ns.child("below"), "other", HOUR)).toBeDefined()
      expect(await store.acquire(ns.parent ?? ns, "other", HOUR)).toBeDefined()
    })

    test("of several that ask at once, one gets it", async () => {
      const { store, ns } = await fixture(makeStore)
      const place = ns.child("s")
      const leases = await Promise.all(["a", "b", "c", "d"].map((owner) => store.acquire(place, owner, HOUR)))
      expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1)
    })

    test("the same owner gets a new token, and the old one writes no more", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const newer = await hold(store, ns)
      expect(newer.token).toBeGreaterThan(lease.token)
      await expect(store.append(ns, [user("x")], { expected: 0, lease })).rejects.toThrow(LeaseLost)
      await expect(store.renew(lease, HOUR)).rejects.toThrow(LeaseLost)
      await store.append(ns, [user("a")], { expected: 0, lease: newer })
      expect(await seqs(store, ns)).toEqual([1])
    })

    test("an expired lease writes nothing", async () => {
      const { store, ns, lease, clock } = await fixture(makeStore)
      await store.append(ns, [user("a"), delta("b")], { expected: 0, lease })
      const before = await contents(store, ns)
      clock.advance(HOUR)
      const late = store.append(ns, [user("x")], { expected: 2, lease, dropDeltas: { from: 1, to: 2 } })
      await expect(late).rejects.toMatchObject({ code: "lease_lost" })
      expect(await contents(store, ns)).toEqual(before)
    })

    test("a lease is for its own session", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const other = ns.child("other")
      await expect(store.append(other, [user("x")], { expected: 0, lease })).rejects.toThrow(LeaseLost)
      expect(await store.info(other)).toBeUndefined()
    })

    test("no lease, or one that the store never gave, writes nothing", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await expect(store.append(ns, [user("x")], { expected: 0 })).rejects.toThrow(LeaseLost)
      const forged = { ...lease, token: lease.token + 1 }
      await expect(store.append(ns, [user("x")], { expected: 0, lease: forged })).rejects.toThrow(LeaseLost)
      await expect(store.append(ns, [meta({}), user("x")], { expected: 0 })).rejects.toThrow(LeaseLost)
      expect(await store.info(ns)).toBeUndefined()
    })

    test("a lost lease is told before a stale version: it cannot be mended by reading again", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [user("a")], { expected: 0, lease })
      await hold(store, ns)
      await expect(store.append(ns, [user("x")], { expected: 0, lease })).rejects.toThrow(LeaseLost)
    })

    test("what needs no lease is written beside the run", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const free: readonly NewEntry[] = [
        meta({ title: "T" }),
        { type: "input", at: 1, inputId: "i", mode: "queue", message: { role: "user", parts: [] } },
        { type: "input_cancelled", at: 1, inputId: "i" },
      ]
      expect(free.some(needsLease)).toBe(false)
      await store.append(ns, [started("r")], { expected: 0, lease })
      await store.append(ns, free, { expected: 1 })
      expect(await seqs(store, ns)).toEqual([1, 2, 3, 4])
    })

    test("renewing moves the expiry and keeps the token", async () => {
      const { store, ns, lease, clock } = await fixture(makeStore)
      clock.advance(HOUR - 1)
      const renewed = await store.renew(lease, HOUR)
      expect(renewed).toEqual({ ...lease, expiresAt: clock.now() + HOUR })
      clock.advance(HOUR - 1)
      expect(await store.acquire(ns, "b", HOUR)).toBeUndefined()
      // The token counts, and the store's own expiry: either of the two objects will do.
      await store.append(ns, [user("a")], { expected: 0, lease })
      await store.append(ns, [user("b")], { expected: 1, lease: renewed })
    })

    test("an expired lease that nobody took can be renewed; one that was taken cannot", async () => {
      const { store, ns, lease, clock } = await fixture(makeStore)
      clock.advance(2 * HOUR)
      await store.append(ns, [user("a")], { expected: 0, lease: await store.renew(lease, HOUR) })
      clock.advance(2 * HOUR)
      await hold(store, ns, "b")
      await expect(store.renew(lease, HOUR)).rejects.toThrow(LeaseLost)
    })

    test("releasing lets the next one in at once; releasing a lost lease harms nobody", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.release(lease)
      await store.release(lease)
      await expect(store.append(ns, [user("x")], { expected: 0, lease })).rejects.toThrow(LeaseLost)
      await expect(store.renew(lease, HOUR)).rejects.toThrow(LeaseLost)
      const next = await hold(store, ns, "b")
      expect(next.token).toBeGreaterThan(lease.token)
      await store.release(lease)
      await store.append(ns, [user("a")], { expected: 0, lease: next })
    })

    test("tokens grow also after the session was deleted", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [user("a")], { expected: 0, lease })
      await store.release(lease)
      await store.delete(ns)
      const next = await hold(store, ns, "b")
      expect(next.token).toBeGreaterThan(lease.token)
      await expect(store.append(ns, [user("x")], { expected: 0, lease })).rejects.toThrow(LeaseLost)
    })

    test("deleting the session does not take the lease from its holder", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [user("a")], { expected: 0, lease })
      await store.delete(ns)
      expect(await store.acquire(ns, "b", HOUR)).toBeUndefined()
      await store.append(ns, [user("b")], { expected: 0, lease })
    })
  })
}

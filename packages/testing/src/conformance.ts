import { describe } from "vitest"
import { erasureConformance } from "./store/erasure.ts"
import type { MakeStore } from "./store/fixture.ts"
import { leaseConformance } from "./store/leases.ts"
import { listConformance } from "./store/lists.ts"
import { logConformance } from "./store/log.ts"
import { recordConformance } from "./store/records.ts"
import { transferConformance } from "./store/transfer.ts"

export { isolationConformance } from "./isolation/isolation-conformance.ts"
export { type MakeProvider, type ProviderSettings, providerConformance } from "./provider-conformance.ts"
export type { MakeStore } from "./store/fixture.ts"

/**
 * Registers the vitest tests that every `SessionStore` must pass: order, versions, all or nothing, leases and
 * fencing, windows, lists, deletion, erasure, any text, concurrent writers, tenants that never mix, records
 * and their compare-and-swap. The environment variable `ORRA_TEST_FULL=1` adds the long forms.
 *
 * ```ts
 * storeConformance("MemoryStore", ({ now }) => new MemoryStore({ now }))
 * ```
 */
export function storeConformance(name: string, makeStore: MakeStore): void {
  describe(`${name} keeps the promises of SessionStore`, () => {
    logConformance(makeStore)
    leaseConformance(makeStore)
    listConformance(makeStore)
    recordConformance(makeStore)
    erasureConformance(makeStore)
    transferConformance(makeStore)
  })
}

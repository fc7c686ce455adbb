import { compact, Namespace, pin, Runtime, type SessionStore, unpin } from "@orra/core"
import { describe, expect, onTestFinished, test } from "vitest"
import type { MakeStore } from "../store/fixture.ts"
import { watchedStore } from "../watched-store.ts"
import { answer, guessableIds } from "./guesses.ts"
import { operations, perform } from "./operations.ts"
import { allEntries, leftBehind, type Shared, shared, type Tenant, tenants } from "./tenants.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined

/** The short run has the limit of any test: who waits for what never comes is known by it. */
const LIMIT = FULL ? { timeout: 600_000 } : {}

/** What a caller has in its hands when it has lost its namespace. */
const NO_NAMESPACES: readonly unknown[] = [
  undefined,
  null,
  "",
  "tenant:acme",
  0,
  {},
  [],
  { key: "tenant:acme" },
]

/** Methods of a runtime that are about no session. */
const ABOUT_NO_SESSION: ReadonlySet<string> = new Set(["constructor", "close"])

/**
 * Registers the vitest tests of isolation for a store: two tenants that use the same session, message, call, run and
 * idempotency ids for everything do everything at the same time, through one runtime, and nothing of one reaches the
 * other; ids of one are no ids to the other; and nothing can be asked without a namespace. `ORRA_TEST_FULL=1` tries
 * more orders of events.
 *
 * ```ts
 * isolationConformance("MemoryStore", ({ now }) => new MemoryStore({ now }))
 * ```
 */
export function isolationConformance(name: string, makeStore: MakeStore): void {
  const opened = async (): Promise<SessionStore> => {
    const store = await makeStore({ now: Date.now })
    onTestFinished(() => store.close())
    return store
  }

  describe(`${name} keeps tenants apart`, () => {
    test("who does everything at once with the same ids sees nothing of the other", LIMIT, async () => {
      for (let seed = 1; seed <= (FULL ? 100 : 2); seed++) await everythingAtOnce(await opened(), seed)
    })

    test("an id of the other answers like one that nobody has", LIMIT, async () => {
      const store = await opened()
      const [owner, guesser] = tenants()
      const both = shared(store, [owner, guesser])
      const { runtime } = both
      onTestFinished(() => runtime.close())
      for (const turn of ["one", "two", "three"]) await runtime.run(owner.chat, `${owner.canary} ${turn}`)
      await runtime.run(guesser.chat, `${guesser.canary} one`)
      for (const guess of guessableIds) {
        const before = await allEntries(store, owner.chat)
        const id = await guess.of(both, owner)
        const foreign = await answer(guess, both, guesser, id)
        expect(foreign, guess.what).toEqual(await answer(guess, both, guesser, guess.unknown))
        expect(JSON.stringify(foreign)).not.toContain(owner.canary)
        expect(await allEntries(store, owner.chat), guess.what).toEqual(before)
      }
    })

    test("nothing is answered and nothing written without a namespace", LIMIT, async () => {
      const inner = await opened()
      const [tenant] = tenants()
      const store = watchedStore(inner)
      const all = shared(store, [tenant])
      const { runtime } = all
      onTestFinished(() => runtime.close())
      await runtime.run(tenant.chat, `${tenant.canary} one`)
      await inner.records("c").put(tenant.chat, "key", 1)
      const before = [await allEntries(inner, tenant.chat), await inner.list(tenant.root)]
      for (const nowhere of NO_NAMESPACES as readonly Namespace[]) {
        for (const [what, ask] of withoutNamespace({ ...all, store: inner }, nowhere)) {
          const said = `${what} of ${JSON.stringify(nowhere)}`
          await expect(ask(), said).rejects.toMatchObject({ code: "namespace_invalid" })
        }
      }
      expect([await allEntries(inner, tenant.chat), await inner.list(tenant.root)]).toEqual(before)
      expect((await inner.list(Namespace.of("undefined"))).items).toEqual([])
    })
  })
}

async function everythingAtOnce(inner: SessionStore, seed: number): Promise<void> {
  const random = randomFrom(seed)
  const store = watchedStore(inner, {
    // Another order of events with each seed.
    before: async () => {
      for (let turns = random(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    },
  })
  const both = tenants()
  for (const tenant of both) {
    const lease = await inner.acquire(tenant.chat, "the dead", 60_000)
    await inner.append(tenant.chat, leftBehind(tenant), { expected: 0, ...(lease && { lease }) })
    if (lease) await inner.release(lease)
  }
  const all = shared(store, both)
  // The same order for both: what they do at the same moment is the same.
  const order = shuffled(Object.keys(operations), random)
  const first = ["recover", "run", "update"]
  await Promise.all(
    both.map(async (tenant) => {
      let checked = 0
      for (const name of [...first, ...order]) {
        await perform(name, all, tenant)
        // At once: the other may wait for ever for what came here.
        const items = tenant.seen.slice(checked)
        checked += items.length
        expectOwn(items, tenant, both, seed)
      }
    }),
  )
  await all.runtime.close()
  for (const tenant of both) await expectNothingForeign(inner, tenant, both, seed)
}

async function expectNothingForeign(
  store: SessionStore,
  tenant: Tenant,
  both: readonly Tenant[],
  seed: number,
): Promise<void> {
  const { seen, chat, root, canary, name } = tenant
  const kept = { entries: await allEntries(store, chat), sessions: await store.list(root) }
  expectOwn([...seen, { through: "log", what: kept }], tenant, both, seed)
  // Or nothing could have been seen.
  const throughs = new Set(
    seen.filter(({ what }) => JSON.stringify(what)?.includes(canary)).map((one) => one.through),
  )
  for (const through of [
    "request",
    "tool",
    "result",
    "answer",
    "history",
    "list",
    "read",
    "records",
    "run",
    "watch",
    "approve",
    "paid",
  ])
    expect([...throughs], `seed ${seed}: ${name}`).toContain(through)
}

function expectOwn(items: Tenant["seen"], tenant: Tenant, both: readonly Tenant[], seed: number): void {
  for (const { through, what } of items) {
    const text = JSON.stringify(what) ?? ""
    for (const other of both) {
      if (other === tenant) continue
      const at = text.indexOf(other.canary)
      const piece = at < 0 ? "" : text.slice(Math.max(0, at - 100), at + 100)
      expect(piece, `seed ${seed}: ${tenant.name} sees through ${through} what is ${other.name}'s`).toBe("")
    }
  }
}

/** Every call that is about a session, as a caller would make it that has no namespace. */
function withoutNamespace(
  { runtime, approvals, budgets, policies, store }: Shared,
  nowhere: Namespace,
): readonly (readonly [name: string, ask: () => Promise<unknown>])[] {
  const methods = runtime as unknown as Record<string, (...args: readonly unknown[]) => unknown>
  const ofRuntime = Object.getOwnPropertyNames(Runtime.prototype)
    .filter((name) => !ABOUT_NO_SESSION.has(name))
    .map((name): readonly [string, () => Promise<unknown>] => {
      const first = name === "follow" ? { namespace: nowhere, inputId: "x", cursor: 0 } : nowhere
      return [`runtime.${name}`, async () => settled(methods[name]?.call(runtime, first, "x", "x", {}))]
    })
  const records = store.records("c")
  const lease = { namespace: nowhere, token: 1, owner: "x", expiresAt: Number.MAX_SAFE_INTEGER }
  return [
    ...ofRuntime,
    ["store.info", async () => store.info(nowhere)],
    [
      "store.append",
      async () => store.append(nowhere, [{ type: "meta", at: 1, patch: {} }], { expected: 0 }),
    ],
    ["store.append with a lease", async () => store.append(nowhere, [], { expected: 0, lease })],
    ["store.read", async () => store.read(nowhere)],
    ["store.list", async () => store.list(nowhere)],
    ["store.delete", async () => store.delete(nowhere)],
    ["store.acquire", async () => store.acquire(nowhere, "x", 1_000)],
    ["store.renew", async () => store.renew(lease, 1_000)],
    ["store.release", async () => store.release(lease)],
    ["approvals.list", async () => approvals.list(nowhere)],
    ["approvals.decide", async () => approvals.decide(nowhere, "x", { decision: "approve", by: "x" })],
    ["approvals.rules", async () => approvals.rules(nowhere)],
    ["approvals.revoke", async () => approvals.revoke(nowhere, "x", { by: "x" })],
    ["approvals.everything", async () => approvals.approveEverything(nowhere, { by: "x", forMs: 1_000 })],
    ["budgets.state", async () => budgets.state(nowhere)],
    ["budgets.set", async () => budgets.set(nowhere, { per: "day", tokens: 1 })],
    ["policies.set", async () => policies.set(nowhere, { deny: ["*"] })],
    ["policies.remove", async () => policies.remove(nowhere)],
    ["pin", async () => pin(runtime, nowhere, 1)],
    ["unpin", async () => unpin(runtime, nowhere, 1)],
    ["compact", async () => compact(runtime, nowhere)],
    ["records.get", async () => records.get(nowhere, "key")],
    ["records.put", async () => records.put(nowhere, "key", 1)],
    ["records.write", async () => records.write([{ namespace: nowhere, key: "key", value: 1 }])],
    ["records.delete", async () => records.delete(nowhere, "key")],
    ["records.list", async () => records.list(nowhere)],
    ["records.list below", async () => records.list(nowhere, { below: true })],
  ]
}

/** What a method comes to, whether it answers, promises, or yields. */
async function settled(value: unknown): Promise<unknown> {
  if (typeof value === "object" && value !== null && Symbol.asyncIterator in value)
    return await (value as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
  return await value
}

/** Small whole numbers that are the same for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >> 16) % below
  }
}

function shuffled<T>(items: readonly T[], random: (below: number) => number): readonly T[] {
  const all = [...items]
  for (let last = all.length - 1; last > 0; last--) {
    const at = random(last + 1)
    const item = all[last] as T
    all[last] = all[at] as T
    all[at] = item
  }
  return all
}

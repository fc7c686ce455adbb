import { eraseNamespace, everyItem, Namespace, type SessionStore } from "@orra/core"
import { describe, expect, test } from "vitest"
import { contents, delta, fixture, HOUR, hold, type MakeStore, meta, user } from "./fixture.ts"

/** Tests of `collections`, `erase` and what `eraseNamespace` makes of them. */
export function erasureConformance(makeStore: MakeStore): void {
  describe("erase", () => {
    test("takes what is at and below the namespace, and nothing beside or above it", async () => {
      const { store } = await fixture(makeStore)
      const gone = [
        ["a", "b"],
        ["a", "b", "c"],
        ["a", "b", "~agents", "r", "x"],
        ["a", "b", "é:%"],
      ]
      const kept = [["a"], ["a", "b-"], ["a", "bc"], ["a", "b:c"], ["a", "B"], ["b"], ["A", "b"]]
      for (const segments of [...gone, ...kept]) await fill(store, Namespace.of(...segments))
      const before = await everything(store, kept)
      await eraseNamespace(store, Namespace.of("a", "b"))
      expect(await everything(store, kept)).toEqual(before)
      for (const segments of gone) {
        const ns = Namespace.of(...segments)
        expect(await contents(store, ns)).toEqual({ info: undefined, entries: [] })
        expect(await recordsOf(store, ns)).toEqual([])
      }
      for (const deleted of [false, true])
        expect((await store.list(Namespace.of("a", "b"), { deleted })).items).toEqual([])
    })

    test("takes deleted sessions, drafts, and the records of every collection, again without harm", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [user("a"), delta("draft"), meta({ deletedAt: 1 })], { expected: 0, lease })
      await store.release(lease)
      const collections = ["approval-rules", "budgets", "Über:%", "x".repeat(1_024)]
      for (const name of collections) await store.records(name).put(ns.child("only", "records"), "k", name)
      expect([...(await store.collections(ns))].sort()).toEqual([...collections].sort())
      for (const _ of [1, 2]) {
        await eraseNamespace(store, ns)
        expect(await contents(store, ns)).toEqual({ info: undefined, entries: [] })
        expect((await store.list(ns, { deleted: true })).items).toEqual([])
        expect(await recordsOf(store, ns)).toEqual([])
      }
    })

    test("is refused while something below runs, and then changes nothing", async () => {
      const { store, ns, lease, clock } = await fixture(makeStore)
      const below = ns.child("below")
      await fill(store, below)
      await store.append(ns, [user("a")], { expected: 0, lease })
      const root = Namespace.of("tenant")
      const before = [await contents(store, ns), await contents(store, below), await recordsOf(store, root)]
      await expect(eraseNamespace(store, root)).rejects.toMatchObject({ code: "session_busy" })
      await expect(eraseNamespace(store, ns)).rejects.toMatchObject({ code: "session_busy" })
      expect([await contents(store, ns), await contents(store, below), await recordsOf(store, root)]).toEqual(
        before,
      )
      // The run is not harmed by the attempt, and what runs beside or above is no reason to refuse.
      await store.append(ns, [user("b")], { expected: 1, lease })
      await eraseNamespace(store, below)
      expect(await store.info(below)).toBeUndefined()
      clock.advance(HOUR)
      await eraseNamespace(store, root)
      expect(await store.info(ns)).toBeUndefined()
    })

    test("whoever ran before writes nothing of it back", async () => {
      const { store, ns, lease, clock } = await fixture(makeStore)
      await store.append(ns, [user("a")], { expected: 0, lease })
      const records = store.records("c")
      const version = await records.put(ns, "k", 1)
      clock.advance(HOUR)
      await eraseNamespace(store, ns)
      await expect(store.append(ns, [user("x")], { expected: 1, lease })).rejects.toMatchObject({
        code: "lease_lost",
      })
      await expect(store.append(ns, [meta({ title: "x" })], { expected: 1 })).rejects.toMatchObject({
        code: "version_conflict",
      })
      await expect(records.put(ns, "k", 2, { expected: version })).rejects.toMatchObject({
        code: "version_conflict",
      })
      expect((await hold(store, ns, "next")).token).toBeGreaterThan(lease.token)
      expect(await records.put(ns, "k", 3)).toBeGreaterThan(version)
      await store.append(ns, [meta({ title: "new" })], { expected: 0 })
      expect((await store.info(ns))?.version).toBe(1)
    })

    test("many sessions, while others are written", async () => {
      const { store } = await fixture(makeStore)
      const gone = Namespace.of("gone")
      const kept = Namespace.of("kept")
      const sessions = Array.from({ length: 120 }, (_, index) => `${index}`)
      const write = (root: Namespace) =>
        Promise.all(sessions.map((name) => store.append(root.child(name), [meta({ name })], { expected: 0 })))
      await write(gone)
      await Promise.all([eraseNamespace(store, gone), write(kept)])
      expect((await store.list(gone)).items).toEqual([])
      expect((await store.list(kept, { limit: 500 })).items).toHaveLength(sessions.length)
    })
  })
}

async function fill(store: SessionStore, ns: Namespace): Promise<void> {
  const lease = await hold(store, ns, "filler")
  await store.append(ns, [user(ns.key), delta("x"), meta({ title: ns.key })], { expected: 0, lease })
  await store.release(lease)
  await store.records("one").put(ns, "k", ns.key)
  await store.records("two").put(ns, ns.key, { deep: [ns.key] })
}

async function recordsOf(store: SessionStore, prefix: Namespace): Promise<readonly unknown[]> {
  const all: unknown[] = []
  for (const name of [...(await store.collections(prefix))].sort()) {
    const records = store.records(name)
    for await (const record of everyItem((page) => records.list(prefix, { below: true, ...page })))
      all.push([name, record])
  }
  return all
}

const everything = (store: SessionStore, all: readonly (readonly string[])[]): Promise<readonly unknown[]> =>
  Promise.all(
    all.map(async (segments) => {
      const ns = Namespace.of(...segments)
      return [
        await contents(store, ns),
        await store.records("one").get(ns, "k"),
        await store.records("two").get(ns, ns.key),
      ]
    }),
  )

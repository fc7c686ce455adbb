import { type Json, Namespace, type RecordListOptions, type Records, VersionConflict } from "@orra/core"
import { describe, expect, test } from "vitest"
import { contents, fixture, HOUR, type MakeStore, meta, range } from "./fixture.ts"

/** Tests of `records`: what is kept beside the sessions. */
export function recordConformance(makeStore: MakeStore): void {
  describe("records", () => {
    test("puts, gets, replaces and deletes JSON", async () => {
      const { store, ns, clock } = await fixture(makeStore)
      const records = store.records("settings")
      expect(await records.get(ns, "k")).toBeUndefined()
      const values: readonly Json[] = [
        { a: [1, null, { b: "ä" }], "": true },
        [],
        "text",
        "",
        0.5,
        false,
        null,
      ]
      for (const value of values) {
        const version = await records.put(ns, "k", value)
        const expected = { namespace: ns, key: "k", value, version, updatedAt: clock.now() }
        expect(await records.get(ns, "k")).toEqual(expected)
        clock.advance(1)
      }
      expect(await records.delete(ns, "k")).toBe(true)
      expect(await records.delete(ns, "k")).toBe(false)
      expect(await records.get(ns, "k")).toBeUndefined()
    })

    test("any text comes back as it was, also lone surrogates and names of prototypes", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      const value: Json = JSON.parse(
        '{"__proto__": {"x": 1}, "constructor": "\\ud800", "\\udfff": "\\u0000"}',
      )
      await records.put(ns, "__proto__", value)
      expect(JSON.stringify((await records.get(ns, "__proto__"))?.value)).toBe(JSON.stringify(value))
      expect(await records.get(ns, "constructor")).toBeUndefined()
    })

    test("neither the writer's object nor a reader's changes what is kept", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      const value = { list: [1] }
      await records.put(ns, "k", value)
      value.list.push(2)
      const read = (await records.get(ns, "k"))?.value as { list: number[] }
      expect(read).toEqual({ list: [1] })
      try {
        read.list.push(3)
      } catch {
        // It may be frozen.
      }
      expect((await records.get(ns, "k"))?.value).toEqual({ list: [1] })
    })

    test("a namespace, a collection and a key each see only their own", async () => {
      const { store, ns } = await fixture(makeStore)
      const ours = store.records("a")
      const version = await ours.put(ns, "k", "ours")
      const others: readonly (readonly [Records, Namespace, string])[] = [
        [store.records("b"), ns, "k"],
        [ours, ns.child("x"), "k"],
        [ours, Namespace.of("tenant", "acme", "user"), "k"],
        [ours, Namespace.of("tenant", "other", "user", "bob"), "k"],
        [ours, ns, "K"],
        [ours, ns, "k\n"],
      ]
      for (const [records, place, key] of others) {
        expect(await records.get(place, key)).toBeUndefined()
        expect(await records.delete(place, key)).toBe(false)
        const late = records.put(place, key, "theirs", { expected: version })
        await expect(late).rejects.toThrow(VersionConflict)
        await records.put(place, key, "theirs", { expected: 0 })
      }
      expect((await ours.get(ns, "k"))?.value).toBe("ours")
      expect((await store.records("a").get(ns, "k"))?.version).toBe(version)
    })

    test("is written at the expected version only", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      const first = await records.put(ns, "k", 1, { expected: 0 })
      await expect(records.put(ns, "k", 2, { expected: 0 })).rejects.toMatchObject({
        code: "version_conflict",
        expected: 0,
        actual: first,
      })
      const second = await records.put(ns, "k", 2, { expected: first })
      expect(second).toBeGreaterThan(first)
      await expect(records.put(ns, "k", 3, { expected: first })).rejects.toThrow(VersionConflict)
      await expect(records.delete(ns, "k", { expected: first })).rejects.toThrow(VersionConflict)
      await expect(records.delete(ns, "none", { expected: first })).rejects.toThrow(VersionConflict)
      expect(await records.get(ns, "k")).toMatchObject({ value: 2, version: second })
      expect(await records.delete(ns, "k", { expected: second })).toBe(true)
    })

    test("a record that was deleted and made again has another version", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      const seen = await records.put(ns, "k", "old")
      await records.delete(ns, "k")
      expect(await records.put(ns, "k", "new", { expected: 0 })).toBeGreaterThan(seen)
      await expect(records.put(ns, "k", "lost", { expected: seen })).rejects.toThrow(VersionConflict)
    })

    test("several writes are all or none", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      const other = Namespace.of("other")
      const [a = 0, b = 0] = await records.write([
        { namespace: ns, key: "a", value: 1, expected: 0 },
        { namespace: other, key: "a", value: 2 },
      ])
      expect(b).not.toBe(a)
      const refused = records.write([
        { namespace: ns, key: "new", value: 9 },
        { namespace: ns, key: "a", deleted: true, expected: a },
        { namespace: other, key: "a", value: 3, expected: b + 1_000 },
      ])
      await expect(refused).rejects.toMatchObject({ code: "version_conflict", actual: b })
      expect(await records.get(ns, "new")).toBeUndefined()
      expect(await records.get(ns, "a")).toMatchObject({ value: 1, version: a })

      const versions = await records.write([
        { namespace: ns, key: "a", deleted: true, expected: a },
        { namespace: other, key: "a", value: 3, expected: b },
      ])
      expect(versions).toEqual([0, (await records.get(other, "a"))?.version])
      expect(await records.get(ns, "a")).toBeUndefined()
      expect(await records.write([])).toEqual([])
      const twice = records.write([
        { namespace: ns, key: "a", value: 1 },
        { namespace: ns, key: "a", deleted: true },
      ])
      await expect(twice).rejects.toMatchObject({ code: "invalid_input" })
      expect(await records.get(ns, "a")).toBeUndefined()
    })

    test("of many that count up at once none is lost", async () => {
      const { store, ns } = await fixture(makeStore)
      const countUp = async (): Promise<void> => {
        for (;;) {
          const seen = await store.records("c").get(ns, "n")
          const next = Number(seen?.value ?? 0) + 1
          try {
            await store.records("c").put(ns, "n", next, { expected: seen?.version ?? 0 })
            return
          } catch (error) {
            if (!(error instanceof VersionConflict)) throw error
          }
        }
      }
      await Promise.all(range(1, 20).map(countUp))
      expect((await store.records("c").get(ns, "n"))?.value).toBe(20)
    })

    test("of several that delete a record at once, one is told that it did", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("links")
      await records.put(ns, "token", {})
      const results = await Promise.all(range(1, 10).map(() => records.delete(ns, "token")))
      expect(results.filter(Boolean)).toHaveLength(1)
    })

    test("lists by key, in pages, of exactly this namespace", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      for (const key of ["b", "a", "ä", "c%", "c"]) await records.put(ns, key, { key })
      await records.put(ns.child("x"), "aa", 1)
      await store.records("d").put(ns, "aa", 1)
      expect(await keys(records, ns)).toEqual(["a", "b", "c", "c%", "ä"])
      for (const limit of [1, 2, 4, 5]) {
        expect(await keys(records, ns, { limit })).toEqual(["a", "b", "c", "c%", "ä"])
      }
      expect(await records.list(Namespace.of("nobody"))).toEqual({ items: [] })
      await expect(records.list(ns, { limit: 0 })).rejects.toMatchObject({ code: "invalid_input" })
    })

    test("lists what is below as well when asked, and nothing beside it", async () => {
      const { store } = await fixture(makeStore)
      const records = store.records("c")
      const acme = Namespace.of("t", "acme")
      const inside = [acme, acme.child("u"), acme.child("u", "s"), acme.child("~")]
      const outside = ["acm", "acme2", "acme-x", "acmf", "acme;"].map((name) => Namespace.of("t", name))
      for (const place of [...inside, ...outside, Namespace.of("t")]) {
        for (const key of ["1", "2"]) await records.put(place, key, place.key)
      }
      const expected = inside.flatMap(({ key }) => [`${key} 1`, `${key} 2`]).sort()
      for (const limit of [1, 3, 8, 500]) {
        const found: string[] = []
        let cursor: string | undefined
        do {
          const page = await records.list(acme, { below: true, limit, ...(cursor && { cursor }) })
          for (const { namespace, key, value } of page.items) {
            expect(value).toBe(namespace.key)
            found.push(`${namespace.key} ${key}`)
          }
          cursor = page.cursor
        } while (cursor !== undefined)
        expect(found.sort()).toEqual(expected)
      }
    })

    test("a cursor of somebody else's list shows nothing of theirs", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      const theirs = Namespace.of("a-tenant")
      for (const key of ["1", "2"]) {
        await records.put(ns, key, "ours")
        await records.put(theirs, key, "theirs")
      }
      const { cursor = "" } = await records.list(theirs, { limit: 1, below: true })
      for (const below of [true, false]) {
        for (const { value } of (await records.list(ns, { cursor, below })).items) expect(value).toBe("ours")
      }
    })

    test("stays when the session of its namespace is deleted, and needs no session", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.records("c").put(ns, "k", 1)
      expect(await contents(store, ns)).toEqual({ info: undefined, entries: [] })
      await store.append(ns, [meta({ title: "T" })], { expected: 0 })
      await store.delete(ns)
      expect((await store.records("c").get(ns, "k"))?.value).toBe(1)
      await store.renew(lease, HOUR)
    })

    test.each([
      ["a cycle", cyclic()],
      ["a BigInt", { n: 1n }],
      ["a function", () => 1],
      ["undefined", undefined],
    ])("%s is refused", async (_, value) => {
      const { store, ns } = await fixture(makeStore)
      const put = store.records("c").put(ns, "k", value as unknown as Json)
      await expect(put).rejects.toMatchObject({ code: "invalid_input" })
      expect(await store.records("c").get(ns, "k")).toBeUndefined()
    })

    test.each(["", "\ud800", "a\0b", "x".repeat(1_025)])("%j names nothing", async (name) => {
      const { store, ns } = await fixture(makeStore)
      expect(() => store.records(name)).toThrow(expect.objectContaining({ code: "invalid_input" }))
      const records = store.records("c")
      await expect(records.get(ns, name)).rejects.toMatchObject({ code: "invalid_input" })
      await expect(records.put(ns, name, 1)).rejects.toMatchObject({ code: "invalid_input" })
      await expect(records.delete(ns, name)).rejects.toMatchObject({ code: "invalid_input" })
    })

    test("a closed store refuses", async () => {
      const { store, ns } = await fixture(makeStore)
      const records = store.records("c")
      await store.close()
      const calls = [
        () => records.get(ns, "k"),
        () => records.put(ns, "k", 1),
        () => records.write([{ namespace: ns, key: "k", value: 1 }]),
        () => records.delete(ns, "k"),
        () => records.list(ns),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "store_closed" })
    })
  })
}

async function keys(records: Records, ns: Namespace, options: RecordListOptions = {}): Promise<string[]> {
  const found: string[] = []
  let page = await records.list(ns, options)
  for (;;) {
    found.push(...page.items.map((record) => record.key))
    if (page.cursor === undefined) return found
    page = await records.list(ns, { ...options, cursor: page.cursor })
  }
}

function cyclic(): unknown {
  const value: Record<string, unknown> = {}
  value["self"] = value
  return value
}

import { LeaseLost, Namespace, type NewEntry, VersionConflict } from "@orra/core"
import { describe, expect, test } from "vitest"
import {
  assistant,
  contents,
  delta,
  finished,
  fixture,
  hold,
  type MakeStore,
  meta,
  range,
  seqs,
  started,
  user,
} from "./fixture.ts"

/** Tests of `append`, `read`, `info` and `delete`. */
export function logConformance(makeStore: MakeStore): void {
  describe("append", () => {
    test("numbers entries from 1 without gaps, in the order they were written", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const first = await store.append(ns, [user("a"), user("b")], { expected: 0, lease })
      const second = await store.append(ns, [user("c")], { expected: 2, lease })
      expect([...first, ...second].map((entry) => entry.seq)).toEqual([1, 2, 3])
      expect(await store.read(ns)).toEqual([...first, ...second])
    })

    test("a session that was never written to does not exist", async () => {
      const { store, ns } = await fixture(makeStore)
      expect(await store.info(ns)).toBeUndefined()
      expect(await store.read(ns)).toEqual([])
      expect(await store.delete(ns)).toBe(false)
    })

    test("no entries write nothing and make no session, but are checked all the same", async () => {
      const { store, ns } = await fixture(makeStore)
      expect(await store.append(ns, [], { expected: 0 })).toEqual([])
      expect(await store.info(ns)).toBeUndefined()
      await expect(store.append(ns, [], { expected: 1 })).rejects.toBeInstanceOf(VersionConflict)
    })

    test("a stale version is refused and nothing is written", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [user("a"), user("b")], { expected: 0, lease })
      const before = await contents(store, ns)
      for (const expected of [0, 1, 3]) {
        const refused = store.append(ns, [user("x"), meta({ x: 1 })], { expected, lease })
        await expect(refused).rejects.toMatchObject({ code: "version_conflict", expected, actual: 2 })
      }
      expect(await contents(store, ns)).toEqual(before)
    })

    test("the summary follows the entries", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [user("a", 1), started("r", 2), delta("b", 3)], { expected: 0, lease })
      expect(await store.info(ns)).toEqual({
        namespace: ns,
        version: 3,
        createdAt: 1,
        updatedAt: 1,
        messages: 1,
        openRun: "r",
        metadata: {},
      })
      const rest = [assistant("b", 4), finished("r", 5), meta({ title: "T", n: { deep: [1] } }, 6)]
      await store.append(ns, rest, { expected: 3, lease })
      await store.append(ns, [meta({ n: null }, 7)], { expected: 6 })
      expect(await store.info(ns)).toEqual({
        namespace: ns,
        version: 7,
        createdAt: 1,
        updatedAt: 5,
        messages: 2,
        metadata: { title: "T" },
      })
    })

    test("dropDeltas removes the deltas in its range and nothing else", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const entries = [user("a"), delta("1"), delta("2"), meta({ x: 1 }), delta("3"), delta("4")]
      await store.append(ns, entries, { expected: 0, lease })
      const written = [assistant("123"), delta("new")]
      await store.append(ns, written, { expected: 6, lease, dropDeltas: { from: 3, to: 5 } })
      expect(await seqs(store, ns)).toEqual([1, 2, 4, 6, 7, 8])
      expect(await seqs(store, ns, { types: ["delta"] })).toEqual([2, 6, 8])
      expect(await store.info(ns)).toMatchObject({ version: 8, messages: 2 })
    })

    test("a refused append drops no delta", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [delta("1"), delta("2")], { expected: 0, lease })
      const dropDeltas = { from: 1, to: 2 }
      await expect(store.append(ns, [assistant("12")], { expected: 1, lease, dropDeltas })).rejects.toThrow(
        VersionConflict,
      )
      await expect(store.append(ns, [meta({})], { expected: 2, dropDeltas })).rejects.toThrow(LeaseLost)
      expect(await seqs(store, ns)).toEqual([1, 2])
    })

    test("what was written cannot be changed from outside", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const message = { role: "user" as const, parts: [{ type: "text" as const, text: "kept" }] }
      const patch = { list: [1, 2] }
      const written = await store.append(ns, [{ type: "user", at: 1, message }, meta(patch)], {
        expected: 0,
        lease,
      })
      message.parts.push({ type: "text", text: "added" })
      patch.list.push(3)
      for (const result of [written, await store.read(ns), [await store.info(ns)]]) attemptToChange(result)
      expect(await store.read(ns)).toEqual([
        { seq: 1, type: "user", at: 1, message: { role: "user", parts: [{ type: "text", text: "kept" }] } },
        { seq: 2, ...meta({ list: [1, 2] }) },
      ])
      expect((await store.info(ns))?.metadata).toEqual({ list: [1, 2] })
    })

    test("any text comes back as it was", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const texts = [
        "",
        "\0",
        "\u2028",
        "日本語 🧑‍🚀",
        "\ud800",
        "a\udc00b\ud83d",
        "'; DROP TABLE entries; --",
        '"\\\n',
      ]
      await store.append(
        ns,
        texts.map((text) => user(text)),
        { expected: 0, lease },
      )
      const entries = await store.read(ns, { types: ["user"] })
      expect(entries.map((entry) => entry.type === "user" && entry.message.parts[0])).toEqual(
        texts.map((text) => ({ type: "text", text })),
      )
    })

    test("the id of the open run is any text, in the summary too", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      let expected = 0
      for (const runId of ["\0", '"', '"r"', "\ud800", "r\n"]) {
        const entries = [user("a"), started(runId), { ...delta("b"), runId }]
        await store.append(ns, entries, { expected, lease })
        expected += entries.length
        expect((await store.info(ns))?.openRun).toBe(runId)
      }
      expect((await store.list(ns)).items[0]?.openRun).toBe("r\n")
    })

    test("a member named __proto__ is data", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const entry: NewEntry = {
        type: "tool_intent",
        at: 1,
        runId: "r",
        callId: "c",
        name: "t",
        arguments: JSON.parse('{"__proto__":{"admin":true}}'),
        decision: "allow",
        reason: "",
        idempotencyKey: "k",
      }
      await store.append(ns, [entry], { expected: 0, lease })
      const [read] = await store.read(ns)
      expect(JSON.stringify(read)).toContain('"arguments":{"__proto__":{"admin":true}}')
      expect(read?.type === "tool_intent" && "admin" in read.arguments).toBe(false)
    })

    test.each([
      ["1 MB", 1_000_000],
      ["10 MB", 10_000_000],
    ])("an entry of %s", async (_, length) => {
      const { store, ns, lease } = await fixture(makeStore)
      const text = "ä".repeat(length / 2)
      await store.append(ns, [user(text), user("after")], { expected: 0, lease })
      const [entry] = await store.read(ns, { limit: 1 })
      expect(entry?.type === "user" && entry.message.parts[0]).toEqual({ type: "text", text })
      expect(await seqs(store, ns)).toEqual([1, 2])
    })

    test("of parallel writers at one version exactly one wins, and with retries all are written once", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const writers = 20
      let conflicts = 0
      const write = async (name: string): Promise<void> => {
        for (;;) {
          const expected = (await store.info(ns))?.version ?? 0
          try {
            await store.append(ns, [user(name), user(name)], { expected, lease })
            return
          } catch (error) {
            expect(error).toBeInstanceOf(VersionConflict)
            conflicts++
          }
        }
      }
      const names = range(1, writers).map(String)
      const first = await Promise.allSettled(
        names.map((name) => store.append(ns, [user(name), user(name)], { expected: 0, lease })),
      )
      expect(first.filter((result) => result.status === "fulfilled")).toHaveLength(1)
      expect(await store.delete(ns)).toBe(true)

      await Promise.all(names.map(write))
      expect(conflicts).toBeGreaterThan(0)
      const texts = (await store.read(ns)).map((entry) => {
        const part = entry.type === "user" ? entry.message.parts[0] : undefined
        return part?.type === "text" ? part.text : ""
      })
      expect(await seqs(store, ns)).toEqual(range(1, 2 * writers))
      // Both entries of a writer stand together: an append is never split.
      expect(texts.filter((_, index) => index % 2 === 0)).toEqual(texts.filter((_, index) => index % 2 === 1))
      expect([...new Set(texts)].sort()).toEqual([...names].sort())
    })

    test("in one turn of the event loop, a refused append takes no other with it", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const other = Namespace.of("tenant", "other")
      const otherLease = await hold(store, other)
      const results = await Promise.allSettled([
        store.append(ns, [user("a")], { expected: 0, lease }),
        store.append(ns, [user("x")], { expected: 0, lease }),
        store.append(other, [user("b")], { expected: 0, lease: otherLease }),
        store.append(other, [user("x")], { expected: 1, lease }),
        store.append(ns, [user("c")], { expected: 1, lease }),
      ])
      expect(results.map((result) => result.status)).toEqual([
        "fulfilled",
        "rejected",
        "fulfilled",
        "rejected",
        "fulfilled",
      ])
      expect(await seqs(store, ns)).toEqual([1, 2])
      expect(await seqs(store, other)).toEqual([1])
    })
  })

  describe("read", () => {
    test("windows forward and backward, both bounds exclusive", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(
        ns,
        range(1, 20).map((n) => user(`${n}`)),
        { expected: 0, lease },
      )
      expect(await seqs(store, ns, { after: 5 })).toEqual(range(6, 20))
      expect(await seqs(store, ns, { after: 0, limit: 3 })).toEqual([1, 2, 3])
      expect(await seqs(store, ns, { before: 4 })).toEqual([1, 2, 3])
      expect(await seqs(store, ns, { after: 5, before: 9, limit: 2 })).toEqual([6, 7])
      expect(await seqs(store, ns, { direction: "backward", limit: 3 })).toEqual([20, 19, 18])
      expect(await seqs(store, ns, { direction: "backward", before: 18, limit: 3 })).toEqual([17, 16, 15])
      expect(await seqs(store, ns, { direction: "backward", after: 17 })).toEqual([20, 19, 18])
      expect(await seqs(store, ns, { after: 20 })).toEqual([])
      expect(await seqs(store, ns, { before: 1 })).toEqual([])
      expect(await seqs(store, ns, { after: 9, before: 5 })).toEqual([])
    })

    test("only the types asked for, in order, in both directions", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      const round = [user("q"), started("r"), delta("a"), assistant("a"), finished("r")]
      await store.append(
        ns,
        range(1, 4).flatMap(() => round),
        { expected: 0, lease },
      )
      expect(await seqs(store, ns, { types: ["assistant", "user"] })).toEqual([1, 4, 6, 9, 11, 14, 16, 19])
      expect(await seqs(store, ns, { types: ["user", "delta"], after: 3, before: 14 })).toEqual([
        6, 8, 11, 13,
      ])
      expect(
        await seqs(store, ns, { types: ["assistant", "user"], direction: "backward", limit: 3 }),
      ).toEqual([19, 16, 14])
      expect(await seqs(store, ns, { types: ["user", "user"], limit: 2 })).toEqual([1, 6])
      expect(await seqs(store, ns, { types: ["compaction"] })).toEqual([])
      expect(await seqs(store, ns, { types: [] })).toEqual([])
    })

    test("at most 1,000 entries come back unless more are asked for", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(
        ns,
        range(1, 1_100).map((n) => user(`${n}`)),
        { expected: 0, lease },
      )
      expect(await seqs(store, ns)).toEqual(range(1, 1_000))
      expect(await seqs(store, ns, { limit: 5_000 })).toHaveLength(1_100)
      expect(await seqs(store, ns, { types: ["user"], direction: "backward" })).toEqual(
        range(101, 1_100).reverse(),
      )
    })

    test.each([0, -1, 1.5, Number.NaN])("a limit of %s is refused", async (limit) => {
      const { store, ns } = await fixture(makeStore)
      await expect(store.read(ns, { limit })).rejects.toMatchObject({ code: "invalid_input" })
    })

    const entries = process.env["ORRA_TEST_FULL"] ? 100_000 : 5_000
    test(`a session of ${entries} entries is read from both ends`, { timeout: 120_000 }, async () => {
      const { store, ns, lease } = await fixture(makeStore)
      for (let expected = 0; expected < entries; expected += 1_000) {
        const batch = range(expected + 1, expected + 1_000).map((n) => user(`${n}`))
        await store.append(ns, batch, { expected, lease })
      }
      expect(await store.info(ns)).toMatchObject({ version: entries, messages: entries })
      expect(await seqs(store, ns, { direction: "backward", limit: 50 })).toEqual(
        range(entries - 49, entries).reverse(),
      )
      let after = 0
      for (;;) {
        const window = await seqs(store, ns, { after })
        if (window.length === 0) break
        expect(window).toEqual(range(after + 1, after + window.length))
        after += window.length
      }
      expect(after).toBe(entries)
      expect(await store.delete(ns)).toBe(true)
      expect(await store.read(ns)).toEqual([])
    })
  })

  describe("delete", () => {
    test("removes the session and all its entries; the next one begins at 1", async () => {
      const { store, ns, lease } = await fixture(makeStore)
      await store.append(ns, [user("a"), meta({ title: "T" })], { expected: 0, lease })
      expect(await store.delete(ns)).toBe(true)
      expect(await store.delete(ns)).toBe(false)
      expect(await store.info(ns)).toBeUndefined()
      expect(await store.read(ns)).toEqual([])
      await expect(store.append(ns, [user("b")], { expected: 2, lease })).rejects.toMatchObject({ actual: 0 })
      await store.append(ns, [user("b", 9)], { expected: 0, lease })
      expect(await store.info(ns)).toMatchObject({ version: 1, createdAt: 9, metadata: {} })
    })

    test("leaves what is below and beside it", async () => {
      const { store, ns } = await fixture(makeStore)
      const others = [
        ns.child("x"),
        Namespace.of("tenant", "acme", "user", "bobby"),
        Namespace.of("tenant", "acme"),
      ]
      for (const place of [ns, ...others]) await store.append(place, [meta({})], { expected: 0 })
      await store.delete(ns)
      for (const place of others) expect(await seqs(store, place)).toEqual([1])
    })
  })

  test("two tenants with the same ids see nothing of one another", async () => {
    const { store } = await fixture(makeStore)
    const [ours, theirs] = [Namespace.of("t1", "u", "s"), Namespace.of("t2", "u", "s")]
    const ourLease = await hold(store, ours)
    const theirLease = await hold(store, theirs)
    await store.append(ours, [user("ours"), started("r")], { expected: 0, lease: ourLease })
    expect(await store.info(theirs)).toBeUndefined()
    expect(await store.read(theirs)).toEqual([])
    await store.append(theirs, [user("theirs")], { expected: 0, lease: theirLease })
    expect(await seqs(store, ours)).toEqual([1, 2])
    await expect(store.append(theirs, [user("x")], { expected: 1, lease: ourLease })).rejects.toThrow(
      LeaseLost,
    )
    expect(await store.delete(theirs)).toBe(true)
    expect(await seqs(store, ours)).toEqual([1, 2])
  })

  test("a closed store refuses every call", async () => {
    const { store, ns, lease } = await fixture(makeStore)
    await store.close()
    await store.close()
    const calls = [
      () => store.info(ns),
      () => store.read(ns),
      () => store.append(ns, [meta({})], { expected: 0 }),
      () => store.list(ns),
      () => store.delete(ns),
      () => store.acquire(ns, "a", 1),
      () => store.renew(lease, 1),
      () => store.release(lease),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "store_closed" })
  })
}

/** Writes into everything that is reachable; a store that hands out frozen values makes this throw, which is fine. */
function attemptToChange(value: unknown): void {
  if (typeof value !== "object" || value === null || value instanceof Namespace) return
  for (const member of Object.values(value)) attemptToChange(member)
  try {
    if (Array.isArray(value)) value.push("changed")
    Object.assign(value, { text: "changed", changed: true })
  } catch {
    // Frozen.
  }
}

import { Namespace, type SessionInfo, type SessionStore } from "@orra/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { finished, fixture, hold, type MakeStore, meta, range, started, user } from "./fixture.ts"

/** Tests of `list`. */
export function listConformance(makeStore: MakeStore): void {
  describe("list", () => {
    test("sessions at and below the prefix, and none whose name merely begins like it", async () => {
      const { store } = await fixture(makeStore)
      const inside = [
        ["acme"],
        ["acme", "bob"],
        ["acme", "bob", "s"],
        ["acme", "zoë"],
        ["acme", ":"],
        ["acme", "\u{10ffff}"],
      ]
      const outside = [
        ["acmeother"],
        ["acme-x", "bob"],
        ["acme;x"],
        ["acme%3Abob"],
        ["acme:bob"],
        ["ACME", "bob"],
        ["x", "acme"],
      ]
      for (const segments of [...inside, ...outside]) await create(store, Namespace.of(...segments), 1)
      expect(keys(await all(store, Namespace.of("acme"))).sort(byCode)).toEqual(keysOf(inside))
      expect(keys(await all(store, Namespace.of("acme", "bob"))).sort(byCode)).toEqual(
        keysOf(inside.slice(1, 3)),
      )
      expect(keys(await all(store, Namespace.of("acme:bob")))).toEqual(keysOf([["acme:bob"]]))
      expect(await all(store, Namespace.of("acm"))).toEqual([])
    })

    test.each(["%", "_", "a%b", "\\", "'", '"', "*", "日本", "🧑‍🚀", "\u0001", "é", "e\u0301"])(
      "a segment %j is taken literally",
      async (odd) => {
        const { store } = await fixture(makeStore)
        const ours = Namespace.of("t", odd)
        await create(store, ours.child("s"), 1)
        await create(store, Namespace.of("t", `${odd}x`, "s"), 1)
        await create(store, Namespace.of("t", "plain", "s"), 1)
        expect(keys(await all(store, ours))).toEqual([ours.child("s").key])
      },
    )

    test("newest first by the last message, in pages that neither skip nor repeat", async () => {
      const { store } = await fixture(makeStore)
      const prefix = Namespace.of("t")
      // Several share a time, so that the order among them has to be stable.
      for (const n of range(1, 23)) await create(store, prefix.child(`s${n}`), Math.floor(n / 4))
      const listed = await all(store, prefix, 5)
      expect(listed).toHaveLength(23)
      expect(new Set(keys(listed)).size).toBe(23)
      const times = listed.map((info) => info.updatedAt)
      expect(times).toEqual(times.toSorted((a, b) => b - a))
      expect(keys(await all(store, prefix, 500))).toEqual(keys(listed))
    })

    test("a page that ends exactly at the end has no cursor", async () => {
      const { store } = await fixture(makeStore)
      const prefix = Namespace.of("t")
      for (const n of range(1, 4)) await create(store, prefix.child(`s${n}`), n)
      expect((await store.list(prefix, { limit: 4 })).cursor).toBeUndefined()
      expect((await store.list(prefix, { limit: 3 })).cursor).toBeDefined()
      expect(await store.list(Namespace.of("empty"))).toEqual({ items: [] })
    })

    test("50 sessions by default; limits from 1 to 500", async () => {
      const { store } = await fixture(makeStore)
      const prefix = Namespace.of("t")
      for (const n of range(1, 52)) await create(store, prefix.child(`s${n}`), n)
      expect((await store.list(prefix)).items).toHaveLength(50)
      for (const limit of [0, -1, 501, 1.5, Number.NaN]) {
        await expect(store.list(prefix, { limit })).rejects.toMatchObject({ code: "invalid_input" })
      }
    })

    test("what changes while paging is neither repeated nor a reason to skip the rest", async () => {
      const { store } = await fixture(makeStore)
      const prefix = Namespace.of("t")
      for (const n of range(1, 6)) await create(store, prefix.child(`s${n}`), n)
      const first = await store.list(prefix, { limit: 2 })
      await create(store, prefix.child("new"), 100)
      await store.delete(prefix.child("s4"))
      const rest = await store.list(prefix, { ...(first.cursor && { cursor: first.cursor }) })
      expect(keys(first.items)).toEqual(["t:s6", "t:s5"])
      expect(keys(rest.items)).toEqual(["t:s3", "t:s2", "t:s1"])
    })

    test("no cursor widens the prefix, and what is not one is refused", async () => {
      const { store } = await fixture(makeStore)
      for (const tenant of ["t1", "t2", "t3"]) {
        for (const n of range(1, 3)) await create(store, Namespace.of(tenant, `s${n}`), n)
      }
      const theirs = (await store.list(Namespace.of("t3"), { limit: 1 })).cursor ?? ""
      const listed = await store.list(Namespace.of("t2"), { cursor: theirs })
      expect(keys(listed.items).every((key) => key.startsWith("t2:"))).toBe(true)
      for (const cursor of [
        "",
        "x",
        "~",
        "1",
        "NaN~a",
        "1e999~a",
        "1~%",
        "1~a b",
        `${theirs}%`,
        "' OR 1=1 --",
      ]) {
        await expect(store.list(Namespace.of("t2"), { cursor })).rejects.toMatchObject({
          code: "invalid_input",
        })
      }
    })

    test("finds titles whatever the case of their letters, with % and _ as themselves", async () => {
      const { store } = await fixture(makeStore)
      const titles = [
        "Straße nach Köln",
        "ΟΔΥΣΣΕΎΣ",
        "100% sure",
        "100 percent",
        "snake_case",
        "snakeXcase",
        "Привет",
        "",
      ]
      for (const [n, title] of titles.entries()) {
        await store.append(Namespace.of("t", `${n}`), [meta({ title })], { expected: 0 })
      }
      await store.append(Namespace.of("t", "untitled"), [meta({ other: "köln" })], { expected: 0 })
      const find = async (title: string) =>
        (await store.list(Namespace.of("t"), { title })).items.map((info) => info.metadata["title"])
      expect(await find("KÖLN")).toEqual(["Straße nach Köln"])
      expect(await find("ko\u0308ln")).toEqual(["Straße nach Köln"])
      expect(await find("STRASSE")).toEqual(["Straße nach Köln"])
      expect(await find("οδυσσεύς")).toEqual(["ΟΔΥΣΣΕΎΣ"])
      expect(await find("привет")).toEqual(["Привет"])
      expect(await find("0%")).toEqual(["100% sure"])
      expect(await find("E_C")).toEqual(["snake_case"])
      expect(await find("\\")).toEqual([])
      expect(await find("nothing")).toEqual([])
      expect(await find("")).toHaveLength(titles.length + 1)
    })

    test("a changed title is found by the new one only", async () => {
      const { store } = await fixture(makeStore)
      const ns = Namespace.of("t", "s")
      await store.append(ns, [meta({ title: "Before" })], { expected: 0 })
      await store.append(ns, [meta({ title: "After" })], { expected: 1 })
      expect((await store.list(ns, { title: "before" })).items).toEqual([])
      expect((await store.list(ns, { title: "after" })).items).toHaveLength(1)
    })

    test("only sessions with an open run", async () => {
      const { store } = await fixture(makeStore)
      const [open, closed] = [Namespace.of("t", "open"), Namespace.of("t", "closed")]
      for (const ns of [open, closed]) {
        await store.append(ns, [user("a"), started("r")], { expected: 0, lease: await hold(store, ns) })
      }
      await store.append(closed, [finished("r")], { expected: 2, lease: await hold(store, closed) })
      expect(keys((await store.list(Namespace.of("t"), { openRun: true })).items)).toEqual([open.key])
      expect((await store.list(Namespace.of("t"), { openRun: false })).items).toHaveLength(2)
    })

    test("only sessions whose run waits, with what it waits for", async () => {
      const { store } = await fixture(makeStore)
      const [waiting, running] = [Namespace.of("t", "waiting"), Namespace.of("t", "running")]
      for (const ns of [waiting, running]) {
        await store.append(ns, [user("a"), started("r")], { expected: 0, lease: await hold(store, ns) })
      }
      const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
      const wait = {
        type: "run_waiting",
        at: 5,
        runId: "r",
        approvals: 2,
        expiresAt: 9,
        usage,
        durationMs: 1,
      } as const
      await store.append(waiting, [wait], { expected: 2, lease: await hold(store, waiting) })
      const list = async () => (await store.list(Namespace.of("t"), { waiting: true })).items
      expect(await list()).toMatchObject([
        { namespace: waiting, openRun: "r", waiting: { since: 5, approvals: 2, expiresAt: 9 } },
      ])
      const decided = { type: "approval_decision", at: 6, runId: "r", approvalId: "a", callId: "c" } as const
      // Without a lease: whoever decides is not who runs.
      await store.append(waiting, [{ ...decided, decision: "deny", by: "ann" }], { expected: 3 })
      expect(await list()).toMatchObject([{ waiting: { approvals: 1 } }])
      await store.append(waiting, [{ type: "wake", at: 7, runId: "r" }], { expected: 4 })
      const resumed = { type: "run_resumed", at: 8, runId: "r" } as const
      await store.append(waiting, [resumed], { expected: 5, lease: await hold(store, waiting) })
      expect(await list()).toEqual([])
      expect(await store.info(waiting)).toMatchObject({ openRun: "r" })
    })

    test("deleted sessions apart from those in use", async () => {
      const { store } = await fixture(makeStore)
      const [kept, gone] = [Namespace.of("t", "kept"), Namespace.of("t", "gone")]
      for (const ns of [kept, gone]) await store.append(ns, [meta({ title: "T" })], { expected: 0 })
      await store.append(gone, [meta({ deletedAt: 5 })], { expected: 1 })
      expect(keys((await store.list(Namespace.of("t"))).items)).toEqual([kept.key])
      expect(keys((await store.list(Namespace.of("t"), { deleted: true })).items)).toEqual([gone.key])
      await store.append(gone, [meta({ deletedAt: null })], { expected: 2 })
      expect((await store.list(Namespace.of("t"))).items).toHaveLength(2)
    })

    test("gives the same summary as info", async () => {
      const { store } = await fixture(makeStore)
      const ns = Namespace.of("t", "s")
      await store.append(ns, [user("a", 3), meta({ title: "T" }), started("r")], {
        expected: 0,
        lease: await hold(store, ns),
      })
      expect((await store.list(ns)).items).toEqual([await store.info(ns)])
    })

    test("property: any sessions, any page size: all pages together are the sorted whole", {
      timeout: 60_000,
    }, async () => {
      const segment = fc.string({ unit: "binary", minLength: 1, maxLength: 4 })
      const session = fc.record({ path: fc.array(segment, { minLength: 1, maxLength: 3 }), at: fc.nat(5) })
      await fc.assert(
        fc.asyncProperty(
          fc.array(session, { maxLength: 20 }),
          fc.integer({ min: 1, max: 7 }),
          async (made, limit) => {
            const store = await makeStore({ now: () => 0 })
            try {
              const expected = new Map<string, number>()
              for (const { path, at } of made) {
                const ns = Namespace.of("p", ...path)
                if (expected.has(ns.key)) continue
                expected.set(ns.key, at)
                await create(store, ns, at)
              }
              const listed = await all(store, Namespace.of("p"), limit)
              expect(new Map(listed.map((info) => [info.namespace.key, info.updatedAt]))).toEqual(expected)
              expect(listed).toHaveLength(expected.size)
              const times = listed.map((info) => info.updatedAt)
              expect(times).toEqual(times.toSorted((a, b) => b - a))
            } finally {
              await store.close()
            }
          },
        ),
        { numRuns: process.env["ORRA_TEST_FULL"] ? 100 : 10 },
      )
    })
  })
}

async function create(store: SessionStore, ns: Namespace, at: number): Promise<void> {
  await store.append(ns, [meta({}, at)], { expected: 0 })
}

async function all(store: SessionStore, prefix: Namespace, limit = 500): Promise<SessionInfo[]> {
  const found: SessionInfo[] = []
  let cursor: string | undefined
  do {
    const page = await store.list(prefix, { limit, ...(cursor !== undefined && { cursor }) })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    found.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

/** In the order they were listed. */
const keys = (sessions: readonly SessionInfo[]): string[] => sessions.map((info) => info.namespace.key)
const keysOf = (paths: readonly (readonly string[])[]): string[] =>
  paths.map((segments) => Namespace.of(...segments).key).sort(byCode)
const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

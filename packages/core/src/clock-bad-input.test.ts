import { call, scriptedProvider } from "@orra/testing"
import { afterEach, describe, expect, test, vi } from "vitest"
import { MemoryStore, Namespace, PolicyRegistry, Runtime, tool } from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const HOUR = 3_600_000

afterEach(() => {
  vi.restoreAllMocks()
})

/** A clock that jumps each time it is looked at. */
const clocks: Readonly<Record<string, () => () => number>> = {
  "forward by days": () => jumping((time) => time + 48 * HOUR),
  "back by days": () => jumping((time) => time - 48 * HOUR),
  "there and back": () => jumping((time, look) => time + (look % 2 === 0 ? 48 : -48) * HOUR),
  "not at all": () => jumping((time) => time),
  "to before 1970": () => jumping((time) => -time),
}

function jumping(next: (time: number, look: number) => number): () => number {
  let time = Date.UTC(2026, 0, 1)
  let looks = 0
  return () => {
    time = next(time, looks++)
    return time
  }
}

const look = tool({
  name: "look",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: () => "seen",
})

describe.each(Object.entries(clocks))("a clock of the process that goes %s", (_, clock) => {
  test("harms no run: entries keep their order, and every message is answered once", async () => {
    // The store's clock, by which leases expire, is its own.
    const store = new MemoryStore({ now: () => 1_000 })
    vi.spyOn(Date, "now").mockImplementation(clock())
    const provider = scriptedProvider([[call("look")], "one", "two", "three"])
    const runtime = new Runtime({ provider, store, tools: [look], deltaIntervalMs: 30 })
    expect((await runtime.run(ns, "1")).text).toBe("one")
    const answers = await Promise.all([runtime.run(ns, "2"), runtime.run(ns, "3")])
    expect(answers.map(({ text }) => text)).toEqual(["two", "three"])
    const entries = await store.read(ns)
    expect(entries.filter(({ type }) => type === "delta")).toEqual([])
    const seqs = entries.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    for (const entry of entries) {
      const { durationMs } = { durationMs: undefined, ...entry }
      expect(durationMs === undefined || Number.isFinite(durationMs)).toBe(true)
    }
    await runtime.close()
  })
})

describe("the clock of a store", () => {
  test("that jumps ahead ends a lease: the run stops writing and says so, the next message is answered", async () => {
    let now = 1_000
    const store = new MemoryStore({ now: () => now })
    const provider = scriptedProvider([
      () => {
        now += 48 * HOUR
        return "lost"
      },
      "found",
    ])
    const runtime = new Runtime({ provider, store, deltaIntervalMs: 0, onError: () => {} })
    await expect(runtime.run(ns, "1")).rejects.toMatchObject({ code: "lease_lost" })
    expect((await runtime.run(ns, "2")).text).toBe("found")
  })

  test("that jumps back keeps the others out for as long as the lease was meant to last", async () => {
    let now = 48 * HOUR
    const store = new MemoryStore({ now: () => now })
    const lease = await store.acquire(ns, "one", 1_000)
    now -= 24 * HOUR
    expect(await store.acquire(ns, "two", 1_000)).toBeUndefined()
    if (lease) await store.release(lease)
    expect(await store.acquire(ns, "two", 1_000)).toBeDefined()
  })
})

test("a clock of policy that fails, or says nothing, allows nothing for a time and forbids all the same", () => {
  const broken = () => {
    throw new Error("no battery")
  }
  for (const clock of [broken, () => Number.NaN, () => Number.POSITIVE_INFINITY]) {
    const policies = new PolicyRegistry({ clock, default: "allow" })
    policies.set(ns, {
      allow: [{ tool: "a", until: 4e12 }],
      deny: [{ tool: "b", until: 4e12 }],
      default: "ask",
    })
    const verdict = (name: string) =>
      policies.explain(ns, { tool: name, risk: "read", arguments: {} }).decision
    expect([verdict("a"), verdict("b")]).toEqual(["ask", "deny"])
  }
})

import { call, scriptedProvider } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { readHistory } from "./history.ts"
import { type Entry, type History, MemoryStore, Namespace, Runtime, tool } from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const look = tool({
  name: "look",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: () => "seen",
})

const SHOWN = new Set(["user", "assistant", "tool_intent", "tool_result", "run_started", "run_finished"])

/** The current branch, read from the whole log by following each entry to the one before it. */
function branch(log: readonly Entry[]): number[] {
  const parents = new Map<number, number>()
  let tip = 0
  for (const entry of log) {
    if (entry.type === "rewind") tip = entry.to
    else {
      parents.set(entry.seq, tip)
      tip = entry.seq
    }
  }
  const path: number[] = []
  for (let seq = tip; seq > 0; seq = parents.get(seq) ?? 0) path.unshift(seq)
  const types = new Map(log.map((entry) => [entry.seq, entry.type]))
  return path.filter((seq) => SHOWN.has(types.get(seq) ?? ""))
}

async function windows(runtime: Runtime, limit: number): Promise<History[]> {
  const all: History[] = []
  let before: number | undefined
  for (;;) {
    const page = await readHistory(runtime, ns, { limit, ...(before !== undefined && { before }) })
    if (!page) return all
    all.unshift(page)
    if (!page.more) return all
    before = page.entries[0]?.seq
  }
}

type Step = { readonly do: "send" | "edit" | "regenerate" | "switch" | "rename"; readonly pick: number }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ do: fc.constantFrom("send", "edit", "regenerate", "switch", "rename"), pick: fc.nat(1_000) }),
  { minLength: 1, maxLength: 12 },
)

async function take(runtime: Runtime, step: Step): Promise<void> {
  const history = await readHistory(runtime, ns, { limit: 1_000 })
  const users = history?.entries.filter((entry) => entry.type === "user") ?? []
  const user = users[step.pick % Math.max(1, users.length)]
  const forks = history?.forks ?? []
  const fork = forks[step.pick % Math.max(1, forks.length)]
  if (step.do === "send" || !user) await runtime.run(ns, `message ${step.pick}`)
  else if (step.do === "rename") await runtime.update(ns, { title: `${step.pick}` })
  else if (step.do === "switch") {
    const way = fork?.branches[step.pick % fork.branches.length]
    if (way) await runtime.switchBranch(ns, way.tip)
  } else {
    const { runId = "" } =
      step.do === "edit"
        ? await runtime.edit(ns, user.seq, `edit ${step.pick}`)
        : await runtime.regenerate(ns, user.seq)
    await runtime.result(ns, runId)
  }
  await expect.poll(() => runtime.isRunning(ns)).toBe(false)
}

describe("property: after any edits, answers, switches and renames", () => {
  test("windows of any size show the current branch, whole and in order", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 9 }), async (taken, limit) => {
        const provider = scriptedProvider([], {
          otherwise: ({ messages }) => (messages.length % 3 === 0 ? call("look") : "ok"),
        })
        const runtime = new Runtime({ provider, store: new MemoryStore(), tools: [look] })
        for (const step of taken) {
          await take(runtime, step)
          const expected = branch(await runtime.store.read(ns))
          const pages = await windows(runtime, limit)
          expect(pages.flatMap((page) => page.entries.map((entry) => entry.seq))).toEqual(expected)
          for (const page of pages.slice(1)) expect(page.entries.length).toBe(limit)
          // Each fork is shown by the window that holds the way it took, and its present way is on the branch.
          for (const { branches, current } of pages.flatMap((page) => page.forks)) {
            expect(branches.length).toBeGreaterThan(1)
            const tip = branches[current]?.tip ?? 0
            expect(tip).toBeGreaterThanOrEqual(branches[current]?.first ?? 1)
          }
          // What a process that has just started sees is the same.
          const fresh = new Runtime({ provider, store: runtime.store, tools: [look] })
          expect(await readHistory(fresh, ns)).toEqual(await readHistory(runtime, ns))
        }
      }),
      { numRuns: 25 },
    )
  }, 600_000)
})

describe("a window", () => {
  test("of something that is no number is refused; of what is not there it is empty or undefined", async () => {
    const runtime = new Runtime({ provider: scriptedProvider([], { otherwise: "ok" }) })
    expect(await readHistory(runtime, ns)).toBeUndefined()
    await runtime.run(ns, "1")
    for (const options of [{ limit: Number.NaN }, { before: 1.5 }, { limit: 0.5 }]) {
      await expect(readHistory(runtime, ns, options)).rejects.toMatchObject({ code: "invalid_input" })
    }
    expect((await readHistory(runtime, ns, { before: 1 }))?.entries).toEqual([])
    expect((await readHistory(runtime, ns, { before: -5 }))?.entries).toEqual([])
  })

  test("counts what is shown: drafts of an answer being written come on top", async () => {
    const store = new MemoryStore()
    const lease = await store.acquire(ns, "x", 60_000)
    const deltas = Array.from(
      { length: 500 },
      () => ({ type: "delta", at: 1, runId: "r", messageId: "m", pieces: [] }) as const,
    )
    const start = { type: "run_started", at: 1, runId: "r" } as const
    const user = {
      type: "user",
      at: 1,
      message: { role: "user", parts: [{ type: "text", text: "x" }] },
    } as const
    await store.append(ns, [user, start, ...deltas], { expected: 0, ...(lease && { lease }) })
    const runtime = new Runtime({ provider: scriptedProvider([]), store })
    const history = await readHistory(runtime, ns, { limit: 2 })
    expect(history?.entries).toHaveLength(502)
    expect(history?.more).toBe(false)
  })
})

import { globSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { type EntryType, MemoryStore, Namespace, readHistory } from "@orra/core"
import { describe, expect, test } from "vitest"
import { scriptedProvider } from "../scripted-provider.ts"
import { type Golden, goldenRuntime, meaningOf, replay } from "./golden.ts"
import { scenarios } from "./scenarios.ts"

const folder = join(import.meta.dirname, "../../../core/golden")
const files = globSync("*/*.json", { cwd: folder }).sort()
const read = (file: string): Golden => JSON.parse(readFileSync(join(folder, file), "utf8")) as Golden

interface Meaning {
  readonly entries: readonly { readonly seq: number }[]
}

/**
 * What wakes a run up, carries it on or asks something of it is written when a session goes on: it is in what comes of a
 * golden one.
 */
const WHEN_IT_GOES_ON: readonly EntryType[] = [
  "approval_decision",
  "run_resumed",
  "wake",
  "control",
  "budget",
]

const TYPES: Readonly<Record<EntryType, true>> = {
  user: true,
  run_started: true,
  delta: true,
  assistant: true,
  tool_intent: true,
  approval_request: true,
  approval_decision: true,
  run_waiting: true,
  wake: true,
  control: true,
  run_resumed: true,
  tool_result: true,
  run_finished: true,
  budget: true,
  input: true,
  input_cancelled: true,
  rewind: true,
  compaction: true,
  pin: true,
  meta: true,
}

describe("a session that a released version wrote", () => {
  test.each(files)("means what it meant: %s", async (file) => {
    const golden = read(file)
    const store = new MemoryStore()
    await replay(store, golden)
    const meant = golden.meaning as Meaning
    const means = (await meaningOf(store, golden.namespace)) as Meaning
    // A later version may show more of a session, never less and nothing else.
    const shown = new Set(meant.entries.map(({ seq }) => seq))
    expect({ ...means, entries: means.entries.filter(({ seq }) => shown.has(seq)) }).toEqual(meant)
  })

  test("is there for each version in each form, with each kind of entry", () => {
    const versions = new Set(files.map((file) => dirname(file)))
    expect(versions.size).toBeGreaterThan(0)
    const newest = [...versions].sort().at(-1)
    const names = files.filter((file) => dirname(file) === newest).map((file) => basename(file, ".json"))
    expect(names).toEqual(Object.keys(scenarios).sort())
    const types = new Set<string>(WHEN_IT_GOES_ON)
    for (const file of files) {
      for (const { entries } of read(file).appends) for (const { type } of entries) types.add(type)
    }
    expect([...types].sort()).toEqual(Object.keys(TYPES).sort())
  })
})

describe("a session that a later version wrote", () => {
  const later = { type: "hologram", at: 5, beam: "of light" } as never

  test("keeps what this one does not know, shows and sends the rest, and goes on", async () => {
    const ns = Namespace.of("later")
    const store = new MemoryStore()
    const lease = await store.acquire(ns, "later", 60_000)
    const message = { role: "user", parts: [{ type: "text", text: "Hello" }] } as const
    await store.append(ns, [{ type: "user", at: 1, message }, later], {
      expected: 0,
      ...(lease && { lease }),
    })
    if (lease) await store.release(lease)
    const provider = scriptedProvider(["I see.", "Still there."])
    const { runtime } = goldenRuntime(store, provider)
    expect((await runtime.run(ns, "Do you see it?")).text).toBe("I see.")
    const shown = await readHistory(runtime, ns)
    expect(shown?.entries.map(({ type }) => type)).not.toContain("hologram")
    const fresh = goldenRuntime(store, provider).runtime
    expect((await fresh.run(ns, "And now?")).text).toBe("Still there.")
    expect((await store.read(ns))[1]).toEqual({ seq: 2, type: "hologram", at: 5, beam: "of light" })
    expect(provider.requests.at(-1)?.messages).toHaveLength(4)
  })
})

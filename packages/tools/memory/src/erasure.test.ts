import { eraseNamespace, exportNamespace, importNamespace, Namespace } from "@orra/core"
import { findInFolder, findInSqlite } from "@orra/testing/erasure"
import { expect, test } from "vitest"
import { byAda, contents, newMemories, newStore, recalled, wordEmbedder } from "./fixture.ts"
import { Memories } from "./index.ts"

const gone = Namespace.of("tenant", "gone")
const kept = Namespace.of("tenant", "kept")

/** Everything that can be done, with a text that is nowhere else in all of it. */
async function plant(memories: Memories, tenant: Namespace, canary: string): Promise<void> {
  for (let at = 0; at < 20; at++) {
    const place = at % 2 ? tenant : tenant.child("user")
    const source = { outside: at % 3 === 0, principal: canary, session: `${tenant.key}:${canary}` }
    const { memory } = await memories.remember(place, {
      content: `${canary} number ${at} ${"and much more ".repeat(at * 10)}`,
      tags: [canary, `tag${at}`],
      ttlMs: 1_000_000 + at,
      source,
    })
    if (at % 4 === 1) await memories.edit(place, memory.id, { content: `${canary} was ${at}` }, { source })
    const change = at % 5 === 2 ? await memories.forget(place, memory.id, { source }) : undefined
    if (change !== undefined && at === 7) await memories.undo(place, change, { source })
  }
  await memories.recall(tenant.child("user"), canary)
}

test.each(["file", "sqlite"] as const)(
  "an erased namespace leaves nothing of it in the %s store, and all of the others",
  async (name) => {
    const { memories, store, folder } = await newMemories(name, { embedder: wordEmbedder() })
    await plant(memories, gone, "canary-zebra")
    await plant(memories, kept, "canary-mango")
    const before = await contents(memories, kept)
    await eraseNamespace(store, gone)
    memories.release(gone)
    expect(await recalled(memories, gone, "canary zebra")).toEqual([])
    expect(await memories.changes(gone)).toEqual([])
    expect(await contents(memories, kept)).toEqual(before)
    expect(await recalled(memories, kept, "mango")).toHaveLength(before.length)
    // A new life has nothing of the old one.
    await memories.remember(gone, { content: "new", source: byAda })
    expect(await contents(memories, gone)).toEqual(["new"])
    expect(await recalled(memories, gone, "canary zebra new number")).toEqual(["new"])
    await store.close()
    expect(findInFolder(folder, "canary-zebra")).toEqual({})
    if (name === "sqlite") expect(findInSqlite(`${folder}/orra.db`, "canary-zebra")).toEqual({})
    expect(findInFolder(folder, "canary-mango")).not.toEqual({})
  },
)

test("an export has them, and they can be recalled where it is imported", async () => {
  const { memories, store, options } = await newMemories()
  await plant(memories, gone, "canary-zebra")
  const { store: other } = await newStore("sqlite")
  await importNamespace(other, exportNamespace(store, gone), { under: kept })
  const there = new Memories(other, options)
  const expected = await contents(memories, gone)
  expect(expected.length).toBeGreaterThan(5)
  expect(await contents(there, kept)).toEqual(expected)
  expect(await recalled(there, kept, "zebra")).toHaveLength(expected.length)
})

import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { eraseNamespace, Namespace } from "@orra/core"
import { findInFolder, findInSqlite, plantCanaries } from "@orra/testing/erasure"
import { expect, onTestFinished, test } from "vitest"
import { sqliteStore } from "./index.ts"

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "orra-erasure-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test("what was erased is in no table, no page and no snapshot of a migration; all of the other is", {
  timeout: 120_000,
}, async () => {
  const folder = newFolder()
  const path = join(folder, "orra.db")
  const store = await sqliteStore({ path })
  onTestFinished(() => store.close())
  const { runtime, gone, kept } = await plantCanaries(store)
  // As a migration and one that died leave them.
  await store.snapshot(`${path}.format-1.backup`)
  copyFileSync(`${path}.format-1.backup`, `${path}.format-2.backup.partial`)
  const before = findInSqlite(path, kept.canary)
  expect(Object.keys(before).sort()).toEqual(Object.keys(findInSqlite(path, gone.canary)).sort())

  await eraseNamespace(runtime, gone.root)
  expect(findInFolder(folder, gone.canary)).toEqual({})
  expect(findInSqlite(path, gone.canary)).toEqual({})
  expect(findInSqlite(path, kept.canary)).toEqual(before)
  expect(findInSqlite(`${path}.format-1.backup`, kept.canary)).toEqual(before)

  // The runtime goes on, and has nothing to write back.
  await runtime.recover(gone.root)
  await runtime.run(kept.root.child("later"), `${kept.canary} goes on`)
  await runtime.close()
  await store.close()
  expect(findInFolder(folder, gone.canary)).toEqual({})
})

test("an erasure that died before the file was written anew, or could not for another's lock, is completed by the next", async () => {
  const folder = newFolder()
  const path = join(folder, "orra.db")
  const store = await sqliteStore({ path, busyTimeoutMs: 100 })
  onTestFinished(() => store.close())
  const [ada, bob] = [Namespace.of("house", "ada"), Namespace.of("house", "bob")]
  for (const ns of [ada, bob]) {
    const patch = { note: `${ns.key}-canary `.repeat(500) }
    await store.append(ns.child("chat"), [{ type: "meta", at: 1, patch }], { expected: 0 })
    await store.records("c").put(ns, "k", patch)
  }
  const other = new DatabaseSync(path)
  onTestFinished(() => other.close())
  // Somebody reads: what was there before cannot be written over meanwhile.
  other.exec("BEGIN")
  other.prepare("SELECT count(*) FROM sessions").get()
  await expect(eraseNamespace(store, ada)).rejects.toMatchObject({ code: "store_locked" })
  expect(findInFolder(folder, "house:ada-canary")).not.toEqual({})
  expect((await store.list(ada)).items).toEqual([])
  other.exec("COMMIT")
  await eraseNamespace(store, ada)
  expect(findInFolder(folder, "house:ada")).toEqual({})
  expect((await store.records("c").get(bob, "k"))?.value).toMatchObject({
    note: expect.stringContaining("bob"),
  })
})

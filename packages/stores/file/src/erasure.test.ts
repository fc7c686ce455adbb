import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eraseNamespace } from "@orra/core"
import { findInFolder, plantCanaries } from "@orra/testing/erasure"
import { expect, onTestFinished, test } from "vitest"
import { fileStore } from "./index.ts"

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "orra-erasure-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test("what was erased is in no file and no name of one; all of the other is", {
  timeout: 120_000,
}, async () => {
  const path = newFolder()
  const store = await fileStore({ path, sync: "never" })
  onTestFinished(() => store.close())
  const { runtime, gone, kept } = await plantCanaries(store)
  // As a crash leaves them while a file is written anew.
  writeFileSync(join(path, "records.jsonl.new"), gone.canary)
  writeFileSync(join(path, "sessions.json.new"), gone.canary)
  const before = findInFolder(join(path, "tenant", kept.canary), kept.canary)

  await eraseNamespace(runtime, gone.root)
  expect(findInFolder(path, gone.canary)).toEqual({})
  expect(findInFolder(join(path, "tenant", kept.canary), kept.canary)).toEqual(before)
  expect(findInFolder(path, kept.canary)["records.jsonl"]).toBeGreaterThan(500)

  // The runtime goes on, and has nothing to write back.
  await runtime.recover(gone.root)
  await runtime.run(kept.root.child("later"), `${kept.canary} goes on`)
  await runtime.close()
  await store.close()
  expect(findInFolder(path, gone.canary)).toEqual({})
})

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eraseNamespace, Namespace } from "@orra/core"
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

test("an erasure that died after it had begun has removed all sessions, and the next removes the rest", async () => {
  const path = newFolder()
  const store = await fileStore({ path })
  const [ada, bob] = [Namespace.of("house", "ada"), Namespace.of("house", "bob")]
  for (const ns of [ada, ada.child("chat"), ada.child("x".repeat(450)), bob]) {
    await store.append(ns, [{ type: "meta", at: 1, patch: { title: `canary ${ns}` } }], { expected: 0 })
    await store.records("c").put(ns, "k", ns.key)
  }
  expect((await store.list(ada)).items).toHaveLength(3)
  await store.close()
  // What is erased is moved aside at once, whatever is below.
  renameSync(join(path, "house", "ada"), join(path, ".erased"))
  rmSync(join(path, "sessions.json"))

  const again = await fileStore({ path })
  onTestFinished(() => again.close())
  expect(existsSync(join(path, ".erased"))).toBe(false)
  expect((await again.list(ada)).items).toEqual([])
  expect(await again.info(ada.child("chat"))).toBeUndefined()
  await eraseNamespace(again, ada)
  expect(findInFolder(path, "house:ada")).toEqual({})
  expect((await again.list(Namespace.of("house"))).items).toMatchObject([{ namespace: bob }])
  expect((await again.records("c").get(bob, "k"))?.value).toBe(bob.key)
})

test("a session that cannot be read is erased like any other, and so is what nobody wrote here", async () => {
  const path = newFolder()
  const store = await fileStore({ path })
  onTestFinished(() => store.close())
  const ada = Namespace.of("house", "ada")
  await store.append(ada.child("chat"), [{ type: "meta", at: 1, patch: {} }], { expected: 0 })
  mkdirSync(join(path, "house", "ada", "broken"))
  writeFileSync(join(path, "house", "ada", "broken", "log.jsonl"), "canary\n{}\ncanary\n")
  writeFileSync(join(path, "house", "ada", "chat", "torn.jsonl"), "canary")
  await expect(store.info(ada.child("broken"))).rejects.toMatchObject({ code: "store_corrupt" })
  await store.erase(ada)
  expect(existsSync(join(path, "house"))).toBe(false)
  expect(await store.info(ada.child("broken"))).toBeUndefined()
})

test("a run that has its lease and has written nothing yet is not erased from under it", async () => {
  const store = await fileStore({ path: newFolder() })
  onTestFinished(() => store.close())
  const ada = Namespace.of("house", "ada")
  const lease = await store.acquire(ada.child("new"), "runtime", 60_000)
  await expect(store.erase(ada)).rejects.toMatchObject({ code: "session_busy" })
  if (lease) await store.release(lease)
  await store.erase(ada)
})

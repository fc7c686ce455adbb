import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Namespace } from "@orra/core"
import { afterAll, expect, onTestFinished, test } from "vitest"
import { type FileStore, fileStore } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "orra-record-file-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0
const newPath = (): string => join(folder, `${++made}`)
const ns = Namespace.of("tenant", "acme")

async function opened(path: string): Promise<FileStore> {
  const store = await fileStore({ path, sync: "never" })
  onTestFinished(() => store.close())
  return store
}

test("records are there after the store was closed, with their versions", async () => {
  const path = newPath()
  const first = await opened(path)
  await first.records("a").put(ns, "gone", 1)
  await first.records("a").put(ns, "k", { x: 1 })
  const last = await first.records("b").put(ns, "k", "other")
  await first.records("a").delete(ns, "gone")
  const before = await first.records("a").get(ns, "k")
  await first.close()
  const second = await opened(path)
  expect(await second.records("a").get(ns, "k")).toEqual(before)
  expect((await second.records("b").get(ns, "k"))?.value).toBe("other")
  expect(await second.records("a").get(ns, "gone")).toBeUndefined()
  expect(await second.records("a").put(ns, "gone", 2)).toBeGreaterThan(last)
})

test("several writes that a crash tore never happened", async () => {
  const path = newPath()
  const first = await opened(path)
  await first.records("a").put(ns, "k", "kept")
  await first.close()
  appendFileSync(
    join(path, "records.jsonl"),
    ' {"version":9,"collection":"a","namespace":"tenant:acme","key":"k","value":"torn","updatedAt":1}\n{"version":10,"coll',
  )
  const second = await opened(path)
  expect((await second.records("a").get(ns, "k"))?.value).toBe("kept")
  await second.records("a").put(ns, "k", "after")
  await second.close()
  expect((await (await opened(path)).records("a").get(ns, "k"))?.value).toBe("after")
})

test("what is replaced often takes no more room than it needs, and what was removed is not in the file", async () => {
  const path = newPath()
  const store = await opened(path)
  const records = store.records("a")
  for (let n = 0; n < 600; n++) await records.put(ns, "k", { n, text: "canary".repeat(300) })
  expect(statSync(join(path, "records.jsonl")).size).toBeLessThan(600 * 1_000)
  await records.delete(ns, "k")
  await store.close()
  expect(readFileSync(join(path, "records.jsonl"), "utf8")).not.toContain("canary")
  expect(await (await opened(path)).records("a").list(ns)).toEqual({ items: [] })
})

test("a damaged line is an error that names the file", async () => {
  const path = newPath()
  const store = await opened(path)
  await store.records("a").put(ns, "k", 1)
  await store.close()
  appendFileSync(
    join(path, "records.jsonl"),
    '{"versi\n{"version":9,"collection":"a","namespace":"tenant:acme","key":"k","value":2,"updatedAt":1}\n',
  )
  await expect(fileStore({ path })).rejects.toMatchObject({ code: "store_corrupt" })
})

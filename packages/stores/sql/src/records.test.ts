import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Namespace } from "@orra/core"
import { afterAll, expect, onTestFinished, test } from "vitest"
import { type SqliteStore, sqliteStore } from "./sqlite-store.ts"

const folder = mkdtempSync(join(tmpdir(), "orra-records-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
async function newStore(path = join(folder, `${++files}.db`)): Promise<SqliteStore> {
  const store = await sqliteStore({ path, now: () => 7 })
  onTestFinished(() => store.close())
  return store
}

const ns = Namespace.of("herald")

test("puts, gets, replaces and deletes JSON", async () => {
  const settings = (await newStore()).records("settings")
  expect(await settings.get(ns, "theme")).toBeUndefined()
  for (const value of [{ dark: true, list: [1, null] }, "text \ud800", 0, false, null]) {
    await settings.put(ns, "theme", value)
    expect(await settings.get(ns, "theme")).toEqual(value)
  }
  expect(await settings.delete(ns, "theme")).toBe(true)
  expect(await settings.delete(ns, "theme")).toBe(false)
  expect(await settings.get(ns, "theme")).toBeUndefined()
})

test("survives reopening", async () => {
  const path = join(folder, `${++files}.db`)
  const first = await sqliteStore({ path })
  await first.records("settings").put(ns, "a", 1)
  await first.close()
  expect(await (await newStore(path)).records("settings").get(ns, "a")).toBe(1)
})

test("a namespace, a collection and a key each see only their own", async () => {
  const store = await newStore()
  const [a, b] = [store.records("a"), store.records("b")]
  await a.put(ns, "k", "ours")
  expect(await b.get(ns, "k")).toBeUndefined()
  for (const other of [ns.child("x"), Namespace.of("other")]) {
    expect(await a.get(other, "k")).toBeUndefined()
    expect(await a.delete(other, "k")).toBe(false)
    expect((await a.list(other)).items).toEqual([])
  }
  expect(await a.get(ns, "k")).toBe("ours")
})

test("lists by key, in pages", async () => {
  const records = (await newStore()).records("c")
  for (const key of ["b", "a", "ä", "c%", "c"]) await records.put(ns, key, { key })
  await records.put(ns.child("x"), "aa", 1)
  const first = await records.list(ns, { limit: 2 })
  expect(first.items).toEqual([
    { key: "a", value: { key: "a" }, updatedAt: 7 },
    { key: "b", value: { key: "b" }, updatedAt: 7 },
  ])
  const rest = await records.list(ns, { limit: 3, ...(first.cursor && { cursor: first.cursor }) })
  expect(rest.items.map((record) => record.key)).toEqual(["c", "c%", "ä"])
  expect(rest.cursor).toBeUndefined()
})

test("of several that delete a record at once, one is told that it did", async () => {
  const records = (await newStore()).records("links")
  await records.put(ns, "token", {})
  const results = await Promise.all(Array.from({ length: 10 }, () => records.delete(ns, "token")))
  expect(results.filter(Boolean)).toHaveLength(1)
})

test.each(["", "\ud800", "a\0b", "x".repeat(1_025)])("%j names nothing", async (name) => {
  const store = await newStore()
  expect(() => store.records(name)).toThrow(expect.objectContaining({ code: "invalid_input" }))
  const records = store.records("c")
  await expect(records.get(ns, name)).rejects.toMatchObject({ code: "invalid_input" })
  await expect(records.put(ns, name, 1)).rejects.toMatchObject({ code: "invalid_input" })
})

test("a closed store refuses", async () => {
  const store = await newStore()
  const records = store.records("c")
  await store.close()
  const calls = [
    () => records.get(ns, "k"),
    () => records.put(ns, "k", 1),
    () => records.delete(ns, "k"),
    () => records.list(ns),
  ]
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "store_closed" })
})

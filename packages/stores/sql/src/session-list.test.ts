import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { everyItem, type ListOptions, Namespace, type SessionStore } from "@orra/core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { sqliteStore } from "./sqlite-store.ts"

const folder = mkdtempSync(join(tmpdir(), "orra-list-"))
const path = join(folder, "orra.db")
let store: SessionStore
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** More than are sorted, more than are looked at first, and a few; each older than the ones before it in the list of all. */
const TENANTS = { large: 21_000, middle: 1_500, small: 30, newest: 1_200 }

beforeAll(async () => {
  store = await sqliteStore({ path })
  const sqlite = new DatabaseSync(path)
  const insert = sqlite.prepare(
    "INSERT INTO sessions (ns, version, created_at, updated_at, messages, open_run, waiting, deleted, folded_title, metadata) VALUES (?, 1, 1, ?, 0, ?, NULL, 0, ?, ?)",
  )
  sqlite.exec("BEGIN")
  let at = 1
  for (const [tenant, count] of Object.entries(TENANTS)) {
    for (let index = 0; index < count; index++) {
      // Two at the same time, so that the key decides.
      const openRun = index % 7 === 0 ? "run" : null
      insert.run(
        `${tenant}:${index}`,
        Math.floor(at++ / 2),
        openRun,
        `T${index % 10}`,
        `{"title":"t${index % 10}"}`,
      )
    }
  }
  sqlite.exec("COMMIT")
  sqlite.close()
})

const expected = (tenant: keyof typeof TENANTS, fits: (index: number) => boolean = () => true): string[] => {
  const first = Object.entries(TENANTS)
    .slice(0, Object.keys(TENANTS).indexOf(tenant))
    .reduce((sum, [, count]) => sum + count, 1)
  return Array.from({ length: TENANTS[tenant] }, (_, index) => ({
    key: `${tenant}:${index}`,
    at: Math.floor((first + index) / 2),
    index,
  }))
    .filter(({ index }) => fits(index))
    .sort((a, b) => b.at - a.at || (a.key < b.key ? 1 : -1))
    .map(({ key }) => key)
}

async function listed(tenant: string, options: ListOptions = {}): Promise<string[]> {
  const keys: string[] = []
  const items = everyItem((page) => store.list(Namespace.of(tenant), { ...options, ...page, limit: 400 }))
  for await (const { namespace } of items) keys.push(namespace.key)
  return keys
}

test.each(["large", "middle", "small", "newest"] as const)(
  "all pages of a tenant, however its sessions lie among the others': %s",
  async (tenant) => {
    expect(await listed(tenant)).toEqual(expected(tenant))
    expect(await listed(tenant, { openRun: true })).toEqual(expected(tenant, (index) => index % 7 === 0))
    expect(await listed(tenant, { title: "T3", openRun: true })).toEqual(
      expected(tenant, (index) => index % 7 === 0 && index % 10 === 3),
    )
  },
)

test("a list shows what changed since it was asked for last, and nobody can change what it gave", async () => {
  const tenant = Namespace.of("newest")
  const [before] = (await store.list(tenant)).items
  const [again] = (await store.list(tenant)).items
  expect(again).toBe(before)
  expect(() => Object.assign(again?.metadata ?? {}, { title: "x" })).toThrow(TypeError)
  const ns = before?.namespace ?? tenant
  await store.append(ns, [{ type: "meta", at: 2, patch: { title: "other" } }], { expected: 1 })
  expect((await store.list(tenant)).items[0]).toEqual({ ...before, version: 2, metadata: { title: "other" } })
  await store.delete(ns)
  expect((await store.list(tenant)).items[0]?.namespace).not.toEqual(ns)
})

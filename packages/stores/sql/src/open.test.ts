import { spawnSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { MemoryStore, Namespace, type NewEntry } from "@orra/core"
import { expect, onTestFinished, test } from "vitest"
import { Database } from "./database.ts"
import { testFolder } from "./fixture.ts"
import { migrations, sql } from "./schema.ts"
import { type SqliteStore, type SqliteStoreOptions, sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

const ns = Namespace.of("t", "s")
const meta: NewEntry = { type: "meta", at: 1, patch: { title: "T" } }

let files = 0
const newPath = (): string => join(folder, `${++files}`, "orra.db")

async function open(options: SqliteStoreOptions): Promise<SqliteStore> {
  const store = await sqliteStore(options)
  onTestFinished(() => store.close())
  return store
}

/** A closed database with one session. */
async function written(): Promise<string> {
  const path = newPath()
  const store = await sqliteStore({ path })
  await store.append(ns, [meta], { expected: 0 })
  await store.close()
  return path
}

const mode = (path: string): number => statSync(path).mode & 0o777

test("the file and its directory are made for this user only", async () => {
  const path = newPath()
  const store = await open({ path })
  await store.append(ns, [meta], { expected: 0 })
  expect(mode(path)).toBe(0o600)
  expect(mode(`${path}-wal`)).toBe(0o600)
  expect(mode(join(path, ".."))).toBe(0o700)
})

test("a file that others could read is closed to them", async () => {
  const path = await written()
  chmodSync(path, 0o644)
  await open({ path })
  expect(mode(path)).toBe(0o600)
})

test("what was written is there after reopening", async () => {
  const path = await written()
  const store = await open({ path })
  expect(await store.info(ns)).toMatchObject({ version: 1, metadata: { title: "T" } })
  expect(await store.integrity()).toEqual([])
})

test.each(["", ":memory:"])("the path %j is refused", async (path) => {
  await expect(sqliteStore({ path })).rejects.toMatchObject({ code: "invalid_input" })
})

test.each([{ busyTimeoutMs: -1 }, { busyTimeoutMs: Number.NaN }, { maxBytes: 0 }, { maxBytes: 1e9 + 0.5 }])(
  "the options %j are refused before a file is made",
  async (options) => {
    const path = newPath()
    await expect(sqliteStore({ path, ...options })).rejects.toMatchObject({ code: "invalid_input" })
    expect(existsSync(path)).toBe(false)
  },
)

test("a path below a file, and a directory, cannot be written", async () => {
  const path = await written()
  const directory = join(folder, `${++files}`)
  mkdirSync(directory, { mode: 0o755 })
  for (const wrong of [join(path, "orra.db"), directory]) {
    await expect(sqliteStore({ path: wrong })).rejects.toMatchObject({
      code: "store_not_writable",
      message: expect.stringContaining(`"${wrong}" cannot be written: check that its directory exists`),
    })
  }
  expect(mode(directory)).toBe(0o755)
})

test("a directory of another user cannot be written", () => {
  const place = join(folder, `${++files}`)
  mkdirSync(place, { mode: 0o555 })
  chmodSync(folder, 0o755)
  const code = `
    import { sqliteStore } from ${JSON.stringify(new URL("./sqlite-store.ts", import.meta.url).href)}
    await sqliteStore({ path: process.argv[1] }).catch((error) => console.log(error.code))
  `
  // Root may write everywhere, so root asks as somebody else.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const args = [
    "--conditions=@orra/source",
    "--no-warnings",
    "--input-type=module",
    "-e",
    code,
    join(place, "orra.db"),
  ]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", ...nobody })
  expect(stdout.trim(), stderr).toBe("store_not_writable")
})

test("another program's database, and one of a newer version, are refused and left as they are", async () => {
  const path = newPath()
  mkdirSync(join(path, ".."))
  const foreign = new DatabaseSync(path)
  foreign.exec("CREATE TABLE photos (id INTEGER)")
  foreign.close()
  const newer = await written()
  const connection = new DatabaseSync(newer)
  connection.exec("PRAGMA user_version = 1000")
  connection.close()
  for (const [file, code, advice] of [
    [path, "store_foreign", "choose another path"],
    [newer, "store_newer", "Update this program"],
  ] as const) {
    const before = readFileSync(file)
    await expect(sqliteStore({ path: file })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(advice),
    })
    expect(readFileSync(file).equals(before)).toBe(true)
  }
})

test("a file that is no database, or cut short, is corrupt", async () => {
  const path = newPath()
  mkdirSync(join(path, ".."))
  writeFileSync(path, "not a database, but long enough to have a header of one hundred bytes. ".repeat(10))
  await expect(sqliteStore({ path })).rejects.toMatchObject({
    code: "store_corrupt",
    message: expect.stringContaining("restore a snapshot"),
  })

  const short = await written()
  truncateSync(short, 8_192)
  await expect(sqliteStore({ path: short }).then((store) => store.list(ns))).rejects.toMatchObject({
    code: "store_corrupt",
  })
})

test("integrity tells of damage inside the file", async () => {
  const path = newPath()
  const store = await sqliteStore({ path })
  for (let n = 0; n < 200; n++) await store.append(ns.child(`${n}`), [meta], { expected: 0 })
  await store.close()
  const bytes = readFileSync(path)
  bytes.fill(0xff, 4_096 * 4, 4_096 * 5)
  writeFileSync(path, bytes)
  const damaged = await sqliteStore({ path }).catch((error: unknown) => error)
  if (damaged instanceof Error) expect(damaged).toMatchObject({ code: "store_corrupt" })
  else {
    const opened = damaged as SqliteStore
    onTestFinished(() => opened.close())
    const found = await opened.integrity().catch((error: { code: string }) => [error.code])
    expect(found).not.toEqual([])
  }
})

test("a row that is not what was written is corrupt", async () => {
  const path = newPath()
  const store = await open({ path })
  await store.append(ns, [meta], { expected: 0 })
  await store.records("c").put(ns, "k", 1)
  const other = new DatabaseSync(path)
  other.exec(
    "UPDATE entries SET body = '{'; UPDATE sessions SET metadata = ''; UPDATE records SET value = 'x'",
  )
  other.close()
  for (const read of [
    () => store.read(ns),
    () => store.info(ns),
    () => store.list(ns),
    () => store.records("c").get(ns, "k"),
  ]) {
    await expect(read()).rejects.toMatchObject({ code: "store_corrupt" })
  }
})

test("what was deleted is not in the file any more", async () => {
  const path = newPath()
  const store = await sqliteStore({ path })
  const secret = (text: string): NewEntry => ({ type: "meta", at: 1, patch: { title: text.repeat(3) } })
  await store.append(
    ns,
    Array.from({ length: 50 }, () => secret("FIRST-SECRET")),
    { expected: 0 },
  )
  await store.append(ns.child("kept"), [secret("KEPT-TEXT")], { expected: 0 })
  await store.records("c").put(ns, "k", "RECORD-SECRET")
  await store.delete(ns)
  await store.records("c").delete(ns, "k")
  await store.close()
  const bytes = readFileSync(path)
  expect(bytes.includes("KEPT-TEXT")).toBe(true)
  for (const gone of ["FIRST-SECRET", "RECORD-SECRET"]) expect(bytes.includes(gone)).toBe(false)
})

test("a full store refuses the append whole, and takes others once there is room", async () => {
  const store = await open({ path: newPath(), maxBytes: 1_000_000 })
  const big = (bytes: number): NewEntry => ({ type: "meta", at: 1, patch: { text: "x".repeat(bytes) } })
  const other = Namespace.of("t", "other")
  await store.append(ns, [big(200_000)], { expected: 0 })
  const results = await Promise.allSettled([
    store.append(ns, [meta, big(2_000_000)], { expected: 1 }),
    store.append(other, [meta], { expected: 0 }),
  ])
  expect(results).toMatchObject([
    { status: "rejected", reason: { code: "store_full", message: expect.stringContaining("make room") } },
    { status: "fulfilled" },
  ])
  // Whoever chats may read this, and need not know where the file is.
  const [refused] = results
  if (refused.status === "rejected") expect(refused.reason.message).not.toContain(folder)
  expect(await store.info(ns)).toMatchObject({ version: 1 })
  await expect(store.append(other, [big(400_000)], { expected: 1 })).rejects.toMatchObject({
    code: "store_full",
  })
  expect(await store.delete(ns)).toBe(true)
  await store.append(other, [big(200_000)], { expected: 1 })
  expect((await store.read(other)).map((entry) => entry.seq)).toEqual([1, 2])
  expect(await store.integrity()).toEqual([])
})

test("a lock that another process holds is waited for, and after the time for it said to be there", async () => {
  const path = await written()
  const patient = await open({ path })
  const hasty = await open({ path, busyTimeoutMs: 1 })
  const other = new DatabaseSync(path)
  onTestFinished(() => other.close())
  other.exec("BEGIN EXCLUSIVE")
  const waiting = patient.append(ns, [meta], { expected: 1 })
  await expect(hasty.append(ns, [meta], { expected: 1 })).rejects.toMatchObject({
    code: "store_locked",
    message: expect.stringContaining("Another program has locked"),
  })
  other.exec("COMMIT")
  expect(await waiting).toMatchObject([{ seq: 2 }])
})

test("two stores on one file keep each other's leases and versions", async () => {
  const path = await written()
  const [one, two] = [await open({ path }), await open({ path })]
  const lease = await one.acquire(ns, "one", 60_000)
  expect(await two.acquire(ns, "two", 60_000)).toBeUndefined()
  const results = await Promise.allSettled(
    [one, two, one, two].map((store) => store.append(ns, [meta], { expected: 1 })),
  )
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1)
  expect(await two.info(ns)).toEqual(await one.info(ns))
  if (lease) await one.release(lease)
  expect((await two.acquire(ns, "two", 60_000))?.token).toBeGreaterThan(lease?.token ?? 0)
})

test("a newer format is reached by its migrations, after a snapshot of the file as it was", async () => {
  const path = await written()
  const added = [sql.schema.alterTable("sessions").addColumn("colour", "text")]
  new Database({ path, busyMs: 100, migrations: [...migrations, added] }).close()

  const migrated = new DatabaseSync(path)
  expect(migrated.prepare("SELECT ns, colour FROM sessions").all()).toMatchObject([
    { ns: ns.key, colour: null },
  ])
  migrated.close()
  await expect(sqliteStore({ path })).rejects.toMatchObject({ code: "store_newer" })

  const backup = `${path}.format-${migrations.length}.backup`
  expect(mode(backup)).toBe(0o600)
  copyFileSync(backup, path)
  const store = await open({ path })
  expect(await store.info(ns)).toMatchObject({ version: 1 })
})

test("a migration that fails changes nothing", async () => {
  const path = await written()
  const broken = [
    sql.schema.alterTable("sessions").addColumn("colour", "text"),
    sql.schema.dropTable("missing"),
  ]
  expect(() => new Database({ path, busyMs: 100, migrations: [...migrations, broken] })).toThrow()
  const store = await open({ path })
  expect(await store.info(ns)).toMatchObject({ version: 1 })
  expect(await store.integrity()).toEqual([])
})

test("a snapshot holds everything as it was, opens as a store, and never overwrites a file", async () => {
  const store = await open({ path: newPath() })
  await store.append(ns, [meta], { expected: 0 })
  const copy = join(folder, `${++files}.db`)
  await store.snapshot(copy)
  await store.append(ns, [meta], { expected: 1 })
  expect(mode(copy)).toBe(0o600)
  expect(existsSync(`${copy}.partial`)).toBe(false)
  await expect(store.snapshot(copy)).rejects.toMatchObject({ code: "invalid_input" })
  await expect(store.snapshot(join(copy, "x.db"))).rejects.toMatchObject({ code: "store_not_writable" })
  const restored = await open({ path: copy })
  expect(await restored.info(ns)).toMatchObject({ version: 1 })
})

test("what was asked for before closing is written", async () => {
  const path = newPath()
  const store = await sqliteStore({ path })
  const append = store.append(ns, [meta], { expected: 0 })
  await store.close()
  expect(await append).toMatchObject([{ seq: 1 }])
  expect(await (await open({ path })).info(ns)).toMatchObject({ version: 1 })
})

test("what is not JSON is refused by both stores alike or written alike", async () => {
  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = cyclic
  const store = await open({ path: newPath() })
  const entry = { type: "meta", at: 1, patch: cyclic } as NewEntry
  await expect(store.append(ns, [entry], { expected: 0 })).rejects.toMatchObject({ code: "invalid_input" })
  await expect(new MemoryStore().append(ns, [entry], { expected: 0 })).rejects.toThrow()
  expect(await store.info(ns)).toBeUndefined()
})

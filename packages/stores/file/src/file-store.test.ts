import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Entry, Namespace, type NewEntry, type SessionStore, userMessage } from "@orra/core"
import { storeConformance } from "@orra/testing/conformance"
import { afterAll, expect, onTestFinished, test } from "vitest"
import { type FileStore, fileStore } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "orra-store-file-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0
const newPath = (): string => join(folder, `${++made}`)

async function opened(path: string): Promise<FileStore> {
  const store = await fileStore({ path })
  onTestFinished(() => store.close())
  return store
}

storeConformance("FileStore", ({ now }) => fileStore({ path: newPath(), now, sync: "never" }))

const ns = Namespace.of("tenant", "acme", "user", "bob@Example.com")
const folderOf = (path: string): string => join(path, "tenant", "acme", "user", "bob%40%45xample%2ecom")

const user = (text: string): NewEntry => ({ type: "user", at: 1, message: userMessage(text) })
const delta = (text: string): NewEntry => ({
  type: "delta",
  at: 1,
  runId: "r",
  messageId: "m",
  pieces: [{ type: "text", text }],
})
const answer: NewEntry = {
  type: "assistant",
  at: 1,
  runId: "r",
  messageId: "m",
  message: { role: "assistant", parts: [] },
  status: "complete",
}

async function write(
  store: SessionStore,
  entries: readonly NewEntry[],
  dropDeltas?: { readonly from: number; readonly to: number },
): Promise<readonly Entry[]> {
  const lease = await store.acquire(ns, "test", 60_000)
  const expected = (await store.info(ns))?.version ?? 0
  return await store.append(ns, entries, {
    expected,
    ...(lease && { lease }),
    ...(dropDeltas && { dropDeltas }),
  })
}

const seqs = async (store: SessionStore): Promise<readonly number[]> =>
  (await store.read(ns)).map((entry) => entry.seq)

test("a session is a folder of JSON lines that a person can read", async () => {
  const path = newPath()
  await write(await opened(path), [user("Hello"), user("again")])
  expect(readFileSync(join(folderOf(path), "log.jsonl"), "utf8")).toBe(
    ' {"seq":1,"type":"user","at":1,"message":{"role":"user","parts":[{"type":"text","text":"Hello"}]}}\n' +
      '{"seq":2,"type":"user","at":1,"message":{"role":"user","parts":[{"type":"text","text":"again"}]}}\n',
  )
  expect(statSync(join(folderOf(path), "log.jsonl")).mode & 0o077).toBe(0)
  expect(JSON.parse(readFileSync(join(folderOf(path), "session.json"), "utf8"))).toMatchObject({
    info: { namespace: ns.key },
  })
})

test("what was written is there after closing, and after a process that could not close", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("a"), delta("b"), delta("c")])
  await write(store, [answer, { type: "meta", at: 1, patch: { title: "T" } }], { from: 2, to: 2 })
  const before = [await store.info(ns), await store.read(ns)]
  const killed = newPath()
  cpSync(path, killed, { recursive: true })
  await store.close()
  for (const place of [path, killed]) {
    const again = await opened(place)
    expect([await again.info(ns), await again.read(ns)]).toEqual(before)
    expect((await again.list(Namespace.of("tenant"))).items).toEqual([before[0]])
    await again.close()
  }
})

test("a store without a path is refused, and makes nothing", async () => {
  await expect(fileStore({ path: "" })).rejects.toMatchObject({ code: "invalid_input" })
})

test("one process at a time; the next one gets the lease at once, with a larger token", async () => {
  const path = newPath()
  const first = await opened(path)
  await expect(fileStore({ path })).rejects.toMatchObject({ code: "store_locked" })
  const lease = await first.acquire(ns, "a", 60_000)
  await first.close()
  const second = await opened(path)
  expect((await second.acquire(ns, "b", 60_000))?.token).toBeGreaterThan(lease?.token ?? Number.NaN)
})

test("wherever the log was torn, what was acknowledged before is there, and writing goes on", async () => {
  const source = newPath()
  const store = await opened(source)
  await write(store, [user("first")])
  const kept = statSync(join(folderOf(source), "log.jsonl")).size
  await write(store, [user("second"), { type: "meta", at: 1, patch: { x: 1 } }])
  await store.close()
  const size = statSync(join(folderOf(source), "log.jsonl")).size
  for (let cut = kept; cut < size; cut += 7) {
    const path = newPath()
    cpSync(source, path, { recursive: true })
    rmSync(join(path, "sessions.json"), { force: true })
    rmSync(join(folderOf(path), "session.json"), { force: true })
    truncateSync(join(folderOf(path), "log.jsonl"), cut)
    const again = await opened(path)
    expect(await seqs(again)).toEqual([1])
    expect(await again.info(ns)).toMatchObject({ version: 1, metadata: {} })
    await write(again, [user("third")])
    expect(await seqs(again)).toEqual([1, 2])
    expect(existsSync(join(folderOf(path), "torn.jsonl"))).toBe(cut > kept)
    await again.close()
  }
})

test("drafts whose append did not reach the log never were", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("a")])
  await store.close()
  writeFileSync(
    join(folderOf(path), "drafts.jsonl"),
    '{"seq":2,"type":"delta","at":1,"runId":"r","messageId":"m","pieces":[],"with":3}\n',
  )
  const again = await opened(path)
  expect(await seqs(again)).toEqual([1])
  await write(again, [user("b"), user("c")])
  await again.close()
  expect(await seqs(await opened(path))).toEqual([1, 2, 3])
})

test("drafts that the log says are complete are gone, also when the process died before it removed them", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("a"), delta("b"), delta("c"), delta("of another")])
  const drafts = readFileSync(join(folderOf(path), "drafts.jsonl"))
  await write(store, [answer], { from: 2, to: 3 })
  await store.close()
  writeFileSync(join(folderOf(path), "drafts.jsonl"), drafts)
  expect(await seqs(await opened(path))).toEqual([1, 4, 5])
})

test("a damaged line in the middle is an error that says where, not a shorter log", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("a")])
  await write(store, [user("b")])
  await write(store, [user("c")])
  await store.close()
  const file = join(folderOf(path), "log.jsonl")
  const lines = readFileSync(file, "utf8").split("\n")
  writeFileSync(file, [lines[0], '{"seq":2,"type":"us', ...lines.slice(2)].join("\n"))
  await expect((await opened(path)).read(ns)).rejects.toMatchObject({ code: "store_corrupt" })
  expect(readFileSync(file, "utf8")).toContain('"seq":3')
})

test("a damaged summary is made again from the log", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("a"), { type: "meta", at: 1, patch: { title: "T" } }])
  const info = await store.info(ns)
  await store.close()
  for (const name of [
    "sessions.json",
    join("tenant", "acme", "user", "bob%40%45xample%2ecom", "session.json"),
  ]) {
    writeFileSync(join(path, name), '{"size":')
  }
  const again = await opened(path)
  expect((await again.list(Namespace.of("tenant"))).items).toEqual([info])
  expect(await again.info(ns)).toEqual(info)
})

test("a folder that holds another session's files is refused: nobody reads what is another's", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("secret")])
  await store.close()
  rmSync(join(path, "sessions.json"), { force: true })
  renameSync(folderOf(path), join(path, "tenant", "acme", "user", "eve"))
  const again = await opened(path)
  const eve = Namespace.of("tenant", "acme", "user", "eve")
  await expect(again.read(eve)).rejects.toMatchObject({ code: "store_corrupt" })
})

test("a newer format is refused and left as it is", async () => {
  const path = newPath()
  await (await opened(path)).close()
  writeFileSync(join(path, "format.json"), '{"sessions":2}')
  await expect(fileStore({ path })).rejects.toMatchObject({ code: "store_newer" })
  expect(readFileSync(join(path, "format.json"), "utf8")).toBe('{"sessions":2}')
  writeFileSync(join(path, "format.json"), "{")
  await expect(fileStore({ path })).rejects.toMatchObject({ code: "store_corrupt" })
})

test("links are not followed, and what others put into the folder is passed over", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("a")])
  mkdirSync(join(path, "tenant", "Not a name"))
  writeFileSync(join(path, "tenant", "Not a name", "log.jsonl"), "x")
  symlinkSync(path, join(path, "tenant", "loop"))
  appendFileSync(join(path, "tenant", "note.txt"), "x")
  const { items } = await store.list(Namespace.of("tenant"))
  expect(items.map((info) => info.namespace.key)).toEqual([ns.key])
})

test("deleting leaves nothing of the session in the folder", async () => {
  const path = newPath()
  const store = await opened(path)
  await write(store, [user("canary"), delta("canary")])
  expect(await store.delete(ns)).toBe(true)
  await store.close()
  expect(readdirSync(path).sort()).toEqual(["format.json", "lock.db"])
  for (const name of readdirSync(path)) expect(readFileSync(join(path, name), "utf8")).not.toContain("canary")
})

test("more sessions than files may be open, and a list of them while they are written", async () => {
  const path = newPath()
  const store = await fileStore({ path, sync: "never" })
  const tenant = Namespace.of("many")
  const sessions = Array.from({ length: 300 }, (_, index) => tenant.child(`${index}`))
  const writeAll = (n: number): Promise<unknown> =>
    Promise.all(
      sessions.map((session) =>
        store.append(session, [{ type: "meta", at: n, patch: { n } }], { expected: n }),
      ),
    )
  await writeAll(0)
  const [listed] = await Promise.all([store.list(tenant, { limit: 500 }), writeAll(1)])
  expect(listed.items).toHaveLength(300)
  expect((await store.list(tenant, { limit: 500 })).items.every((info) => info.metadata["n"] === 1)).toBe(
    true,
  )
  await store.close()
})

test("an append takes the bytes of its entries and little more", async () => {
  const path = newPath()
  const store = await opened(path)
  let bytes = 0
  for (let turn = 0; turn < 100; turn++) {
    const written = await write(store, [user("x".repeat(400)), delta("y".repeat(400))])
    const { seq = 0 } = written.at(-1) ?? {}
    const end = await write(store, [answer], { from: seq, to: seq })
    for (const entry of [written[0], ...end]) bytes += Buffer.byteLength(JSON.stringify(entry))
  }
  await store.close()
  let size = 0
  for (const name of readdirSync(folderOf(path))) size += statSync(join(folderOf(path), name)).size
  expect(size / bytes).toBeLessThan(1.3)
})

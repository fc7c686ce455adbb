import { expect, test } from "vitest"
import { exportNamespace } from "./export.ts"
import { type ImportOptions, importNamespace } from "./import.ts"
import { MemoryStore } from "./memory-store.ts"
import { userMessage } from "./message.ts"
import { Namespace } from "./namespace.ts"
import type { NewEntry } from "./session.ts"
import type { SessionStore } from "./store.ts"

const ada = Namespace.of("household", "ada")
const user = (text: string): NewEntry => ({ type: "user", at: 1, message: userMessage(text) })

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (const session of [ada, ada.child("chat"), ada.child("chat", "below")]) {
    const lease = await store.acquire(session, "test", 60_000)
    if (!lease) throw new Error("The lease is taken.")
    await store.append(session, [user("Hello"), user(session.key)], { expected: 0, lease })
    await store.release(lease)
  }
  await store.records("settings").put(ada, "theme", { dark: true })
  await store.append(Namespace.of("household", "bob"), [{ type: "meta", at: 1, patch: {} }], { expected: 0 })
  return store
}

async function linesOf(store: SessionStore): Promise<string[]> {
  const lines: string[] = []
  for await (const line of exportNamespace(store, ada)) lines.push(line)
  return lines
}

const problem = async (lines: readonly string[], options?: ImportOptions, store = new MemoryStore()) => {
  const error = await importNamespace(store, lines, options).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { error, store }
}

test("an export says what it is first and how much there was last; nobody else's is in it", async () => {
  const lines = await linesOf(await filled())
  expect(lines.every((line) => line.endsWith("\n"))).toBe(true)
  const [header, ...rest] = lines.map((line) => JSON.parse(line))
  expect(header).toMatchObject({ type: "header", format: "orra-namespace", version: 1, namespace: ada.key })
  expect(rest.at(-1)).toEqual({ type: "end", sessions: 3, records: 1 })
  expect(
    rest
      .filter(({ type }) => type === "session")
      .map(({ path }) => path)
      .sort(),
  ).toEqual([[], ["chat"], ["chat", "below"]])
  expect(lines.join("")).not.toContain("bob")
})

test("it can be put under another namespace, in pieces of bytes of any size", async () => {
  const bytes = new TextEncoder().encode((await linesOf(await filled())).join(""))
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += 7) pieces.push(bytes.subarray(at, at + 7))
  const store = new MemoryStore()
  const under = Namespace.of("elsewhere")
  expect(await importNamespace(store, pieces, { under })).toEqual({
    sessions: 3,
    entries: 6,
    records: 1,
    skipped: 0,
  })
  expect((await store.info(under.child("chat", "below")))?.version).toBe(2)
  expect((await store.records("settings").get(under, "theme"))?.value).toEqual({ dark: true })
  expect((await store.list(ada)).items).toEqual([])
})

test("a damaged line is said by its number, and its session is not there", async () => {
  const lines = await linesOf(await filled())
  const at = lines.findIndex((line) => line.includes('"seq":2'))
  const place = (index: number) => JSON.parse(lines[index] ?? "").path as string[]
  const session = ada.child(...place(at - 2))
  for (const damage of [
    lines[at]?.slice(0, 20) ?? "",
    "[]\n",
    '{"type":"entry"}\n',
    '{"type":"entry","entry":{"seq":"2","at":1,"type":"user"}}\n',
    '{"type":"header","format":"orra-namespace","version":1,"namespace":"a"}\n',
    lines[at - 1] ?? "",
    lines.at(-1) ?? "",
  ]) {
    const { error, store } = await problem(lines.with(at, damage))
    expect(error).toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining(`Line ${at + 1} of the export: `),
      details: { line: at + 1 },
    })
    expect(await store.info(session)).toBeUndefined()
    expect(await store.records("imports").list(ada, { below: true })).toEqual({ items: [] })
    expect(await store.acquire(session, "somebody", 1)).toBeDefined()
  }
})

test("an export that lost its end, or an entry, is not taken for whole", async () => {
  const lines = await linesOf(await filled())
  for (let length = 0; length < lines.length; length++) {
    const { error, store } = await problem(lines.slice(0, length))
    expect(error).toMatchObject({ code: "invalid_input", details: { line: length } })
    const whole = lines.slice(0, length).filter((line) => line.includes("session_end")).length
    expect((await store.list(ada)).items).toHaveLength(whole)
  }
  const at = lines.findIndex((line) => line.includes('"type":"entry"'))
  expect((await problem(lines.toSpliced(at, 1))).error).toMatchObject({ details: { line: at + 2 } })
})

test("a later format, and what is no export, is refused before anything is written", async () => {
  const [, ...rest] = await linesOf(await filled())
  const header = { type: "header", format: "orra-namespace", version: 2, namespace: ada.key, at: 1 }
  const newer = await problem([`${JSON.stringify(header)}\n`, ...rest])
  expect(newer.error).toMatchObject({ code: "store_newer", message: expect.stringContaining("format 2") })
  for (const lines of [rest, ["Hello\n"], [`${JSON.stringify({ ...header, format: "x", version: 1 })}\n`]]) {
    const { error, store } = await problem(lines)
    expect(error).toMatchObject({ code: "invalid_input", details: { line: 1 } })
    expect((await store.list(ada)).items).toEqual([])
  }
})

test("what is there already is refused, or skipped and left as it is", async () => {
  const store = await filled()
  const lines = await linesOf(store)
  const before = (await linesOf(store)).slice(1)
  expect((await problem(lines, {}, store)).error).toMatchObject({
    code: "invalid_input",
    message: expect.stringContaining('There is already the session "household:ada'),
  })
  expect(await importNamespace(store, lines, { existing: "skip" })).toEqual({
    sessions: 0,
    entries: 0,
    records: 0,
    skipped: 4,
  })
  expect((await linesOf(store)).slice(1)).toEqual(before)
  const lease = await store.acquire(ada, "somebody", 60_000)
  expect((await problem(lines, { existing: "skip" }, store)).error).toMatchObject({ code: "session_busy" })
  if (lease) await store.release(lease)
})

test("an import that died in a session begins that session again", async () => {
  const lines = await linesOf(await filled())
  let now = Date.now()
  const store = new MemoryStore({ now: () => now })
  const at = lines.findIndex((line) => line.includes("session_end"))
  const died = Promise.withResolvers<void>()
  // More than is written at once, so that some of it is in the store; then nobody asks for more, and nobody tidies up.
  async function* dying(): AsyncGenerator<string> {
    yield* lines.slice(0, at)
    const { entry } = JSON.parse(lines[at - 1] ?? "")
    for (let seq = 3; seq < 600; seq++)
      yield `${JSON.stringify({ type: "entry", entry: { ...entry, seq } })}\n`
    died.resolve()
    await new Promise(() => {})
  }
  void importNamespace(store, dying())
  await died.promise
  expect((await store.list(ada)).items).toMatchObject([{ version: 500 }])
  expect((await problem(lines, { existing: "skip" }, store)).error).toMatchObject({ code: "session_busy" })
  now += 3_600_000
  // The others, and the record, came before it failed or were under way.
  expect(await importNamespace(store, lines, { existing: "skip" })).toMatchObject({ sessions: 1, skipped: 3 })
  expect((await linesOf(store)).slice(1)).toEqual(lines.slice(1))
})

test("however much there is, little of it is held at once", async () => {
  const inner = new MemoryStore()
  const [long, large] = [ada.child("long"), ada.child("large")]
  const meta = (note: string): NewEntry => ({ type: "meta", at: 1, patch: { note } })
  for (let n = 0; n < 100; n++) {
    await inner.append(
      long,
      Array.from({ length: 1_000 }, (_, index) => meta(`${n} ${index}`)),
      { expected: n * 1_000 },
    )
  }
  for (let n = 0; n < 30; n++) await inner.append(large, [meta("x".repeat(1_000_000))], { expected: n })
  const sizes: number[] = []
  const watched = (store: SessionStore): SessionStore => ({
    ...bound(store),
    read: async (...args) => note(await store.read(...args)),
    append: (ns, entries, options) => store.append(ns, note(entries), options),
  })
  const note = <T>(entries: readonly T[]): readonly T[] => {
    sizes.push(JSON.stringify(entries).length)
    return entries
  }
  const copy = new MemoryStore()
  const imported = await importNamespace(watched(copy), exportNamespace(watched(inner), ada))
  expect(imported).toEqual({ sessions: 2, entries: 100_030, records: 0, skipped: 0 })
  expect(Math.max(...sizes)).toBeLessThan(11_000_000)
  expect(sizes.filter((size) => size > 2_100_000).length).toBeLessThan(4)
  expect(sizes.length).toBeLessThan(1_000)
  expect(await copy.info(long)).toEqual(await inner.info(long))
})

/** The methods of a store as they are, whatever object they are called on. */
const bound = (store: SessionStore): SessionStore => ({
  info: (...args) => store.info(...args),
  append: (...args) => store.append(...args),
  read: (...args) => store.read(...args),
  list: (...args) => store.list(...args),
  delete: (...args) => store.delete(...args),
  acquire: (...args) => store.acquire(...args),
  renew: (...args) => store.renew(...args),
  release: (...args) => store.release(...args),
  records: (...args) => store.records(...args),
  collections: (...args) => store.collections(...args),
  close: () => store.close(),
})

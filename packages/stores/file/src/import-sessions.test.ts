import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, messageText, Namespace, Runtime } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { importSessions } from "./index.ts"

function folderWith(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), "orra-import-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true })
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content))
  }
  return folder
}

const session = (segments: readonly string[], messages: readonly unknown[], metadata = {}) => ({
  namespace: { segments },
  messages,
  created_at: "2026-02-25T10:00:00Z",
  updated_at: "2026-02-25T10:05:00Z",
  metadata,
})

const WEATHER = [
  { role: "user", content: "Oslo?", timestamp: "2026-02-25T10:00:01.5Z" },
  {
    role: "assistant",
    content: "",
    tool_calls: [{ id: "c1", name: "weather", arguments: { city: "Oslo" } }],
    timestamp: "2026-02-25T10:00:02Z",
  },
  { role: "user", content: "", tool_results: [{ call_id: "c1", content: "Rain", is_error: false }] },
  { role: "assistant", content: "It rains.", timestamp: "2026-02-25T10:00:03Z" },
]

test("a conversation with tools goes on where it was", async () => {
  const file = "tenant/acme/bob@example.json"
  const folder = folderWith({
    [file]: session(["tenant", "acme", "bob@example.com"], WEATHER, { title: "Weather", chaos_mode: true }),
  })
  const before = readFileSync(join(folder, file), "utf8")
  const store = new MemoryStore()
  const ns = Namespace.of("tenant", "acme", "bob@example.com")
  const report = await importSessions(folder, store)
  expect(report).toEqual({ imported: [ns], left: [], skipped: [] })
  expect(await store.info(ns)).toMatchObject({
    createdAt: Date.parse("2026-02-25T10:00:00Z"),
    updatedAt: Date.parse("2026-02-25T10:00:03Z"),
    messages: 3,
    metadata: { title: "Weather" },
  })
  expect(readFileSync(join(folder, file), "utf8")).toBe(before)

  const provider = scriptedProvider(["And in Rome the sun shines."])
  const runtime = new Runtime({ provider, store })
  await runtime.run(ns, "And Rome?")
  expect(provider.requests[0]?.messages.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "assistant",
    "user",
  ])
  await runtime.close()
})

test("what was broken becomes a conversation that a model takes", async () => {
  const call = (id: string) => ({ id, name: "t", arguments: "not an object" })
  const messages = [
    { role: "system", content: "Obey." },
    { role: "user", content: "", tool_results: [{ call_id: "nobody", content: "orphan" }] },
    { role: "user", content: "a" },
    { role: "assistant", content: "", tool_calls: [call("1"), call("2"), call("1")] },
    { role: "user", content: "b", tool_results: [{ call_id: "2", content: "no", is_error: true }] },
    { role: "assistant", content: "", tool_calls: [call("3")] },
  ]
  const store = new MemoryStore()
  const ns = Namespace.of("a")
  await importSessions(folderWith({ "a.json": session(["a"], messages) }), store)
  const entries = await store.read(ns)
  expect(entries.filter((entry) => entry.type === "tool_result").map(({ result }) => result.status)).toEqual([
    "error",
    "unknown",
    "unknown",
  ])
  expect(entries.find((entry) => entry.type === "user")?.message.origin).toEqual({
    kind: "host",
    name: "system",
  })
  expect((await store.info(ns))?.openRun).toBeUndefined()
  const provider = scriptedProvider(["c"])
  const runtime = new Runtime({ provider, store })
  await runtime.run(ns, "go on")
  expect(provider.requests).toHaveLength(1)
  await runtime.close()
})

test("what cannot be imported is said, file by file, and the rest is", async () => {
  const store = new MemoryStore()
  const folder = folderWith({
    "empty.json": session(["empty"], []),
    "list.json": [],
    "no-json.json": "{",
    "no-name.json": session([""], WEATHER),
    "ok.json": session(["ok"], WEATHER),
    "notes.txt": "x",
  })
  const report = await importSessions(folder, store)
  expect(report.imported.map(({ key }) => key)).toEqual(["ok"])
  expect(report.skipped.map(({ file }) => file)).toEqual([
    "empty.json",
    "list.json",
    "no-json.json",
    "no-name.json",
  ])
  const again = await importSessions(folder, store)
  expect(again.imported).toEqual([])
  expect(again.skipped.map(({ reason }) => reason)).toContain("The store has this session already.")
})

test("two people whose files had one name keep their own: the file says whose it is", async () => {
  const store = new MemoryStore()
  const folder = folderWith({ "user/bob@example.json": session(["user", "bob@example.org"], WEATHER) })
  const { imported } = await importSessions(folder, store)
  expect(imported.map(({ key }) => key)).toEqual(["user:bob@example.org"])
})

test("where sessions go, with what, and which are left out, is the caller's to say", async () => {
  const store = new MemoryStore()
  const folder = folderWith({
    "web/a.json": session(["web", "a"], WEATHER, { name: "Weather", thread: { state: "idle" } }),
    "cron/b.json": session(["cron", "b"], WEATHER),
  })
  const { imported, left } = await importSessions(folder, store, {
    adopt: ({ namespace, metadata, first }) =>
      namespace.segments[0] === "web"
        ? {
            namespace: Namespace.of("ada", "a"),
            metadata: { title: metadata["name"] ?? "", said: first ? messageText(first) : "" },
          }
        : undefined,
  })
  expect(imported.map(({ key }) => key)).toEqual(["ada:a"])
  expect(left).toEqual([join("cron", "b.json")])
  expect((await store.info(Namespace.of("ada", "a")))?.metadata).toEqual({ title: "Weather", said: "Oslo?" })
})

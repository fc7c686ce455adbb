import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { everyItem, MemoryStore, messageText, Namespace } from "@orra/core"
import { expect, onTestFinished, test } from "vitest"
import { OWNER, parseConfig } from "../config/load.ts"
import { heraldSite } from "../fixture.ts"
import type { Logger } from "../log/log.ts"
import { takeOverChats } from "./take-over.ts"

/** A file as the original wrote it, of what it wrote in it. */
const chat = (segments: readonly string[], words: string, metadata = {}) => [
  `${segments.join("/")}.json`,
  JSON.stringify({
    namespace: { segments },
    messages: [
      { role: "user", content: words, timestamp: "2026-02-25T10:00:01.5Z" },
      { role: "assistant", content: "Grüezi 👋", timestamp: "2026-02-25T10:00:03Z" },
    ],
    created_at: "2026-02-25T10:00:00Z",
    updated_at: "2026-02-25T10:00:03Z",
    metadata: { thread: { state: "completed", turn_count: 1 }, ...metadata },
  }),
]

function place(files: readonly (readonly string[])[]) {
  const dataDir = mkdtempSync(join(tmpdir(), "herald-take-over-"))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  for (const [name = "", content = ""] of files) {
    mkdirSync(dirname(join(dataDir, "sessions", name)), { recursive: true })
    writeFileSync(join(dataDir, "sessions", name), content)
  }
  const store = new MemoryStore()
  const lines: string[] = []
  const say = (line: unknown): void => void lines.push(String(line))
  const logger = { info: say, warn: say } as unknown as Logger
  const start = (toml = "") => {
    const { config } = parseConfig(toml, "a.toml", {})
    return takeOverChats({ store, config, dataDir, logger })
  }
  const titles = async (below: Namespace): Promise<Readonly<Record<string, unknown>>> => {
    const found: [string, unknown][] = []
    for await (const { namespace, metadata } of everyItem((page) => store.list(below, page)))
      found.push([namespace.key, metadata])
    return Object.fromEntries(found)
  }
  return { dataDir, store, lines, start, titles }
}

test("the original's chats are taken over once, with what was said in them and when, and nothing that gave rights", async () => {
  const files = [
    chat(["web", "1f0c"], "Where is the car? 🚗", { chaos_mode: true, working_directory: "/" }),
    chat(["web", "cron-7"], "[cron: weather] Look.", { name: " Task: weather " }),
    chat(["cron", "7"], "Nobody saw this."),
    chat(["5e2a"], "Over HTTP."),
    chat(["discord", "300000000000000001", "300000000000000002", "200000000000000000"], "Hello."),
    chat(["delegation", "Atlas", "9"], "Between agents."),
    ["web/broken.json", "{"],
  ]
  const { dataDir, store, lines, start, titles } = place(files)
  const before = readFileSync(join(dataDir, "sessions", "web", "1f0c.json"), "utf8")
  await start()
  expect(await titles(OWNER)).toEqual({
    "web:1f0c": { title: "Where is the car? 🚗" },
    "web:cron-7": { title: "Task: weather" },
    "web:cron_7": { title: "Nobody saw this." },
    "web:5e2a": { title: "Over HTTP." },
  })
  expect(await titles(Namespace.of("discord"))).toEqual({
    "discord:300000000000000001:300000000000000002:200000000000000000": { title: "Hello." },
  })
  const entries = await store.read(Namespace.of("web", "1f0c"))
  const said = entries.flatMap((entry) =>
    entry.type === "user" || entry.type === "assistant" ? [[entry.at, messageText(entry.message)]] : [],
  )
  expect(said).toEqual([
    [Date.parse("2026-02-25T10:00:01.5Z"), "Where is the car? 🚗"],
    [Date.parse("2026-02-25T10:00:03Z"), "Grüezi 👋"],
  ])
  expect(lines.join("\n")).toMatch(/broken\.json in .* is not taken over: /)
  expect(lines.at(-1)).toMatch(/^5 chats of .* left were 1 files .*, and 1 sessions of agents/)
  expect(readFileSync(join(dataDir, "sessions", "web", "1f0c.json"), "utf8")).toBe(before)
  // What a person deletes afterwards stays deleted.
  await store.delete(Namespace.of("web", "1f0c"))
  await start()
  expect(Object.keys(await titles(OWNER))).not.toContain("web:1f0c")
})

test("they are found where the file says, and not where chats are kept in memory", async () => {
  const { dataDir, start, titles } = place([])
  await start()
  mkdirSync(join(dataDir, "old"))
  const [, content = ""] = chat(["web", "a"], "Hello.")
  writeFileSync(join(dataDir, "old", "a.json"), content)
  await start("[sessions]\npath = 'old'\nstore = 'memory'")
  expect(await titles(OWNER)).toEqual({})
  await start("[sessions]\npath = 'old'")
  expect(await titles(OWNER)).toEqual({ "web:a": { title: "Hello." } })
})

test("a Herald that is started on the data of the original has its chats, and goes on with them", async () => {
  const [name = "", content = ""] = chat(["web", "1f0c"], "Where is the car?", { name: "Cars" })
  const site = await heraldSite({
    config: (folder) => {
      const file = join(folder, "data", "sessions", name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      return ""
    },
    answer: () => "In the garage.",
  })
  onTestFinished(() => site.close())
  expect(await site.ask("GET", "/api/sessions")).toMatchObject([
    200,
    { sessions: [{ namespace: "web:1f0c", metadata: { title: "Cars" } }] },
  ])
  const go = { message: "And now?", namespace: "web:1f0c" }
  expect(await site.ask("POST", "/api/chat", go)).toMatchObject([200, { message: "In the garage." }])
  expect(JSON.stringify(site.model.requests.at(-1)?.body["messages"])).toMatch(
    /Where is the car.*Grüezi.*And now/,
  )
})

import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Entry, type History, isEntry, type RunEvent } from "@orra/core"
import { call, type FakeModelServer, fakeModelServer, say, think, type WireRequest } from "@orra/testing"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type HeraldProcess, heraldProcess } from "../cli/herald-process.ts"
import { readEvents } from "./support/events.ts"

/** Random points at which the process is killed. */
const KILLS = 20
const KEY = "the-owner-key-of-this-test"

const seed = Number(process.env["ORRA_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

describe(`killed at ${KILLS} random points of a streamed tool run (ORRA_SEED=${seed})`, () => {
  let folder: string
  let model: FakeModelServer

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "herald-crash-"))
    model = await fakeModelServer([], { tokenMs: 1, otherwise: answer })
    await writeFile(
      join(folder, "assistant.toml"),
      [
        "[provider]",
        'provider_type = "openai"',
        `api_url = "${model.openaiUrl}"`,
        "[gateway]",
        "port = 0",
        `api_key = "${KEY}"`,
      ].join("\n"),
    )
  })
  afterAll(async () => {
    await model.close()
    await rm(folder, { recursive: true, force: true })
  })

  test("what was shown is there again, marked, and Continue goes on from it", async () => {
    const random = generator(seed)
    let herald = await heraldProcess({ cwd: folder })
    try {
      const longest = await countEvents(client(herald.url))
      for (let kill = 0; kill < KILLS; kill++) {
        const namespace = `web:crash-${kill}`
        const shown = await runAndKill(herald, namespace, 1 + Math.floor(random() * longest), random() * 4)
        herald = await heraldProcess({ cwd: folder })
        await checkHistory(client(herald.url), namespace, shown)
      }
    } finally {
      await herald.stop("SIGKILL")
    }
  }, 900_000)
})

/** A model that looks something up twice, thinking and talking all the while. */
function answer(request: WireRequest) {
  const { messages } = request.body as { messages: readonly { role: string }[] }
  const lastUser = messages.findLastIndex((message) => message.role === "user")
  const results = messages.slice(lastUser).filter((message) => message.role === "tool").length
  if (results === 0) {
    return [
      think("The person wants the time in two places."),
      say(..."Let me look at the clock in Oslo and in Rome.".split(/(?<= )/)),
      call("current_time", { zone: "Europe/Oslo" }),
      call("current_time", { zone: "Europe/Rome" }),
    ]
  }
  return [say(...`${"Both clocks say the same, as they should. ".repeat(4)}Done.`.split(/(?<= )/))]
}

type Client = ReturnType<typeof client>

/** How much a run shows when nobody kills it: the range from which the points are drawn. */
async function countEvents(api: Client): Promise<number> {
  await api.send("web:whole", "What time is it in Oslo and Rome?")
  return (await api.eventsUntil("web:whole", (event) => event.type === "run_finished")).length
}

/** Asks, and kills the process when `after` events were shown. @returns those that were. */
async function runAndKill(
  herald: HeraldProcess,
  namespace: string,
  after: number,
  laterMs: number,
): Promise<readonly RunEvent[]> {
  const api = client(herald.url)
  await api.send(namespace, "What time is it in Oslo and Rome?")
  const shown: RunEvent[] = []
  const reading = api.eventsUntil(namespace, (event) => {
    shown.push(event)
    // Some milliseconds on, so that the blow also falls between two events.
    if (shown.length === after || event.type === "run_finished")
      setTimeout(() => herald.stop("SIGKILL"), laterMs)
    return false
  })
  await reading.catch(() => {})
  await herald.ended
  return shown
}

async function checkHistory(api: Client, namespace: string, shown: readonly RunEvent[]): Promise<void> {
  const history = await api.history(namespace)
  const now = new Map(history.entries.map((entry) => [entry.seq, entry]))
  const answers = new Map(
    history.entries.flatMap((entry) =>
      entry.type === "assistant" ? [[entry.messageId, entry] as const] : [],
    ),
  )
  const drafts = new Map<string, string>()
  for (const event of shown) {
    if (!isEntry(event)) continue
    if (event.type === "delta") {
      const text = event.pieces.map((piece) => (piece.type === "text" ? piece.text : "")).join("")
      drafts.set(event.messageId, (drafts.get(event.messageId) ?? "") + text)
    } else if (event.type === "meta") {
      expect(history.info.metadata).toMatchObject(event.patch)
    } else {
      expect(now.get(event.seq), `entry ${event.seq} (${event.type}) was shown`).toEqual(event)
    }
  }
  for (const [messageId, text] of drafts) {
    if (text === "") continue
    expect(textOf(answers.get(messageId)).startsWith(text), `"${text}" was shown`).toBe(true)
  }

  expect(
    history.entries.some((entry) => entry.type === "delta"),
    "drafts are closed",
  ).toBe(false)
  expect(unanswered(history.entries), "every call has its result").toEqual([])
  const end = history.entries.findLast((entry) => entry.type === "run_finished")
  expect(history.info.openRun).toBeUndefined()
  if (end?.outcome === "completed") return
  expect(end).toMatchObject({ outcome: "interrupted" })
  for (const entry of history.entries) {
    if (entry.type === "tool_result" && entry.result.status !== "ok")
      expect(entry.result.status).toBe("cancelled")
  }

  await api.resume(namespace)
  const events = await api.eventsUntil(
    namespace,
    (event) => event.type === "run_finished" && isEntry(event) && event.seq > (end?.seq ?? 0),
  )
  expect(events.at(-1)).toMatchObject({ type: "run_finished", outcome: "completed" })
}

const textOf = (entry: Entry<"assistant"> | undefined): string =>
  (entry?.message.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("")

function unanswered(entries: readonly Entry[]): readonly string[] {
  const open = new Set<string>()
  for (const entry of entries) {
    if (entry.type === "assistant") {
      for (const part of entry.message.parts) if (part.type === "tool_call") open.add(part.id)
    } else if (entry.type === "tool_result") open.delete(entry.callId)
  }
  return [...open]
}

function client(url: string) {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" }
  const path = (namespace: string) => `${url}/api/sessions/${encodeURIComponent(namespace)}`
  const post = async (address: string, body: unknown): Promise<void> => {
    const response = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })
    expect(response.ok, `${address}: ${response.status}`).toBe(true)
    await response.arrayBuffer()
  }
  return {
    send: (namespace: string, message: string) => post(`${path(namespace)}/messages`, { message }),
    resume: (namespace: string) => post(`${path(namespace)}/resume`, {}),
    history: async (namespace: string): Promise<History> => {
      const response = await fetch(`${path(namespace)}?limit=1000`, { headers })
      expect(response.status).toBe(200)
      return (await response.json()) as History
    },
    /** The session's events from its beginning to the one that `last` says is the last. */
    eventsUntil: async (
      namespace: string,
      last: (event: RunEvent) => boolean,
    ): Promise<readonly RunEvent[]> => {
      const events: RunEvent[] = []
      const response = await fetch(`${path(namespace)}/events?after=0`, { headers })
      for await (const event of readEvents(response)) {
        events.push(event)
        if (last(event)) return events
      }
      throw new Error("The stream ended early.")
    },
  }
}

/** Mulberry32: the same points for the same seed. */
function generator(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

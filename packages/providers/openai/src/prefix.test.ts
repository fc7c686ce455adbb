import { claude } from "@orra/claude"
import {
  type Entry,
  MemoryStore,
  Namespace,
  type Provider,
  Runtime,
  summarize,
  ToolRegistry,
  tool,
} from "@orra/core"
import { call, fakeModelServer, say, think } from "@orra/testing"
import { expect, test } from "vitest"
import { openai } from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const words = "what was said and what was answered ".repeat(12)
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/** What is read of it has been written as JSON before, as in a store on a disk. */
class JsonStore extends MemoryStore {
  override async read(...args: Parameters<MemoryStore["read"]>): Promise<readonly Entry[]> {
    return JSON.parse(JSON.stringify(await super.read(...args))) as readonly Entry[]
  }
}

const simple = (name: string, answer: (input: Record<string, unknown>) => string) =>
  tool<Record<string, unknown>>({
    name,
    description: `The tool ${name}.`,
    input: { type: "object", properties: { b: { type: "integer" }, a: { type: "string" } }, required: ["b"] },
    risk: "read",
    execute: answer,
  })

/** What was sent, and what of it may have changed since the last time. */
interface Sent {
  readonly body: string
  readonly declared: string
}

/** Where the service finds again what it has kept: marks for its cache are no part of what it reads. */
function parts(body: string): { readonly head: string; readonly conversation: string } {
  const { messages, input, ...head } = JSON.parse(body.replaceAll(/,"cache_control":\{[^}]*\}/g, ""))
  return { head: JSON.stringify(head), conversation: JSON.stringify(messages ?? input) }
}

/** Two lists of which one goes on where the other ends: all but the brackets that close it. */
const goesOn = (after: string, before: string): boolean => after.startsWith(before.replace(/[\]}]+$/, ""))

const services: Readonly<Record<string, (url: string, fetch: typeof globalThis.fetch) => Provider>> = {
  anthropic: (baseURL, fetch) =>
    claude({ apiKey: "test", baseURL, fetch, thinking: { budgetTokens: 2_000 } }),
  openai: (baseURL, fetch) => openai({ apiKey: "test", baseURL: `${baseURL}/v1`, fetch }),
  responses: (baseURL, fetch) =>
    openai({ apiKey: "test", baseURL: `${baseURL}/v1`, fetch, api: "responses" }),
}

test.each(Object.entries(services))(
  "over 100 turns each request begins with the bytes of the one before, but where the log or the host says so: %s",
  { timeout: 120_000 },
  async (_, make) => {
    let asked = 0
    await using server = await fakeModelServer([], {
      otherwise: (request) => {
        asked++
        if (JSON.stringify(request.body).includes("You write the summary")) return say("In short.")
        // Every third answer asks for tools first, some for several, with arguments in any order.
        if (asked % 5 === 1)
          return [think("Hmm.", "sig"), call("beta", { b: asked, a: "x" }, `call_${asked}`)]
        if (asked % 5 === 2)
          return [
            think("Hm.", "sig"),
            call("alpha", { a: "y", 2: "two", b: 1, 1: "one" }),
            call("beta", { b: 2 }),
          ]
        return [think("Well.", "sig"), say(`Answer ${asked} ${words}`)]
      },
    })
    const store = new JsonStore()
    const sent: Sent[] = []
    let day = "Monday"
    const tools = new ToolRegistry([
      simple("beta", ({ b }) => `${b} ${words.repeat(20)}`),
      simple("alpha", () => "short"),
    ])
    const watching: typeof fetch = async (input, init) => {
      const body = String(init?.body)
      const isSummary = body.includes("You write the summary")
      const cuts = (await store.read(ns, { types: ["compaction"] })).length
      if (!isSummary) sent.push({ body, declared: `${cuts} cuts, ${day}, ${tools.list().length} tools` })
      return await fetch(input, init)
    }
    const start = () =>
      new Runtime({
        provider: make(server.url, watching),
        store,
        tools,
        systemPrompt: () => `Today is ${day}.`,
        context: { maxTokens: 20_000, toolResultShare: 0.05 },
        compaction: summarize({ isWorthwhile: () => true }),
      })
    let runtime = start()
    for (let turn = 0; turn < 100; turn++) {
      if (turn === 40) tools.add(simple("aardvark", () => ""))
      if (turn === 60) day = "Tuesday"
      // The next process reads from the store what this one has in memory.
      if (turn % 17 === 16) runtime = start()
      const picture = { type: "image" as const, mediaType: "image/png", data: PICTURE }
      const text = { type: "text" as const, text: `Turn ${turn} ${words}` }
      await runtime.run(ns, turn % 9 === 0 ? [text, picture] : [text])
    }
    let points = 0
    let kept = 0
    for (const [index, { body, declared }] of sent.entries()) {
      const before = sent[index - 1]
      if (!before) continue
      const now = parts(body)
      const then = parts(before.body)
      if (declared === before.declared) {
        expect(now.head, `request ${index}`).toBe(then.head)
        expect(goesOn(now.conversation, then.conversation), `request ${index}`).toBe(true)
        kept++
      } else points++
    }
    // The declared points are few: a cut leaves room for many turns.
    expect(points).toBeGreaterThan(4)
    expect(points).toBeLessThan(sent.length / 8)
    expect(kept).toBe(sent.length - 1 - points)
    expect(sent.length).toBeGreaterThan(120)
  },
)

import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { type Entry, MemoryStore, messageText, Namespace, Runtime, redact, tool } from "../index.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const card = (text: string): string => text.replace(/\d{16}/g, "[card]")
const NUMBER = "4111111111111111"

const lookup = tool<{ card: string }>({
  name: "lookup",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: ({ card }) => ({
    content: [{ type: "text", text: `card ${card}` }],
    structured: { of: [{ card }], count: 1 },
  }),
})

function setup(filter: ReturnType<typeof redact>) {
  const provider = scriptedProvider([
    [call("lookup", { card: NUMBER }, "c1")],
    { type: "say", pieces: ["It is 41111111", "11111111."] },
  ])
  const errors: unknown[] = []
  const store = new MemoryStore()
  const runtime = new Runtime({
    provider,
    store,
    tools: [lookup],
    deltaIntervalMs: 0,
    hooks: [{ beforeRecord: filter }],
    onError: (error) => errors.push(error),
  })
  return { provider, runtime, errors, store }
}

async function watched(runtime: Runtime, input: string): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for await (const event of runtime.stream(ns, input)) if ("seq" in event) entries.push(event)
  return entries
}

describe("redact", () => {
  test("nothing of what it takes out is stored, shown, or sent to the model", async () => {
    const { runtime, provider, store } = setup(redact(card))
    const shown = await watched(runtime, `My card is ${NUMBER}`)
    const texts = shown.map((entry) => {
      if (entry.type === "user" || entry.type === "assistant") return messageText(entry.message)
      return entry.type === "tool_result" ? [entry.result.content, entry.result.structured] : undefined
    })
    expect(texts.filter((text) => text !== undefined)).toEqual([
      "My card is [card]",
      "",
      [[{ type: "text", text: "card [card]" }], { of: [{ card: "[card]" }], count: 1 }],
      "It is [card].",
    ])
    // Only where it has to stand: the arguments of the call, which are executed as they are recorded.
    const withNumber = (await store.read(ns)).filter((entry) => JSON.stringify(entry).includes(NUMBER))
    expect(withNumber.map(({ type }) => type)).toEqual(["assistant", "tool_intent"])
    const asked = provider.requests
      .flatMap(({ messages }) => messages)
      .filter(({ role }) => role !== "assistant")
    expect(JSON.stringify(asked)).not.toContain(NUMBER)
  })

  test("a number that is split between two pieces of an answer is not shown in pieces", async () => {
    const { runtime } = setup(redact(card))
    const shown = await watched(runtime, "Go")
    const pieces = shown.flatMap((entry) => (entry.type === "delta" ? entry.pieces : []))
    expect(pieces.filter(({ type }) => type !== "tool_call")).toEqual([])
  })

  test("answers are shown as they are written when it leaves them alone", async () => {
    const { runtime } = setup(redact(card, { types: ["user"] }))
    const shown = await watched(runtime, `My card is ${NUMBER}`)
    expect(JSON.stringify(shown.filter(({ type }) => type === "user"))).not.toContain(NUMBER)
    const pieces = shown.flatMap((entry) => (entry.type === "delta" ? entry.pieces : []))
    expect(pieces.map((piece) => (piece.type === "text" ? piece.text : "")).join("")).toContain(
      "It is 41111111",
    )
  })

  test("knows whose text it is", async () => {
    const seen: string[] = []
    const { runtime } = setup(
      redact((text, { namespace, type, tool }) => {
        expect(namespace.key).toBe(ns.key)
        seen.push(tool === undefined ? type : `${type} ${tool}`)
        return text
      }),
    )
    await runtime.run(ns, "Go")
    expect([...new Set(seen)].sort()).toEqual(["assistant", "tool_result lookup", "user"])
  })

  test("one that fails withholds the text, is reported, and the run goes on", async () => {
    for (const rewrite of [
      () => {
        throw new Error("boom")
      },
      () => undefined as never,
      () => 7 as never,
    ]) {
      const { runtime, errors, store } = setup(redact(rewrite, { types: ["user", "tool_result"] }))
      expect((await runtime.run(ns, `My card is ${NUMBER}`)).outcome).toBe("completed")
      const [user] = (await store.read(ns, { types: ["user"] })) as readonly Entry<"user">[]
      expect(user && messageText(user.message)).toMatch(/^\[withheld/)
      expect(errors.length).toBeGreaterThan(1)
    }
  })

  test("the caller of run() gets what was recorded", async () => {
    expect((await setup(redact(card)).runtime.run(ns, "Go")).text).toBe("It is [card].")
  })

  test("leaves ids, outcomes and the order of the log as they are without it", async () => {
    const plain = setup(redact((text) => text))
    const strict = setup(redact(() => ""))
    const shape = async ({ runtime, store }: ReturnType<typeof setup>) => {
      await runtime.run(ns, "Go")
      return (await store.read(ns)).map((entry) => [
        entry.type,
        "callId" in entry ? entry.callId : undefined,
        entry.type === "tool_result"
          ? [entry.result.status, entry.result.callId, entry.result.name]
          : undefined,
        entry.type === "tool_intent" ? [entry.decision, entry.arguments] : undefined,
        entry.type === "run_finished" ? [entry.outcome, entry.usage] : undefined,
      ])
    }
    expect(await shape(strict)).toEqual(await shape(plain))
  })
})

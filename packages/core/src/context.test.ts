import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { availableForInput, charEstimator, countMessage, DEFAULT_BUDGET, type Tokenizer } from "./context.ts"
import { type AssistantPart, type Message, type ToolResultPart, userMessage } from "./message.ts"

const result = (...texts: readonly string[]): ToolResultPart => ({
  type: "tool_result",
  callId: "1",
  name: "t",
  status: "ok",
  content: texts.map((text) => ({ type: "text", text })),
})

/**
 * Texts of many kinds with the tokens they have in OpenAI's o200k_base and cl100k_base, as gpt-tokenizer 4.0.0 counts
 * them. What the estimate says of its error is held against these.
 */
const TOKEN_VECTORS: readonly {
  readonly kind: string
  readonly text: string
  readonly o200k: number
  readonly cl100k: number
}[] = [
  {
    kind: "English prose",
    text: "A namespace says whose data it is: a path of segments with an injective key. Every call that reads or writes takes one, and there is no call that means everybody. When the process stops in the middle of an answer, the next one finds what was written, closes what was open, and tells the person what is known and what is not.",
    o200k: 72,
    cl100k: 72,
  },
  {
    kind: "German prose",
    text: "Ein Namensraum sagt, wem die Daten gehören: ein Pfad aus Abschnitten mit einem eindeutigen Schlüssel. Jeder Aufruf, der liest oder schreibt, verlangt einen solchen, und es gibt keinen Aufruf, der für alle gilt. Wenn der Vorgang mitten in einer Antwort abbricht, findet der nächste, was geschrieben wurde.",
    o200k: 69,
    cl100k: 89,
  },
  {
    kind: "TypeScript",
    text: "export function countTools(tools: readonly ToolDefinition[], tokenizer: Tokenizer): number {\n  let tokens = 0\n  for (const { name, description, inputSchema } of tools) {\n    tokens += CALL_OVERHEAD + tokenizer.count(name) + tokenizer.count(description)\n    if (known.has(name)) continue\n  }\n  return tokens\n}\n",
    o200k: 73,
    cl100k: 73,
  },
  {
    kind: "JSON",
    text: '{"orders":[{"id":"a1f3","customer":{"name":"Ada","city":"London"},"lines":[{"sku":"X-1001","quantity":3,"price":19.95},{"sku":"Y-2002","quantity":1,"price":4.5}],"paid":true,"at":"2026-03-01T12:30:00Z"}],"next":null}',
    o200k: 85,
    cl100k: 82,
  },
  {
    kind: "Chinese",
    text: "命名空间说明数据属于谁：它是由若干段组成的路径，并带有唯一的键。每一次读取或写入都需要一个命名空间，没有任何调用是面向所有人的。当进程在回答中途停止时，下一个进程会找到已经写下的内容。",
    o200k: 65,
    cl100k: 91,
  },
  {
    kind: "Japanese",
    text: "名前空間は、データが誰のものかを示します。読み書きを行うすべての呼び出しには名前空間が必要で、全員を対象とする呼び出しはありません。処理が回答の途中で止まった場合、次の処理は書かれた内容を見つけます。",
    o200k: 78,
    cl100k: 108,
  },
  {
    kind: "Russian",
    text: "Пространство имён говорит, чьи это данные: путь из сегментов с однозначным ключом. Каждый вызов, который читает или пишет, требует его, и нет вызова, который означал бы всех сразу.",
    o200k: 49,
    cl100k: 74,
  },
  {
    kind: "log lines",
    text: "2026-03-01T12:30:00.123Z INFO  [http] GET /api/sessions/42?limit=50 200 12ms\n2026-03-01T12:30:00.456Z WARN  [store] lease 7f3a9c expired after 30000 ms\n2026-03-01T12:30:01.001Z ERROR [tool] fetch failed: ECONNREFUSED 127.0.0.1:8080\n",
    o200k: 110,
    cl100k: 110,
  },
  {
    kind: "hexadecimal",
    text: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    o200k: 78,
    cl100k: 78,
  },
]

describe("the estimator", () => {
  test.each(TOKEN_VECTORS)("is near what tokenizers count: $kind", ({ kind, text, o200k, cl100k }) => {
    const estimate = charEstimator.count(text)
    const isOther = ["Chinese", "Japanese", "Russian"].includes(kind)
    for (const tokens of [o200k, cl100k]) {
      expect(estimate).toBeGreaterThan(tokens * (isOther ? 0.65 : 0.89))
      expect(estimate).toBeLessThan(tokens * (isOther ? 1.75 : 1.31))
    }
  })

  test("property: never says less than a quarter of the UTF-8 bytes, nor more than their number", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const bytes = new TextEncoder().encode(text).length
        expect(charEstimator.count(text)).toBeGreaterThanOrEqual(Math.ceil(bytes / 4))
        expect(charEstimator.count(text)).toBeLessThanOrEqual(bytes)
      }),
    )
    for (const text of ["", "plain", "gr ü ß e", "漢字かな", "😀👩‍👩‍👧", "\u07ff\u0800\uffff"]) {
      expect(charEstimator.count(text)).toBe(Math.ceil(new TextEncoder().encode(text).length / 4))
    }
  })

  test("property: of a text is that of its pieces, but for what is rounded up", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 8 }), (pieces) => {
        const each = pieces.reduce((sum, piece) => sum + charEstimator.count(piece), 0)
        const whole = charEstimator.count(pieces.join(""))
        expect(whole).toBeLessThanOrEqual(each)
        expect(whole).toBeGreaterThan(each - pieces.length - 1)
      }),
    )
  })
})

describe("a message", () => {
  test("is not charged for the base64 of a picture as if it were text", () => {
    const data = "A".repeat(4_000_000)
    const picture = userMessage([{ type: "image", mediaType: "image/png", data }])
    expect(countMessage(picture, charEstimator)).toBeLessThan(2_000)
    const shown: Message = {
      role: "tool",
      parts: [{ ...result(), content: [{ type: "image", mediaType: "image/png", data }] }],
    }
    expect(countMessage(shown, charEstimator)).toBeLessThan(2_000)
  })

  test("is charged for a text file as for text, for a document less", () => {
    const file = (mediaType: string) =>
      countMessage(
        userMessage([{ type: "file", mediaType, name: "f", data: "A".repeat(40_000) }]),
        charEstimator,
      )
    expect(file("text/plain")).toBeGreaterThan(7_000)
    expect(file("application/pdf")).toBeLessThan(1_500)
  })

  test("is charged for thinking, shown or not, and for a call as the model wrote it", () => {
    const count = (...parts: AssistantPart[]) => countMessage({ role: "assistant", parts }, charEstimator)
    const text = "x".repeat(4_000)
    expect(count({ type: "thinking", provider: "p", text })).toBe(1_004)
    expect(count({ type: "thinking", provider: "p", text: "", data: text })).toBe(1_004)
    const call = { type: "tool_call", id: "1", name: "toolname" } as const
    expect(count({ ...call, arguments: { text } })).toBe(
      4 + 5 + 2 + charEstimator.count(JSON.stringify({ text })),
    )
    expect(count({ ...call, arguments: {}, invalid: text })).toBe(4 + 5 + 2 + 1_000)
  })

  test("is counted whole by a tokenizer that can, and estimated where that has no answer", () => {
    const exact: Tokenizer = {
      count: (text) => text.length,
      countMessage: ({ role }) => (role === "user" ? 7 : undefined),
    }
    expect(countMessage(userMessage([{ type: "image", mediaType: "image/png", data: "AAAA" }]), exact)).toBe(
      7,
    )
    expect(countMessage({ role: "assistant", parts: [{ type: "text", text: "12345" }] }, exact)).toBe(4 + 5)
  })

  test("leaves the window less what is kept for the answer, never less than nothing", () => {
    expect(availableForInput(DEFAULT_BUDGET)).toBe(195_904)
    expect(availableForInput({ ...DEFAULT_BUDGET, maxTokens: 10 })).toBe(0)
  })
})

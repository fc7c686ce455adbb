import { grammarProblem } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { charEstimator, countMessage, type ViewItem } from "./context.ts"
import type { AssistantPart, Message, ToolStatus } from "./message.ts"
import { userMessage } from "./message.ts"
import { requestMessages, Transcript } from "./transcript.ts"

const view = (messages: readonly Message[]): ViewItem[] =>
  messages.map((message, index) => ({
    seq: index + 1,
    message,
    tokens: countMessage(message, charEstimator),
  }))

const calls = (...ids: readonly string[]): Message => ({
  role: "assistant",
  parts: ids.map((id) => ({ type: "tool_call", id, name: "t", arguments: {} })),
})
const answer = (callId: string, text = "ok", status: ToolStatus = "ok"): Message => ({
  role: "tool",
  parts: [{ type: "tool_result", callId, name: "t", status, content: [{ type: "text", text }] }],
})

/** What the strictest of the providers asks of a transcript, besides `grammarProblem`. */
function problem(messages: readonly Message[]): string | undefined {
  const ids = messages.flatMap((message) =>
    message.role === "assistant"
      ? message.parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : []))
      : [],
  )
  if (new Set(ids).size < ids.length) return "A call id comes twice."
  for (const message of messages) {
    for (const part of message.parts) {
      const texts = part.type === "tool_result" ? part.content : [part]
      if (texts.some((text) => text.type === "text" && text.text.trim() === "")) return "A text is blank."
      if (part.type === "thinking" && part.signature === undefined && part.data === undefined)
        return "Thinking without its proof."
    }
  }
  // A request whose last message is the model's own is one that the runtime never makes.
  const last = messages.at(-1)
  return grammarProblem(last?.role === "assistant" ? [...messages, userMessage("go on")] : messages)
}

const id = fc.constantFrom("a", "b", "c")
const text = fc.constantFrom("", " \n", "word", "漢字")
const status = fc.constantFrom<ToolStatus>("ok", "error", "denied", "cancelled", "unknown")
const part: fc.Arbitrary<AssistantPart> = fc.oneof(
  text.map((value) => ({ type: "text" as const, text: value })),
  fc.tuple(text, fc.boolean()).map(([value, signed]) => ({
    type: "thinking" as const,
    text: value,
    provider: "p",
    ...(signed && { signature: "s" }),
  })),
  id.map((value) => ({ type: "tool_call" as const, id: value, name: "t", arguments: {} })),
)
const message: fc.Arbitrary<Message> = fc.oneof(
  fc
    .array(text, { maxLength: 2 })
    .map((texts) => userMessage(texts.map((value) => ({ type: "text", text: value })))),
  fc.array(part, { maxLength: 4 }).map((parts): Message => ({ role: "assistant", parts })),
  {
    weight: 2,
    arbitrary: fc.tuple(id, text, status).map(([callId, value, how]) => answer(callId, value, how)),
  },
)

describe("a request", () => {
  test("property: is valid for every provider, whatever is in the session and however it was cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 14 }), (messages) => {
        const request = requestMessages(view(messages))
        if (request.length > 0) expect(problem(request)).toBeUndefined()
        const said = messages.some(
          (candidate) =>
            candidate.role === "user" &&
            candidate.parts.some((own) => own.type === "text" && own.text.trim() !== ""),
        )
        if (said) expect(request.length).toBeGreaterThan(0)
      }),
      { numRuns: 2_000 },
    )
  })

  test("property: says of every answered call what its answer was", () => {
    const turn = fc.array(fc.tuple(id, status), { minLength: 1, maxLength: 3 }).map((asked) => {
      const unique = [...new Map(asked).entries()]
      return [
        calls(...unique.map(([callId]) => callId)),
        ...unique.map(([callId, how]) => answer(callId, how, how)),
      ]
    })
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 6 }), (turns) => {
        const request = requestMessages(view([userMessage("go"), ...turns.flat()]))
        const given = turns
          .flat()
          .flatMap((own) => (own.role === "tool" ? own.parts.map((one) => one.status) : []))
        const sent = request.flatMap((own) => (own.role === "tool" ? own.parts.map((one) => one.status) : []))
        expect(sent).toEqual(given)
        expect(problem(request)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  test("answers a call that has no result, and drops a result that has no call", () => {
    expect(
      requestMessages(view([userMessage("x"), calls("a", "b"), answer("b"), userMessage("y")])),
    ).toMatchObject([
      { role: "user" },
      { role: "assistant" },
      {
        role: "tool",
        parts: [
          { callId: "a", status: "cancelled" },
          { callId: "b", status: "ok" },
        ],
      },
      { role: "user" },
    ])
    expect(requestMessages(view([userMessage("x"), answer("a"), answer("z")]))).toHaveLength(1)
  })

  test("begins with a user's message, and keeps the objects it need not change", () => {
    const messages = [calls("a"), answer("a"), userMessage("x"), calls("a")]
    const request = requestMessages(view(messages))
    expect(request[0]).toBe(messages[2])
    expect(request[1]).toBe(messages[3])
    expect(requestMessages(view([calls("a"), answer("a")]))).toEqual([])
  })

  test("gives an id that comes again another one, with its result", () => {
    const request = requestMessages(
      view([
        userMessage("x"),
        calls("a"),
        answer("a", "first"),
        calls("a", "a_2"),
        answer("a", "second"),
        answer("a_2"),
      ]),
    )
    expect(request[3]).toMatchObject({ parts: [{ id: "a_2" }, { id: "a_2_2" }] })
    expect(request[4]).toMatchObject({
      parts: [
        { callId: "a_2", content: [{ text: "second" }] },
        { callId: "a_2_2", content: [{ text: "ok" }] },
      ],
    })
  })
})

test("property: one that has seen the beginning says the same as one that has not", () => {
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.nat(3)), (messages, steps) => {
      const whole = view(messages)
      const transcript = new Transcript()
      const growing: ViewItem[] = []
      for (const step of [...steps, messages.length]) {
        growing.push(...whole.slice(growing.length, growing.length + step))
        expect(transcript.of(growing)).toEqual(requestMessages([...growing]))
      }
    }),
  )
})

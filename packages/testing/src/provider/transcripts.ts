import type {
  AssistantPart,
  FilePart,
  ImagePart,
  Message,
  TextPart,
  ToolResultPart,
  ToolStatus,
  UserPart,
} from "@orra/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ask, complete, failed, type MakeProvider, setup } from "./fixture.ts"

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
const IMAGE: ImagePart = { type: "image", mediaType: "image/png", data: PIXEL }

const text: fc.Arbitrary<TextPart> = fc
  .oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "  ", "\n", "\ud800", "Hi"))
  .map((value) => ({ type: "text", text: value }))
const status = fc.constantFrom<ToolStatus>("ok", "error", "denied", "cancelled", "unknown")
const content = fc.array(fc.oneof(text, fc.constant(IMAGE)), { maxLength: 3 })
const user: fc.Arbitrary<Message> = fc
  .array(fc.oneof<fc.Arbitrary<UserPart>[]>(text, fc.constant(IMAGE)), { maxLength: 3 })
  .map((parts) => ({ role: "user", parts }))

const id = fc.constantFrom("a", "b", "functions.x:0", "call with spaces", "", "x".repeat(100))
const name = fc.constantFrom("weather", "", "no such.tool", "n".repeat(80))
const said: fc.Arbitrary<AssistantPart> = fc.oneof(
  text,
  fc.record({
    type: fc.constant("thinking" as const),
    text: fc.string(),
    provider: fc.constantFrom("anthropic", "x"),
  }),
  fc.record({
    type: fc.constant("thinking" as const),
    text: fc.string(),
    provider: fc.constantFrom("anthropic", "x"),
    signature: fc.constant("sig"),
  }),
)
const asked = fc.uniqueArray(fc.tuple(id, name, fc.constantFrom(undefined, "{broken"), status, content), {
  maxLength: 3,
  selector: ([callId]) => callId,
})

/** An answer, and the results of the calls in it. */
const turn: fc.Arbitrary<Message[]> = fc
  .tuple(fc.array(said, { maxLength: 3 }), asked)
  .map(([parts, calls]) => {
    const results = calls.map(
      ([callId, tool, , how, output]): ToolResultPart => ({
        type: "tool_result",
        callId,
        name: tool,
        status: how,
        content: output,
      }),
    )
    const asks = calls.map(
      ([callId, tool, invalid]): AssistantPart => ({
        type: "tool_call",
        id: callId,
        name: tool,
        arguments: invalid === undefined ? { text: "\udfff" } : {},
        ...(invalid !== undefined && { invalid }),
      }),
    )
    const answer: Message = { role: "assistant", parts: [...parts, ...asks] }
    return calls.length > 0 ? [answer, { role: "tool", parts: results }] : [answer]
  })

const HELLO: Message = { role: "user", parts: [{ type: "text", text: "Hello" }] }

/** Any transcript in which every call has its results: with empty messages, foreign thinking, ids used twice. */
const transcript: fc.Arbitrary<Message[]> = fc
  .array(
    fc.oneof(
      turn,
      user.map((message) => [message]),
    ),
    { maxLength: 8 },
  )
  .map((turns) => [HELLO, ...turns.flat(), HELLO])

/** Tests that what is sent is what the service takes; the fake refuses what the real one would. */
export function transcriptConformance(make: MakeProvider): void {
  describe("transcript", () => {
    test("any transcript is sent in a form the service takes, the same one each time", async () => {
      const { provider, server } = await setup(make, [], {}, { otherwise: "Hi" })
      const runs = process.env["ORRA_TEST_FULL"] ? 2_000 : 100
      await fc.assert(
        fc.asyncProperty(transcript, async (messages) => {
          await complete(provider, ask({ messages, system: "Be kind." }))
          await complete(provider, ask({ messages, system: "Be kind." }))
          const [first, second] = server.requests.slice(-2)
          expect(JSON.stringify(second?.body)).toBe(JSON.stringify(first?.body))
        }),
        { numRuns: runs },
      )
    }, 120_000)

    test("pictures and documents go in, from people and from tools", async () => {
      const { provider, server } = await setup(make, ["Seen."])
      const data = btoa("plain text")
      const messages: Message[] = [
        {
          role: "user",
          parts: [
            { type: "text", text: "Look" },
            IMAGE,
            { type: "file", mediaType: "application/pdf", name: "a.pdf", data: "JVBERi0=" },
            { type: "file", mediaType: "text/csv", name: "b.csv", data },
          ],
        },
        { role: "assistant", parts: [{ type: "tool_call", id: "1", name: "screenshot", arguments: {} }] },
        {
          role: "tool",
          parts: [{ type: "tool_result", callId: "1", name: "screenshot", status: "ok", content: [IMAGE] }],
        },
      ]
      await complete(provider, ask({ messages }))
      const sent = JSON.stringify((await server.request(1)).body)
      expect(sent.split(PIXEL)).toHaveLength(3)
      expect(sent).toContain("JVBERi0=")
      expect(sent).toContain("plain text")
    })

    test.each<ImagePart | FilePart>([
      { type: "image", mediaType: "image/tiff", data: "" },
      { type: "file", mediaType: "application/zip", name: "a.zip", data: "" },
    ])("what the service cannot take is refused here: $mediaType", async (part) => {
      const { provider, server } = await setup(make, [])
      const { error } = await failed(provider, ask({ messages: [{ role: "user", parts: [part] }] }))
      expect(error).toMatchObject({
        kind: "invalid_request",
        message: expect.stringContaining(part.mediaType),
      })
      expect(server.requests).toHaveLength(0)
    })

    test("tools are described", async () => {
      const { provider, server } = await setup(make, ["Hi"])
      const inputSchema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
      await complete(
        provider,
        ask({ tools: [{ name: "weather", description: "The weather.", inputSchema }] }),
      )
      expect(JSON.stringify((await server.request(1)).body["tools"])).toContain('"properties":{"city":')
    })
  })
}

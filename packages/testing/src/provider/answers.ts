import { describe, expect, test } from "vitest"
import { call, end, say, think } from "../scripted-provider.ts"
import { cut, drop, raw, respond } from "../wire-server.ts"
import { API_KEY, ask, bytewiseFetch, complete, failed, type MakeProvider, setup } from "./fixture.ts"

/** Tests of what comes back when nothing fails, or when the stream itself is broken. */
export function answerConformance(make: MakeProvider): void {
  describe("answer", () => {
    test("text arrives in the pieces it was sent in, and whole at the end", async () => {
      const { provider } = await setup(make, [[say("Hel", "lo ", "Żółć 🎉")]])
      const { events, done } = await complete(provider)
      expect(events.flatMap((event) => (event.type === "text" ? [event.text] : []))).toEqual([
        "Hel",
        "lo ",
        "Żółć 🎉",
      ])
      expect(done.message).toMatchObject({
        role: "assistant",
        provider: provider.id,
        model: provider.model,
        parts: [{ type: "text", text: "Hello Żółć 🎉" }],
      })
      expect(done.finishReason).toBe("stop")
    })

    test.each(["\n", "\r\n"] as const)(
      "one byte at a time, lines ending in %j, with comments between",
      async (lineEnding) => {
        const script = [
          think("先に考える。", "sig"),
          raw(`: keep-alive${lineEnding.repeat(2)}`),
          say("Żółć ", "🎉"),
        ]
        const more = [call("weather", { city: "Łódź" }, "id_1")]
        const settings = { fetch: bytewiseFetch }
        const { provider } = await setup(make, [[...script, ...more]], settings, { lineEnding })
        const { text, thinking, done } = await complete(provider)
        expect([text, thinking]).toEqual(["Żółć 🎉", "先に考える。"])
        expect(done.message.parts.at(-1)).toMatchObject({ arguments: { city: "Łódź" } })
      },
    )

    test("parallel calls, each with its own arguments", async () => {
      const answer = [
        say("Both."),
        call("weather", { city: "Paris" }, "a"),
        call("time", { zone: ["UTC", { n: 1 }] }, "b"),
      ]
      const { provider } = await setup(make, [answer])
      const { events, done } = await complete(provider)
      expect(done.finishReason).toBe("tool_calls")
      expect(done.message.parts).toEqual([
        { type: "text", text: "Both." },
        { type: "tool_call", id: "a", name: "weather", arguments: { city: "Paris" } },
        { type: "tool_call", id: "b", name: "time", arguments: { zone: ["UTC", { n: 1 }] } },
      ])
      const shown = (id: string) =>
        events
          .map((event) => (event.type === "tool_call" && event.id === id ? (event.text ?? "") : ""))
          .join("")
      expect([shown("a"), shown("b")]).toEqual(['{"city":"Paris"}', '{"zone":["UTC",{"n":1}]}'])
    })

    test("a call without arguments has none", async () => {
      const { provider } = await setup(make, [[call("now", "")]])
      const { done } = await complete(provider)
      expect(done.message.parts).toMatchObject([{ name: "now", arguments: {} }])
      expect(done.message.parts[0]).not.toHaveProperty("invalid")
    })

    test.each(['{"city": "Par', "[1]", '"text"', "null", "NaN", '{"__proto__": {"admin": true}}'])(
      "arguments that are no object are kept as text: %s",
      async (text) => {
        const { provider } = await setup(make, [[call("weather", text)]])
        const { done } = await complete(provider)
        expect(done.message.parts).toMatchObject([{ type: "tool_call", arguments: {}, invalid: text }])
      },
    )

    test("two calls of the same id get two", async () => {
      const { provider } = await setup(make, [[call("a", {}, "same"), call("b", {}, "same")]])
      const { done } = await complete(provider)
      const ids = done.message.parts.map((part) => part.type === "tool_call" && part.id)
      expect(new Set(ids).size).toBe(2)
      expect(ids).toContain("same")
    })

    test.each(["stop", "max_tokens", "refusal", "other"] as const)(
      "finish reason %s",
      async (finishReason) => {
        const { provider } = await setup(make, [[say("Hi"), end({ finishReason })]])
        expect((await complete(provider)).done.finishReason).toBe(finishReason)
      },
    )

    test("calls are calls, whatever reason the service gives", async () => {
      const { provider } = await setup(make, [[call("now"), end({ finishReason: "stop" })]])
      expect((await complete(provider)).done.finishReason).toBe("tool_calls")
    })

    test("usage counts everything sent, its cached share apart", async () => {
      const usage = { inputTokens: 1_000, outputTokens: 20, cacheReadTokens: 900, cacheWriteTokens: 0 }
      const { provider } = await setup(make, [[say("Hi"), end({ usage })]])
      expect((await complete(provider)).done.usage).toEqual(usage)
    })

    test("the request's model and limit are sent", async () => {
      const { provider, server } = await setup(make, ["Hi"])
      const { done } = await complete(provider, ask({ model: "another", maxTokens: 77 }))
      expect(done.message.model).toBe("another")
      const { body } = await server.request(1)
      expect(body["model"]).toBe("another")
      expect(body["max_tokens"] ?? body["max_completion_tokens"] ?? body["max_output_tokens"]).toBe(77)
    })

    test("the key is sent, with the model list too", async () => {
      const { provider } = await setup(make, ["Hi"], {}, { apiKey: API_KEY })
      expect((await complete(provider)).text).toBe("Hi")
      expect(await provider.models?.()).toHaveLength(2)
    })

    test("the models of the service", async () => {
      const { provider } = await setup(make, [], {}, { models: [{ id: "one" }, { id: "two" }] })
      expect((await provider.models?.())?.map(({ id }) => id)).toEqual(["one", "two"])
    })
  })

  describe("broken stream", () => {
    test("one that ends before the answer does", async () => {
      const { provider } = await setup(make, [[say("Hi"), cut()]])
      const { error, events } = await failed(provider)
      expect(error).toMatchObject({ kind: "protocol", provider: provider.id })
      expect(events).toEqual([{ type: "text", text: "Hi" }])
    })

    test("malformed JSON", async () => {
      const { provider } = await setup(make, [[say("Hi"), raw('event: message\ndata: {"broken\n\n')]])
      expect((await failed(provider)).error).toMatchObject({ kind: "protocol" })
    })

    test("a web page where a stream should be", async () => {
      const { provider } = await setup(make, [respond(200, { body: "<html>Welcome</html>" })])
      expect((await failed(provider)).error).toMatchObject({ kind: "protocol" })
    })

    test("a connection that breaks is not tried again once something was said", async () => {
      const { provider, server } = await setup(make, [[say("Hi"), drop()], "never"], { retry: {} })
      const { error, events } = await failed(provider)
      expect(error).toMatchObject({ kind: "network", retryable: true })
      expect(events).toEqual([{ type: "text", text: "Hi" }])
      expect(server.requests).toHaveLength(1)
    })
  })
}

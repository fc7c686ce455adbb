import { type ModelEvent, ProviderError } from "@orra/core"
import { describe, expect, test } from "vitest"
import { fail, hang, say } from "../scripted-provider.ts"
import { drop, fakeModelServer, respond, type WireAnswer, type WireRequest } from "../wire-server.ts"
import { API_KEY, AT_ONCE, ask, complete, failed, type MakeProvider, ONCE, setup } from "./fixture.ts"

const KINDS = [
  "auth",
  "rate_limit",
  "overloaded",
  "context_length",
  "invalid_request",
  "model_not_found",
  "quota",
] as const

/** Tests of failures by kind, of trying again, of time, and of stopping. */
export function failureConformance(make: MakeProvider): void {
  describe("failure", () => {
    test.each(KINDS)("%s is recognised", async (kind) => {
      const { provider } = await setup(make, [fail(kind)])
      const { error } = await failed(provider)
      expect(error).toMatchObject({ kind, code: `provider_${kind}`, provider: provider.id })
      expect(error.status).toBeGreaterThanOrEqual(400)
      expect(error.message).toContain(`HTTP ${error.status}`)
    })

    test.each(["rate_limit", "overloaded"] as const)(
      "%s in the middle of an answer is final",
      async (kind) => {
        const { provider, server } = await setup(make, [[say("Hi"), fail(kind, "Said in the stream.")]], {
          retry: AT_ONCE,
        })
        const { error, events } = await failed(provider)
        expect(events).toEqual([{ type: "text", text: "Hi" }])
        expect(error).toMatchObject({ kind, message: expect.stringContaining("Said in the stream.") })
        expect(server.requests).toHaveLength(1)
      },
    )

    test("the service's words are in the message, the key is not", async () => {
      const said = `Wrong key ${API_KEY}, or sk-other-abcdef123456, or Bearer abcdefgh12345`
      const { provider } = await setup(make, [
        respond(401, { body: { error: { type: "x", message: said } } }),
      ])
      const { error } = await failed(provider)
      expect(error.kind).toBe("auth")
      expect(error.message).toContain("Wrong key")
      expect(`${error.message} ${JSON.stringify(error)} ${error.stack}`).not.toMatch(/secret|abcdef/)
      expect(error.cause).toBeUndefined()
    })

    test.each([
      [502, "overloaded"],
      [503, "overloaded"],
      [413, "context_length"],
      [403, "auth"],
      [402, "quota"],
      [418, "invalid_request"],
    ] as const)("a proxy's page with status %i is %s", async (status, kind) => {
      const body = "<html><style>p {}</style><h1>Out   of order</h1></html>"
      const { provider } = await setup(make, [respond(status, { body })])
      const { error } = await failed(provider)
      expect(error).toMatchObject({ kind, status })
      expect(error.message).toContain('"Out of order"')
    })

    test("a word like token or context does not make a request too long", async () => {
      const message = "max_tokens is not a valid context for this token"
      const body = { type: "error", error: { type: "invalid_request_error", message } }
      const { provider } = await setup(make, [respond(400, { body })])
      expect((await failed(provider)).error.kind).toBe("invalid_request")
    })

    test("nobody listens", async () => {
      const server = await fakeModelServer()
      await server.close()
      const provider = make(server, { apiKey: API_KEY, retry: ONCE, timeoutMs: 60_000, fetch })
      const { error } = await failed(provider)
      expect(error).toMatchObject({ kind: "network", retryable: true })
      expect(error.message).toContain(new URL(server.url).host)
      expect(error.message).toContain("ECONNREFUSED")
    })

    test("the model list fails with the same kinds", async () => {
      const { provider } = await setup(make, [], {}, { apiKey: "another" })
      await expect(provider.models?.()).rejects.toMatchObject({ kind: "auth", status: 401 })
    })
  })

  describe("trying again", () => {
    test.each([
      ["429", fail("rate_limit")],
      ["overload", fail("overloaded")],
      ["a connection that breaks at once", drop()],
    ])("after %s, then an answer", async (_name, failure) => {
      const { provider, server } = await setup(make, [failure, failure, "Here I am."], { retry: AT_ONCE })
      const { events, text } = await complete(provider)
      expect(events.slice(0, 2)).toMatchObject([
        { type: "retry", attempt: 1 },
        { type: "retry", attempt: 2 },
      ])
      expect(text).toBe("Here I am.")
      expect(server.requests).toHaveLength(3)
    })

    test("as often as allowed, the SDK never by itself", async () => {
      const script = Array.from({ length: 9 }, () => fail("overloaded"))
      const { provider, server } = await setup(make, script, { retry: { ...AT_ONCE, maxAttempts: 3 } })
      const { error, events } = await failed(provider)
      expect(error.kind).toBe("overloaded")
      expect(events).toHaveLength(2)
      expect(server.requests).toHaveLength(3)
    })

    test.each([
      [{ "retry-after-ms": "7" }, 7],
      [{ "retry-after": "1.5" }, 1_500],
      [{ "retry-after": "soon" }, undefined],
    ])("the service says when: %j", async (headers, retryAfterMs) => {
      const { provider } = await setup(make, [respond(429, { headers })])
      expect((await failed(provider)).error).toMatchObject({ kind: "rate_limit", retryAfterMs })
    })

    test("the pause the service asks for is kept", async () => {
      const script = [respond(429, { headers: { "retry-after-ms": "11" } }), "Hi"]
      const { provider } = await setup(make, script, { retry: AT_ONCE })
      expect((await complete(provider)).events[0]).toMatchObject({ type: "retry", delayMs: 11 })
    })
  })

  describe("time", () => {
    test("R15: a service that never answers", async () => {
      const { error, request } = await silence(make, [hang()])
      expect(error).toMatchObject({ kind: "timeout", retryable: true })
      expect(await request.closed).toBe("aborted")
    })

    test("R15: one that falls silent in the middle", async () => {
      const { error, request } = await silence(make, [[say("Hi"), hang()]])
      expect(error.kind).toBe("timeout")
      expect(await request.closed).toBe("aborted")
    })

    test("a model list that never comes", async () => {
      const never: typeof fetch = (_input, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")))
        })
      const { provider } = await setup(make, [], { timeoutMs: 20, fetch: never })
      await expect(provider.models?.()).rejects.toMatchObject({ kind: "timeout" })
    })
  })

  describe("stopping", () => {
    test("before anything was sent", async () => {
      const { provider, server } = await setup(make, ["never"])
      const { error } = await failed(provider, ask(), AbortSignal.abort())
      expect(error).toMatchObject({ kind: "aborted", retryable: false })
      expect(server.requests).toHaveLength(0)
    })

    test("while waiting for the answer: the service sees the connection close", async () => {
      const { provider, server } = await setup(make, [hang()], { retry: {} })
      const abort = new AbortController()
      const failure = failed(provider, ask(), abort.signal)
      const request = await server.request(1)
      abort.abort()
      expect((await failure).error.kind).toBe("aborted")
      expect(await request.closed).toBe("aborted")
      expect(server.requests).toHaveLength(1)
    })

    test("in the middle: what was said stays said, the connection closes", async () => {
      const { provider, server } = await setup(make, [[say("Hi ", "there"), hang()]])
      const abort = new AbortController()
      const events: ModelEvent[] = []
      const reading = (async () => {
        for await (const event of provider.stream(ask(), { signal: abort.signal })) {
          events.push(event)
          if (events.length === 2) abort.abort()
        }
      })()
      await expect(reading).rejects.toThrow(ProviderError)
      await expect(reading).rejects.toMatchObject({ kind: "aborted" })
      expect(events).toHaveLength(2)
      expect(await (await server.request(1)).closed).toBe("aborted")
    })

    test("by leaving the loop", async () => {
      const { provider, server } = await setup(make, [[say("Hi"), hang()]])
      for await (const event of provider.stream(ask())) {
        expect(event).toEqual({ type: "text", text: "Hi" })
        break
      }
      expect(await (await server.request(1)).closed).toBe("aborted")
    })

    test("an answer that is read to its end closes nothing", async () => {
      const { provider, server } = await setup(make, ["Hi"])
      await complete(provider)
      expect(await (await server.request(1)).closed).toBe("finished")
    })
  })
}

/** Of a service that has been asked and falls silent: on a slow machine a short time is over before it was asked. */
async function silence(
  make: MakeProvider,
  script: readonly WireAnswer[],
): Promise<{ readonly error: ProviderError; readonly request: WireRequest }> {
  for (let timeoutMs = 300; ; timeoutMs *= 10) {
    const { provider, server } = await setup(make, script, { timeoutMs })
    const { error } = await failed(provider)
    const [request] = server.requests
    if (request) return { error, request }
  }
}

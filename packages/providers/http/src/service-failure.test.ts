import { ProviderError } from "@orra/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { HttpFailure } from "./checked-fetch.ts"
import {
  connectionFailure,
  type ModelService,
  redact,
  retryAfterMs,
  serviceFailure,
} from "./service-failure.ts"
import { watchdog } from "./watchdog.ts"

const service: ModelService = { provider: "test", name: "Testworks", host: "api.test", secrets: ["s3cr3t"] }

describe("retryAfterMs", () => {
  const now = Date.parse("2026-01-01T00:00:00Z")
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ "retry-after": "20" }, 20_000],
    [{ "retry-after": "0.25" }, 250],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, 30_000],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" }, 0],
    [{ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, 0],
    [{ "retry-after-ms": "1500", "retry-after": "99" }, 1_500],
    [{ "retry-after-ms": "later", "retry-after": "2" }, 2_000],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "soon" }, undefined],
  ])("%j is %j", (headers, expected) => {
    expect(retryAfterMs(new Headers(headers), now)).toBe(expected)
  })
})

describe("redact", () => {
  test.each([
    "sk-proj-abcdefgh1234",
    "sk-ant-api03-abcdefgh1234",
    "sk-ant-oat01-abcdefgh1234",
    "sk-abcd***********wxyz",
    "gsk_abcdefgh1234",
    "xai-abcdefgh1234",
    "AIzaSyabcdefgh1234abcdefgh1234",
    "hf_abcdefgh1234",
  ])("%s looks like a key", (key) => {
    expect(redact(`Incorrect API key provided: ${key}.`)).toBe("Incorrect API key provided: [key].")
  })

  test("so does what follows Bearer", () => {
    expect(redact("got 'Authorization: Bearer eyJhbGciOi.J9.abc'")).toBe("got 'Authorization: Bearer [key]'")
  })

  test.each([
    "x-api-key header is required",
    "Use 'max_completion_tokens' instead of max_tokens.",
    "The model `gpt-5.4-mini` does not exist or you do not have access to it.",
    "task-oriented risk-averse desk-top",
  ])("%s does not", (text) => {
    expect(redact(text)).toBe(text)
  })

  test("no text gives away a secret", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!"[key]".includes(secret))
        expect(redact(`${before} ${secret} ${after}`, [secret])).not.toContain(` ${secret} `)
      }),
    )
  })
})

describe("serviceFailure", () => {
  test("says who, what, what to do, and the service's own words", () => {
    const headers = new Headers({ "retry-after": "20", "request-id": "req_1" })
    const error = serviceFailure(service, "rate_limit", { status: 429, headers, said: "Slow  down, s3cr3t." })
    expect(error.message).toBe(
      'Testworks has reached its rate limit for this key (HTTP 429): try again in 20 s. It said: "Slow down, [key]."',
    )
    expect(error).toMatchObject({
      kind: "rate_limit",
      status: 429,
      retryAfterMs: 20_000,
      details: { requestId: "req_1" },
    })
  })

  test.each(["", "{}", "<p> </p>"])("nothing of note is not repeated: %j", (said) => {
    expect(serviceFailure(service, "quota", { status: 402, said }).message).toBe(
      "Testworks says that the account has no credit left (HTTP 402): add credit or use another key.",
    )
  })

  test("long words are cut between characters", () => {
    const { message } = serviceFailure(service, "overloaded", { said: "🎉".repeat(2_000) })
    expect(message.isWellFormed()).toBe(true)
    expect(message.length).toBeLessThan(1_200)
  })
})

describe("connectionFailure", () => {
  const failure = (error: unknown, caller?: AbortSignal) => {
    using watch = watchdog(60_000, caller)
    return connectionFailure(service, error, watch, caller, 60_000)
  }
  const wrapped = (code: string) =>
    new Error("Connection error.", {
      cause: new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) }),
    })

  test.each([
    ["ECONNREFUSED", "network"],
    ["ENOTFOUND", "network"],
    ["ECONNRESET", "network"],
    ["CERT_HAS_EXPIRED", "network"],
    ["ETIMEDOUT", "timeout"],
    ["UND_ERR_CONNECT_TIMEOUT", "timeout"],
    ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
  ])("%s behind two wrappers is %s and named", (code, kind) => {
    expect(failure(wrapped(code))).toMatchObject({ kind, message: expect.stringContaining(code) })
  })

  test("of several addresses tried, the first one's reason", () => {
    const each = ["ECONNREFUSED", "ENETUNREACH"].map((code) => Object.assign(new Error(code), { code }))
    const error = new TypeError("fetch failed", { cause: new AggregateError(each) })
    expect(failure(error)).toMatchObject({
      kind: "network",
      message: expect.stringContaining("ECONNREFUSED"),
    })
  })

  test("what is a ProviderError already stays it", () => {
    const known = new ProviderError("quota", "x", { provider: "test" })
    expect(failure(new Error("wrapped", { cause: known }))).toBe(known)
  })

  test("what breaks in the middle was reached before", () => {
    using watch = watchdog(60_000)
    watch.touch()
    expect(connectionFailure(service, wrapped("ECONNRESET"), watch, undefined, 60_000).message).toBe(
      "The connection to Testworks broke in the middle of the answer (ECONNRESET): try again.",
    )
  })

  test("the caller's signal comes first", () => {
    expect(failure(wrapped("ECONNRESET"), AbortSignal.abort())).toMatchObject({ kind: "aborted" })
  })

  test("an HTTP failure is told by its status", () => {
    expect(new HttpFailure(500, new Headers(), "").message).toBe("HTTP 500")
  })
})

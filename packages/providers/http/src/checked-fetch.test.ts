import { expect, test } from "vitest"
import { checkedFetch, findCause, HttpFailure } from "./checked-fetch.ts"

const answering = (status: number, body: string) =>
  checkedFetch(async () => new Response(body, { status, headers: { "retry-after": "3" } }))

test("a good response passes", async () => {
  expect(await (await answering(200, "fine")("http://x")).text()).toBe("fine")
})

test("a bad one is thrown with its status, headers and body, whatever that is", async () => {
  const error = await answering(418, "<p>tea</p>")("http://x").catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(HttpFailure)
  expect(error).toMatchObject({ status: 418, body: "<p>tea</p>" })
  expect(error instanceof HttpFailure && error.headers.get("retry-after")).toBe("3")
})

test("a huge body is cut", async () => {
  await expect(answering(500, "x".repeat(1_000_000))("http://x")).rejects.toMatchObject({
    body: "x".repeat(65_536),
  })
})

test("an error is found behind its wrappers", () => {
  const inner = new HttpFailure(500, new Headers(), "")
  expect(findCause(new Error("a", { cause: new Error("b", { cause: inner }) }), HttpFailure)).toBe(inner)
  expect(findCause(new Error("a"), HttpFailure)).toBeUndefined()
  const circular = new Error("a")
  circular.cause = circular
  expect(findCause(circular, HttpFailure)).toBeUndefined()
})

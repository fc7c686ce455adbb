import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text as bodyOf } from "node:stream/consumers"
import { isObject, ProviderError } from "@orra/core"
import { expect, onTestFinished, test } from "vitest"
import { embedAll } from "./embedder.ts"
import { embedder } from "./http-embedder.ts"

interface Asked {
  readonly path: string | undefined
  readonly authorization: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

/** A server on this machine that answers what it is told, in turn; the last answer again and again. */
async function service(...answers: ((asked: Asked, response: ServerResponse) => void)[]) {
  const asked: Asked[] = []
  const server = createServer(async (request: IncomingMessage, response) => {
    const parsed: unknown = JSON.parse(await bodyOf(request))
    const one = {
      path: request.url,
      authorization: request.headers.authorization,
      body: isObject(parsed) ? parsed : {},
    }
    asked.push(one)
    answers[Math.min(asked.length, answers.length) - 1]?.(one, response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }
}

const reply =
  (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}) =>
  (_: Asked, response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers })
    response.end(JSON.stringify(value))
  }

/** Of each text its length and a 1, in the wrong order, as the protocol allows. */
const lengths = ({ body }: Asked, response: ServerResponse): void => {
  const input = body["input"] as readonly string[]
  const data = input.map((text, index) => ({ index, embedding: [text.length, 1] }))
  reply(200, { data: data.reverse() })({ path: "", authorization: "", body }, response)
}

const quick = { baseDelayMs: 1, maxAttempts: 2 }

test("sends batches with the key, the model and what the model wants before a text, and keeps the order", async () => {
  const { asked, url } = await service(lengths)
  const options = { url: `${url}/embeddings`, model: "m", apiKey: "the-key", batch: 2, dimensions: 2 }
  const local = embedder({ ...options, prefix: { document: "passage: ", query: "query: " } })
  const vectors = await local.embed(["a", "bb", "ccc"])
  expect(vectors.map((vector) => [...Array.from(vector)])).toEqual([
    [10, 1],
    [11, 1],
    [12, 1],
  ])
  expect(asked).toEqual([
    {
      path: "/v1/embeddings",
      authorization: "Bearer the-key",
      body: { model: "m", input: ["passage: a", "passage: bb"], dimensions: 2 },
    },
    {
      path: "/v1/embeddings",
      authorization: "Bearer the-key",
      body: { model: "m", input: ["passage: ccc"], dimensions: 2 },
    },
  ])
  await local.embed(["q"], { purpose: "query" })
  expect(asked.at(-1)?.body["input"]).toEqual(["query: q"])
  expect(embedder({ ...options, id: "ours" }).id).toBe("ours")
  expect(local.id).toMatch(/^127\.0\.0\.1:\d+ m 2$/)
  expect(await local.embed([])).toEqual([])
})

test("long texts are not put into one request", async () => {
  const { asked, url } = await service(lengths)
  await embedder({ url, model: "m" }).embed(["x".repeat(200_000), "y".repeat(100_000), "z"])
  expect(asked.map(({ body }) => (body["input"] as readonly string[]).length)).toEqual([1, 2])
  expect(asked[0]?.authorization).toBeUndefined()
})

test("what may pass is tried again", async () => {
  const { asked, url } = await service(reply(503, { error: { message: "loading" } }), lengths)
  expect(await embedder({ url, model: "m", retry: quick }).embed(["a"])).toHaveLength(1)
  expect(asked).toHaveLength(2)
})

test.each([
  [401, "provider_auth", 1],
  [400, "provider_invalid_request", 1],
  [429, "provider_rate_limit", 2],
  [500, "provider_overloaded", 2],
])("status %i is %s", async (status, code, attempts) => {
  const { asked, url } = await service(
    reply(status, { error: { message: "No, sk-abcdef1234567 is not it." } }),
  )
  const failing = embedder({ url, model: "m", apiKey: "sk-abcdef1234567", retry: quick }).embed(["a"])
  const error = await failing.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ProviderError)
  expect(error).toMatchObject({ code, message: expect.stringMatching(/It said: "No, \[key\] is not it\."/) })
  expect(asked).toHaveLength(attempts)
})

test.each([
  ["nothing", {}],
  ["one too few", { data: [{ embedding: [1] }] }],
  [
    "the same twice",
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ],
    },
  ],
  ["no numbers", { data: [{ embedding: ["1"] }, { embedding: [2] }] }],
  [
    "a place that is none",
    {
      data: [
        { index: 5e9, embedding: [1] },
        { index: 1, embedding: [1] },
      ],
    },
  ],
])("an answer with %s is an error of the protocol", async (_, answer) => {
  const { url } = await service(reply(200, answer))
  await expect(
    embedder({ url, model: "m", retry: { maxAttempts: 1 } }).embed(["a", "b"]),
  ).rejects.toMatchObject({
    code: "provider_protocol",
  })
})

test("vectors of another length than was asked for, or than each other, are refused", async () => {
  const { url } = await service(reply(200, { data: [{ embedding: [1, 2] }, { embedding: [1] }] }))
  await expect(embedder({ url, model: "m", dimensions: 2 }).embed(["a", "b"])).rejects.toMatchObject({
    code: "embedding_dimension",
    details: { expected: 2, actual: 1 },
  })
  await expect(embedAll(embedder({ url, model: "m" }), ["a", "b"])).rejects.toMatchObject({
    code: "embedding_dimension",
  })
})

test("nobody there, and somebody who says nothing", async () => {
  const { url } = await service((_, response) => void response.destroy())
  await expect(embedder({ url, model: "m", retry: { maxAttempts: 1 } }).embed(["a"])).rejects.toMatchObject({
    code: "provider_network",
  })
  const silent = await service(() => {})
  const waiting = embedder({ url: silent.url, model: "m", timeoutMs: 20, retry: { maxAttempts: 1 } }).embed([
    "a",
  ])
  await expect(waiting).rejects.toMatchObject({ code: "provider_timeout" })
})

test("stops when it is told to", async () => {
  const controller = new AbortController()
  const { url } = await service(() => controller.abort())
  const stopped = embedder({ url, model: "m" }).embed(["a"], { signal: controller.signal })
  await expect(stopped).rejects.toMatchObject({ code: "provider_aborted" })
})

test("options that cannot be", () => {
  expect(() => embedder({ url: "localhost", model: "m" })).toThrow("http")
  expect(() => embedder({ url: "http://localhost", model: "m", batch: 0 })).toThrow("batch")
})

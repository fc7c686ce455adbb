import { once } from "node:events"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { afterAll, beforeAll, expect, test } from "vitest"
import { AccessToken, staticToken, type TokenProvider } from "./access-token.ts"
import { authorizedFetch } from "./authorized-fetch.ts"

const asked: { headers: IncomingHttpHeaders; body: string }[] = []
const server = createServer(async (request, response) => {
  asked.push({ headers: request.headers, body: await text(request) })
  const { authorization } = request.headers
  if (request.url === "/away") response.writeHead(307, { location: "http://127.0.0.1:9/steal" }).end()
  else response.writeHead(authorization === "Bearer new" ? 200 : 401).end("answer")
})
let origin = ""

beforeAll(async () => {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Gives the old token until it is told that it was refused. */
const rotating: TokenProvider = {
  token: async ({ refused } = {}) => new AccessToken({ value: refused?.value === "old" ? "new" : "old" }),
}

test("a token that is refused is renewed, and the request sent again with its body", async () => {
  asked.length = 0
  const api = authorizedFetch(rotating, { origins: [origin] })
  const headers = { authorization: "Bearer of the caller's", "x-kept": "yes" }
  const response = await api(`${origin}/notes`, { method: "POST", body: "a note", headers })
  expect(response.status).toBe(200)
  expect(
    asked.map(({ headers: { authorization, "x-kept": kept }, body }) => [authorization, kept, body]),
  ).toEqual([
    ["Bearer old", "yes", "a note"],
    ["Bearer new", "yes", "a note"],
  ])
})

test("where there is no other token, or the body is gone, the refusal is the answer", async () => {
  asked.length = 0
  const api = authorizedFetch(staticToken("wrong"), { origins: [origin] })
  const response = await api(`${origin}/notes`)
  expect([response.status, await response.text()]).toEqual([401, "answer"])
  const body = new Blob(["a note"]).stream()
  const streamed = authorizedFetch(rotating, { origins: [origin] })
  const init = { method: "POST", body, duplex: "half" }
  expect((await streamed(`${origin}/notes`, init)).status).toBe(401)
  expect(asked.length).toBe(2)
})

test("the token goes nowhere else: not to another origin, not after a redirect", async () => {
  asked.length = 0
  const api = authorizedFetch(rotating, { origins: [origin] })
  const { port } = new URL(origin)
  for (const url of [
    `http://localhost:${port}/`,
    "https://example.com/",
    `http://127.0.0.1:1/${origin}`,
    `http://${new URL(origin).host}@evil.example/`,
  ]) {
    await expect(api(url)).rejects.toMatchObject({ code: "auth_host_refused" })
  }
  expect(asked).toEqual([])
  const response = await api(`${origin}/away`)
  expect(response.status).toBe(307)
  expect(asked.length).toBe(1)
})

test("what is no origin is refused", () => {
  for (const bad of [
    "",
    "example.com",
    "https://example.com/path",
    "http://example.com",
    "https://user:secret@example.com",
  ]) {
    expect(() => authorizedFetch(rotating, { origins: [bad] })).toThrow(
      expect.objectContaining({ code: "invalid_input" }),
    )
  }
})

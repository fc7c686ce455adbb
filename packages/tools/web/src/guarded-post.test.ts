import { once } from "node:events"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { expect, onTestFinished, test } from "vitest"
import { guardedPost } from "./guarded-post.ts"

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

const post = (port: number, host = "127.0.0.1") =>
  guardedPost(`http://${host}:${port}/to`, {
    allow: ["127.0.0.1"],
    ports: [port],
    resolve: async () => ["127.0.0.1", "10.0.0.1"],
    headers: { authorization: "vapid t=1" },
    body: Buffer.from([1, 2, 3]),
  })

test("what is posted arrives with its headers, and a redirect is the answer", async () => {
  const seen: [IncomingMessage, Buffer][] = []
  const port = await listen(async (request, response) => {
    seen.push([request, await buffer(request)])
    response.writeHead(307, { location: "/elsewhere", "retry-after": "7" }).end("moved")
  })
  const { status, headers, bytes } = await post(port)
  expect([status, headers["retry-after"], Buffer.from(bytes).toString()]).toEqual([307, "7", "moved"])
  expect(seen).toHaveLength(1)
  const [[request, body] = []] = seen
  expect([request?.method, request?.url, request?.headers.authorization]).toEqual([
    "POST",
    "/to",
    "vapid t=1",
  ])
  expect(body).toEqual(Buffer.from([1, 2, 3]))
})

test("of a host with one address that is not public, none is posted to", async () => {
  let asked = 0
  const port = await listen((_, response) => {
    asked++
    response.end()
  })
  await expect(post(port, "a.test")).rejects.toMatchObject({ code: "address_refused" })
  for (const address of ["http://127.0.0.1", "https://[::ffff:127.0.0.1]", "https://169.254.169.254"])
    await expect(guardedPost(address, { body: Buffer.of(1) })).rejects.toMatchObject({
      code: "address_refused",
    })
  expect(asked).toBe(0)
})

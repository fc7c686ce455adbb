import { createServer as createHttp, type Server as HttpServer, type RequestListener } from "node:http"
import { createServer as createHttps } from "node:https"
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { afterEach, expect, test, vi } from "vitest"
import { type FetchOptions, guardedFetch, type Resolver } from "./guarded-fetch.ts"

/** Made for these tests and good for nothing else: the key of "a.test". */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLOcojldvHS7dGoDP
GvPoLpJzam6rHHhbLkkfuelKHFmhRANCAARFixOnmoq5pW4MDaKneJNqgDmkBSVj
vfBxuqnfkfh9pQBBY+zyljyFVPmiwPQGtDpBXkXOdAMW/RBhfCK7+Hhe
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBjTCCATKgAwIBAgIUQ7UNDp8IJxqzv7DLVTn8J5/Em/owCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGYS50ZXN0MCAXDTI2MTEyMTEwMzcxN1oYDzIxMjYxMDI4MTAz
NzE3WjARMQ8wDQYDVQQDDAZhLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARFixOnmoq5pW4MDaKneJNqgDmkBSVjvfBxuqnfkfh9pQBBY+zyljyFVPmiwPQG
tDpBXkXOdAMW/RBhfCK7+Hheo2YwZDAdBgNVHQ4EFgQU13IuiDXSfaWuefduFht4
eqmVtm8wHwYDVR0jBBgwFoAU13IuiDXSfaWuefduFht4eqmVtm8wDwYDVR0TAQH/
BAUwAwEB/zARBgNVHREECjAIggZhLnRlc3QwCgYIKoZIzj0EAwIDSQAwRgIhALcA
3zTe6AQdcEUPvCrncFChALAO/CZiyvZJie0M3hduAiEAllWO1zfhZsWu+MfVG3sL
Rm1O2cSCcn4fHoDRir08aAk=
-----END CERTIFICATE-----`

const servers: (Server | HttpServer)[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server | HttpServer): Promise<number> {
  servers.push(server)
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => sockets.delete(socket))
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return (server.address() as AddressInfo).port
}

const http = (listener: RequestListener) => listen(createHttp(listener))
/** Whatever is asked, `answer` is what goes over the wire. */
const wire = (answer: (socket: Socket) => void) =>
  listen(createTcp((socket) => void socket.once("data", () => answer(socket))))

/** Names that lead where the test says. */
const names =
  (answers: Readonly<Record<string, readonly string[]>>): Resolver =>
  async (name) =>
    answers[name] ?? []

const get = (port: number, path = "/", options: FetchOptions = {}) =>
  guardedFetch(`http://127.0.0.1:${port}${path}`, { allow: ["127.0.0.1"], ports: [port], ...options })

const text = ({ bytes }: { readonly bytes: Uint8Array }) => Buffer.from(bytes).toString()

test("connects to the address that was checked, and asks for it once", async () => {
  const hosts: (string | undefined)[] = []
  const port = await http((request, response) => {
    hosts.push(request.headers.host)
    response.end("hi")
  })
  const asked: string[] = []
  const rebinding: Resolver = async (name) => {
    asked.push(name)
    return asked.length === 1 ? ["127.0.0.1"] : ["10.0.0.1"]
  }
  const page = await guardedFetch(`http://a.test:${port}/`, {
    allow: ["127.0.0.1"],
    ports: [port],
    resolve: rebinding,
  })
  expect(text(page)).toBe("hi")
  expect(asked).toEqual(["a.test"])
  expect(hosts).toEqual([`a.test:${port}`])
})

test("asks again at a redirect, and refuses what changed its mind", async () => {
  let requests = 0
  const port = await http((_request, response) => {
    requests++
    response.writeHead(302, { location: "/again" }).end()
  })
  let asked = 0
  const resolve: Resolver = async () => [asked++ === 0 ? "127.0.0.1" : "169.254.169.254"]
  await expect(
    guardedFetch(`http://a.test:${port}/`, { allow: ["127.0.0.1"], ports: [port], resolve }),
  ).rejects.toMatchObject({ code: "address_refused", details: { host: "a.test", kind: "linkLocal" } })
  expect(requests).toBe(1)
})

test.each([
  [["127.0.0.1", "10.0.0.1"]],
  [["10.0.0.1", "127.0.0.1"]],
  [["127.0.0.1", "::1"]],
  [["127.0.0.1", "fe80::1%lo"]],
  [["127.0.0.1", "not an address"]],
])("one bad address among a name's %j is enough", async (answers) => {
  const port = await http(() => expect.unreachable())
  await expect(
    guardedFetch(`http://a.test:${port}/`, {
      allow: ["127.0.0.1"],
      ports: [port],
      resolve: names({ "a.test": answers }),
    }),
  ).rejects.toMatchObject({ code: "address_refused" })
})

test("localhost is refused in every spelling, by the system's own resolver", async () => {
  const port = await http(() => expect.unreachable())
  for (const host of ["localhost", "LOCALHOST", "localhost."]) {
    await expect(guardedFetch(`http://${host}:${port}/`, { ports: [port] })).rejects.toMatchObject({
      code: "address_refused",
      message: expect.not.stringContaining("127.0.0.1"),
    })
  }
})

test("an address needs no look-up", async () => {
  const resolve: Resolver = () => expect.unreachable()
  for (const host of ["127.0.0.1", "2130706433", "[::1]", "0x7f.1", "[::ffff:127.0.0.1]"]) {
    await expect(guardedFetch(`http://${host}/`, { resolve })).rejects.toMatchObject({
      code: "address_refused",
    })
  }
})

test.each([
  ["http://10.0.0.1/", "address_refused"],
  ["http://0x7f000002/", "address_refused"],
  ["//169.254.169.254/latest/meta-data/", "address_refused"],
  ["http://[::ffff:169.254.169.254]/", "address_refused"],
  ["http://inside.test/", "address_refused"],
  ["http://127.0.0.1:22/", "address_refused"],
  ["file:///etc/passwd", "url_invalid"],
  ["gopher://127.0.0.1/", "url_invalid"],
  ["javascript:alert(1)", "url_invalid"],
  ["http://user:secret@127.0.0.1/", "url_invalid"],
  ["http://[", "url_invalid"],
])("refuses a redirect to %s", async (location, code) => {
  const port = await http((_request, response) => void response.writeHead(301, { location }).end())
  const resolve = names({ "inside.test": ["192.168.1.1"] })
  await expect(get(port, "/", { resolve, ports: [port, 80] })).rejects.toMatchObject({
    code,
    message: expect.not.stringContaining("secret"),
  })
})

test("follows five redirects and no more, and none in a circle", async () => {
  const port = await http((request, response) => {
    const [, from, to] = /^\/(\d+)\/(\d+)$/.exec(request.url ?? "") ?? []
    if (request.url === "/circle") response.writeHead(307, { location: "/circle#again" }).end()
    else if (from === to) response.end("done")
    else response.writeHead(308, { location: `/${Number(from) + 1}/${to}` }).end("x".repeat(100_000))
  })
  expect(text(await get(port, "/0/5"))).toBe("done")
  await expect(get(port, "/0/6")).rejects.toMatchObject({ code: "redirect_refused" })
  await expect(get(port, "/0/1", { maxRedirects: 0 })).rejects.toMatchObject({ code: "redirect_refused" })
  await expect(get(port, "/circle")).rejects.toThrow("circle")
})

test("the last address counts, with the fragment that was asked for", async () => {
  const port = await http((request, response) => {
    if (request.url === "/a") response.writeHead(302, { location: "b?x=1" }).end()
    else response.end()
  })
  expect((await get(port, "/a#part")).url.href).toBe(`http://127.0.0.1:${port}/b?x=1#part`)
})

test("speaks TLS to the name, and refuses a certificate that is not valid", async () => {
  const port = await listen(
    createHttps({ key, cert }, (request, response) => {
      if (request.url === "/down") response.writeHead(302, { location: "http://a.test/" }).end()
      else response.end(`for ${request.headers.host}`)
    }),
  )
  const fetch = (host: string, path = "/") =>
    guardedFetch(`https://${host}:${port}${path}`, {
      allow: ["127.0.0.1"],
      ports: [port, 80],
      resolve: names({ "a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"] }),
    })
  await expect(fetch("a.test")).rejects.toMatchObject({
    code: "fetch_failed",
    message: expect.stringContaining("certificate"),
  })
  const before = getCACertificates("default")
  setDefaultCACertificates([...before, cert])
  try {
    expect(text(await fetch("a.test"))).toBe(`for a.test:${port}`)
    await expect(fetch("b.test")).rejects.toThrow("certificate")
    await expect(fetch("127.0.0.1")).rejects.toThrow("certificate")
    await expect(fetch("a.test", "/down")).rejects.toMatchObject({
      code: "redirect_refused",
      message: expect.stringContaining("from https to http"),
    })
  } finally {
    setDefaultCACertificates(before)
  }
})

test("proxies in the environment are not used", async () => {
  const proxy = await http(() => expect.unreachable())
  const port = await http((_request, response) => void response.end("direct"))
  const before = process.env["http_proxy"]
  process.env["http_proxy"] = `http://127.0.0.1:${proxy}`
  try {
    expect(text(await get(port))).toBe("direct")
  } finally {
    if (before === undefined) delete process.env["http_proxy"]
    else process.env["http_proxy"] = before
  }
})

test.each(["Authorization", "cookie", "Proxy-Authorization"])("takes no header %s", async (name) => {
  await expect(guardedFetch("http://a.test/", { headers: { [name]: "secret" } })).rejects.toThrow(
    "leave it out",
  )
})

test.each([
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["gzip, br", (body: string) => brotliCompressSync(gzipSync(body))],
  ["identity", (body: string) => Buffer.from(body)],
] as const)("undoes %s", async (encoding, compress) => {
  const port = await http((_request, response) => {
    response.writeHead(200, { "content-encoding": encoding }).end(compress("grüße ".repeat(1_000)))
  })
  expect(text(await get(port))).toBe("grüße ".repeat(1_000))
})

test.each([
  ["compress", "x"],
  ["gzip", "not gzip at all"],
  ["br", "not brotli at all"],
  ["gzip", gzipSync("cut in the middle").subarray(0, 20)],
  ["gzip, gzip, gzip", gzipSync(gzipSync(gzipSync("x")))],
])("says so when %s is not what it says", async (encoding, body) => {
  const port = await http((_request, response) => {
    response.writeHead(200, { "content-encoding": encoding }).end(body)
  })
  await expect(get(port)).rejects.toMatchObject({ code: "content_invalid" })
})

test("a bomb goes off no further than the limit", async () => {
  const closed = Promise.withResolvers<void>()
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const port = await http((request, response) => {
    request.socket.on("close", closed.resolve)
    response.writeHead(200, { "content-encoding": "gzip" }).end(bomb)
  })
  const page = await get(port, "/", { maxBytes: 100_000 })
  expect(page).toMatchObject({ complete: false, bytes: { length: 100_000 } })
  await closed.promise
})

test("a compressed stream of nothing ends at the limit too", async () => {
  const nothing = Buffer.concat(Array.from({ length: 500 }, () => gzipSync("")))
  const port = await http((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" })
    const more = () => {
      while (!response.destroyed && response.write(nothing));
    }
    response.on("drain", more)
    more()
  })
  expect(await get(port, "/", { maxBytes: 100_000 })).toMatchObject({ complete: false, bytes: { length: 0 } })
})

test("an endless body is cut, and its connection closed", async () => {
  const closed = Promise.withResolvers<void>()
  const port = await http((request, response) => {
    request.socket.on("close", closed.resolve)
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(10_000)));
    }
    response.on("drain", more)
    more()
  })
  expect(await get(port, "/", { maxBytes: 25_000 })).toMatchObject({
    complete: false,
    bytes: { length: 25_000 },
  })
  await closed.promise
})

test("a body of exactly the limit is complete", async () => {
  const port = await http((_request, response) => void response.end("x".repeat(25_000)))
  expect(await get(port, "/", { maxBytes: 25_000 })).toMatchObject({
    complete: true,
    bytes: { length: 25_000 },
  })
})

test.each([
  ["a body shorter than it says", "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort"],
  ["chunks that do not end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort"],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nshorts"],
  ["a length that is no number", "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nshort"],
  ["chunks of a wrong size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nshort\r\n0\r\n\r\n"],
  ["no HTTP at all", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["nothing", ""],
  ["headers without end", `HTTP/1.1 200 OK\r\n${"x-filler: 1\r\n".repeat(10_000)}`],
])("fails clearly on %s", async (_what, answer) => {
  const port = await wire((socket) => void socket.end(answer))
  await expect(get(port)).rejects.toMatchObject({ code: "fetch_failed" })
})

test("a body longer than it says ends where it says", async () => {
  const port = await wire(
    (socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nshort, or so"),
  )
  expect(text(await get(port))).toBe("short")
})

test("says so when nobody listens", async () => {
  const port = await http(() => {})
  const server = servers.pop()
  await new Promise((done) => server?.close(done))
  await expect(get(port)).rejects.toThrow("Nothing answers")
})

test("says so when a name has no address", async () => {
  await expect(guardedFetch("http://nowhere.test/", { resolve: names({}) })).rejects.toMatchObject({
    code: "dns_failed",
    details: { host: "nowhere.test" },
  })
})

test.each([
  ["never answers", () => {}],
  ["stops in the headers", (socket: Socket) => void socket.write("HTTP/1.1 200 OK\r\nx-a:")],
  [
    "stops in the body",
    (socket: Socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"),
  ],
])("gives up on a server that %s, and closes the connection", async (_what, answer) => {
  const closed = Promise.withResolvers<void>()
  const port = await wire((socket) => {
    socket.on("close", closed.resolve)
    answer(socket)
  })
  await expect(get(port, "/", { idleTimeoutMs: 100, timeoutMs: 60_000 })).rejects.toMatchObject({
    code: "fetch_timeout",
    message: expect.stringContaining("sent nothing for 0.1 s"),
  })
  await closed.promise
})

test("every answer starts the idle time anew, and none the total", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  try {
    const port = await http((request, response) => {
      vi.advanceTimersByTime(6_000)
      const hop = Number(request.url?.slice(1))
      if (hop === 0) response.end("done")
      else response.writeHead(302, { location: `/${hop - 1}` }).end()
    })
    expect(text(await get(port, "/3"))).toBe("done")
    await expect(get(port, "/5")).rejects.toThrow("not done after 30 s")
  } finally {
    vi.useRealTimers()
  }
})

test("gives up on a server that drips", async () => {
  const port = await http((_request, response) => {
    const drip = setInterval(() => response.write("x"), 5)
    response.on("close", () => clearInterval(drip))
  })
  await expect(get(port, "/", { idleTimeoutMs: 60_000, timeoutMs: 150 })).rejects.toThrow(
    "not done after 0.15 s",
  )
})

test("gives up on a resolver that does not answer", async () => {
  const resolve: Resolver = () => new Promise(() => {})
  await expect(guardedFetch("http://a.test/", { resolve, timeoutMs: 50 })).rejects.toMatchObject({
    code: "fetch_timeout",
  })
})

test("stops at once, wherever it is", async () => {
  const reason = new Error("stop")
  const port = await http((_request, response) => void response.write("begun"))
  await expect(get(port, "/", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)

  const looking = new AbortController()
  const resolve: Resolver = () => {
    looking.abort(reason)
    return new Promise(() => {})
  }
  await expect(guardedFetch("http://a.test/", { resolve, signal: looking.signal })).rejects.toBe(reason)

  const reading = new AbortController()
  const accept = () => void setImmediate(() => reading.abort(reason))
  await expect(get(port, "/", { accept, signal: reading.signal })).rejects.toBe(reason)
})

test("a response can be refused before its body", async () => {
  const closed = Promise.withResolvers<void>()
  const port = await http((request, response) => {
    request.socket.on("close", closed.resolve)
    response.writeHead(203, { "x-a": ["1", "2"] }).write("x".repeat(1_000_000))
  })
  const refusal = new Error("not this")
  const accept: FetchOptions["accept"] = ({ status, headers }) => {
    expect(status).toBe(203)
    expect(headers).toMatchObject({ "x-a": expect.stringContaining("1") })
    throw refusal
  }
  await expect(get(port, "/", { accept })).rejects.toBe(refusal)
  await closed.promise
})

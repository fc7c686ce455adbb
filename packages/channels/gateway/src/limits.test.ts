import { request } from "node:http"
import { connect as connectTcp } from "node:net"
import { describe, expect, test } from "vitest"
import {
  ADA_KEY,
  type Answer,
  type Harness,
  handshake,
  harness,
  OWNER,
  OWNER_KEY,
  openEvents,
  sendRaw,
  sessionPath,
} from "./fixture.ts"

const key = OWNER_KEY
const NS = OWNER.namespace.child("talk")
const MB = 1024 * 1024

/** A body that says nothing of its length. */
function sendChunked(port: number, path: string, chunks: Iterable<string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      port,
      path,
      method: "POST",
      agent: false,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    })
    outgoing.on("error", reject)
    outgoing.on("response", (incoming) => {
      incoming.resume()
      // What is still to be sent the server does not want.
      outgoing.on("error", () => {})
      resolve(incoming.statusCode ?? 0)
    })
    for (const chunk of chunks) outgoing.write(chunk)
    outgoing.end()
  })
}

describe("SEC-13: what a client can cost has an end", () => {
  test("bodies, whether they say their length or not", async () => {
    const { port, send } = await harness()
    const refused = async (answer: Promise<Answer>) => {
      const { status, json } = await answer
      expect({ status, code: json["code"] }).toEqual({ status: 413, code: "too_large" })
    }
    await refused(send("/api/login", { body: { key: "x".repeat(9_000) } }))
    await refused(
      send(sessionPath(NS), { method: "PATCH", key, body: `{"x":"${"x".repeat(MB)}"}` }).catch(late),
    )
    await refused(
      send("/api/chat", { key, headers: { "content-length": String(29 * MB) }, method: "POST", body: "{}" }),
    )
    const chunks = Array.from({ length: 29 }, () => "x".repeat(MB))
    expect(await sendChunked(port, "/api/chat", chunks)).toBe(413)
    expect(await sendChunked(port, sessionPath(NS, "/edit"), ['{"seq":', "1}"])).toBe(404)
  })

  test("frames", async () => {
    const gateway = await harness()
    const client = await gateway.connect({ key })
    client.send({ type: "chat", id: "1", message: "x".repeat(MB) })
    expect((await client.closed).code).toBe(1009)
    const other = await gateway.connect({ key })
    other.socket.send(Buffer.from(JSON.stringify({ type: "ping" })))
    expect((await other.frame("error")).code).toBe("invalid_input")
    expect(await gateway.entries(NS)).toEqual([])
  })

  test("headers, in size and in time", async () => {
    const { port } = await harness()
    const { port: hasty } = await harness({ limits: { headersMs: 100 } })
    const head = "GET /health HTTP/1.1\r\nhost: localhost\r\n"
    expect(await sendRaw(port, `${head}x: ${"x".repeat(17_000)}\r\n\r\n`)).toMatch(
      / 431 [\s\S]*"headers_too_large"/,
    )
    expect(await sendRaw(hasty, head)).toMatch(/ 408 [\s\S]*"request_timeout"/)
    expect(await sendRaw(port, `${head}${"x: y\r\n".repeat(5_000)}\r\n`)).toMatch(/ (200|431) /)
  })

  test("a refused socket is closed, though its client keeps it", async () => {
    const { port } = await harness()
    const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true })
    socket.resume()
    const ended = new Promise((resolve) => socket.once("end", resolve))
    socket.write("GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
    await ended
    await new Promise((resolve) => {
      socket.once("close", resolve)
      socket.once("error", resolve)
      const again = setInterval(() => socket.write("x"), 5)
      socket.once("close", () => clearInterval(again))
    })
  })

  test("sockets and streams of one principal together", async () => {
    const gateway = await harness({ limits: { connections: 3 } })
    await gateway.converse(NS)
    const events = sessionPath(NS, "/events")
    const [socket, stream] = [await gateway.connect({ key }), await openEvents(gateway.port, events, { key })]
    await gateway.connect({ key })
    const refused = { status: 429, code: "too_many_connections" }
    const codeOf = ({ status, json }: Answer) => ({ status, code: json["code"] })
    expect(codeOf(await handshake(gateway.port, { key }))).toEqual(refused)
    expect(codeOf(await gateway.send(events, { key }))).toEqual(refused)
    const chat = { message: "Hi", namespace: NS.key, stream: true }
    expect(codeOf(await gateway.send("/api/chat", { key, body: chat }))).toEqual(refused)
    expect((await gateway.send("/api/me", { key })).status).toBe(200)
    expect((await handshake(gateway.port, { key: ADA_KEY })).status).toBe(101)
    stream.close()
    await socket.close()
    await expect.poll(async () => (await handshake(gateway.port, { key })).status).toBe(101)
  })

  test("sessions that one socket follows", async () => {
    const gateway = await harness()
    const client = await gateway.connect({ key })
    const follow = (index: number) =>
      client.send({ type: "subscribe", namespace: OWNER.namespace.child(`s${index}`).key, after: 0 })
    for (let index = 0; index < 51; index++) follow(index)
    expect(await client.frame("error")).toMatchObject({ code: "invalid_input", namespace: "web:s50" })
    follow(7)
    client.send({ type: "unsubscribe", namespace: "web:s7" })
    follow(50)
    await client.settled()
    expect(client.frames.filter(({ type }) => type === "error")).toHaveLength(1)
  })

  test("a subscription that failed does not count", async () => {
    const gateway = await harness()
    const client = await gateway.connect({ key })
    for (let index = 0; index <= 50; index++) {
      const namespace = OWNER.namespace.child(`s${index}`)
      await gateway.converse(namespace)
      await gateway.runtime.update(namespace, { deletedAt: Date.now() })
      client.send({ type: "subscribe", namespace: namespace.key })
      await client.frame("error", (frame) => frame.namespace === namespace.key)
    }
    for (const frame of client.frames) if (frame.type === "error") expect(frame.code).toBe("not_found")
  })
})

/** A server that has heard enough may close before it has heard all. */
const late = (): Answer => ({ status: 413, headers: {}, text: "", json: { code: "too_large" } })

describe("input that is none", () => {
  const BODIES: Readonly<Record<string, string>> = {
    "not JSON": "{",
    "an empty body": "",
    "a list": "[]",
    null: "null",
    text: '"text"',
    "a prototype": '{"__proto__": {"message": "Hi"}, "message": "Hi"}',
    "a constructor, deep inside": '{"message": [{"type": "text", "text": "x", "constructor": {}}]}',
    "an escaped prototype": '{"\\u005f_proto__": 1, "message": "Hi"}',
    "nested too deeply": `{"message": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
    "nested deeply": `{"message": ${"[".repeat(500)}${"]".repeat(500)}}`,
    "no message": "{}",
    "a message that is a number": '{"message": 7}',
    "a message that is an object": '{"message": {"type": "text", "text": "Hi"}}',
    "an empty message": '{"message": ""}',
    "a message of spaces": '{"message": " \\n "}',
    "no parts": '{"message": []}',
    "a part that is text": '{"message": ["Hi"]}',
    "a part of no type": '{"message": [{"text": "Hi"}]}',
    "a part of a strange type":
      '{"message": [{"type": "tool_result", "mediaType": "text/plain", "data": "YQ=="}]}',
    "thinking of one's own": '{"message": [{"type": "thinking", "text": "x", "provider": "y"}]}',
    "an image that is none": '{"message": [{"type": "image", "mediaType": "image/svg+xml", "data": "YQ=="}]}',
    "an image without data": '{"message": [{"type": "image", "mediaType": "image/png", "data": ""}]}',
    "data that is not base64": '{"message": [{"type": "image", "mediaType": "image/png", "data": "a b="}]}',
    "data cut short": '{"message": [{"type": "image", "mediaType": "image/png", "data": "YQ="}]}',
    "a file without a name": '{"message": [{"type": "file", "mediaType": "text/plain", "data": "YQ=="}]}',
    "a file nobody reads": '{"message": [{"type": "file", "mediaType": "a/b", "name": "x", "data": "YQ=="}]}',
    "too many parts": JSON.stringify({ message: Array(33).fill({ type: "text", text: "x" }) }),
    "a model that is a number": '{"message": "Hi", "model": 7}',
    "an empty model": '{"message": "Hi", "model": ""}',
    "a strange whenBusy": '{"message": "Hi", "whenBusy": "now"}',
    "a strange inputId": '{"message": "Hi", "inputId": "../x"}',
    "a long inputId": JSON.stringify({ message: "Hi", inputId: "x".repeat(65) }),
  }

  test("is refused with what is wrong, and nothing is written", async () => {
    const gateway = await harness()
    const client = await gateway.connect({ key })
    for (const [what, body] of Object.entries(BODIES)) {
      for (const path of ["/api/chat", sessionPath(NS, "/messages")]) {
        const { status, json } = await gateway.send(path, { key, body, method: "POST" })
        expect({ status, code: json["code"] }, `${path}: ${what}`).toEqual({
          status: 400,
          code: "invalid_input",
        })
      }
      client.send(body.replace(/^\{/, '{"type": "chat", "id": "1", "namespace": "web:talk",'))
    }
    for (const frame of [
      "",
      "{",
      "[]",
      '{"type": "toString"}',
      '{"type": "__proto__"}',
      '{"type": ["ping"]}',
    ])
      client.send(frame)
    await expect.poll(() => client.frames.length).toBe(Object.keys(BODIES).length + 7)
    for (const frame of client.frames.slice(1))
      expect(frame).toMatchObject({ type: "error", code: "invalid_input" })
    expect(await gateway.entries(NS)).toEqual([])
    expect(gateway.log.filter(({ type }) => type === "error")).toEqual([])
    expect(gateway.provider.requests).toHaveLength(0)
  })

  test("in other routes as well", async () => {
    const { send, converse, log } = await harness()
    await converse(NS)
    const cases: readonly (readonly [string, unknown])[] = [
      ["/edit", { seq: "1", message: "x" }],
      ["/edit", { seq: 0, message: "x" }],
      ["/edit", { seq: 1 }],
      ["/regenerate", { seq: 1.5 }],
      ["/regenerate", {}],
      ["/branch", { tip: -1 }],
      ["/branch", { tip: 1e300 }],
      ["/resume", { model: [] }],
      ["/name", {}],
    ]
    for (const [rest, body] of cases) {
      const method = rest === "/name" ? "PUT" : "POST"
      expect((await send(sessionPath(NS, rest), { key, body, method })).status, rest).toBe(400)
    }
    for (const query of ["?limit=x", "?limit=-1", "?limit=1001", "?before=1e400", "?before="])
      expect((await send(sessionPath(NS, query), { key })).status, query).toBe(400)
    for (const query of ["?limit=501", "?cursor=x", "?cursor=", "?cursor=%00"])
      expect((await send(`/api/sessions${query}`, { key })).status, query).toBe(400)
    for (const body of [{}, { token: 7 }, { key: null }])
      expect((await send("/api/login", { body })).status).toBe(400)
    expect(log.filter(({ type }) => type === "error")).toEqual([])
  })

  test("what is odd and right is kept as it is", async () => {
    const gateway = await harness({
      script: [],
      scripted: { otherwise: (sent) => String(sent.messages.length) },
    })
    const says = async (message: unknown) => {
      const namespace = OWNER.namespace.child(`odd ${gateway.provider.requests.length}`)
      const { status } = await gateway.send("/api/chat", { key, body: { message, namespace: namespace.key } })
      expect(status).toBe(200)
      const [entry] = await gateway.entries(namespace)
      return entry?.type === "user" ? entry.message.parts : []
    }
    expect(await says("a\ud800b\u0000 <script>")).toEqual([{ type: "text", text: "a\ufffdb\u0000 <script>" }])
    const image = { type: "image", mediaType: "image/png", data: "YQ==" }
    expect(await says([image])).toEqual([image])
    const file = { type: "file", mediaType: "text/plain", name: `${"👪".repeat(300)}`, data: "YQ==" }
    expect(await says([file])).toEqual([{ ...file, name: "👪".repeat(255) }])
    expect(await says([{ ...image, extra: 1 }])).toEqual([image])
  })

  test("ten megabytes of text are answered clearly, and the session goes on", async () => {
    const { send } = await harness()
    const say = (message: string) => send("/api/chat", { key, body: { message, namespace: NS.key } })
    const { status, json } = await say("x".repeat(10 * MB))
    expect({ status, code: json["code"] }).toEqual({ status: 413, code: "context_too_long" })
    expect((await say("Hi")).status).toBe(200)
  })
})

describe("a session's key in an address", () => {
  const SEGMENTS = [
    "a b",
    "a/b",
    "a%2Fb",
    "a:b",
    "%",
    "%25",
    "%2e%2e",
    "..",
    ".",
    "?x=1",
    "#x",
    "é",
    "👪",
    "\\",
    "a+b",
    "\u0000",
    "'\"",
    "name",
    "events",
  ]

  test("leads to that session, whatever is in it", async () => {
    const gateway = await harness()
    for (const segment of SEGMENTS) {
      const namespace = OWNER.namespace.child(segment)
      await gateway.converse(namespace)
      const { status, json } = await gateway.send(sessionPath(namespace), { key })
      expect([status, json["info"]], segment).toEqual([
        200,
        expect.objectContaining({ namespace: namespace.key }),
      ])
    }
  })

  test("is not read in any other way", async () => {
    const gateway = await harness()
    await gateway.converse(NS)
    const spellings = [
      "web%253Atalk",
      "web%2Ftalk",
      "x%2f..%2fweb%3Atalk",
      "..%2fweb%3Atalk",
      "web%3atalk%00",
      "web%3Atalk%20",
      "web%C0%BAtalk",
      "web;talk",
      "web%5Ctalk",
      "%77eb%3A%74alk%2F",
      "web%uFF1Atalk",
      "web%",
      "web%E0%A4%A",
      "web:talk:",
      "WEB:talk",
      "web%ef%bc%9atalk",
    ]
    for (const spelling of spellings) {
      const { status } = await gateway.send(`/api/sessions/${spelling}`, { key })
      expect([400, 404], spelling).toContain(status)
    }
    // Two ways to write the same octets are the same address (RFC 3986, section 6.2.2).
    for (const same of [
      "web:talk",
      "web%3Atalk",
      "web%3atalk",
      "%77eb:talk",
      "x/../web:talk",
      "x/%2e%2e/web:talk",
    ]) {
      const { status } = await gateway.send(`/api/sessions/${same}`, { key })
      expect([200, 404], same).toContain(status)
    }
    const foreign = await gateway.send("/api/sessions/family:ada:x/%2e%2e/web:talk", { key: ADA_KEY })
    expect(foreign.status).toBe(404)
  })
})

test("routes of an application may send what they like of a caller", async () => {
  const routes: Parameters<typeof harness>[0] = {
    routes: [
      {
        method: "POST",
        path: "/api/echo/:thing",
        permission: "chat",
        maxBytes: 100,
        handle: async ({ params, query, body, principal, caller }) =>
          Response.json({
            params,
            q: query.get("q"),
            body: await body(),
            by: principal.name,
            from: caller.address,
          }),
      },
    ],
  }
  const gateway: Harness = await harness(routes)
  const { json } = await gateway.send("/api/echo/a%2Fb?q=1", { key: ADA_KEY, body: { x: 1 } })
  expect(json).toEqual({ params: { thing: "a/b" }, q: "1", body: { x: 1 }, by: "ada", from: "127.0.0.1" })
  const { status } = await gateway.send("/api/echo/a", { key, body: { x: "x".repeat(100) } })
  expect(status).toBe(413)
})

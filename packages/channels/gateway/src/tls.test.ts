import { generateKeyPairSync, sign } from "node:crypto"
import { once } from "node:events"
import { request } from "node:https"
import { connect as connectTcp, type Socket } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { type Answer, harness, tokenOf } from "./fixture.ts"

/** One element of DER (ITU-T X.690): tag, length, content. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

const sequence = (...content: readonly Uint8Array[]) => der(0x30, ...content)
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"))
const text = (tag: number, value: string) => der(tag, Buffer.from(value, "latin1"))

/** A certificate for localhost that signs itself (RFC 5280), so that no key has to lie in the repository. */
function certificate(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"))
  const name = sequence(der(0x31, sequence(oid("550403"), text(0x0c, "localhost"))))
  const names = sequence(text(0x82, "localhost"), der(0x87, Buffer.from([127, 0, 0, 1])))
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(text(0x17, "200101000000Z"), text(0x17, "491231235959Z")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(sequence(oid("551d11"), der(0x04, names)))),
  )
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey))
  const base64 = sequence(body, ecdsaWithSha256, signature).toString("base64")
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
  }
}

const tls = certificate()

interface Secure {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

function send(port: number, path: string, { method, headers, body }: Secure = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const outgoing = request({
    host: "127.0.0.1",
    port,
    path,
    ca: tls.cert,
    agent: false,
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
  })
  outgoing.on("error", reject)
  outgoing.on("response", (incoming) => {
    let whole = ""
    incoming.on("data", (chunk) => {
      whole += String(chunk)
    })
    incoming.on("end", () => {
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        text: whole,
        get json() {
          return JSON.parse(whole) as Record<string, unknown>
        },
      })
    })
  })
  outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

/** A connection that never begins its handshake. */
async function silent(port: number): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1")
  socket.on("error", () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect")
  return socket
}

test("with TLS the link, the origin and the cookie are secure ones", async () => {
  const gateway = await harness({ tls })
  const { url, port } = gateway
  expect(url).toBe(`https://127.0.0.1:${port}`)
  const login = (token: string, origin: string) =>
    send(port, "/api/login", { body: { token }, headers: { origin } })
  const link = gateway.gateway.loginLink()
  expect(link.startsWith(`${url}/login#`)).toBe(true)
  expect((await login(tokenOf(link), url.replace("https", "http"))).status).toBe(403)
  const { status, headers } = await login(tokenOf(link), url)
  expect(status).toBe(200)
  const setCookie = headers["set-cookie"]?.[0] ?? ""
  expect(setCookie).toMatch(/^__Host-orra_login=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; .*; Secure$/)
  const cookie = setCookie.split(";")[0] ?? ""
  expect((await send(port, "/api/me", { headers: { cookie } })).json["name"]).toBe("owner")
  // Another program of this host can plant a cookie without the prefix: it is none.
  const planted = cookie.replace("__Host-", "")
  expect((await send(port, "/api/me", { headers: { cookie: planted } })).status).toBe(401)

  const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, {
    ca: tls.cert,
    headers: { cookie, origin: url },
  })
  onTestFinished(() => socket.terminate())
  const [hello] = await once(socket, "message")
  expect(JSON.parse(String(hello))).toMatchObject({ type: "hello", principal: { name: "owner" } })
})

test("beyond this machine TLS and a key are enough", async () => {
  const { port } = await harness({ tls, host: "0.0.0.0" })
  expect((await send(port, "/health")).json).toEqual({ status: "ok" })
})

test("a handshake that never comes ends like headers that never come", async () => {
  const { port } = await harness({ tls, limits: { headersMs: 200 } })
  await once(await silent(port), "close")
})

test("closing does not wait for a handshake", async () => {
  const { gateway, port } = await harness({ tls })
  const socket = await silent(port)
  expect((await send(port, "/health")).status).toBe(200)
  const closed = once(socket, "close")
  await gateway.close()
  await closed
})

test("who speaks no TLS is closed", async () => {
  const { port } = await harness({ tls })
  const socket = await silent(port)
  const closed = once(socket, "close")
  socket.write("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
  socket.resume()
  await closed
})

import { execFile } from "node:child_process"
import { lookup, resolve4 } from "node:dns/promises"
import { createServer, get } from "node:http"
import { type AddressInfo, connect, type NetConnectOpts } from "node:net"
import { connect as connectTls } from "node:tls"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const refused = { code: "ERR_NOT_LOOPBACK" }
// TEST-NET-1 (RFC 5737): nobody is there, so a guard that failed would not bother anyone.
const elsewhere = "192.0.2.1"

const server = createServer((_request, response) => response.end("here"))
let port: number

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => server.close())

describe("another host is out of reach", () => {
  test("by fetch", async () => {
    await expect(fetch(`http://${elsewhere}/`)).rejects.toMatchObject({ cause: refused })
    await expect(fetch("https://example.com/")).rejects.toMatchObject({ cause: refused })
  })

  test("by http, tls and plain sockets", async () => {
    await expect(failure(get({ host: elsewhere, port: 80 }))).resolves.toMatchObject(refused)
    await expect(failure(connectTls({ host: elsewhere, port: 443 }))).resolves.toMatchObject(refused)
    await expect(failure(connect(80, elsewhere))).resolves.toMatchObject(refused)
    await expect(failure(connect({ host: "2001:db8::1", port: 80 }))).resolves.toMatchObject(refused)
  })

  test("through a lookup of one's own", async () => {
    await expect(failure(connect(mapped(elsewhere, 80)))).resolves.toMatchObject(refused)
  })

  test("by asking for the address of a name", async () => {
    await expect(lookup("example.com")).rejects.toMatchObject(refused)
    await expect(resolve4("example.com")).rejects.toMatchObject(refused)
  })

  test("from a child process", async () => {
    const script = `fetch("http://${elsewhere}/").catch(({ cause }) => console.log(cause.code))`
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script])
    expect(stdout.trim()).toBe("ERR_NOT_LOOPBACK")
  })

  test("and the error names who was called", async () => {
    const error = await failure(connect(80, elsewhere))
    expect(error.message).toContain(`${elsewhere}:80`)
  })
})

describe("this machine is not", () => {
  test.each(["127.0.0.1", "localhost", "127.8.9.10"])("%s", async (host) => {
    if (host === "127.8.9.10" && process.platform !== "linux") return
    const listening = host === "127.8.9.10" ? createServer((_q, response) => response.end("here")) : server
    if (listening !== server) await new Promise<void>((done) => listening.listen(0, host, done))
    const { port } = listening.address() as AddressInfo
    await expect(fetch(`http://${host}:${port}/`).then((response) => response.text())).resolves.toBe("here")
    if (listening !== server) listening.close()
  })

  test("under a name mapped by a lookup of one's own", async () => {
    const socket = connect(mapped("127.0.0.1", port))
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject))
    socket.destroy()
  })
})

function mapped(address: string, port: number): NetConnectOpts {
  return { host: "site.test", port, lookup: (_name, _options, done) => done(null, [{ address, family: 4 }]) }
}

function failure(emitter: {
  once(event: "error", listener: (error: Error) => void): unknown
}): Promise<Error> {
  return new Promise((resolve) => emitter.once("error", resolve))
}

import { networkInterfaces } from "node:os"
import { hang, say } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { ADA, ADA_KEY, connect, handshake, harness, logIn, OWNER, OWNER_KEY } from "./fixture.ts"
import { createGateway } from "./gateway.ts"
import { memoryLogins } from "./logins.ts"

const key = OWNER_KEY
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
)
const NS = OWNER.namespace.child("talk")

describe("starting and stopping", () => {
  test("a port that is taken, an address that is none", async () => {
    const { port, runtime } = await harness()
    const other = (host: string, at: number) =>
      createGateway({ runtime, principals: [OWNER], insecure: true, host, port: at }).then((it) =>
        it.listen(),
      )
    await expect(other("127.0.0.1", port)).rejects.toMatchObject({ code: "port_in_use" })
    await expect(other("192.0.2.1", 0)).rejects.toMatchObject({ code: "host_unknown" })
  })

  test.skipIf(!hasIpv6)("an IPv6 address makes a link that leads there", async () => {
    const { url } = await harness({ host: "::1" })
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })

  test("close ends what is open, and lets runs go on", async () => {
    const gateway = await harness({ script: [[say("x"), hang()]] })
    const client = await gateway.connect({ key })
    const streams = ["/api/chat", "/api/chat"].map((path) =>
      gateway.send(path, { key, body: { message: "Hi", namespace: NS.key, stream: true } }).catch(() => {}),
    )
    await gateway.provider.request(1)
    await gateway.gateway.close()
    expect((await client.closed).code).toBe(1001)
    await Promise.all(streams)
    await expect(connect(`ws://127.0.0.1:${gateway.port}/ws`, { key })).rejects.toThrow()
    expect(gateway.runtime.isRunning(NS)).toBe(true)
    await gateway.gateway.close()
  })

  test("a socket that was about to open does not, and close does not wait for it", async () => {
    const memory = memoryLogins()
    const asked = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const get: typeof memory.get = async (...place) => {
      asked.resolve()
      await held.promise
      return await memory.get(...place)
    }
    const gateway = await harness({ logins: { ...memory, get } })
    const cookie = await logIn(gateway.port, key)
    const headers = { cookie, origin: `http://127.0.0.1:${gateway.port}` }
    const opening = handshake(gateway.port, { headers })
    await asked.promise
    const closing = gateway.gateway.close()
    held.resolve()
    expect((await opening).json["code"]).toBe("closed")
    await closing
  })

  test("an offer of another protocol is no reason to refuse", async () => {
    const { send } = await harness()
    const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AA" }
    expect((await send("/api/me", { key, headers })).status).toBe(200)
  })

  test("who may do what is told", async () => {
    const { send } = await harness()
    expect((await send("/api/me", { key: ADA_KEY })).json).toEqual({
      name: "ada",
      namespace: ADA.namespace.key,
      permissions: ["chat"],
    })
  })
})

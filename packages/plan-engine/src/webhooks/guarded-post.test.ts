import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo, LookupFunction } from "node:net"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { guardedPost } from "./guarded-post.ts"

let server: ReturnType<typeof createServer>
let port = 0
const heard: string[] = []
beforeEach(async () => {
  heard.length = 0
  server = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += String(chunk)
    heard.push(`${request.headers["x-a"]} ${text}`)
    response.writeHead(request.url === "/away" ? 302 : 201, { location: "/elsewhere" }).end()
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  server.close()
  await once(server, "close")
})

const post = (url: string, more: { allowInternal?: boolean; lookup?: LookupFunction } = {}) =>
  guardedPost(url, {
    headers: { "x-a": "1" },
    body: "ü",
    signal: new AbortController().signal,
    allowInternal: false,
    ...more,
  })

/** Every name leads to these. */
const at =
  (...addresses: readonly string[]): LookupFunction =>
  (_, { all }, done) => {
    const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
    if (all) done(null, found)
    else done(null, addresses[0] ?? "", 4)
  }

describe("W-S4: a webhook", () => {
  test("at an internal address is reached only when that is allowed, and redirects lead nowhere", async () => {
    expect(await post(`http://127.0.0.1:${port}/x`, { allowInternal: true })).toBe(201)
    expect(
      await post(`http://shop.example:${port}/away`, { allowInternal: true, lookup: at("127.0.0.1") }),
    ).toBe(302)
    expect(heard).toEqual(["1 ü", "1 ü"])
  })

  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "10.0.0.1",
    "[::1]",
    "[fd00::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "localhost",
  ])("at %s is refused, and nothing is sent", async (host) => {
    await expect(post(`http://${host}:${port}/`)).rejects.toMatchObject({ code: "plan_webhook_internal" })
    expect(heard).toEqual([])
  })

  test("whose name leads to an internal address among others is refused", async () => {
    const lookup = at("93.184.215.14", "127.0.0.1")
    await expect(post(`http://shop.example:${port}/`, { lookup })).rejects.toMatchObject({
      code: "plan_webhook_internal",
    })
    expect(heard).toEqual([])
  })

  test("whose name leads elsewhere at every look is connected where it was looked at", async () => {
    const answers = ["127.0.0.1", "169.254.169.254"]
    let looks = 0
    const changing: LookupFunction = (host, how, done) => at(answers[looks++] ?? "10.0.0.1")(host, how, done)
    const sent = await post(`http://shop.example:${port}/`, { lookup: changing, allowInternal: true })
    expect([sent, looks]).toEqual([201, 1])
    await expect(post(`http://shop.example:${port}/`, { lookup: changing })).rejects.toMatchObject({
      code: "plan_webhook_internal",
    })
    expect(heard).toHaveLength(1)
  })

  test("whose name nobody knows fails with that", async () => {
    const nobody: LookupFunction = (host, _, done) => {
      // As the system's: with the error comes nothing.
      const found = undefined as unknown as string
      done(new Error(`getaddrinfo ENOTFOUND ${host}`), found)
    }
    await expect(post("http://shop.example/", { lookup: nobody })).rejects.toThrow("ENOTFOUND shop.example")
  })

  test("that is not there fails", async () => {
    const signal = AbortSignal.abort(new Error("Too late."))
    const body = { headers: {}, body: "", allowInternal: true }
    await expect(guardedPost(`http://127.0.0.1:${port}/`, { ...body, signal })).rejects.toThrow()
  })
})

import { execFile } from "node:child_process"
import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { promisify } from "node:util"
import { deflateSync, gzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest"
import { HttpFailure } from "./checked-fetch.ts"
import { type Dispatcher, dispatch, type Outgoing, platformDispatcher } from "./dispatch.ts"
import { sender } from "./send.ts"

/** A service that answers so, its address, and what came to it. */
async function service(listener: RequestListener) {
  const sockets = new Set<object>()
  const server = createServer((req, res) => {
    sockets.add(req.socket)
    listener(req, res)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1?a=b`, sockets }
}

const request = (extra: Partial<Outgoing> = {}): Outgoing => ({
  method: "POST",
  headers: { authorization: "Bearer the-key", "content-type": "application/json" },
  body: '"Grüße"',
  signal: new AbortController().signal,
  ...extra,
})

const run = promisify(execFile)
const send = sender(undefined)

/** Puts this in the place of what fetch hands its requests to. */
function useDispatcher(dispatcher: Dispatcher | undefined) {
  const symbol = Symbol.for("undici.globalDispatcher.1")
  const before = platformDispatcher()
  onTestFinished(() => void Reflect.set(globalThis, symbol, before))
  Reflect.set(globalThis, symbol, dispatcher)
}

/** How many requests have gone past fetch. */
function watchDispatcher() {
  const dispatcher = platformDispatcher()
  if (!dispatcher) throw new Error("There is none.")
  const dispatched = vi.spyOn(dispatcher, "dispatch")
  onTestFinished(() => dispatched.mockRestore())
  return dispatched
}

// It is there as soon as anything of fetch was used.
beforeEach(() => void new Headers())
afterEach(() => {
  vi.unstubAllGlobals()
})

test("a request arrives as it was written, past fetch, and its connection is used again", async () => {
  const dispatched = watchDispatcher()
  const { url, sockets } = await service(async (req, res) => {
    const { method, url: path, headers } = req
    res
      .writeHead(200, { "X-Request-Id": "r1" })
      .end(JSON.stringify({ method, path, headers, body: await req.toArray().then(String) }))
  })
  for (let time = 0; time < 6; time++) {
    const response = await send(url, request())
    expect(response.status).toBe(200)
    expect(response.headers.get("x-request-id")).toBe("r1")
    expect(response.headers.get("x-other")).toBeNull()
    expect(JSON.parse(await response.text())).toMatchObject({
      method: "POST",
      path: "/v1?a=b",
      body: '"Grüße"',
      headers: { authorization: "Bearer the-key", "content-type": "application/json", "content-length": "9" },
    })
  }
  // One is taken while the other is still being put back.
  expect(sockets.size).toBeLessThanOrEqual(2)
  expect(dispatched).toHaveBeenCalledTimes(6)
})

test("a body arrives as it is written, however characters are cut, after what came before the answer", async () => {
  const next = Promise.withResolvers<void>()
  const { url } = await service(async (_, res) => {
    res.writeEarlyHints({ link: "</style.css>; rel=preload" })
    const bytes = Buffer.from("data: ü\n\n")
    res.write(bytes.subarray(0, 7))
    await next.promise
    res.end(bytes.subarray(7))
  })
  const response = await send(url, request())
  const pieces: number[] = []
  for await (const bytes of response.body ?? []) {
    pieces.push(bytes.length)
    next.resolve()
  }
  expect(pieces).toEqual([7, 3])
  const again = await send(url, request())
  expect(await again.text()).toBe("data: ü\n\n")
})

test("an error status is thrown, with what it says", async () => {
  const { url } = await service((_, res) => {
    res.writeHead(429, { "Retry-After": "3" }).end("Slowly.")
  })
  const error = await send(url, request()).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(HttpFailure)
  expect(error).toMatchObject({ status: 429, body: "Slowly." })
  expect(error instanceof HttpFailure && error.headers.get("retry-after")).toBe("3")
})

test("who is nowhere to be reached is named by his code", async () => {
  await expect(send("http://127.0.0.1:1/", request())).rejects.toMatchObject({ code: "ECONNREFUSED" })
})

describe("the signal", () => {
  test("ends a request before it is sent", async () => {
    const signal = AbortSignal.abort("Enough.")
    const { url, sockets } = await service((_, res) => res.end())
    await expect(send(url, request({ signal }))).rejects.toBe("Enough.")
    expect(sockets.size).toBe(0)
  })

  test.each(["before the answer", "within it"])("closes the connection %s", async (when) => {
    const controller = new AbortController()
    const closed = Promise.withResolvers<void>()
    const { url } = await service((_, res) => {
      res.once("close", closed.resolve)
      if (when === "within it") res.write("one")
      else controller.abort("Enough.")
    })
    const read = async () => {
      const response = await send(url, request({ signal: controller.signal }))
      for await (const _ of response.body ?? []) controller.abort("Enough.")
    }
    await expect(read()).rejects.toBe("Enough.")
    await closed.promise
  })

  test("ends what still waits for a connection, and that as well once it is there", async () => {
    const controller = new AbortController()
    let connect: ((abort: (reason: unknown) => void) => void) | undefined
    const dispatcher: Dispatcher = {
      dispatch(_, handler) {
        connect = (abort) => handler.onConnect(abort)
      },
    }
    const sent = dispatch(dispatcher, new URL("http://service.test"), request({ signal: controller.signal }))
    controller.abort("Enough.")
    await expect(sent).rejects.toBe("Enough.")
    const ended: unknown[] = []
    connect?.((reason) => ended.push(reason))
    expect(ended).toEqual(["Enough."])
  })

  test("is let go once all has come", async () => {
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, "addEventListener")
    const removed = vi.spyOn(signal, "removeEventListener")
    const { url } = await service((_, res) => res.end("fine"))
    await (await send(url, request({ signal }))).text()
    expect(added).toHaveBeenCalledOnce()
    expect(removed).toHaveBeenCalledWith("abort", added.mock.calls[0]?.[1])
  })
})

test("a connection that breaks within the answer is no end of it", async () => {
  const { url } = await service((_, res) => {
    res.write("one")
    setImmediate(() => res.destroy())
  })
  const response = await send(url, request())
  const pieces: string[] = []
  const read = async () => {
    for await (const bytes of response.body ?? []) pieces.push(new TextDecoder().decode(bytes))
  }
  await expect(read()).rejects.toMatchObject({ code: "UND_ERR_SOCKET" })
  expect(pieces).toEqual(["one"])
})

test("a service that writes faster than it is read waits", async () => {
  const piece = Buffer.alloc(65_536, "x")
  const PIECES = 400
  let written = 0
  const stuck = Promise.withResolvers<void>()
  const { url } = await service(async (_, res) => {
    for (; written < PIECES; written++) {
      if (res.write(piece)) continue
      const drained = once(res, "drain")
      // What the sockets between us hold is full as well when nothing is taken for so long.
      const waiting = setTimeout(stuck.resolve, 200)
      await drained
      clearTimeout(waiting)
    }
    res.end()
  })
  const { body } = await send(url, request())
  await stuck.promise
  expect(written).toBeLessThan(PIECES)
  let read = 0
  for await (const bytes of body ?? []) read += bytes.length
  expect(read).toBe(PIECES * piece.length)
})

test.each([
  ["gzip", gzipSync("fine")],
  ["deflate", deflateSync("fine")],
])("nothing compressed is asked for, and %s is read all the same", async (encoding, body) => {
  const asked: unknown[] = []
  const { url } = await service((req, res) => {
    asked.push(req.headers["accept-encoding"])
    res.writeHead(200, { "content-encoding": encoding }).end(body)
  })
  expect(await (await send(url, request())).text()).toBe("fine")
  expect(asked).toEqual(["identity"])
})

test("who is sent elsewhere goes there as fetch does: with the body, to another host without the key", async () => {
  const seen: unknown[] = []
  const other = await service(async (req, res) => {
    seen.push([req.headers.authorization, await req.toArray().then(String)])
    res.end("fine")
  })
  const { url } = await service((_, res) => res.writeHead(307, { location: other.url }).end("Over there."))
  expect(await (await send(url, request())).text()).toBe("fine")
  expect(seen).toEqual([[undefined, '"Grüße"']])
})

describe("another way", () => {
  const fine = async () => new Response("fine")

  test("that is passed is taken", async () => {
    const dispatched = watchDispatcher()
    expect(await (await sender(fine)("http://service.test", request())).text()).toBe("fine")
    expect(dispatched).not.toHaveBeenCalled()
  })

  test("that stands in the place of the global fetch is taken, as long as it stands there", async () => {
    const dispatched = watchDispatcher()
    vi.stubGlobal("fetch", fine)
    expect(await (await send("http://service.test", request())).text()).toBe("fine")
    expect(dispatched).not.toHaveBeenCalled()
    vi.unstubAllGlobals()
    const { url } = await service((_, res) => res.end("from the service"))
    expect(await (await send(url, request())).text()).toBe("from the service")
    expect(dispatched).toHaveBeenCalledOnce()
  })

  test("that an application has set for fetch, such as a proxy, is taken", async () => {
    const before = platformDispatcher()
    if (!before) throw new Error("There is none.")
    const { url, sockets } = await service((_, res) => res.end("from the proxy"))
    useDispatcher({
      dispatch: (wanted, handler) => before.dispatch({ ...wanted, origin: new URL(url).origin }, handler),
    })
    expect(await (await send("http://service.test", request())).text()).toBe("from the proxy")
    expect(sockets.size).toBe(1)
  })

  test("is fetch where it stands on nothing that is known, as on other platforms", async () => {
    const { url } = await service((req, res) => res.end(req.headers["sec-fetch-mode"]))
    // In Node that is so as long as nothing of fetch was used: only in a new process.
    const code = `
      import { sender } from ${JSON.stringify(new URL("send.ts", import.meta.url))}
      const request = { method: "POST", headers: {}, body: "", signal: new AbortController().signal }
      const response = await sender()(${JSON.stringify(url)}, request)
      console.log(await response.text())`
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code])
    expect(stdout.trim()).toBe("cors")
  })
})

import { Namespace } from "@orra/core"
import { describe, expect, test } from "vitest"
import { site } from "./fixture.ts"

const html = { "content-type": "text/html" }

describe("what was fetched a moment ago", () => {
  test("is not fetched again for the same namespace, and for no other", async () => {
    let asked = 0
    const { url, use } = await site((_, response) =>
      response.writeHead(200, html).end(`<p>page ${++asked}</p>`),
    )
    expect(await use("web_fetch", { url })).toContain("page 1")
    const again = await use("read_url", { url })
    expect(again).toContain("page 1")
    expect(again).toMatch(/\[Fetched \d+ s ago\]/)
    expect(await use("web_fetch", { url }, { namespace: Namespace.of("other") })).toContain("page 2")
    expect(await use("web_fetch", { url: `${url}?x` })).toContain("page 3")
  })

  test("is fetched again where the server or the operator says so, and where it failed", async () => {
    let asked = 0
    const { url, use } = await site((request, response) => {
      const status = request.url === "/failing" ? 500 : 200
      response
        .writeHead(status, { ...html, "cache-control": "private, no-store" })
        .end(`<p>page ${++asked}</p>`)
    })
    await use("web_fetch", { url })
    expect(await use("web_fetch", { url })).toContain("page 2")
    for (const code of ["http_status", "http_status"])
      await expect(use("web_fetch", { url: `${url}failing` })).rejects.toMatchObject({ code })
    expect(asked).toBe(4)
    const never = await site((_, response) => response.writeHead(200, html).end(`<p>page ${++asked}</p>`), {
      cacheMs: 0,
    })
    await never.use("web_fetch", { url: never.url })
    expect(await never.use("web_fetch", { url: never.url })).toContain("page 6")
  })

  test("is forgotten when there is too much of it, what was used last being kept", async () => {
    let asked = 0
    const { url, use } = await site(
      (_, response) =>
        response.writeHead(200, { "content-type": "text/plain" }).end("x".repeat(20_000_000) + ++asked),
      { maxBytes: 21_000_000 },
    )
    for (const page of ["a", "b", "a", "c"]) await use("web_fetch", { url: url + page, max_length: 1 })
    expect(asked).toBe(3)
    await use("web_fetch", { url: `${url}a`, max_length: 1 })
    expect(asked).toBe(3)
    await use("web_fetch", { url: `${url}b`, max_length: 1 })
    expect(asked).toBe(4)
  })
})

describe("robots.txt", () => {
  const robots = (text: string, status = 200) => {
    const asked: string[] = []
    const listener = (
      request: { url?: string | undefined },
      response: import("node:http").ServerResponse,
    ) => {
      asked.push(request.url ?? "")
      if (request.url === "/robots.txt") response.writeHead(status).end(text)
      else if (request.url === "/moved") response.writeHead(302, { location: "/private/x" }).end()
      else response.writeHead(200, html).end("<p>Hi</p>")
    }
    return { asked, listener }
  }

  test("is not asked unless that is wanted", async () => {
    const { asked, listener } = robots("User-agent: *\nDisallow: /")
    const { url, use } = await site(listener)
    expect(await use("web_fetch", { url })).toContain("Hi")
    expect(asked).toEqual(["/"])
  })

  test("is kept to, at each step of a redirect, and asked once", async () => {
    const { asked, listener } = robots("User-agent: *\nDisallow: /private/\n\nUser-agent: Other\nDisallow: /")
    const { url, use } = await site(listener, { robots: true })
    expect(await use("web_fetch", { url })).toContain("Hi")
    for (const path of ["private/x", "moved"])
      await expect(use("web_fetch", { url: url + path })).rejects.toMatchObject({ code: "robots_refused" })
    expect(asked).toEqual(["/robots.txt", "/", "/moved"])
  })

  test("that is not there allows everything, one that cannot be had nothing", async () => {
    const missing = await site(robots("", 404).listener, { robots: true })
    expect(await missing.use("web_fetch", { url: missing.url })).toContain("Hi")
    const broken = await site(robots("", 503).listener, { robots: true })
    await expect(broken.use("web_fetch", { url: broken.url })).rejects.toMatchObject({
      code: "robots_refused",
    })
  })

  test("a site that wants minutes between two requests is not read", async () => {
    const { listener } = robots("User-agent: *\nCrawl-delay: 600")
    const { url, use } = await site(listener, { robots: true })
    await expect(use("web_fetch", { url })).rejects.toMatchObject({ code: "robots_refused" })
  })
})

test("a second request to a host waits for its turn, which a stopped run does not wait for", async () => {
  const asked: string[] = []
  const { url, use } = await site(
    (request, response) => {
      asked.push(request.url ?? "")
      response.writeHead(200, html).end("<p>Hi</p>")
    },
    { delayMs: 3_600_000 },
  )
  expect(await use("web_fetch", { url: `${url}a` })).toContain("Hi")
  const stop = new AbortController()
  const used = use("web_fetch", { url: `${url}b` }, { signal: stop.signal })
  expect(await use("web_fetch", { url: `${url}a` })).toContain("Hi")
  stop.abort(new Error("stopped"))
  await expect(used).rejects.toThrow("stopped")
  expect(asked).toEqual(["/a"])
})

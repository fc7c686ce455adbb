import { once } from "node:events"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { servePage } from "./page.ts"

let folder = ""
let server: Server
let url = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plan-engine-files-"))
  await mkdir(join(folder, "page", "assets"), { recursive: true })
  await writeFile(join(folder, "page", "index.html"), "<p>The page</p>")
  await writeFile(join(folder, "page", "assets", "main-1.js"), "let a")
  await writeFile(join(folder, "secret"), "not for the page")
  const page = servePage(join(folder, "page"))
  server = createServer((request, response) => {
    if (!page(request, response)) response.writeHead(404).end("the API")
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  await once(server, "close")
  await rm(folder, { recursive: true })
})

const get = async (path: string, method = "GET") => {
  const response = await fetch(`${url}${path}`, { method })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

test("the page's files are served with rules that let nothing in from elsewhere", async () => {
  const { text, headers } = await get("/")
  expect(text).toBe("<p>The page</p>")
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; /)
  expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'")
  expect([headers.get("cache-control"), headers.get("content-encoding")]).toEqual(["no-cache", "gzip"])
  const script = await get("/assets/main-1.js?x=1")
  expect([script.text, script.headers.get("content-type")]).toEqual([
    "let a",
    "text/javascript; charset=utf-8",
  ])
  expect(script.headers.get("cache-control")).toContain("immutable")
  expect((await get("/", "HEAD")).text).toBe("")
})

test("everything else is the API's", async () => {
  for (const path of ["/index.htm", "/assets", "/%2e%2e/secret", "/orchestrations"])
    expect((await get(path)).text, path).toBe("the API")
  expect((await get("/", "POST")).text).toBe("the API")
})

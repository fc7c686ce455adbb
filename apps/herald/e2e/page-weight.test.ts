import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { expect, test } from "vitest"
import { answers, gates } from "./support/answers.ts"
import { openSite, said, send, settled } from "./support/site.ts"

/** Bytes of script, compressed, before code is coloured for the first time. */
const BUDGET = 200_000

const file = (path: string) => fileURLToPath(new URL(`../dist/web${path}`, import.meta.url))

test("the page stays light, and asks nothing of anybody else", async () => {
  const html = readFileSync(file("/index.html"), "utf8")
  const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = ""]) => source)
  expect(sources.filter((source) => !/^\/[^/]/.test(source))).toEqual([])

  // All that is loaded until a chat has been opened, written to and answered, whenever it is loaded.
  const site = await openSite({ answer: answers(gates()) })
  const context = await site.person()
  const page = await context.newPage()
  const scripts = new Set<string>()
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.add(new URL(request.url()).pathname)
  })
  await page.goto(site.herald.url)
  await send(page, "a plain message")
  await said(page, "You said: a plain message").waitFor()
  await settled(page)
  await page.reload()
  await said(page, "You said: a plain message").waitFor()
  await page.waitForLoadState("networkidle")
  const sizes = [...scripts].map((path) => gzipSync(readFileSync(file(path))).length)
  expect(scripts.size).toBeGreaterThan(1)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(BUDGET)
  expect(site.problems).toEqual([])
  await context.close()
  await site.close()
})

test("nothing in it needs an exception from its own rules", () => {
  const html = readFileSync(file("/index.html"), "utf8")
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/)
  for (const name of readdirSync(file("/assets"))) {
    if (name.endsWith(".css")) {
      expect(readFileSync(file(`/assets/${name}`), "utf8")).not.toMatch(/@import|url\((?!["']?#)/)
    }
  }
})

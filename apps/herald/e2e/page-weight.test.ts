import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { expect, test } from "vitest"

/** Bytes of script, compressed, before code is coloured for the first time. */
const BUDGET = 200_000

const file = (path: string) => fileURLToPath(new URL(`../dist/web${path}`, import.meta.url))

test("the page stays light, and asks nothing of anybody else", () => {
  const html = readFileSync(file("/index.html"), "utf8")
  const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = ""]) => source)
  expect(sources.filter((source) => !/^\/[^/]/.test(source))).toEqual([])
  const scripts = sources.filter((source) => source.endsWith(".js"))
  const size = scripts.reduce((sum, source) => sum + gzipSync(readFileSync(file(source))).length, 0)
  expect(size).toBeLessThanOrEqual(BUDGET)
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

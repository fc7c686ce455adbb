import { Session } from "node:inspector/promises"
import { setFlagsFromString } from "node:v8"
import { expect, test, vi } from "vitest"
import { toMarkdown } from "./html-to-markdown.ts"

// Compiled code is not counted: in this file it is interpreted.
for (const flag of ["--no-opt", "--no-maglev", "--no-sparkplug"]) setFlagsFromString(flag)

const url = "https://a.example/dir/page"

/**
 * How many times each block of code ran, added up: V8's own count, which is the same on every machine and on every
 * run. Counts the libraries as well as this package.
 */
async function work(html: string): Promise<number> {
  const session = new Session()
  session.connect()
  try {
    await session.post("Profiler.enable")
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true })
    toMarkdown(html, url)
    const { result } = await session.post("Profiler.takePreciseCoverage")
    return result
      .filter(({ url }) =>
        /tools\/web\/src|htmlparser2|entities|cheerio|domhandler|domutils|dom-serializer|css-select|turndown|domino/.test(
          url,
        ),
      )
      .flatMap(({ functions }) => functions)
      .flatMap(({ ranges }) => ranges)
      .reduce((sum, { count }) => sum + count, 0)
  } finally {
    await session.post("Profiler.stopPreciseCoverage")
    session.disconnect()
  }
}

const times = (text: string) => (count: number) => text.repeat(count)
const HOSTILE: readonly (readonly [string, (count: number) => string])[] = [
  ["nested blocks", times("<div>")],
  ["nested and closed", (count) => "<div>".repeat(count) + "</div>".repeat(count)],
  ["nested quotes with text", times("<blockquote>x")],
  ["nested lists", times("<ul><li>x")],
  ["nested tables", times("<table><tr><td>x")],
  ["nested emphasis", times("<b>x<i>")],
  ["formatting not closed, then paragraphs", (count) => "<font><b><i>".repeat(count) + "<p>x".repeat(count)],
  ["ends of what is not open", (count) => "<i>".repeat(count) + "</x></p></div>".repeat(count)],
  ["ends that reach out of blocks", (count) => "<b><p>".repeat(count) + "</b>".repeat(count)],
  ["links not closed", times("<a href=x>y<p>")],
  ["a long list", (count) => `<ol>${"<li>x".repeat(count)}`],
  ["a long table", (count) => `<table>${"<tr><td>x<td>".repeat(count)}`],
  ["a wide table", (count) => `<table><tr>${"<td>x".repeat(count)}`],
  ["attributes", (count) => `<p ${"a href=x ".repeat(count)}>x`],
  ["a long attribute", (count) => `<a href="${"&amp;x".repeat(count)}">x`],
  ["comments not closed", times("<!--")],
  ["scripts not closed", times("<script>")],
  ["titles", times("<title>&lt;</title>")],
  ["less-than signs", times("<")],
  ["ampersands", times("&")],
  ["entities", times("&#x41;&notit")],
  ["marks", times("*_[`")],
  ["code", times("<code>`</code>")],
  ["code blocks not closed", times("<pre>`\n")],
  ["hidden in hidden", times("<p hidden><dialog>")],
  ["paragraphs", times("<p>some <b>text</b></p>\n")],
]

test.each(HOSTILE)("twice the page is at most twice the work: %s", async (_what, page) => {
  // Once before, so that what is made at first use is not counted.
  toMarkdown(page(10), url)
  const [one, two] = [await work(page(200)), await work(page(400))]
  expect(one).toBeGreaterThan(200)
  expect(two / one).toBeLessThan(2.1)
})

/** How many places of long lists the language's own functions look at, which V8 does not count. */
function searched(html: string): number {
  let places = 0
  const spies = (["indexOf", "lastIndexOf", "includes", "splice"] as const).map((name) => {
    const real = Array.prototype[name]
    const counted = function (this: readonly unknown[], ...args: readonly unknown[]): unknown {
      if (this.length > 600) places += this.length
      return Reflect.apply(real, this, args)
    }
    return vi.spyOn(Array.prototype, name).mockImplementation(counted as never)
  })
  try {
    toMarkdown(html, url)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return places
}

test.each([
  ["items", (count: number) => `<ol>${"<li>x".repeat(count)}`],
  ["paragraphs", times("<p>x")],
  ["links", times("<a href=x>y</a>")],
  ["empty elements", times("<b></b><p></p><a href=x></a>")],
  ["what is hidden", times("x<p hidden>y</p><script>z</script>")],
  ["rows", (count: number) => `<table>${"<tr><td>x<td>y".repeat(count)}`],
  ["cells", (count: number) => `<table><tr>${"<td>x".repeat(count)}`],
  ["titles", times("<title>x</title>")],
])("nothing is looked for among all others: %s", (_what, page) => {
  toMarkdown(page(10), url)
  const [one, two] = [searched(page(1_000)), searched(page(2_000))]
  expect(two).toBeLessThanOrEqual(Math.max(2.1 * one, 20_000))
})

test.each(HOSTILE)("not much is made of little: %s", (_what, page) => {
  const html = page(1_000)
  expect(toMarkdown(html, url).markdown.length).toBeLessThan(html.length * 8)
})

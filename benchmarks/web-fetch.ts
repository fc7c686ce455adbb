// The figures of packages/tools/web/README.md: `node --conditions=@orra/source benchmarks/web-fetch.ts`.
// Milliseconds of the processor to turn 1, 2 and 4 MB of HTML into Markdown, the start of the thread included: each
// should be about twice the one before, or less where a page has more elements than are looked at. In brackets what of
// it is spent in the program's own thread, which does nothing else meanwhile.

import { htmlToMarkdown } from "@orra/web"

const times = (text: string) => (bytes: number) => text.repeat(Math.ceil(bytes / text.length))
const ARTICLE = `<section><h2>A heading</h2><p>Some <b>bold</b> words and <a href="/page?a=1&amp;b=2">a link</a> in a
paragraph of the usual length, which says little.</p><ul><li>one<li>two</ul><script>var x = "<p>"</script></section>`

const PAGES: readonly (readonly [string, (bytes: number) => string])[] = [
  ["an article", times(ARTICLE)],
  ["a table", (bytes) => `<table>${times("<tr><td>one<td>two<td>three")(bytes)}`],
  ["a list", (bytes) => `<ol>${times("<li>item")(bytes)}`],
  ["text alone", times("word ")],
  ["nested blocks, not closed", times("<div>")],
  ["nested quotes with text", times("<blockquote>x")],
  [
    "emphasis not closed, then paragraphs",
    (bytes) => times("<font><b>")(bytes / 2) + times("<p>x")(bytes / 2),
  ],
  ["ends of what is not open", (bytes) => times("<i>")(bytes / 2) + times("</x>")(bytes / 2)],
  ["links not closed", times("<a href=x>y")],
  ["less-than signs", times("<")],
]

const baseUrl = new URL("https://a.example/")
for (const [what, page] of PAGES) {
  const figures: string[] = []
  for (const megabytes of [1, 2, 4]) {
    const { all, own } = await fewest(page(megabytes * 1e6))
    figures.push(`${megabytes} MB ${all} ms (${own} ms)`)
  }
  console.log(`${what}: ${figures.join(", ")}`)
}

async function fewest(html: string): Promise<{ readonly all: number; readonly own: number }> {
  let [all, own] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let run = 0; run < 3; run++) {
    const [before, ownBefore] = [process.cpuUsage(), process.threadCpuUsage()]
    await htmlToMarkdown(html, { baseUrl, limit: 16_000 })
    all = Math.min(all, milliseconds(process.cpuUsage(before)))
    own = Math.min(own, milliseconds(process.threadCpuUsage(ownBefore)))
  }
  return { all, own }
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 1_000)
}

// The figures of packages/tools/web/README.md: `node --conditions=@orra/source benchmarks/web-fetch.ts`.
// Milliseconds of the processor to turn 1, 2 and 4 MB of HTML into Markdown, the start of the thread included: each
// should be about twice the one before, or less where a page has more elements than are looked at.

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
  for (const megabytes of [1, 2, 4])
    figures.push(`${megabytes} MB ${await fastest(page(megabytes * 1e6))} ms`)
  console.log(`${what}: ${figures.join(", ")}`)
}

async function fastest(html: string): Promise<number> {
  const runs: number[] = []
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage()
    await htmlToMarkdown(html, { baseUrl, limit: 16_000 })
    const { user, system } = process.cpuUsage(before)
    runs.push((user + system) / 1_000)
  }
  return Math.round(Math.min(...runs))
}

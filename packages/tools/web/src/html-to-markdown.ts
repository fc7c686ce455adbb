import { load } from "cheerio/slim"
import { markdownOf } from "./markdown.ts"
import { outlineOf } from "./outline.ts"

/** Every relative link is written with the base in front: a long one would make much of little. */
const MAX_BASE = 1_000
const MAX_LINK = 2_000

type Page = ReturnType<typeof load>

/** A page's title, and all of it as Markdown. Runs where pages are read: in a thread of its own. */
export function toMarkdown(html: string, url: string): { readonly title: string; readonly markdown: string } {
  // cheerio's types are those of the same document.
  const $ = load(outlineOf(html) as never, { xml: { xmlMode: false, encodeEntities: "utf8" } })
  const title = $("title").first().text()
  makeAbsolute($, url)
  numberItems($)
  markTables($)
  return { title, markdown: markdownOf($.html()) }
}

function makeAbsolute($: Page, url: string): void {
  const declared = URL.parse($("base[href]").first().attr("href") ?? "", url)
  const base = declared && /^https?:$/.test(declared.protocol) ? declared.href : url
  for (const link of $("a")) {
    const href = base.length > MAX_BASE ? undefined : absolute(link.attribs["href"] ?? "", base)
    if (href) link.attribs["href"] = href
    else delete link.attribs["href"]
  }
}

/** The link's address, or undefined when it leads nowhere a reader could go: a script, data, a mail. */
function absolute(href: string, base: string): string | undefined {
  if (href.startsWith("#") || href.length > MAX_LINK) return undefined
  const url = URL.parse(href, base)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  return url.href.length > MAX_LINK ? undefined : url.href.replace(/[()<>\s]/g, percentEncoded)
}

const percentEncoded = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`

/** turndown would look for the place of each item among all others. */
function numberItems($: Page): void {
  for (const list of $("ol")) {
    let next = Number.parseInt(list.attribs["start"] ?? "1", 10) || 1
    for (const item of list.children)
      if ("attribs" in item && item.name === "li") item.attribs["class"] = `${next++}. `
  }
}

/** Rows and cells become divisions: an HTML parser would move out of a table what it does not expect there. */
function markTables($: Page): void {
  for (const table of $("table")) {
    const isData = table.attribs["class"] !== "layout"
    let rows = 0
    for (const row of $(table).children("tr")) {
      const cells = $(row).children("td")
      const isRow = isData && cells.length > 1
      for (const cell of cells) become(cell, isRow ? { class: "cell" } : {})
      if (!isRow) become(row, {})
      else if (cells.text().trim() === "") row.children = []
      else become(row, rows++ === 0 ? { class: "head", cells: `${cells.length}` } : { class: "row" })
    }
    become(table, { class: "table" })
  }
}

function become(
  element: { name: string; attribs: Record<string, string> },
  part: Record<string, string>,
): void {
  element.name = "div"
  element.attribs = part
}

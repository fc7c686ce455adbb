import { Marked } from "marked"
import { formatFullTime, t } from "../i18n/index.ts"
import { sanitize } from "../markdown/sanitize.ts"
import { answerTexts } from "./export.ts"
import type { Item } from "./items.ts"
import { attachmentsOf, textOf } from "./parts.ts"

const STYLE = `:root{color-scheme:light dark}
body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:16px/1.55 system-ui,sans-serif}
article{margin:1.5rem 0}header{color:gray;font-size:.85rem}
.user>div{padding:.6rem 1rem;border-radius:12px;background:color-mix(in srgb,teal 12%,transparent);white-space:pre-wrap;overflow-wrap:anywhere}
pre{overflow-x:auto;padding:.8rem;border-radius:8px;background:color-mix(in srgb,gray 15%,transparent)}
code{font-size:.9em}img{max-width:100%}table{border-collapse:collapse}td,th{padding:.2rem .6rem;border:1px solid gray}
blockquote{margin-left:0;padding-left:1rem;border-left:3px solid gray;overflow-wrap:anywhere}`

const markdown = new Marked({ gfm: true, breaks: false })

/** A page of its own: it loads nothing, and nothing in it runs. */
export const htmlOfChat = (items: readonly Item[], title: string): string =>
  `<!doctype html>
<html lang="${document.documentElement.lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${items.map(articleOf).join("\n")}
</body>
</html>
`

function articleOf(item: Item): string {
  const who =
    item.type === "user" ? (item.message.origin?.name ?? t.chat.you) : (item.agent ?? t.chat.assistant)
  const head = `<header>${escaped(who)} · <time datetime="${new Date(item.at).toISOString()}">${escaped(formatFullTime(item.at))}</time></header>`
  return `<article class="${item.type}">${head}${item.type === "user" ? userOf(item) : answerOf(item)}</article>`
}

function userOf({ message: { parts } }: Extract<Item, { type: "user" }>): string {
  const attached = attachmentsOf(parts).map((part) =>
    part.type === "image"
      ? `<p><img alt="${escaped(t.chat.image)}" src="data:${escaped(part.mediaType)};base64,${escaped(part.data)}"></p>`
      : `<p><em>${escaped(part.name)}</em></p>`,
  )
  return `${attached.join("")}<div dir="auto">${escaped(textOf(parts))}</div>`
}

const answerOf = (item: Extract<Item, { type: "answer" }>): string =>
  `<div dir="auto">${sanitize(
    answerTexts(item)
      .map((text) => markdown.parse(text, { async: false }))
      .join("\n"),
  )}</div>`

const SIGNS: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => SIGNS[sign] ?? sign)
